"""Name the leaves and the parts of a formula, no two of them alike."""

from __future__ import annotations

from collections import Counter

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.unique import UniqueNames
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.graphs import Graph
from micrograd_plus.formulas.naming import users_names
from micrograd_plus.formulas.variables import callers_namespace


class SymbolNames(Identities[Value, str]):
    """A name for each leaf, and for each part that asks for one.

    A leaf has its label, or the caller's variable that holds it. Where several would have the same, or none, they are
    numbered: w_1, w_2, x_1, …
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        nameless = not all(leaf.label for leaf in graph.named)
        known = users_names(graph.nodes, callers_namespace()).nodes if nameless else {}
        called = Identities((leaf, leaf.label or known.get(leaf, "")) for leaf in graph.named)
        often = Counter(called.values())
        self._unique = UniqueNames(often)
        for leaf, name in called.items():
            self[leaf] = name if name and often[name] == 1 else self._unique.numbered(f"{name or 'x'}_")

    def add(self, part: Value) -> str:
        """A name for an interior node: its label if that is free, else t_1, t_2, …"""
        free = part.label and self._unique.take(part.label)
        self[part] = part.label if free else self._unique.numbered("t_")
        return self[part]
