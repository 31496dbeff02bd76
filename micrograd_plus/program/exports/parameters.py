"""Names and shapes for a program's parameters: tensors again, where a layer or nested lists hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Layer, Module
from micrograd_plus.program.arrays import Places
from micrograd_plus.program.ordering import named

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program

Index = tuple[int, ...]


class Tensor(NamedTuple):
    """Some of the parameters.

    Attributes:
        name: `layers.0.weight`, as in a state_dict.
        shape: () for a single number.
        rows: their places among all parameters, in C's order.
        trained: whether the gradient is taken by them; else they are constants that the function reads.
    """

    name: str
    shape: Index
    rows: Places
    trained: bool

    @property
    def said(self) -> str:
        """Its name and its shape, for a comment."""
        return f"{self.name}: {' x '.join(map(str, self.shape)) or 'a number'}"


def tensors(program: Program) -> list[Tensor]:
    """All parameters of a program, and the constants that it reads, each in one tensor.

    A layer is a matrix `weight` and a vector `bias`; Values in nested lists are an array where these are even. Names
    are those of the function's variables and of its model's attributes; a Value that stands alone goes by its label
    first, and one that is found nowhere by its label, or as one of `parameters`.
    """
    values = [*program.parameters, *program._others]
    found: dict[tuple[bool, str], list[tuple[Index, int]]] = {}
    for row, name in enumerate(_names(program, values)):
        stem, index = _split(name)
        found.setdefault((row < len(program.parameters), stem), []).append((index, row))
    taken: set[str] = set()
    made = []
    for (trained, stem), entries in found.items():
        shape, rows = _laid_out(entries)
        name = stem
        while name in taken:
            name += "_"
        taken.add(name)
        made.append(Tensor(name, shape, np.array(rows, dtype=np.intp), trained))
    return made


def _names(program: Program, values: Sequence[Value]) -> list[str]:
    """A name for each Value, `layers.0.weight.3.5` for one of a matrix."""
    known = {id(value) for value in values}
    found: dict[int, tuple[str, str]] = {}
    owners: dict[str, None] = {}
    for owner, thing in named(program.function):
        for path, value in _inside(thing):
            if id(value) in known and id(value) not in found:
                found[id(value)] = (owner if "." in owner or path else value.label or owner), path
                owners[owner if isinstance(thing, Module) else ""] = None
    alone = len(owners) == 1  # a single model: its names need no variable before them
    names = {key: path if alone and path else _joined(owner, path) for key, (owner, path) in found.items()}
    return [
        re.sub(r"[^\w.]", "_", names.get(id(value)) or value.label or f"parameters.{i}")
        for i, value in enumerate(values)
    ]


def _inside(thing: Module | Value) -> Iterator[tuple[str, Value]]:
    """The Values of a model with their paths; those of a layer by the names of its tensors."""
    if isinstance(thing, Value):
        yield "", thing
        return
    layers = {path for path, module in thing.named_modules() if isinstance(module, Layer)}
    for path, value in thing.named_parameters():
        part = re.fullmatch(r"(?:(.*)\.)?neurons\.(\d+)\.(?:w\.(\d+)|b)", path)
        if part is None or (part[1] or "") not in layers:
            yield path, value
        elif part[3] is None:
            yield _joined(part[1] or "", f"bias.{part[2]}"), value
        else:
            yield _joined(part[1] or "", f"weight.{part[2]}.{part[3]}"), value


def _joined(*parts: str) -> str:
    return ".".join(filter(None, parts))


def _split(name: str) -> tuple[str, Index]:
    """`w` and (0, 1) for `w.0.1`."""
    parts = name.split(".")
    end = len(parts)
    while end > 1 and parts[end - 1].isdecimal():
        end -= 1
    return ".".join(parts[:end]), tuple(map(int, parts[end:]))


def _laid_out(entries: list[tuple[Index, int]]) -> tuple[Index, list[int]]:
    """The shape of an array whose numbers have these places and rows, and the rows; a vector where it is uneven."""
    indices = [index for index, _ in entries]
    sizes = tuple([max(column) + 1 for column in zip(*indices)])
    alike = len({len(index) for index in indices}) == 1 and prod(sizes) == len(indices)
    if alike and set(indices) == set(product(*map(range, sizes))):
        return sizes, [row for _, row in sorted(entries)]
    return (len(indices),), [row for _, row in entries]


def runs(made: Sequence[Tensor]) -> list[tuple[int, int, str]]:
    """Which neighbours among the parameters belong together: from where to where, and what they are called.

    `layers.0.weight[3]` is a row of a matrix.
    """
    owner = {row: (tensor, i) for tensor in made for i, row in enumerate(tensor.rows.tolist())}
    found: list[tuple[int, int, str]] = []
    start = 0
    for row in range(1, len(owner) + 1):
        tensor, i = owner[start]
        width = tensor.shape[-1] if tensor.shape else 1
        together = row < len(owner) and owner[row][0] is tensor and owner[row][1] == i + row - start
        if together and (i + row - start) % width:
            continue
        index = np.unravel_index(i, tensor.shape)[: -1 if len(tensor.shape) > 1 else None]
        last = "" if len(tensor.shape) == 1 and row - start > 1 else "".join([f"[{k}]" for k in index])
        found.append((start, row, f"{tensor.name}{last}{'' if tensor.trained else ', a constant'}"))
        start = row
    return found


def picked(made: Iterable[Tensor], rows: Places) -> Tensor | None:
    """The tensor that these rows are, if they are just one."""
    return next((tensor for tensor in made if np.array_equal(tensor.rows, rows)), None)
