"""The steps of a backward pass are those of backward(): same order, same numbers, to the last bit."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import Arg, Op
from micrograd_plus.engine.recording import Block, watching
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.numerals import short
from micrograd_plus.stepping import naming, notation, passes, stepper
from micrograd_plus.stepping.page.levels import levels_of
from micrograd_plus.stepping.page.moments import frames
from micrograd_plus.stepping.stepper import Backprop, backprop
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.programs import Expression

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 1e308, -1e308, math.inf, -math.inf, math.nan]
EDGY: list[Any] = [mp.relu, mp.maximum, mp.mul, mp.div, mp.pow, mp.log, mp.where, mp.clamp, mp.sub, mp.less, mp.add]


@st.composite
def edgy(draw: st.DrawFn) -> list[Value]:
    """The nodes of a graph in which infinities, nan and masks meet."""
    nodes = [Value(draw(st.sampled_from(EDGES))) for _ in range(3)]
    for _ in range(draw(st.integers(1, 8))):
        function = draw(st.sampled_from(EDGY))
        op: Op = function.op
        count = op.arity
        nodes.append(function(*[draw(st.sampled_from(nodes)) for _ in range(count)]))
    return nodes


def grads(nodes: list[Value]) -> list[str]:
    return [repr(node.grad) for node in nodes]


def agrees_with_backward(root: Value, held: Iterator[float]) -> None:
    nodes = toposort(root)
    for node in nodes:
        node.grad = next(held)
    before = grads(nodes)
    steps = backprop(root)
    assert grads(nodes) == before
    root.backward()
    expected = grads(nodes)
    assert [repr(steps.gradients.get(node, 0.0)) for node in nodes if node in steps.gradients] == [
        repr(node.grad) for node in nodes if node in steps.gradients
    ]
    last = {step.argument: step.after for step in steps}
    assert {node: repr(grad) for node, grad in last.items()} == {node: repr(node.grad) for node in last}
    for node, grad in zip(nodes, before):
        node.grad = float(grad)
    steps.apply()
    assert grads(nodes) == expected


@given(expressions(near_kinks=True), st.randoms(use_true_random=False))
def test_gradients_are_those_of_backward_to_the_last_bit(expression: Expression, random) -> None:  # type: ignore[no-untyped-def]
    _, root = expression.build()
    agrees_with_backward(root, iter(lambda: random.choice([0.0, 0.0, 0.1, -3.0]), None))


@given(edgy())
def test_the_same_with_masks_and_infinities_and_nan(nodes: list[Value]) -> None:
    agrees_with_backward(nodes[-1], iter(lambda: 0.0, None))


@given(edgy())
def test_each_step_is_the_chain_rule(nodes: list[Value]) -> None:
    steps = backprop(nodes[-1])
    assert (steps[0].kind, steps[0].argument, steps[0].contribution) == ("seed", nodes[-1], 1.0)
    for step in steps[1:]:
        product = 0.0 if step.masked else step.upstream * step.local
        assert repr(step.contribution) == repr(product)
        if step.masked:
            assert repr(step.before) == repr(step.after)
        else:
            assert short(step.after) == short(step.before + step.contribution) or step.after == 0.0


class Recorder:
    """Who passed on to whom in a real backward pass."""

    def __init__(self) -> None:
        self.passes: list[tuple[Value, Value, str]] = []

    def made(self, node: Value, op: Op, args: tuple[Arg, ...]) -> None:
        """Nothing is made in a backward pass."""

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:  # noqa: ARG002 - a Watch's
        self.passes.append((node, arg, repr(upstream)))


@given(expressions(near_kinks=True))
def test_the_order_is_that_of_backward(expression: Expression) -> None:
    _, root = expression.build()
    steps = backprop(root)
    recorder = Recorder()
    with Block(watching, recorder):
        root.backward()
    assert [(step.node, step.argument, repr(step.upstream)) for step in steps[1:]] == recorder.passes


@given(expressions())
def test_a_ledger_adds_up_to_the_gradient(expression: Expression) -> None:
    leaves, root = expression.build()
    steps = backprop(root)
    root.backward()
    for node in [*leaves, *toposort(root)]:
        if node not in steps.names:  # a leaf that the result does not use
            continue
        for limit in (1, 3, 1000):
            ledger = steps.ledger(node, limit)
            assert len(ledger) <= limit
            size = sum(abs(entry.contribution) for entry in ledger)
            assert math.isclose(ledger.total, node.grad, rel_tol=1e-9, abs_tol=1e-9 * size)
            assert ledger.gradient == node.grad
            assert all(entry.path[-1] is node for entry in ledger)
            assert [abs(entry.contribution) for entry in ledger] == sorted(
                [abs(entry.contribution) for entry in ledger], reverse=True
            )
        whole = [entry for entry in ledger if entry.paths == 1 and entry.path[0] is root]
        for entry in whole:
            assert all(low in high.args for high, low in zip(entry.path, entry.path[1:]))


def test_a_ledger_of_more_paths_than_anyone_could_list() -> None:
    x = y = Value(0.9)
    for _ in range(200):
        y = y * 0.5 + y * 0.5
    ledger = backprop(y).ledger(x)
    assert ledger.paths == 2**200
    assert len(ledger) <= 50
    assert ledger.total == pytest.approx(1.0)
    assert "about 10^60 paths" in str(ledger)


def test_a_long_path_is_told_by_the_names_in_it() -> None:
    model = mp.MLP(3, [3, 1], activation="tanh", seed=0)
    loss = model([1.0, 2.0, 3.0]) * 2.0
    steps = backprop(loss)
    ledger = steps.ledger(model.parameters()[0])
    assert len(ledger) == 1
    assert "loss → … → model.layers.1.neurons.0.out → model.layers.0.neurons.0.out → model.lay" in str(ledger)
    x = Value(1.0, label="x")
    many = sum([x * float(i) for i in range(30)], Value(0.0))
    text = str(backprop(many).ledger(x))
    assert "… 10 paths more" in text
    assert text.splitlines()[-1].split() == ["sum", "435.0"]
    assert text.count("\n") == 23


def test_a_ledger_of_a_node_that_nothing_reaches() -> None:
    x, y = Value(1.0), Value(2.0)
    ledger = backprop(mp.where(x < y, x, y) * mp.floor(y)).ledger(y)
    assert ledger.total == ledger.gradient == 0.0
    x.grad = 7.0
    assert backprop(x).ledger(x).total == 1.0


@given(expressions(), st.randoms(use_true_random=False), st.sampled_from(["depth-first", "breadth-first", "own"]))
def test_a_wrong_order_gives_what_the_rules_give_in_that_order(expression: Expression, random, kind: str) -> None:  # type: ignore[no-untyped-def]
    _, root = expression.build()
    nodes = toposort(root)
    shuffled = random.sample(nodes, len(nodes))
    steps = backprop(root, order=shuffled if kind == "own" else kind)
    passed_on = list(dict.fromkeys([step.node for step in steps if step.node is not None]))
    root.grad = 1.0
    for node in passed_on:
        node._backward()
    assert [steps.gradients.get(node, 0.0) for node in nodes] == [node.grad for node in nodes]
    wrong = {each.node: each for each in steps.wrong}
    got = {node: node.grad for node in nodes}
    root.backward()
    for node in nodes:
        right = node.grad
        if node.op is None:
            right -= got[node]  # leaves accumulate
        size = abs(got[node]) + abs(right)
        if node in wrong:
            assert wrong[node].gradient == got[node]
            assert wrong[node].expected == pytest.approx(right, rel=1e-6, abs=1e-6 * size)
            assert steps.names[node] in str(wrong[node])
        else:
            assert math.isclose(got[node], right, rel_tol=1e-6, abs_tol=1e-6 * size)


@given(expressions())
def test_every_order_in_which_results_come_before_arguments_is_right(expression: Expression) -> None:
    leaves, _ = expression.build()
    nodes = expression.nodes(*leaves)
    below = set(toposort(nodes[-1]))
    assert backprop(nodes[-1], order=[node for node in reversed(nodes) if node in below]).wrong == []


def test_why_a_depth_first_order_is_wrong() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    d = c + 1.0
    e = c * d
    assert str(backprop(e, order="depth-first")).endswith(
        "wrong: a.grad is 21.0, not 39.0: c passed its gradient on before d had contributed to it\n"
        "wrong: b.grad is 14.0, not 26.0: c passed its gradient on before d had contributed to it"
    )
    assert "e passed its gradient on before" not in str(backprop(e, order="breadth-first"))
    assert [str(wrong) for wrong in backprop(e, order=[e, d]).wrong] == [
        "a.grad is 0.0, not 39.0: c never passed its gradient on",
        "b.grad is 0.0, not 26.0: c never passed its gradient on",
    ]


def test_the_text_of_a_step() -> None:
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(0.0, label="c")
    assert (
        str(backprop(a * b + 1.0)[2]) == "∂L/∂a += ∂L/∂v1 · ∂v1/∂a = 1.0 · b = 1.0 · (-3.0) = -3.0 (a.grad: 0.0 → -3.0)"
    )
    assert str(backprop(mp.tanh(c))[1]) == (
        "∂L/∂c += ∂L/∂L · ∂L/∂c = 1.0 · sech(c)² = 1.0 · 1.0 = 1.0 (c.grad: 0.0 → 1.0)"
    )
    assert str(backprop(mp.relu(b))[1]) == (
        "∂L/∂b += ∂L/∂L · ∂L/∂b = 1.0 · (1 where b > 0) = 1.0 · 0.0 = 0.0, masked (b.grad: 0.0 → 0.0)"
    )
    assert str(backprop(mp.sinc(a))[1]).startswith("∂L/∂a += ∂L/∂L · ∂L/∂a = 1.0 · sinc'(a) = ")
    assert str(backprop(a)) == "0  ∂a/∂a = 1.0 (a.grad: 0.0 → 1.0)"


def test_what_leaves_hold_stays() -> None:
    x = Value(3.0, label="x")
    x.grad = 10.0
    steps = backprop(x * x)
    assert [(step.before, step.after) for step in steps[1:]] == [(10.0, 13.0), (13.0, 16.0)]
    steps.apply()
    steps.apply()
    assert x.grad == 22.0


def shown(root: Value) -> list[str]:
    """The gradients as `draw` writes them."""
    return [short(node.grad) for node in toposort(root)]


def test_leaves_that_were_set_to_0_after_a_pass_are_where_the_next_begins() -> None:
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    x.grad = 0.0
    steps = backprop(y)
    assert [(step.before, step.after) for step in steps[1:]] == [(0.0, 3.0), (3.0, 6.0)]


@given(expressions(near_kinks=True), st.lists(st.sampled_from([0.0, 0.0, 0.1, -3.0]), min_size=1), st.integers(1, 2))
def test_after_backward_the_pass_starts_afresh_and_ends_where_draw_ends(
    expression: Expression, held: list[float], times: int
) -> None:
    leaves, root = expression.build()
    for leaf, grad in zip(leaves, held):
        leaf.grad = grad
    nodes = toposort(root)
    for _ in range(times):
        before = {node: node.grad for node in nodes if node.op is None}
        root.backward()
    assume(all(leaf.grad for leaf, grad in before.items() if grad))  # else a leaf seems to have been set to 0 since
    steps = backprop(root)
    for node in nodes:
        grad = steps.gradients.get(node, before.get(node, 0.0))
        assert math.isclose(grad, node.grad, rel_tol=1e-9, abs_tol=1e-9) or repr(grad) == repr(node.grad)
    for step in steps:
        if step.argument.op is None and step is next(each for each in steps if each.argument is step.argument):
            assert math.isclose(step.before, before[step.argument], rel_tol=1e-9, abs_tol=1e-9)


def test_after_backward_the_first_step_says_so() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    L = a * b + a  # noqa: N806 - the name of a loss
    fresh = [str(step) for step in backprop(L)]
    L.backward()
    steps = backprop(L)
    assert str(steps[0]) == "∂L/∂L = 1.0, afresh: L.backward() has run already (L.grad: 0.0 → 1.0)"
    assert steps[0].kind == "again"
    assert [str(step) for step in steps[1:]] == fresh[1:]
    assert [short(steps.gradients[node]) for node in toposort(L)] == shown(L)
    assert "backward() has run" not in "".join(fresh)
    wrong = backprop(L, order="arguments-first")  # it, too, begins with nothing
    assert next(step.before for step in wrong if step.argument is a) == 0.0
    a.grad = b.grad = 0.0  # zero_grad()
    assert [str(step) for step in backprop(L)] == fresh
    L.grad, a.grad = 0.0, 10.0  # another loss gave it
    assert backprop(L).gradients[a] == 10.0 - 3.0 + 1.0


def after_a_step() -> tuple[Value, Value, Value]:
    """A graph as `optimizer.step()` leaves it: the weight is new, what was computed from it is not."""
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    v = w * x
    loss = mp.square(v - 1.0)
    loss.label = "L"
    loss.backward()
    w.data -= 0.1 * w.grad
    return loss, w, x


def test_after_data_were_written_nothing_is_told_that_does_not_hold() -> None:
    loss, w, x = after_a_step()
    steps = backprop(loss)
    assert steps.forward[0] == "v1 = w × x = (-1.0) × 3.0 = -3.0, but v1.data is 6.0, from before data were written"
    assert steps.forward[1] == "v2 = v1 - 1.0 = 6.0 - 1.0 = 5.0"
    said = "v1 is no longer what its arguments give, since data were written after it was computed"
    assert str(steps).endswith(f"\noutdated: {said}")
    assert str(steps.ledger(x)).startswith(f"∂L/∂x, the sum over 1 path; {said}\n")
    assert steps[0].kind == "seed"  # of that backward() nobody knows the numbers any more: this is another one
    held = {leaf: leaf.grad for leaf in (w, x)}
    assert all(step.before == held[step.argument] for step in steps if step.argument.op is None)
    loss.backward()
    assert [steps.gradients[leaf] for leaf in (w, x)] == [w.grad, x.grad]


def test_steps_say_that_they_are_older_than_the_data() -> None:
    w, x = Value(2.0, label="w"), Value(0.0, label="x")
    v = w * x
    v.backward()
    steps = backprop(v * 3.0)
    shown = str(steps), steps.forward, steps.html()
    w.data = 5.0  # v is 0 still, but its derivative by x is not 2 any more
    said = "the steps are those from before data were written"
    assert str(steps) == f"{shown[0]}\noutdated: {said}"
    assert str(steps.ledger(x)).startswith(f"∂L/∂x, the sum over 1 path; {said}\n")
    assert f'"warning":"{said}"' in steps.html()
    assert said in frames(steps._pass, levels_of(steps._pass)[0])[0].text
    x.data = 1.0
    assert steps.forward[0] == "v = w × x = 5.0 × 1.0 = 5.0, but v.data is 0.0, from before data were written"
    w.data, x.data = 2.0, 0.0
    assert (str(steps), steps.forward, steps.html()) == shown


@given(expressions(), st.data())
def test_what_is_outdated_is_what_gives_another_number_now(expression: Expression, data: st.DataObject) -> None:
    leaves, root = expression.build()
    nodes = toposort(root)
    assert backprop(root)._pass.outdated == {}
    leaf = data.draw(st.sampled_from(leaves))
    leaf.data += data.draw(st.sampled_from([1e-9, -0.1, 2.0]))
    outdated = backprop(root)._pass.outdated
    assert all(leaf in node.args for node in outdated)
    for node in nodes:
        if node.op is not None:
            now = node.op.forward(*[arg.data if isinstance(arg, Value) else arg for arg in node.args])  # type: ignore[misc]  # rows have one
            close = math.isclose(now, node.data, rel_tol=1e-12) or (math.isnan(now) and math.isnan(node.data))
            assert (node in outdated) == (not close)


def test_a_primitive_that_refuses_what_was_written_is_outdated() -> None:
    x = Value(4.0, label="x")
    root = mp.primitive("my_root", math.sqrt, lambda out, x: 0.5 / out)(x)
    x.data = -4.0
    assert backprop(root).forward[0].endswith(" = nan, but root.data is 2.0, from before data were written")


def test_a_leaf_alone_after_backward() -> None:
    x = Value(3.0)
    x.backward()
    steps = backprop(x)
    assert (steps[0].before, steps[0].after, steps[0].kind) == (0.0, 1.0, "again")


def test_names() -> None:
    xs = [Value(1.0), Value(2.0)]
    L = Value(5.0)  # noqa: N806 - the name of a loss, which a nameless one must not take
    twins = [Value(1.0, label="w"), Value(2.0, label="w")]
    nodes = toposort(xs[0] * xs[1] + L + twins[0] * twins[1] + Value(7.0, label="two\nlines" + "!" * 10_000))
    steps = backprop(nodes[-1])
    given = [steps.names[node] for node in nodes]
    assert len(set(given)) == len(nodes)
    assert {"xs[0]", "xs[1]", "L", "w"} < set(given)
    assert max(map(len, given)) <= 42
    assert all(name.isprintable() for name in given)


def test_index_slice_iterate() -> None:
    x = Value(2.0)
    steps = backprop(x * x + x)
    assert list(steps) == steps[:] == [steps[i] for i in range(len(steps))]
    assert steps[-1] is steps[len(steps) - 1]
    assert repr(steps) == "<backprop of L: 5 steps>"
    assert steps.forward == ["v1 = x × x = 2.0 × 2.0 = 4.0", "L = v1 + x = 4.0 + 2.0 = 6.0"]


def test_a_long_pass_is_cut_in_words_but_not_in_data() -> None:
    x = y = Value(1.0, label="x")
    for _ in range(100_000):
        y = y + 0.0
    steps = backprop(y)
    assert len(steps) == 100_001
    assert "(99,961 steps not shown)" in str(steps)
    assert steps.ledger(x).total == 1.0


def test_hooks_are_seen() -> None:
    x = Value(3.0, label="x")
    with x.register_hook(lambda gradient: 10.0 * gradient):
        steps = backprop(x * x)
        assert steps.ledger(x).total == 60.0
    assert str(steps[-1]) == "∂L/∂x = 60.0, made so by a hook (x.grad: 6.0 → 60.0)"
    assert steps.gradients[x] == 60.0
    assert x.grad == 0.0
    with x.register_hook(lambda gradient: gradient + 1.0):
        ledger = backprop(mp.sign(x) * 2.0).ledger(x)
    assert (ledger.total, ledger.paths) == (1.0, 0)  # made by the hook alone


def test_refusals() -> None:
    x = Value(1.0)
    by_hand = Value(2.0, (x,), "twice", label="mine")
    by_hand._backward = lambda: None
    with pytest.raises(TypeError, match=r"labelled 'mine'.*set by hand"):
        backprop(by_hand * x)
    with pytest.raises(TypeError, match=r"backprop\('x'\): expected a Value, got str"):
        backprop("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"unknown order 'depth_first'; did you mean 'depth-first'\?"):
        backprop(x, order="depth_first")
    with pytest.raises(ValueError, match="not in the graph"):
        backprop(x * x, order=[Value(1.0)])
    y = x * x
    with pytest.raises(ValueError, match="listed twice"):
        backprop(y, order=[y, y])
    with pytest.raises(TypeError, match="or a list of nodes"):
        backprop(x, order=3)  # type: ignore[arg-type]
    steps: Backprop = backprop(y)
    with pytest.raises(ValueError, match="expected a node of the graph of y"):
        steps.ledger(Value(1.0))
    with pytest.raises(TypeError, match="expected a Value, got float"):
        steps.ledger(1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="limit=0"):
        steps.ledger(x, limit=0)


def test_a_derivative_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[Value, int]] = []

    def local_formula(node: Value, place: int, names: Any) -> str:
        written.append((node, place))
        return notation.local_formula(node, place, names)

    monkeypatch.setattr(naming, "local_formula", local_formula)
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    loss = a * b
    steps = backprop(loss)
    assert written == []  # nor before anybody asks
    for _ in range(3):
        assert [step.formula for step in steps] == ["", "b", "a"]
        assert str(steps).count("\n") == 2
    assert [(node is loss, place) for node, place in written] == [(True, 0), (True, 1)]


def test_a_graph_is_walked_once_for_names_pass_and_page(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[Value] = []

    def counting(root: Value) -> list[Value]:
        walked.append(root)
        return toposort(root)

    for module in (stepper, passes):
        monkeypatch.setattr(module, "toposort", counting)
    x = Value(3.0, label="x")
    loss = mp.tanh(x * x)
    steps = backprop(loss, order=[loss, *loss.args])  # type: ignore[list-item]  # they are Values
    assert [line.partition(" ")[0] for line in steps.forward] == ["v1", "loss"]
    assert steps.html()
    assert len(walked) == 1
