"""Read DOT, as this package writes it: nodes, edges, clusters, chains of boxes in one layer.

The grammar is Graphviz's, without edges between subgraphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

Attributes = dict[str, str]  # a label in <...> keeps its < and >, by which it is told from plain text
_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<sign>->|[{}\[\];,=:])|"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<word>[\w.-]*[\w.]|-?[\d.]+)""",
    re.DOTALL,
)


@dataclass(slots=True)
class Edge:
    """An arrow, from one port to another; "" for none."""

    tail: str
    out: str
    head: str
    into: str
    attributes: Attributes


@dataclass(slots=True)
class Graph:
    """A graph, or a cluster in it: only the whole one holds the edges.

    Attributes:
        name: "cluster_..." for one that gets a frame.
        attributes: such as rankdir, label.
        nodes: by name, their attributes; those of the clusters stand in these.
        clusters: what is framed inside.
        edges: all of them.
        chains: the names in each {rank=same a -> b -> c}.
    """

    name: str = ""
    attributes: Attributes = field(default_factory=dict)
    nodes: dict[str, Attributes] = field(default_factory=dict)
    clusters: list[Graph] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    chains: list[list[str]] = field(default_factory=list)

    def every(self) -> Iterator[tuple[str, Attributes]]:
        """The nodes, with those of the clusters."""
        yield from self.nodes.items()
        for cluster in self.clusters:
            yield from cluster.every()


def read(source: str) -> Graph:
    """The graph that DOT text describes.

    Raises:
        ValueError: it is not DOT; the message quotes where.

    >>> graph = read('digraph { a [label="x"]; a -> b:i0:w [id=e] }')
    >>> graph.nodes, graph.edges[0].into
    ({'a': {'label': 'x'}, 'b': {}}, 'i0')
    """
    reader = _Reader(source)
    while reader.next() != "{":
        if reader.take() in ("", "}", "["):
            raise ValueError("expected digraph { ... }")
    whole = Graph()
    reader.block(whole, {}, {}, whole)
    return whole


class _Reader:
    """Walks over the tokens; the nodes that stood somewhere before stay there."""

    def __init__(self, source: str) -> None:
        self.tokens = list(_tokens(source))
        self.at = 0
        self.home: dict[str, Graph] = {}

    def next(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        """The text of the next token."""
        self.at += 1
        return self.tokens[self.at - 1][1] if self.at <= len(self.tokens) else ""

    def accept(self, sign: str) -> bool:
        found = self.next() == sign
        self.at += found
        return found

    def block(self, graph: Graph, node: Attributes, edge: Attributes, whole: Graph) -> None:
        """What stands between { and }."""
        self.take()
        node, edge = dict(node), dict(edge)
        while not self.accept("}"):
            if self.next() == "":
                raise ValueError("expected }, but the text ends")
            self.statement(graph, node, edge, whole)
            while self.next() in (";", ","):
                self.take()

    def statement(self, graph: Graph, node: Attributes, edge: Attributes, whole: Graph) -> None:
        if self.next() == "{":
            self.block(part := Graph(), node, edge, whole)
            self.rows(part, graph, whole)
            return
        word = self.take()
        if word == "subgraph":
            name = self.take()
            known = [cluster for cluster in graph.clusters if cluster.name == name]
            part = known[0] if known else Graph(name)
            self.block(part, node, edge, whole)
            graph.clusters += [] if known else [part]
        elif word in ("graph", "node", "edge") and self.next() == "[":
            {"graph": graph.attributes, "node": node, "edge": edge}[word].update(self.attributes())
        elif self.accept("="):
            graph.attributes[word] = self.take()
        else:
            self.nodes_and_edges(word, graph, node, edge, whole)

    def rows(self, part: Graph, graph: Graph, whole: Graph) -> None:
        """What {rank=same ...} says; its nodes belong to what is around."""
        graph.nodes |= part.nodes
        self.home |= dict.fromkeys(part.nodes, graph)
        if part.attributes.get("rank") == "same":
            heads = [each.head for each in whole.edges if each.attributes.get("chain")]
            tails = [each.tail for each in whole.edges if each.attributes.get("chain")]
            whole.chains.append(list(dict.fromkeys([*tails[:1], *heads])))
            whole.edges = [each for each in whole.edges if not each.attributes.get("chain")]

    def nodes_and_edges(self, word: str, graph: Graph, node: Attributes, edge: Attributes, whole: Graph) -> None:
        ends = [(word, self.port())]
        while self.accept("->"):
            ends.append((self.take(), self.port()))
        given = self.attributes() if self.next() == "[" else {}
        for name, _ in ends:
            if name not in self.home:
                self.home[name] = graph
                graph.nodes[name] = dict(node)
        if len(ends) == 1:
            self.home[word].nodes[word].update(given)
        chain = {"chain": "yes"} if graph.attributes.get("rank") == "same" else {}
        for (tail, out), (head, into) in pairwise(ends):
            whole.edges.append(Edge(tail, out, head, into, edge | given | chain))

    def port(self) -> str:
        """The port after a name; the side of it at which an edge arrives is not needed."""
        port = self.take() if self.accept(":") else ""
        if self.accept(":"):
            self.take()
        return port

    def attributes(self) -> Attributes:
        """What stands between [ and ]."""
        self.take()
        found: Attributes = {}
        while not self.accept("]"):
            name = self.take()
            if not self.accept("="):
                raise ValueError(f"expected {name}=...")
            found[name] = self.take()
            while self.next() in (";", ","):
                self.take()
        return found


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    """Each token: the sign that it is, or "word"; and its text."""
    at = 0
    while at < len(source):
        if source[at] == "<":
            end = _end_of_label(source, at)
            yield "word", source[at:end]
            at = end
            continue
        found = _TOKEN.match(source, at)
        if found is None:
            raise ValueError(f"not DOT: {source[at : at + 20]!r}")
        if found["sign"]:
            yield found["sign"], found["sign"]
        elif found["quoted"] is not None:
            yield "word", found["quoted"].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        elif found["word"]:
            yield "word", found["word"]
        at = found.end()


def _end_of_label(source: str, start: int) -> int:
    """Where a label in <...> ends."""
    depth = 0
    for found in re.finditer("[<>]", source[start:]):
        depth += 1 if found[0] == "<" else -1
        if not depth:
            return start + found.end()
    raise ValueError(f"expected >: {source[start : start + 20]!r}")
