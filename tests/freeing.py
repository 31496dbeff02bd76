"""Free graphs of a million nodes in every way there is, and look whether what lies beside them in memory is unharmed.

    PYTHONMALLOC=debug python tests/freeing.py

It needs nothing but the package, so that any Python can run it; test_native.py and .ci/run do. A write beyond an
object's end stops the debugging allocator; one into a neighbour shows in what is kept here beside the nodes.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from micrograd_plus.engine.noticing import uncollected
from micrograd_plus.engine.operations import operation
from micrograd_plus.engine.value import NATIVE, Value, node

DEEP = 1_000_000
ADD, WHERE = operation("add"), operation("where")


class Named(Value):
    """It has a __dict__ and the collector looks after it."""


class Bare(Value):
    """It has neither."""

    __slots__ = ()


@uncollected
class Unseen(Value):
    """It has neither, and natively the collector passes over it, as over a Value."""

    __slots__ = ()


class Ending(Value):
    """It has a last word."""

    said = 0

    def __del__(self) -> None:
        Ending.said += 1


def beside(i: int) -> Any:
    """A bystander: objects of about a node's size, of each sort."""
    sorts: list[Callable[[], Any]] = [
        lambda: Value(i, label=str(i)),
        lambda: (i, i + 1, i + 2, i + 3, i + 4),
        lambda: b"%060d" % i,
        lambda: [i] * 3,
        lambda: Named(i),
    ]
    return sorts[i % len(sorts)]()


def shown(thing: Any) -> str:
    return f"{type(thing).__name__} {thing!r}"


def chain(length: int, link: Callable[[Value], Value] = lambda out: out * 1.0, start: Value | None = None) -> Any:
    """A chain and its bystanders, one in a hundred."""
    out, kept = start or Value(1.0), []
    for i in range(length):
        out = link(out)
        if i % 100 == 0:
            kept.append(beside(i))
    return out, kept


def unharmed(kept: list[Any]) -> None:
    assert [shown(thing) for thing in kept] == [shown(beside(100 * i)) for i in range(len(kept))]


def a_chain() -> None:
    leaf = Value(2.0)
    out, kept = chain(DEEP, start=leaf)
    out.backward()
    assert leaf.grad == 1.0
    gone = weakref.ref(leaf)
    del leaf, out
    assert gone() is None
    unharmed(kept)


def both_arguments() -> None:
    out, kept = chain(DEEP // 10, lambda out: out + out)
    del out
    unharmed(kept)


def many_arguments() -> None:
    """Those beyond the first lie in a tuple."""
    one = Value(1.0)
    out, kept = chain(DEEP // 10, lambda out: node(WHERE, 0.0, one, (one, out)))
    del out
    unharmed(kept)


def subclasses() -> None:
    for kind in (Named, Bare, Unseen, Ending):
        out, kept = chain(DEEP // 10, lambda out, kind=kind: kind(1.0, (out,), "made"))  # type: ignore[misc]
        del out
        unharmed(kept)
    assert Ending.said == DEEP // 10
    assert [gc.is_tracked(kind(1.0)) for kind in (Value, Bare, Unseen)] == [not NATIVE, True, not NATIVE]


def in_containers() -> None:
    """CPython's trashcan is at work around the nodes."""
    nest: list[Any] = []
    for i in range(DEEP // 10):
        nest = [Value(i), nest, Value(i) + 1.0]
    kept = [beside(100 * i) for i in range(1000)]
    del nest
    unharmed(kept)
    out, kept = chain(1)
    for i in range(DEEP // 10):  # nodes hold lists, which hold nodes
        holder = Value(i)
        holder._note = ([out], None)
        out = holder + 1.0
        if i % 100 == 0:
            kept.append(beside(i + 100))
    del out, holder
    unharmed(kept)


def with_hooks_and_callbacks() -> None:
    """A weak reference's callback runs, and makes and frees nodes, in the middle of it."""
    seen = []

    def callback(_: object) -> None:
        seen.append(chain(300)[0].data)

    references: list[Any] = []

    def link(out: Value) -> Value:
        out = out * 1.0
        if len(references) < DEEP // 1000:
            references.append(weakref.ref(out, callback))
        return out

    out, kept = chain(DEEP // 10, link)
    del out
    assert len(seen) == len(references) == DEEP // 1000
    unharmed(kept)


def with_an_exception_in_flight() -> None:
    kept: list[Any] = []

    def fail() -> None:
        _out, others = chain(DEEP // 10)
        kept.extend(others)
        raise ZeroDivisionError

    try:
        fail()
    except ZeroDivisionError as error:
        error.__traceback__ = None  # frees the chain while the error is handled
    unharmed(kept)


def in_two_threads() -> None:
    results: list[Any] = []

    def work() -> None:
        for _ in range(3):
            out, kept = chain(DEEP // 10)
            out.backward()
            del out
            results.append(kept)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert len(results) == 6
    for kept in results:
        unharmed(kept)


def by_another_thread() -> None:
    out, kept = chain(DEEP // 10)
    graph = [out]
    del out
    thread = threading.Thread(target=graph.clear)
    thread.start()
    thread.join()
    unharmed(kept)


def main() -> None:
    gc.disable()
    ways = [a_chain, both_arguments, many_arguments, subclasses, in_containers, with_hooks_and_callbacks]
    for way in [*ways, with_an_exception_in_flight, in_two_threads, by_another_thread]:
        way()
        gc.collect()
    print(f"freed, {'native' if NATIVE else 'plain'}, Python {sys.version.split()[0]}")  # noqa: T201


if __name__ == "__main__":
    main()
