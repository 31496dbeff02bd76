"""What a function computes is one box that opens: the package's own functions, losses, blocks of the user's."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.calls import Scope, made
from micrograd_plus.engine.recording import Block, open_blocks, recording
from micrograd_plus.formulas.naming import under
from micrograd_plus.losses import LOSSES
from micrograd_plus.pictures.boxes import Folded
from micrograd_plus.pictures.folding import fold
from micrograd_plus.pictures.functions import calls_around

LISTS: dict[str, Callable[[list[mp.Value]], Any]] = {
    "dot": lambda xs: mp.dot(xs, xs),
    "mean": mp.mean,
    "softmax": mp.softmax,
    "log_softmax": mp.log_softmax,
    "logsumexp": mp.logsumexp,
}


def folded(roots: Any, modules: Any = (), **options: Any) -> Folded:
    roots = roots if isinstance(roots, list) else [roots]
    nodes = under(roots)
    return fold(nodes, roots, modules, {}, number={node: i for i, node in enumerate(nodes)}, limit=10**6, **options)


def titles(roots: Any, modules: Any = (), **options: Any) -> list[str]:
    return [box.title for box in folded(roots, modules, **options).boxes if box.title]


def losses_of(xs: list[mp.Value]) -> dict[str, Any]:
    """Each loss of these outputs."""
    targets = {"number": 0.5, "sign": 1, "probability": 1.0}
    probabilities = [mp.sigmoid(x) for x in xs]
    found = {}
    for name, loss in LOSSES.items():
        prediction = probabilities if loss.outputs == (0.0, 1.0) else xs
        found[name] = loss.function(prediction, 0 if loss.target == "class" else [targets[loss.target]] * len(xs))
    return found


# ------------------------------------------------------------------------------------------------------------ functions


@pytest.mark.parametrize("name", LISTS)
@given(count=st.integers(1, 6))
def test_a_function_is_one_box_with_an_arrow_from_each_argument(name: str, count: int) -> None:
    xs = [mp.Value(0.1 * i) for i in range(count)]
    out = LISTS[name](xs)
    drawing = folded(out)
    (box,) = [box for box in drawing.boxes if box.title]
    assert box.title == name
    assert [edge.count for edge in drawing.edges] == [1] * count
    assert {edge.head for edge in drawing.edges} == {box.id}
    assert len(box.members) == len(under(out if isinstance(out, list) else [out])) - count


def test_each_loss_is_one_box() -> None:
    xs = [mp.Value(0.1 * i) for i in range(3)]
    for name, loss in losses_of(xs).items():
        drawing = folded(loss)
        assert [box.title for box in drawing.boxes if box.title] == [name]
        (box,) = [box for box in drawing.boxes if box.title]
        assert box.output is loss
        assert len([edge for edge in drawing.edges if edge.head == box.id]) == 3


def test_cross_entropy_of_three_logits_is_one_box_with_three_arrows() -> None:
    a, b, c = [mp.Value(x) for x in (1.0, 2.0, 0.5)]
    loss = mp.losses.cross_entropy([a, b, c], 1)
    source = mp.draw(loss).source
    assert source.count("->") == 3
    assert "loss = cross_entropy" in source
    assert "23 nodes" in source
    assert mp.draw(loss, depth=1).source.count("->") > 3


def test_functions_in_functions_open_level_by_level_and_by_name() -> None:
    xs = [mp.Value(0.1 * i) for i in range(3)]
    loss = mp.losses.cross_entropy(xs, 1)
    assert [titles(loss, depth=depth) for depth in range(4)] == [["cross_entropy"], ["logsumexp"], [], []]
    assert titles(loss, open="cross_entropy") == ["logsumexp"]
    assert titles(loss, open="logsumexp") == []
    with pytest.raises(ValueError, match="unknown box to open, 'logsumexpo'; did you mean 'logsumexp'"):
        titles(loss, open="logsumexpo")


def test_calls_of_one_function_are_counted_and_open_one_by_one() -> None:
    xs = [mp.Value(0.1 * i) for i in range(3)]
    total = mp.mean(xs) * mp.mean(xs[:2])
    assert titles(total) == ["mean, call 0", "mean, call 1"]
    assert titles(total, open="mean, call 1") == ["mean, call 0"]
    assert titles(total, open="mean") == []


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(0, 5))
def test_folding_functions_loses_no_node(count: int, depth: int) -> None:
    xs = [mp.Value(0.3 * i) for i in range(count)]
    root = mp.mean([*losses_of(xs).values(), *mp.softmax(xs), *mp.log_softmax(xs), mp.dot(xs, xs)])
    drawing = folded(root, depth=depth)
    assert sorted([id(node) for box in drawing.boxes for node in box.members]) == sorted(map(id, under([root])))


def test_what_was_given_is_kept_though_the_list_changes() -> None:
    xs = [mp.exp(mp.Value(0.1 * i)) for i in range(3)]
    out = mp.mean(xs)
    xs.clear()
    (box,) = [box for box in folded(out).boxes if box.title]
    assert len(box.members) == 3  # two sums and a quotient, and no exp


def test_iterators_are_kept_too() -> None:
    xs = [mp.exp(mp.Value(0.1 * i)) for i in range(3)]
    loss = mp.losses.mean_squared_error(iter(xs), iter([1.0, 2.0, 3.0]))
    assert titles(loss) == ["mean_squared_error"]
    assert titles(mp.losses.cross_entropy(iter(xs), 0)) == ["cross_entropy"]
    assert len(folded(loss).boxes) == 7


# --------------------------------------------------------------------------------------------------------- blocks


def test_a_block_and_a_decorated_function() -> None:
    @mp.scope("double")
    def double(x: mp.Value) -> mp.Value:
        return x + x * 1.0

    x = mp.Value(3.0)
    y = double(x)
    with mp.scope("outer"):
        z = double(y) * y
    assert double.__name__ == "double"
    assert titles(z) == ["double", "outer"] or titles(z) == ["double, call 0", "outer"]
    assert titles(z, open="outer") == ["double, call 0", "double, call 1"]
    assert titles(z, depth=2) == []
    assert titles(z.copy() if hasattr(z, "copy") else copy.deepcopy(z)) == []  # a copy is a graph, and no more


def test_a_block_may_use_what_was_made_outside() -> None:
    outside = mp.exp(mp.Value(1.0))
    with mp.scope("inside"):
        y = outside * outside + 1.0
    (box,) = [box for box in folded(y).boxes if box.title]
    assert [node.op.name for node in box.members if node.op] == ["mul", "add"]


def test_blocks_around_models_open_before_these() -> None:
    model = mp.MLP(2, [3, 1], activation="tanh", seed=1)

    @mp.scope("cost")
    def cost(x: list[float], y: float) -> Any:
        return mp.losses.mean_squared_error(model(x), y)

    modules = [("model", model)]
    one = cost([1.0, 2.0], 0.5)
    assert titles(one, modules, depth=0) == ["cost"]
    assert titles(one, modules, depth=1) == ["model", "mean_squared_error"]
    assert titles(one, modules, depth=2) == ["model.layers.0", "model.layers.1", "mean_squared_error"]
    assert titles(one, modules, depth=4) == ["mean_squared_error"]
    assert titles(one, modules, depth=6) == []
    assert titles(one, modules, depth=0, open="model.layers.1") == [
        "model.layers.0", "model.layers.1.neurons.0", "mean_squared_error"
    ]  # fmt: skip
    batch = mp.mean([cost([float(i), 1.0], 0.5) for i in range(2)])
    found = titles(batch, modules, depth=0)
    assert found == ["parameters of model", "sample 0, cost", "sample 1, cost", "mean"]


def test_a_block_inside_of_neurons() -> None:
    bent = mp.scope("bent")(lambda x: mp.tanh(x) * 2.0)
    model = mp.MLP(2, [2, 1], activation=bent, seed=1)
    modules = [("model", model)]
    out = model([1.0, 2.0])
    assert sorted(titles(out, modules, depth=2)) == [
        f"model.layers.{i}.neurons.{j}" for i, j in ((0, 0), (0, 1), (1, 0))
    ]
    assert titles(out, modules, depth=3) == ["bent, call 0", "bent, call 1"]
    assert titles(out, modules, depth=4) == []


def test_neurons_in_a_block_belong_to_it() -> None:
    model = mp.MLP(2, [2, 1], seed=1)
    with mp.scope("block"):
        out = model([1.0, 2.0])
    around = calls_around(under([out]))
    made_nodes = [node for node in under([out]) if node.op is not None]
    assert all([call.name for call in around[node]] == ["block"] for node in made_nodes)
    assert out.scope is model.layers[1].neurons[0]


def test_an_error_ends_a_block() -> None:
    x = mp.Value(1.0)
    with pytest.raises(ZeroDivisionError), mp.scope("block"):
        1 / 0  # noqa: B018
    assert (x + 1.0).scope is None


def test_another_thread_is_not_in_the_block() -> None:
    x = mp.Value(1.0)
    seen: list[Any] = []
    with mp.scope("block"):
        thread = threading.Thread(target=lambda: seen.append((x + 1.0).scope))
        thread.start()
        thread.join()
        inside = (x + 1.0).scope
    assert seen == [None]
    assert inside.name == "block"


def test_recursion() -> None:
    @mp.scope("power")
    def power(x: mp.Value, n: int) -> mp.Value:
        return x * 1.0 if n == 0 else power(x, n - 1) * x

    assert titles(power(mp.Value(2.0), 3)) == ["power, call 0"]
    assert titles(power(mp.Value(2.0), 3), depth=2) == ["power, call 2"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (3, TypeError, r"scope\(3\): expected a name"),
        (lambda x: x, TypeError, r"expected a name, as in @scope\('attention'\)"),
        ("  ", ValueError, "expected a name that is not empty"),
    ],
)
def test_a_name_that_is_none(name: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mp.scope(name)


# ------------------------------------------------------------------------------------------------ what it leaves alone


def test_numbers_and_gradients_are_the_same_in_a_block() -> None:
    def loss(x: mp.Value, y: mp.Value) -> Any:
        return mp.losses.cross_entropy([x, y, x * y], 1) + mp.dot([x, y], [y, x])

    found = []
    for wrapped in (loss, mp.scope("loss")(loss)):
        x, y = mp.Value(0.3), mp.Value(-0.7)
        out = wrapped(x, y)
        out.backward()
        found.append((out.data, x.grad, y.grad))
    assert found[0] == found[1]
    inside = mp.grad(mp.scope("f")(lambda x: x * x * x))
    assert mp.grad(inside)(2.0) == 12.0


def test_plain_numbers_and_what_is_not_recorded_remember_nothing() -> None:
    x = mp.Value(1.0)
    assert mp.mean([1.0, 2.0]) == 1.5
    with mp.no_grad():
        assert mp.mean([x, x]).scope is None
        assert [p.scope for p in mp.softmax([x, x])] == [None, None]


def test_a_label_and_a_scope_live_side_by_side() -> None:
    x = mp.Value(1.0)
    out = mp.mean([x, x])
    out.label = "average"
    assert (out.label, out.scope.name) == ("average", "mean")
    assert titles(out) == ["mean"]
    assert pickle.loads(pickle.dumps(out)).label == "average"


def test_a_function_that_gives_back_what_it_was_given() -> None:
    x = mp.Value(2.0) * 1.0
    x.label = "x"
    assert made("same", (x,), x).scope is None
    assert repr(Scope("same", (), None)) == "<scope same>"


def test_a_program_may_be_compiled_in_and_of_scopes() -> None:
    model = mp.MLP(2, [3, 2], activation="tanh", seed=1)

    @mp.scope("cost")
    def cost(x: Any, y: Any) -> Any:
        return mp.losses.cross_entropy(model(x), y)

    program = mp.compile(cost, x=2, y=())
    with mp.scope("training"):
        again = mp.compile(cost, x=2, y=())
    expected = cost([0.5, -0.5], 1).data
    assert program([[0.5, -0.5]], [1]) == pytest.approx(expected)
    assert again([[0.5, -0.5]], [1]) == pytest.approx(expected)


def test_a_chain_of_functions_is_freed_at_once() -> None:
    x = mp.Value(1.0)
    out: Any = x
    for _ in range(100_000):
        out = mp.mean([out, x])
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        del out
        assert len(gc.get_objects()) <= before - 100_000  # the scopes, for one
    finally:
        gc.enable()


def test_blocks_may_end_in_any_order() -> None:
    """As those of two generators do that go side by side."""

    def batches(count: int) -> Iterator[int]:
        with mp.no_grad():
            yield from range(count)

    for counts in ((3, 5), (5, 3)):
        for _ in zip(*map(batches, counts)):
            pass
        with mp.scope("open"):  # where a new node asks
            assert (Value(2.0) * 3.0).args
    outer, inner = mp.scope("outer"), mp.scope("inner")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__()
    assert (Value(2.0) * 3.0).scope.name == "inner"
    inner.__exit__()
    with mp.detect_anomaly():
        assert (Value(2.0) * 3.0).scope is None


def test_blocks_of_one_kind_end_each_by_itself() -> None:
    blocks = [Block(recording, i % 2 == 0) for i in range(6)]
    draw = random.Random(1)
    for _ in range(200):
        for block in blocks:
            block.__enter__()
        left = list(blocks)
        for block in draw.sample(blocks, len(blocks)):
            block.close()
            left.remove(block)
            assert recording.get() is (left[-1].value if left else True)
    assert not open_blocks


def test_a_block_decorates_no_function_that_has_only_begun_when_it_returns() -> None:
    def drawn() -> Iterator[Value]:
        yield Value(1.0) * 2.0

    async def waited() -> Value:
        return Value(1.0) * 2.0

    async def streamed() -> AsyncIterator[Value]:
        yield Value(1.0) * 2.0

    for region in (mp.no_grad(), mp.scope("named"), mp.detect_anomaly(), mp.engine.source_lines()):
        for function in (drawn, waited, streamed, partial(drawn)):
            with pytest.raises(TypeError, match=r"that are done when they return.* open the block inside of it, `with"):
                region(function)


def test_a_block_that_is_dropped_ends() -> None:
    for region in (mp.no_grad(), mp.scope("dropped"), mp.detect_anomaly(), mp.engine.source_lines()):
        region.__enter__()
        assert open_blocks
        del region
        gc.collect()
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_a_block_ended_in_another_thread_does_not_last_in_this_one() -> None:
    block = Block(recording, False)
    block.__enter__()
    thread = threading.Thread(target=block.close)
    thread.start()
    thread.join()
    with mp.scope("later"):
        assert (Value(2.0) * 3.0).args


REGIONS: dict[str, Callable[[], Any]] = {
    "no_grad": mp.no_grad,
    "scope": lambda: mp.scope("interrupted"),
    "detect_anomaly": mp.detect_anomaly,
    "source_lines": mp.engine.source_lines,
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
@pytest.mark.parametrize("name", REGIONS)
def test_ctrl_c_at_any_time_leaves_no_block_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # Python loses one that hits a callback, or __del__
    region, x, draw = REGIONS[name], Value(3.0), random.Random(1)

    def blocks() -> None:
        while True:
            with region():
                x * x

    def handler(_: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not blocks.__code__:
            frame = frame.f_back
        signal.setitimer(signal.ITIMER_REAL, 2e-5 if frame is None else 1e-3)  # again, if it was lost
        if frame is not None:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(1_000):
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, 2e-4))
            with pytest.raises(KeyboardInterrupt):
                blocks()
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            assert not open_blocks
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
