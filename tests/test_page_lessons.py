"""What the page teaches, in a real browser: where a pass starts, why a step is as it is, guesses, paths."""

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from browsers import in_browser
from test_page import Open, all_texts, browser, python_texts, show
from test_stepping import after_a_step

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.lines import line_of
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.javascript import SPECIAL
from micrograd_plus.formulas.numerals import short, shorter
from micrograd_plus.formulas.row_graphs import is_close
from micrograd_plus.stepping.page.assets import asset
from micrograd_plus.stepping.stepper import backprop

__all__ = ["browser", "show"]  # fixtures


@in_browser
def test_after_backward_the_page_starts_afresh_and_ends_where_draw_ends(show: Open) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    loss = a * b + a
    loss.backward()
    steps = backprop(loss)
    tab = show(steps)
    said = "loss.backward() has run already"
    assert said in tab.text_content("#phase")
    tab.evaluate("go(made.length + 1)")
    assert said in tab.text_content("#step")
    assert tab.text_content("#step") == str(steps[0])
    tab.evaluate("go(final)")
    nodes = toposort(loss)
    assert [tab.text_content(f"#n{i} .grad") for i in range(len(nodes))] == [shorter(node.grad) for node in nodes]
    tab.fill("#leaf0", "5")  # a leaf that moves starts afresh, too
    assert tab.text_content("#n1 .grad") == "5"
    assert said not in show(backprop(a * b + a)).text_content("#phase")


@in_browser
def test_the_page_says_at_every_step_that_data_were_written(show: Open) -> None:
    loss, _, x = after_a_step()
    steps = backprop(loss)
    tab = show(steps)
    assert all_texts(tab) == python_texts(steps)
    said = "v1 is no longer what its arguments give"
    for k in range(tab.evaluate("final + 1")):
        tab.evaluate(f"go({k})")
        assert f". Here {said}" in tab.text_content("#phase")
    tab.hover("#n1")
    assert tab.text_content("#n1 .name") == "x"
    assert "held before20.0" in tab.text_content("#story")
    assert "run already" not in tab.inner_text("main")
    assert said in tab.text_content("#leaves")
    assert tab.locator(".leafrow").count() == 0
    assert said in steps._repr_html_().partition("<iframe")[0]
    assert x.grad == 20.0


@in_browser
def test_each_step_says_its_rule_in_words(show: Open) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    unsaid = mp.primitive("unsaid", lambda x: x, lambda out, x: 1.0, sympy="x")
    steps = backprop(unsaid(mp.tanh(a * b)))
    tab = show(steps)
    assert tab.text_content("#why") == ""
    for k, step in enumerate(steps):
        tab.evaluate(f"go(made.length + 1 + {k})")
        rule = step.why and f"{step.why.capitalize()}."
        assert tab.text_content("#why") == rule
    assert [step.why.partition(" ")[2][:7] for step in steps] == ["", "", "hyperbo", "product", "product"]


# --------------------------------------------------------------------------------------------------------------- lines


def made_with_lines() -> Value:
    with mp.source_lines():
        a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        é = a * b  # a letter of two bytes
        total: Value = mp.tanh(é * 0.1) + mp.Neuron(1, seed=1)([a])
        return total


@in_browser
def test_the_line_that_made_a_node_is_lit(show: Open) -> None:
    root = made_with_lines()
    steps = backprop(root)
    tab = show(steps)
    parts = {"mul": ["a * b", "é * 0.1"], "tanh": ["mp.tanh(é * 0.1)"]}
    seen = set()
    for k, node in enumerate([node for node in toposort(root) if node.op is not None], 1):
        tab.evaluate(f"go({k})")
        line = line_of(node)
        assert line is not None
        assert tab.text_content("#lesson .lit .number") == str(line.number)
        assert line.text in tab.text_content("#lesson .lit")
        assert line.place in tab.text_content("#lesson figcaption")
        marked = tab.text_content("#lesson mark")
        seen.add(marked)
        assert marked in (
            *parts.get(node.op.name if node.op else "", []),
            "mp.Neuron(1, seed=1)([a])",
            line.text.removeprefix("total: Value = "),
        )
    assert {"a * b", "é * 0.1", "mp.tanh(é * 0.1)", "mp.Neuron(1, seed=1)([a])"} < seen
    assert next(step.line for step in steps if step.node is root).startswith("`total: Value = mp.tanh(é * 0.1) +")
    tab = show(backprop(Value(2.0) * 3.0))
    tab.evaluate("go(1)")
    assert tab.locator("#lesson .source").count() == 0


# ------------------------------------------------------------------------------------------------------------- tangents

CASES: list[tuple[Callable[..., Value], tuple[float, ...]]] = [
    *((mp.tanh, (x,)) for x in (0.0, 0.4, -3.0, 20.0)),
    *((mp.exp, (x,)) for x in (-5.0, 0.0, 10.0)),
    *((mp.relu, (x,)) for x in (2.0, -2.0)),
    *((mp.mul, args) for args in ((2.0, -3.0), (0.0, 1e6), (1e-9, 1e-9))),
    *((mp.div, args) for args in ((2.0, -3.0), (1.0, 0.1))),
    *((f, (0.3,)) for f in (mp.log, mp.sqrt, mp.floor, mp.sin, mp.reciprocal)),
    (mp.pow, (2.0, 3.0)),
    (mp.maximum, (2.0, 3.0)),
]


@in_browser
@pytest.mark.parametrize(("function", "args"), CASES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_the_slope_is_a_tangent(show: Open, function: Callable[..., Value], args: tuple[float, ...]) -> None:
    steps = backprop(function(*map(Value, args)))
    tab = show(steps)
    for k, step in enumerate(steps[1:], 1):
        tab.evaluate(f"go(made.length + 1 + {k})")
        label = tab.get_attribute("#lesson .plot", "aria-label")
        assert f"its slope is {short(step.local)}" in label
        drawn = tab.evaluate(
            """() => ["curve", "tangent"].map((kind) =>
                document.querySelector(`#lesson .${kind}`).getAttribute("d").match(/-?[\\d.]+/g).map(Number))"""
        )
        curve, (x0, y0, x1, y1) = [*zip(drawn[0][::2], drawn[0][1::2])], drawn[1]
        here = [float(tab.get_attribute("#lesson .here", key)) for key in ("cx", "cy")]
        on_tangent = [y0 + (x - x0) * (y1 - y0) / (x1 - x0) for x, _ in curve]
        assert min(abs(x - here[0]) + abs(y - here[1]) for x, y in curve) < 0.2
        near = [(y, on) for (x, y), on in zip(curve, on_tangent) if abs(x - here[0]) < 2.5]  # pixels: the next points
        assert near
        assert all(abs(y - on) < 4.0 for y, on in near)
        assert 0.0 <= here[1] <= 150.0


@in_browser
@pytest.mark.parametrize("number", [0.0, float("inf"), float("nan"), 1e308, -1e308, 1e-320])
def test_slopes_at_the_edges_are_told(show: Open, number: float) -> None:
    x = Value(number, label="x")
    steps = backprop(mp.log(x) + mp.sqrt(x) * x + mp.exp(x) + mp.tan(x) / x)
    tab = show(steps)
    for k, step in enumerate(steps[1:], 1):
        tab.evaluate(f"go(made.length + 1 + {k})")
        assert f"its slope is {short(step.local)}" in tab.text_content("#lesson figcaption")
    assert "NaN" not in tab.inner_html("#lesson")


# ---------------------------------------------------------------------------------------- leaves that move, through all

EDGES = [0.0, 1.0, 0.5, math.nextafter(0.5, 0.0), 2.0, 1e-9, 1e-300, 5e-324, 26.5, 27.5, 30.5, 38.0, 700.0, 1e15, 1e155]
EDGES += [1e300, 1.0 - 1e-16, math.inf, math.nan]


@in_browser
def test_what_math_lacks_is_computed_to_the_last_digits(browser: Any) -> None:
    random = Random(0)
    cases: list[tuple[str, list[float], float]] = []
    for name in sorted(SPECIAL):
        op = TABLE[name]
        for i in range(1500):
            args = [random.uniform(max(low, -40.0), min(high, 40.0)) for low, high in op.domain[: op.arity]]
            args = [x * 10.0 ** random.uniform(-8.0, 0.0) if i % 3 else x for x in args]
            args = [random.choice((-1.0, 1.0)) * random.choice(EDGES) if i < 300 else x for x in args]
            args += [float(random.choice([0, 1, 2, 3, 20, 1.5, -1])) for _ in op.options]
            cases.append((name, args, op.forward(*args)))  # type: ignore[misc]  # rows have one
    asked = [[name, [x if math.isfinite(x) else str(x) for x in args]] for name, args, _ in cases]
    tab = browser.new_page()
    got = tab.evaluate(f"""() => {{
        {asset("script/special.js")}
        const real = (x) => typeof x === "string" ? {{nan: NaN, inf: Infinity, "-inf": -Infinity}}[x] : x;
        return {json.dumps(asked)}.map(([name, args]) => {{
            const made = special[name](...args.map(real));
            return Object.is(made, -0) ? "-0" : String(made);
        }});
    }}""")
    tab.close()
    wrong = [(*case, x) for case, x in zip(cases, map(float, got), strict=True) if not same(x, case[2])]
    assert wrong == []


def same(got: float, want: float) -> bool:
    """Whether two numbers are equal to 1e-12 of their size, -0 and 0 told apart."""
    if math.isnan(want) or math.isinf(want) or want == 0.0:
        return repr(got) == repr(want)
    return math.isclose(got, want, rel_tol=1e-12, abs_tol=1e-300)


@in_browser
@pytest.mark.parametrize(
    "build",
    [
        lambda xs: mp.softmax(xs)[0],
        lambda xs: mp.log_softmax(xs)[2] * xs[1],
        lambda xs: mp.logsumexp(xs) + mp.mean(xs),
        lambda xs: mp.losses.cross_entropy(xs, 1),
        lambda xs: mp.losses.binary_cross_entropy(mp.sigmoid(xs[0] * xs[1]), 1.0) * mp.erf(xs[2]),
        lambda xs: mp.gelu(xs[0]) + mp.mish(xs[1]) * mp.softplus(xs[2]),
        lambda xs: mp.log_ndtr(xs[0]) + mp.copysign(xs[1], xs[2]) + mp.logaddexp(xs[0], xs[1]) + mp.sinc(xs[2]),
        lambda xs: mp.erfinv(0.1 * xs[0]) * mp.erfc(xs[1]) + mp.stop_gradient(xs[2]) * xs[0] + mp.erfcx(xs[1]),
    ],
    ids=["softmax", "log_softmax", "logsumexp", "cross_entropy", "binary", "activations", "others", "error functions"],
)
def test_leaves_stay_alive(show: Open, build: Callable[[list[Value]], Value]) -> None:
    at = [0.5, -1.5, 2.0]
    tab = show(backprop(build([Value(x) for x in at])))
    assert "fixed" not in tab.text_content("#leaves")
    random = Random(0)
    for _ in range(5):
        numbers = [random.uniform(-3.0, 3.0) for _ in at]
        leaves = [Value(x) for x in numbers]
        root = build(leaves)
        nodes = toposort(root)
        constants = [i for i, node in enumerate(nodes) if node.op is None and not any(node is leaf for leaf in leaves)]
        assert constants == []
        for leaf, number in zip(leaves, numbers):
            tab.fill(f"#leaf{next(i for i, node in enumerate(nodes) if node is leaf)}", repr(number))
        steps = backprop(root)
        got = tab.evaluate("() => [nodes.map((node) => String(node.data)), steps.map((step) => String(step.after))]")
        assert all(is_close(float(x), node.data) for x, node in zip(got[0], nodes, strict=True))
        assert all(is_close(float(x), step.after) for x, step in zip(got[1], steps, strict=True))


# --------------------------------------------------------------------------------------------------- paths to one leaf


def branching() -> Value:
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(0.5, label="c")
    d = a * b
    total: Value = mp.tanh(d * c) * d + mp.relu(b) * a + mp.where(c > 0.0, a * c, b) + mp.maximum(a, b)
    return total


def told(tab: Any) -> list[tuple[str, str, str]]:
    """The rows of the list: the way, its factors, what it gives."""
    rows = tab.locator("#ways .path").all()
    found = [[row.locator(f".{part}").text_content() for part in ("way", "factors", "number")] for row in rows]
    return [(way, factors, given) for way, factors, given in found]


@in_browser
def test_the_paths_to_a_leaf_are_those_of_the_ledger(show: Open) -> None:
    root = branching()
    steps = backprop(root)
    tab = show(steps)
    leaves = [node for node in toposort(root) if node.op is None and node.label]
    for leaf in leaves:
        tab.select_option("#traveller", label=leaf.label)
        ledger = steps.ledger(leaf, limit=12)
        found = told(tab)
        assert [way for way, _, _ in found] == [
            " → ".join([steps.names[node] for node in entry.path]) for entry in ledger
        ]
        assert [given for _, _, given in found] == [short(entry.contribution) for entry in ledger]
        for (_, factors, _), entry in zip(found, ledger):
            assert factors.count("·") == len(entry.path) - 2
        assert f"{ledger.paths} path" in tab.text_content("#ways .sum")
        assert tab.text_content("#ways .sum").endswith(f"= {short(ledger.total)}")
        on = {node for entry in ledger for node in entry.path}
        nodes = toposort(root)
        aside = [i for i in range(len(nodes)) if "aside" in tab.get_attribute(f"#n{i}", "class").split()]
        assert aside == [i for i, node in enumerate(nodes) if node not in on]
    tab.select_option("#traveller", "")
    assert tab.locator(".aside").count() == 0


@in_browser
def test_one_path_is_lit_and_follows_the_leaves(show: Open) -> None:
    tab = show(backprop(branching()))
    tab.select_option("#traveller", label="a")
    tab.locator("#ways .path").first.focus()
    tab.keyboard.press("Enter")
    ways = told(tab)
    assert tab.locator(".way-lit").count() == ways[0][0].count("→")
    assert tab.get_attribute("#ways .path >> nth=0", "aria-pressed") == "true"
    tab.keyboard.press("Enter")
    assert tab.locator(".way-lit").count() == 0
    tab.fill("#leaf0", "5")
    assert told(tab) != ways
    tab.evaluate("go(final)")
    assert tab.text_content("#ways .sum").endswith(f"= {tab.evaluate('short(gradients().get(traveller))')}")


@in_browser
def test_the_focus_stays_at_a_path_while_one_steps(show: Open) -> None:
    tab = show(backprop(branching()))
    tab.select_option("#traveller", label="a")
    tab.locator("#ways .path").nth(1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Enter"):
        tab.keyboard.press(key)
        assert tab.evaluate("[...document.querySelectorAll('#ways .path')].indexOf(document.activeElement)") == 1
    assert tab.get_attribute("#ways .path >> nth=1", "aria-pressed") == "true"


@in_browser
def test_of_many_paths_the_largest_are_shown_and_the_rest_is_grouped(show: Open) -> None:
    x = y = Value(0.9, label="x")
    for i in range(150):
        y = y * 0.5 + mp.tanh(y) * (0.5 + i / 1000)
    steps = backprop(y)
    tab = show(steps)
    tab.select_option("#traveller", label="x")
    ledger = steps.ledger(x, limit=12)
    assert 2 < len(ledger) <= 12
    assert "about 10^45 paths" in tab.text_content("#ways .sum")
    found = told(tab)
    assert [given for _, _, given in found] == [short(entry.contribution) for entry in ledger]
    assert all("→ … (" in way for way, _, _ in found)
    assert tab.text_content("#ways .sum").endswith(f"= {short(steps.gradients[x])}")


@in_browser
def test_what_rounding_leaves_is_no_number_to_guess(show: Open) -> None:
    x = Value(0.3, label="x")
    steps = backprop(x * 0.1 + x * 0.2 - x * 0.3)
    tab = show(steps)
    tab.select_option("#traveller", label="x")
    assert "≈0 (" in tab.text_content("#ways .sum")
    assert str(steps.ledger(x)).splitlines()[-1].split("sum")[1].strip() in tab.text_content("#ways .sum")
    tab.evaluate("go(final - 1)")
    tab.click("#predict")
    assert guessed(tab, "0").endswith("→ ≈0.")


@in_browser
def test_a_leaf_that_no_path_leads_to(show: Open) -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    tab = show(backprop(a * mp.floor(b)))
    tab.select_option("#traveller", label="b")
    assert tab.text_content("#ways") == "No path leads from L to b."
    tab = show(backprop(a * b, order="arguments-first"))
    assert tab.is_visible("#paths") == (backprop(a * b, order="arguments-first").wrong == [])
    tab = show(backprop(Value(2.0, label="alone")))
    tab.select_option("#traveller", label="alone")
    assert told(tab) == [("alone", "1.0 =", "1.0")]


# ---------------------------------------------------------------------------------------------------------- prediction


def guessed(tab: Any, guess: str) -> str:
    """What the page says to a guess, typed and sent by the keyboard."""
    tab.keyboard.type(guess)
    tab.keyboard.press("Enter")
    verdict: str = tab.text_content("#verdict")
    return verdict


@in_browser
def test_every_number_is_asked_for_before_it_is_seen(show: Open) -> None:
    a, b = Value(1.2345, label="a"), Value(-0.6789, label="b")
    steps = backprop(mp.tanh(a * b) * a + mp.exp(b * 0.317))
    tab = show(steps)
    tab.focus("#predict")
    tab.keyboard.press("Enter")
    nodes = [node for node in toposort(steps.root) if node.op is not None]
    answers = [*[node.data for node in nodes], *[step.after for step in steps]]
    shown_before = [*map(str, steps.forward), *map(str, steps)]
    for k, number in enumerate(answers):
        seen = tab.inner_text("main")
        if short(number) not in " ".join(shown_before[:k]) and len(short(number)) > 5:
            assert short(number) not in seen
        assert tab.text_content("#asked").endswith(" ?")
        assert guessed(tab, f"{number:.4g}").startswith("Right: ")
        assert tab.text_content("#step") == shown_before[k]
    count = len(answers)
    assert tab.text_content("#asked") == f"Done: {count} of {count} at the first try."
    assert tab.is_disabled("#answer")
    tab.click("#predict")
    assert not tab.is_visible("#guessing")


@in_browser
@pytest.mark.parametrize("size", [1e-9, 5e-14, 1e-300])
def test_what_is_small_in_earnest_is_not_nothing(show: Open, size: float) -> None:
    tab = show(backprop(Value(size, label="a") * 2.0))
    tab.click("#predict")
    for guess in ("0", repr(-2.0 * size), repr(3.0 * size)):
        assert not guessed(tab, guess).startswith("Right")
    assert guessed(tab, repr(2.005 * size)).startswith("Right, now: ")
    tab = show(backprop(Value(0.0, label="a") * 2.0))
    tab.click("#predict")
    assert guessed(tab, "1e-13").startswith("Not ")
    assert guessed(tab, "0").startswith("Right, now: ")


SLIPS = {
    "local slope forgotten": lambda step: step.before + step.upstream,
    "upstream forgotten": lambda step: step.before + step.local,
    "sign": lambda step: step.before - step.contribution,
    "overwritten instead of added": lambda step: step.contribution,
    "added instead of multiplied": lambda step: step.before + step.upstream + step.local,
    "nothing added": lambda step: step.before,
    "overwritten instead of added, and local slope forgotten": lambda step: step.upstream,
    "overwritten instead of added, and sign": lambda step: -step.contribution,
}


@in_browser
@pytest.mark.parametrize("slip", SLIPS)
def test_a_typical_slip_is_named(show: Open, slip: str) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    steps = backprop((mp.square(a) * b + a * 5.0) * 7.0)
    k = next(k for k, step in enumerate(steps) if step.argument is a and step.before)  # it has something already
    tab = show(steps)
    tab.evaluate(f"go(made.length + {k})")
    tab.click("#predict")
    assert guessed(tab, repr(SLIPS[slip](steps[k]))).lower().startswith(f"{slip}? ")
    assert tab.text_content("#score") == ""  # one may try again
    assert guessed(tab, "1e9").startswith("Not 1e+09.")
    assert guessed(tab, repr(steps[k].after)).startswith("Right, now: ")
    assert tab.text_content("#score") == "0 of 1 at the first try"
    tab.evaluate("go(final)")
    assert tab.text_content("#asked") == f"Done: 0 of 1 at the first try. The slip seen most: {slip} (1)."


@in_browser
def test_guesses_are_read_as_people_write_them(show: Open) -> None:
    a = Value(-0.5, label="a")
    tab = show(backprop(a * 0.5))
    tab.click("#predict")
    for text in ("", "  ", "two", "toString", "1/2/3", "1/", "--1"):
        tab.fill("#answer", "")
        assert guessed(tab, text) == "Type a number, such as -0.5 or 1/3."
    tab.fill("#answer", "")
    assert guessed(tab, " −1/4 ").startswith("Right: ")
    assert guessed(tab, "0").startswith("The seed? ")
    tab.click("#reveal")
    assert tab.text_content("#verdict") == "It is ∂L/∂L, so L.grad: 0.0 → 1.0."
    assert guessed(tab, "0,5").startswith("Right: ")
    assert tab.text_content("#score") == "2 of 3 at the first try"


@in_browser
def test_prediction_at_the_edges(show: Open) -> None:
    x = Value(0.0, label="x")
    tab = show(backprop(mp.relu(mp.log(x)) + mp.sqrt(x)))
    tab.click("#predict")
    assert guessed(tab, "-inf").startswith("Right: ")
    with x.register_hook(lambda gradient: 2.0 * gradient):
        tab = show(backprop(x * 3.0))
    tab.click("#predict")
    tab.evaluate("go(final - 1)")
    assert tab.text_content("#asked") == "A hook, which is Python, makes the next number."
    tab.click("#reveal")
    assert tab.text_content("#asked") == "Done: go back to guess."
    assert tab.text_content("#lesson p") == "A hook, which is Python, makes this gradient: it has no slope."
    assert tab.locator("#story .sum td").all_text_contents() == ["x.grad", "6.0"]  # 3 and a hook's 6 are no sum
    tab = show(backprop(Value(2.0, label="alone")))
    tab.click("#predict")
    assert guessed(tab, "1").startswith("Right: ")
