"""The graphs of some examples as pages to be stepped through, whose leaves take the numbers of any snapshot.

Examples whose graphs differ in nothing but what stands in these leaves, weights, features and targets, share a page.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.recording import enable_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.stepping.naming import node_names
from micrograd_plus.stepping.page.documents import html
from micrograd_plus.stepping.page.levels import LIMIT
from micrograd_plus.stepping.page.payload import why_fixed
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.training.compiling import formed
from micrograd_plus.training.films.answers import as_found, surroundings
from micrograd_plus.training.recording import Trained

PAGES = 3  # different graphs at most
SIZE = 3_000  # nodes: of a larger graph not even the form is looked at


@dataclass
class Graphs:
    """Pages of graphs, and what each example puts into one.

    Attributes:
        pages: each page as HTML.
        parameters: for each page the places of the parameters among its nodes, with their numbers in the training.
        examples: for each example its page with the places and numbers of its own leaves; None where it has no page.
        why_not: why the first example that has no page has none.
    """

    pages: list[str] = field(default_factory=list)
    parameters: list[list[tuple[int, int]]] = field(default_factory=list)
    examples: list[tuple[int, list[tuple[int, float]]] | None] = field(default_factory=list)
    why_not: str = ""
    kinds: dict[Hashable, int] = field(default_factory=dict)

    def add(self, trained: Trained, i: int, names: dict[str, Any]) -> None:
        """Find the page of an example, or make it.

        Raises:
            ValueError: it can have none.
            Exception: whatever the cost raises.
        """
        loss, own = _cost(trained, i)
        nodes = toposort(loss)
        if len(nodes) > SIZE:
            raise ValueError(f"a graph of {plural(len(nodes), 'node')} is too large for a page")
        place = Identities((node, i) for i, node in enumerate(nodes))
        kind = _kind(nodes, place, trained.values, own)
        if kind not in self.kinds:
            if len(self.kinds) == PAGES:
                raise ValueError("its graph has another form than those which this page holds")
            if len(nodes) > LIMIT:  # it would fold
                raise ValueError(f"a graph of {plural(len(nodes), 'node')} is too large for a page")
            taken = Pass(loss, node_names(loss, nodes, names), nodes)
            if reason := why_fixed(taken):
                raise ValueError(reason)
            self.pages.append(html(taken, bare=True))
            self.parameters.append([(place[value], i) for i, value in enumerate(trained.values) if value in place])
            self.kinds[kind] = len(self.kinds)
        self.examples.append((self.kinds[kind], [(place[leaf], leaf.data) for leaf in own if leaf in place]))


def graphs_of(trained: Trained, chosen: Sequence[int], model: tuple[str, Any] | None) -> Graphs:
    """The graphs of the cost of the chosen examples.

    Args:
        model: the model with its name, by which its parameters are called.
    """
    made = Graphs()
    names = surroundings(trained.cost) | (dict([model]) if model else {})
    with as_found(trained.values), enable_grad():
        for value in trained.values:
            value._grad = 0.0  # what the last step left there is no part of the pass
        for i in chosen:
            try:
                if made.why_not and not made.pages:
                    raise ValueError(made.why_not)
                made.add(trained, i, names)
            except Exception as error:  # noqa: BLE001 - whatever the cost raises, or Graphviz: then there is no page
                made.examples.append(None)
                made.why_not = made.why_not or str(error).partition(";")[0]
    return made


def _cost(trained: Trained, i: int) -> tuple[Value, list[Value]]:
    """The cost of an example whose features are leaves, and its targets, too, where that leaves the graph as it is."""
    x, y = trained.x[i], trained.y[i]
    try:
        features, nested = _leaves(x, "x")
        loss, own = trained.cost(nested, y), features
    except (TypeError, ValueError):  # a cost that can't be compiled may want plain numbers
        loss, own, nested = trained.cost(x, y), [], x
    try:
        targets, of_leaves = _leaves(y, "y")
        other = trained.cost(nested, of_leaves)
        if isinstance(other, Value) and _operations(other) == _operations(loss):
            return other, [*own, *targets]
    except Exception:  # noqa: BLE001, S110 - a class, say, by which a function picks an output, is no Value
        pass
    if not isinstance(loss, Value):
        raise TypeError("the cost is computed without Values there")
    return loss, own


def _operations(loss: Any) -> list[str]:
    return [node.op.name for node in toposort(loss) if node.op is not None] if isinstance(loss, Value) else []


def _leaves(example: Any, letter: str) -> tuple[list[Value], Any]:
    """A leaf for each number of an example, and the example made of them."""
    numbers = np.asarray(example, dtype=float)
    if numbers.ndim == 0:
        leaf = Value(float(numbers), label=letter)
        return [leaf], leaf
    flat = [Value(number, label=f"{letter}{place}") for place, number in enumerate(numbers.ravel().tolist())]
    nested = np.array(flat, dtype=object).reshape(numbers.shape).tolist()
    return flat, formed(nested, example)


def _kind(
    nodes: Sequence[Value], place: Identities[Value, int], parameters: Sequence[Value], own: Sequence[Value]
) -> Hashable:
    """All of a graph but what stands in the leaves that are replaced."""
    replaced: Identities[Value, tuple[str, float]] = Identities((leaf, ("own", i)) for i, leaf in enumerate(own))
    replaced.update((leaf, ("parameter", i)) for i, leaf in enumerate(parameters))
    return tuple(
        [
            (node.op.name, *[place[arg] if isinstance(arg, Value) else ("constant", arg) for arg in node.args])
            if node.op is not None
            else replaced.get(node, ("constant", node.data))
            for node in nodes
        ]
    )
