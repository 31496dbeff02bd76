"""The backward pass as data: one step for each use of the chain rule, in the order in which `backward()` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from reprlib import repr as short_repr
from typing import overload

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.identities import Identities
from micrograd_plus._support.letters import printable
from micrograd_plus._support.texts import abridge
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort, walk
from micrograd_plus.formulas.variables import callers_namespace
from micrograd_plus.stepping.ledgers import Ledger
from micrograd_plus.stepping.naming import node_names
from micrograd_plus.stepping.page import documents
from micrograd_plus.stepping.passes import Pass, Wrong
from micrograd_plus.stepping.steps import Step

_SHOWN = 40  # lines of a pass that str() lists


class Backprop(Sequence[Step]):
    """A backward pass, step by step, made by `backprop`.

    Index it, slice it, go through it. In Jupyter it shows itself as a page with buttons; `save` writes that page to a
    file, or a film.

    Attributes:
        root: the loss.
        names: what each node is called, a dict.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> steps = backprop(a * b)
    >>> len(steps), steps[1].contribution
    (3, -3.0)
    >>> steps.forward
    ['L = a × b = 2.0 × (-3.0) = -6.0']
    >>> steps.gradients[a], a.grad                    # it touches no node before `apply`
    (-3.0, 0.0)
    >>> steps.wrong
    []
    >>> steps.html()[:15]
    '<!DOCTYPE html>'
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     steps.save(Path(folder, "steps.html"))
    """

    def __init__(self, taken: Pass) -> None:
        self.root = taken.root
        self.names = taken.names
        self._pass = taken

    def __len__(self) -> int:
        return len(self._pass.steps)

    @overload
    def __getitem__(self, place: int) -> Step: ...
    @overload
    def __getitem__(self, place: slice) -> list[Step]: ...
    def __getitem__(self, place: int | slice) -> Step | list[Step]:
        return self._pass.steps[place]

    def __repr__(self) -> str:
        wrong = f", {len(self.wrong)} gradients come out wrong" if self.wrong else ""
        return f"<backprop of {self.names[self.root]}: {len(self):,} steps{wrong}>"

    def __str__(self) -> str:
        """The steps, one a line; of a long pass the first and the last. Then what is outdated or wrong."""
        lines = abridge([f"{i}  {step}" for i, step in self._listed()], _SHOWN, "steps", len(self))
        wrong = [f"wrong: {each}" for each in self.wrong]
        lines += [f"outdated: {warning}"] if (warning := self._pass.warning) else []
        return printable("\n".join([*lines, *abridge(wrong, _SHOWN, "wrong gradients")]))

    def _listed(self) -> list[tuple[int, Step]]:
        count, half = len(self), _SHOWN // 2
        places = range(count) if count <= _SHOWN else [*range(half), *range(count - half, count)]
        return [(i, self[i]) for i in places]

    @property
    def forward(self) -> list[str]:
        """A list of how each value came about, arguments before results: `c = a × b = 2.0 × (-3.0) = -6.0`."""
        return self._pass.forward

    @property
    def gradients(self) -> Identities[Value, float]:
        """The gradient of each node that took part, as after `backward()`."""
        return self._pass.gradients

    def apply(self) -> None:
        """Write the gradients of this pass into the graph, as `backward()` would: leaves add them to what they hold.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(3.0)
        >>> steps = backprop(x * x)
        >>> x.grad
        0.0
        >>> steps.apply()
        >>> x.grad
        6.0
        """
        for node in walk(self.root)[1]:
            if node.op is not None:
                node.grad = 0.0
        for node, grad in self._pass.sums.items():
            node.grad = grad + node.grad if node.op is None and node.grad else grad

    def ledger(self, node: Value, limit: int = 50) -> Ledger:
        """Which paths from the loss gave how much to a node's gradient: the chain rule, spelled out.

        Each path gives the product of the derivatives along it, and their sum is the gradient. This is why gradients
        add up (`+=`), and why a node must wait for all its uses before it passes anything on.

        Args:
            node: a Value of the graph.
            limit: how many entries there may be. Where there are more paths, those with the least to give are taken
                together by what they end in, so that the sum still holds.

        Returns:
            A `Ledger`, which lists the entries, largest first, each with `.path`, from the loss to the node,
            `.contribution` and `.paths`; `.total` is their sum. `print` it.

        Raises:
            TypeError: node is no Value.
            ValueError: node is not in the graph, or limit is not positive.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(3.0, label="x")
        >>> square = x * x
        >>> print(backprop(square + 4 * x).ledger(x))
        ∂L/∂x, the sum over 3 paths
          L → v1 → x   4.0
          L → square → x   3.0
          L → square → x   3.0
          --------------------
          sum             10.0
        """
        if not isinstance(node, Value):
            raise TypeError(f"ledger({short_repr(node)}): expected a Value, got {type(node).__name__}")
        if node not in self.names:
            raise ValueError(f"ledger({node!r}): expected a node of the graph of {self.names[self.root]}")
        return self._pass.ledger(node, whole("ledger", "limit", limit))

    @property
    def wrong(self) -> list[Wrong]:
        """The gradients that this order gets wrong, and why; none in the order of `backward()`."""
        return self._pass.wrong

    def html(self) -> str:
        """The page: the graph and buttons that walk through it; it works without a network.

        Raises:
            ValueError: the graph is too large for a page.
            RuntimeError: Graphviz is missing, or fails.
        """
        return documents.html(self._pass)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to an .html file, or the same as a film that plays by itself to an .svg file.

        Either is written whole or not at all, and works without a network. Where nothing moves, the film shows its end.

        Raises:
            TypeError: the path is none.
            ValueError: the file's name ends otherwise, or the graph is too large for a page.
            RuntimeError: Graphviz is missing, or fails.
            OSError: the file cannot be written.
        """
        documents.save(self._pass, path)

    def _repr_html_(self) -> str:
        return documents.in_notebook(self._pass)["text/html"]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return documents.in_notebook(self._pass) | {"text/plain": repr(self)}


def backprop(loss: Value, order: str | Iterable[Value] | None = None) -> Backprop:
    """The backward pass of a scalar as steps, in the order and with the numbers of `loss.backward()`.

    The graph stays as it is until `.apply()` is called. Where `backward()` has run already, the steps are those of that
    pass: they start from what leaves held before it; unless data were written since, as by `optimizer.step()`: then
    they add to what leaves hold, and all that shows the steps says so. Hooks are called as in `backward()`. Nodes are
    called by their labels, else by the caller's variables and modules that hold them, else L, x1, x2, …, v1, v2, …

    Args:
        loss: the root of the graph.
        order: None for the right order. Else an order of your own, to see what goes wrong: "depth-first" (each node as
            soon as it is met), "breadth-first" (by the distance from the loss), "arguments-first" (from the leaves to
            the loss), or a list of nodes. Each node's rule is applied once, with the gradient it has by then.

    Returns:
        A `Backprop`, a sequence of `Step` with `.ledger(node)`, `.wrong`, `.apply()`, `.save()`; a page in Jupyter.

    Raises:
        TypeError: loss is no Value, or a rule in its graph was set by hand.
        ValueError: the order is unknown, or lists a node twice or one that is not in the graph.

    >>> import micrograd_plus as mp
    >>> a, b = mp.Value(2.0), mp.Value(-3.0)
    >>> c = a * b
    >>> print(backprop(c + 10.0))
    0  ∂L/∂L = 1.0 (L.grad: 0.0 → 1.0)
    1  ∂L/∂c += ∂L/∂L · ∂L/∂c = 1.0 · 1.0 = 1.0 (c.grad: 0.0 → 1.0)
    2  ∂L/∂a += ∂L/∂c · ∂c/∂a = 1.0 · b = 1.0 · (-3.0) = -3.0 (a.grad: 0.0 → -3.0)
    3  ∂L/∂b += ∂L/∂c · ∂c/∂b = 1.0 · a = 1.0 · 2.0 = 2.0 (b.grad: 0.0 → 2.0)
    """
    if not isinstance(loss, Value):
        raise TypeError(f"backprop({short_repr(loss)}): expected a Value, got {type(loss).__name__}")
    nodes = toposort(loss)
    return Backprop(Pass(loss, node_names(loss, nodes, callers_namespace()), nodes, order))
