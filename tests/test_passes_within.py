"""A backward pass is whole or has not been: within another pass, in a thread, in a child, when it is broken off."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value, engine
from micrograd_plus.engine import hooks
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import NATIVE
from micrograd_plus.engine.walking import toposort, walk
from micrograd_plus.ops.rows import FUNCTIONS

seeds = st.integers(0, 2**32)
LINKS: list[Callable[[Value, Value], Value]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a.relu() + b,
    lambda a, b: 2.0 * a,
    lambda a, b: b * 0.5,
]

ENGINE = str(Path(engine.__file__).parent)


def drawn(seed: int, size: int = 12) -> tuple[list[Value], list[Value]]:
    """Leaves, and the nodes of a random graph over them; its numbers are such that sums are exact."""
    draw = random.Random(seed)
    leaves = [Value(draw.choice([1.0, 2.0, -1.0]), label=f"x{i}") for i in range(3)]
    nodes = list(leaves)
    for _ in range(size):
        a, b = draw.choice(nodes), draw.choice(nodes[-4:])
        nodes.append(draw.choice(LINKS)(a, b))
    total = nodes[3]
    for node in nodes[4:]:
        total = total + node
    return leaves, [*nodes[3:], total]


def grads(values: list[Value]) -> list[float]:
    return [value.grad for value in values]


def alone(seed: int, place: int) -> list[float]:
    """What backward() of one node adds to the leaves."""
    leaves, nodes = drawn(seed)
    nodes[place].backward()
    return grads(leaves)


# ------------------------------------------------------------------------------------------------ a pass within a pass

WAYS = ["hook", "rule", "primitive"]


def called_within(way: str, value: Value, work: Callable[[], object]) -> Value:
    """A node with the same number, while whose gradient is passed on the work is done once."""
    left = [work]

    def once() -> None:
        if left:
            left.pop()()

    if way == "hook":
        out = value * 1.0
        out.register_hook(lambda _: once())
    elif way == "rule":
        out = Value(value.data, (value,), "mine")

        def rule() -> None:
            before = value.grad
            once()
            assert value.grad == before
            value.grad += out.grad

        out._backward = rule
    else:

        def partial(out: Any, x: Any) -> float:
            once()
            return 1.0

        out = mp.primitive("calls_within", lambda x: x, partial)(value)
    return out


@pytest.fixture(autouse=True)
def _no_primitive_stays() -> Iterator[None]:
    yield
    for name in ("calls_within", "raises_within"):
        if TABLE.pop(name, None):
            del FUNCTIONS[name]
            delattr(Value, name)


@settings(max_examples=60)
@given(seeds, st.sampled_from(WAYS), st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_a_pass_within_a_pass_adds_what_it_adds_alone(seed: int, way: str, at: int, inner: int, hooked: bool) -> None:
    """Whatever the two have in common: so PyTorch does it."""
    leaves, nodes = drawn(seed)
    for leaf in leaves:
        leaf.grad = 100.0
    node = called_within(way, nodes[at], lambda: nodes[inner].backward())
    handles = [leaf.register_hook(lambda gradient: 10.0 * gradient) for leaf in leaves if hooked]
    (nodes[-1] + node).backward()
    wanted = [a + b + c for a, b, c in zip(alone(seed, -1), alone(seed, at), alone(seed, inner))]
    assert grads(leaves) == [100.0 + (10.0 if handles else 1.0) * grad for grad in wanted]


@pytest.mark.parametrize("way", WAYS)
def test_a_pass_may_run_through_the_very_node_that_calls_it(way: str) -> None:
    x = Value(3.0)
    roots: list[Value] = []
    out = called_within(way, x * x, lambda: deque(map(Value.backward, roots)))
    roots += [out * 2.0, out * 5.0]  # the second is above what the outer pass knows
    roots[0].backward()
    assert x.grad == 6.0 * (2.0 + 2.0 + 5.0)
    assert [root.grad for root in roots] == [1.0, 0.0]  # of the one around it the nodes keep what it gave


@pytest.mark.parametrize("way", WAYS)
def test_a_gradient_within_a_pass_changes_nothing(way: str) -> None:
    x = Value(3.0)
    h = x * 2.0
    found: list[Any] = []
    out = called_within(way, h * 5.0, lambda: found.append((mp.gradient(h * h, [x, h]), mp.grad(mp.square)(2.0))))
    (out + h * 7.0).backward()
    assert found == [([24.0, 12.0], 4.0)]
    assert (x.grad, h.grad) == (24.0, 12.0)


@pytest.mark.parametrize("way", ["hook", "primitive"])
def test_a_pass_within_a_gradient_adds_to_the_leaves(way: str) -> None:
    x = Value(3.0)
    x.grad = 1.0
    h = x * 2.0
    out = called_within(way, h * 5.0, lambda: (h * 1.0).backward())
    assert mp.gradient(out + h * 7.0, [x]) == [24.0]
    assert (x.grad, h.grad) == (3.0, 0.0)


def test_a_hook_sees_the_leaves_as_they_are_without_the_pass_around_it() -> None:
    x = Value(1.0)
    x.grad = 100.0
    h = x * 2.0
    a = h * 5.0
    seen = []

    def hook(gradient: float) -> None:
        seen.append(x.grad)
        (h * 1.0).backward()
        seen.append(x.grad)

    with a.register_hook(hook):
        (a + h * 7.0 + x * 3.0).backward()
    assert seen == [100.0, 102.0]
    assert x.grad == 100.0 + 2.0 + 24.0 + 3.0
    x.grad = 0.0
    with a.register_hook(lambda _: setattr(x, "grad", 0.0)):  # zero_grad() in the middle of it
        a.backward()
    assert x.grad == 10.0


def test_one_rule_called_by_hand_may_run_a_pass() -> None:
    x = Value(1.0)
    h = x * 2.0
    out = called_within("rule", h, lambda: (h * 1.0).backward())
    h.grad, out.grad = 4.0, 5.0
    out._backward()
    assert (x.grad, h.grad) == (2.0, 9.0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("caught", [True, False])
def test_a_pass_within_that_fails_leaves_the_one_around_it_whole(way: str, caught: bool) -> None:
    x = Value(1.0)
    x.grad = 100.0
    h = x * 2.0

    def fails(out: Any, x: Any) -> float:
        raise ZeroDivisionError

    bad = mp.primitive("raises_within", lambda x: x, fails)(h + x)

    def work() -> None:
        (h * 1.0).backward()
        try:
            (bad + x).backward()
        except ZeroDivisionError:
            if not caught:
                raise

    out = called_within(way, h * 5.0, work)
    if caught:
        (out + h * 7.0).backward()
        assert (x.grad, h.grad) == (126.0, 12.0)
    else:
        with pytest.raises(ZeroDivisionError):
            (out + h * 7.0).backward()
        assert x.grad == 102.0  # the one that was complete stays
    x.grad = 0.0
    (h * 1.0).backward()
    assert (x.grad, h.grad) == (2.0, 1.0)


# ------------------------------------------------------------------------------------------------------- broken off


class Subject:
    """A graph with all that a pass can meet, and what its leaves' gradients are before and after one pass more."""

    def __init__(self, step: Callable[[], None] = lambda: None, by_hand: bool = True) -> None:
        def partial(out: Any, x: Any) -> Any:
            step()
            return 3.0

        function = mp.primitive("raises_within", lambda x: 3.0 * x, partial)
        self.leaves = [Value(float(i + 1)) for i in range(4)]
        a, b, c, d = self.leaves
        h = function(a * b + c)
        mine = Value(h.data, (h,), "mine")

        def rule() -> None:
            step()
            h.grad += mine.grad

        mine._backward = rule
        self.root = function((mine if by_hand else h) * a) + mp.where(d < 3.0, b, c) + d.maximum(a) + h
        self.handles = [h.register_hook(lambda _: step()), a.register_hook(lambda gradient: step())]
        self.root.backward()
        self.old = grads(self.leaves)
        self.new = [2.0 * grad for grad in self.old]

    def check(self) -> None:
        """All are old, or all are new; and the next pass is right, also where another thread makes it."""
        now = grads(self.leaves)
        assert now in (self.old, self.new)
        thread = threading.Thread(target=self.root.backward, daemon=True)
        thread.start()
        thread.join(10.0)
        assert not thread.is_alive()
        assert grads(self.leaves) == [grad + once for grad, once in zip(now, self.old)]


class Interrupt(BaseException):
    pass


@contextmanager
def raised_at(count: int) -> Iterator[list[int]]:
    """An exception at one of the lines of the engine: what is left of the count tells whether it came to it."""
    left = [count]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ENGINE):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                sys.settrace(None)
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield left
    finally:
        sys.settrace(before)


WORKS: dict[str, Callable[[Subject], object]] = {
    "backward": lambda subject: subject.root.backward(),
    "gradient": lambda subject: mp.gradient(subject.root, subject.leaves),
    "toposort": lambda subject: toposort(subject.root),
    "register_hook": lambda subject: subject.root.register_hook(lambda _: None).remove(),
}


@pytest.mark.skipif(NATIVE, reason="natively, no line of the engine can be interrupted")
@pytest.mark.parametrize("work", WORKS)
def test_an_exception_at_any_line_of_the_engine_leaves_gradients_old_or_new(work: str) -> None:
    count = 0
    while True:
        count += 1
        subject = Subject(by_hand=work != "gradient")
        with raised_at(count) as left, suppress(Interrupt):
            WORKS[work](subject)
        if left[0] > 0:
            break
        subject.check()
    assert count > 20


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C raises here, also where the tests run in the background and inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("work", ["backward", "gradient"])
def test_an_interrupt_in_any_rule_leaves_gradients_as_they_were(work: str) -> None:
    """In plain Python, and natively: a signal comes up where Python runs, as in a partial."""
    left = [0]

    def step() -> None:
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)

    for count in range(1, 6 if work == "backward" else 5):
        subject = Subject(step, by_hand=work != "gradient")
        left[0] = count
        with pytest.raises(KeyboardInterrupt):
            WORKS[work](subject)
        assert grads(subject.leaves) == subject.old
        subject.check()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
def test_a_timer_that_interrupts_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # one that hits a callback is lost
    subject = Subject()

    def passes() -> None:
        while True:
            subject.root.backward()

    def handler(_: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not passes.__code__:
            frame = frame.f_back
        if frame is not None or not entered:  # once they were left, no more of them
            signal.setitimer(signal.ITIMER_REAL, 2e-5)  # and soon again
        if frame is not None:
            entered.append(True)
            raise Interrupt

    entered: list[bool] = []
    before = signal.signal(signal.SIGALRM, handler)
    draw = random.Random(1)
    interrupted = 0
    try:
        for _ in range(300):
            for leaf, grad in zip(subject.leaves, subject.old):
                leaf.grad = grad
            try:
                entered.clear()
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, 4e-4))
                passes()
            except Interrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            times = {grad / once for grad, once in zip(grads(subject.leaves), subject.old)}
            assert len(times) == 1
            assert times.pop() >= 1.0
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted == 300
    for leaf, grad in zip(subject.leaves, subject.old):
        leaf.grad = grad
    subject.check()


def test_a_walk_in_the_middle_of_a_walk_disturbs_none() -> None:
    """As a signal's handler may take one."""
    _, nodes = drawn(5)
    wanted = [node.data for node in toposort(nodes[-1])]

    calls = [0]

    def disturbs(node: Value) -> bool:
        calls[0] += 1
        if calls[0] % 5 == 2 and calls[0] < 40:
            toposort(nodes[-2])
            toposort(nodes[-1] * 2.0)
        return False

    order, _ = walk(nodes[-1], skip=disturbs)
    first = [node for node in toposort(nodes[-1]) if node.op is None]
    assert [node.data for node in [*first, *order]] == wanted
    assert len({id(node) for node in order}) == len(order)


# ------------------------------------------------------------------------------------------------- threads and children


def run(*works: Callable[[], object]) -> None:
    """The works at the same time, a thread each; what one of them raises is raised."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]


def test_hooks_come_and_go_in_many_threads_and_none_is_lost() -> None:
    gc.collect()
    shared = Value(1.0)
    counts = [0] * 4

    def work(place: int) -> None:
        def count(_: float) -> None:
            counts[place] += 1

        for _ in range(150):
            own = shared * 2.0
            with shared.register_hook(count), own.register_hook(count):
                before = counts[place]
                own.backward()
                assert counts[place] >= before + 2

    run(*[lambda place=place: work(place) for place in range(4)])
    assert shared.grad == 2.0 * 150 * 4
    assert not hooks.hooks


def test_the_hooks_of_a_value_that_is_gone_are_gone() -> None:
    gc.collect()
    x = Value(1.0)
    gone = weakref.ref(x)
    handle = x.register_hook(print)
    del x
    assert gone() is None
    assert not hooks.hooks
    others = [Value(float(i)) for i in range(100)]  # some of which lie where it lay
    handles = [other.register_hook(print) for other in others]
    handle.remove()
    assert all(map(hooks.has_hook, others))
    for other in handles:
        other.remove()
    assert not hooks.hooks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("within", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from 3.12 on, of forks beside threads
def test_a_child_made_in_the_middle_of_a_pass_goes_on(within: bool) -> None:
    """Of another thread, whose pass never ends there; or of its own, which does."""
    x = Value(1.0)
    x.grad = 100.0
    reached, go = threading.Event(), threading.Event()
    children: list[int] = []

    def in_child() -> None:
        signal.alarm(20)  # should it hang
        if not within:
            assert x.grad == 100.0
            (x * 3.0).backward()
            assert x.grad == 103.0
            x.register_hook(print).remove()

    def wait() -> None:
        if within:
            children.append(os.fork())
        reached.set()
        if not within:
            go.wait()

    out = called_within("primitive", x * 2.0, wait) + x * 5.0
    thread = threading.Thread(target=out.backward)
    if not within:
        thread.start()
        assert reached.wait(10.0)
        children.append(os.fork())
    else:
        out.backward()
    if children[0] == 0:
        code = 1
        try:
            in_child()
            (x * 1.0).backward()
            assert x.grad == (108.0 if within else 104.0)
            code = 0
        finally:
            os._exit(code)
    go.set()
    if not within:
        thread.join()
    _, status = os.waitpid(children[0], 0)
    assert status == 0
    assert x.grad == 107.0


def test_a_rule_that_runs_a_pass_through_itself_keeps_no_cycle() -> None:
    x = Value(1.0)
    out = called_within("rule", x * 2.0, lambda: None)
    assert isinstance(out.op, HandMade)
    (out * 1.0).backward()
    gone = weakref.ref(out)
    del out
    assert gone() is None


def test_a_leaf_with_a_rule_set_by_hand_is_a_leaf() -> None:
    x = Value(1.0)
    x._backward = lambda: None
    (x * 10.0).backward()
    y = Value(1.0) * 2.0
    y.register_hook(lambda g: (x * 3.0).backward())
    y.backward()
    assert x.grad == 13.0


@pytest.mark.parametrize("before", [0.0, 7.0])
def test_a_leaf_with_a_rule_set_by_hand_gets_all_or_nothing(before: float) -> None:
    x, broken = Value(1.0), Value(1.0, (Value(1.0),), "broken")
    x._backward = lambda: None
    x.grad = before
    broken._backward = lambda: [][0]
    with pytest.raises(IndexError):
        (broken + x * 3.0).backward()
    assert x.grad == before
