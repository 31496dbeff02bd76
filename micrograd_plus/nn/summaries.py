"""Say what a module is made of: its layers, their shapes, how many parameters each has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from math import prod
from typing import Any

from micrograd_plus._support.markup import table
from micrograd_plus._support.texts import one_line, plural
from micrograd_plus.nn.layers import Layer, Neuron
from micrograd_plus.nn.modules import Module

SHOWN = 40  # rows of a table: the first and the last
HEAD = ("where", "what", "activation", "shape", "parameters")
LONGEST = 60  # letters of a path


def summary(module: Module) -> str:
    """A module as a table in HTML: its parts, and how many parameters there are, each counted once.

    >>> from micrograd_plus import MLP
    >>> summary(MLP(2, [3, 1]))
    '<table ...><caption ...>MLP: 13 parameters</caption>...>layers.0</td>...>2 → 3</td>...>9</td>...'
    """
    rows = list(_rows(module))
    total = sum([count for *_, count in rows])
    written = [[one_line(path, LONGEST), *told, f"{count:,}"] for path, *told, count in rows]
    if len(written) > SHOWN:
        written[SHOWN // 2 : -SHOWN // 2] = [[f"… {len(rows) - SHOWN:,} more", "", "", "", ""]]
    title = f"{type(module).__name__}: {plural(total, 'parameter')}"
    return table(title, HEAD, written, numbers=[4], foot=("in all", "", "", "", f"{total:,}"))


def _rows(module: Module) -> Iterator[tuple[str, str, str, str, int]]:
    """A row for each layer, for each neuron outside of layers, and for each attribute that holds Values itself."""
    owners = {path: part for path, part in module.named_modules() if isinstance(part, (Layer, Neuron))}
    parts: dict[str, list[str]] = {}
    for path, _ in module.named_parameters():
        # the outermost owner: a neuron is told with its layer
        prefixes = ["", *accumulate(path.split("."), "{}.{}".format)]
        part = next((prefix for prefix in prefixes if prefix in owners), None)
        parts.setdefault(_attribute(path) if part is None else part, []).append(path)
    for part, paths in parts.items():
        owner = owners.get(part)
        told = ("Value" if len(paths) == 1 else "Values", "", _sizes(part, paths)) if owner is None else _told(owner)
        yield (part or "itself", *told, len(paths))


def _told(owner: Layer | Neuron) -> tuple[str, str, str]:
    """What it is, the activation, and how many numbers go in and come out."""
    neurons: list[Any] = owner.neurons if isinstance(owner, Layer) else [owner]
    names = dict.fromkeys([_activation(neuron) for neuron in neurons])
    inputs = dict.fromkeys([len(neuron.w) for neuron in neurons])
    into = f"{next(iter(inputs))}" if len(inputs) == 1 else "various"
    return type(owner).__name__, ", ".join(names), f"{into} → {len(neurons)}"


def _activation(neuron: Neuron) -> str:
    bend = neuron.activation
    return "linear" if bend is None else getattr(bend, "__name__", type(bend).__name__)


def _attribute(path: str) -> str:
    """The path without the places in lists at its end."""
    names = path.split(".")
    while len(names) > 1 and names[-1].isdecimal():
        names.pop()
    return ".".join(names)


def _sizes(attribute: str, paths: list[str]) -> str:
    """How long the lists are that hold these Values, as in 27 × 8; "" where they are uneven, or there is no list."""
    places = [list(map(int, path[len(attribute) + 1 :].split("."))) for path in paths if path != attribute]
    if len(places) < len(paths) or len({len(place) for place in places}) != 1:
        return ""
    sizes = [1 + max(column) for column in zip(*places)]
    return " × ".join(map(str, sizes)) if prod(sizes) == len(paths) else ""
