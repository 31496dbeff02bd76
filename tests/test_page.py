"""The page, in a real browser: every step's text is Python's, leaves move, nothing in a label breaks out."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsers import browser, in_browser, tabs

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.javascript import Script, arithmetic, script
from micrograd_plus.formulas.numerals import short, shorter
from micrograd_plus.formulas.row_graphs import is_close
from micrograd_plus.ops.rows import FUNCTIONS, HOME
from micrograd_plus.stepping.page.assets import SHORT, asset, digest, page_script, whole_scripts
from micrograd_plus.stepping.page.documents import LIMIT
from micrograd_plus.stepping.stepper import Backprop, backprop
from micrograd_plus.strategies.drawing import expressions

__all__ = ["browser"]  # a fixture

NASTY = [
    "</script><script>window.stolen = 1</script>",
    '"><img src=x onerror="window.stolen = 1">',
    "<!--data--> /*js*/ <!--style-->",
    "back\\slash & 'quotes' \"too\" \u2028 \ud800 \x00",
    "👩\u200d🔬🦊" * 30,
    "x" * 10_000,
]
Open = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a pass; the test fails if the page complains, or asks the network for anything."""
    with tabs(browser) as tab:

        def show(steps: Backprop, **options: Any) -> Any:
            steps.save(tmp_path / "page.html")
            return tab(tmp_path / "page.html", **options)

        yield show


def example() -> Value:
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    d = a * b
    return mp.tanh((d + c) * 0.1) * d + mp.relu(b) + mp.clamp(a, 0.0, 1.0) ** 2


def texts(tab: Any) -> list[str]:
    """The step's text at every position, as the button `next` shows them."""
    tab.keyboard.press("Home")
    found = []
    while tab.is_enabled("#next"):
        tab.click("#next")
        found.append(tab.text_content("#step"))
    return found


def all_texts(tab: Any) -> list[str]:
    """The same without the hands: quicker."""
    went = "() => [...Array(final).keys()].map((i) => { go(i + 1); return $('step').textContent; })"
    found: list[str] = tab.evaluate(went)
    return found


def python_texts(steps: Backprop) -> list[str]:
    return [*steps.forward, *map(str, steps)]


# ------------------------------------------------------------------------------------------------------ walking through


@in_browser
def test_clicking_through_shows_what_python_prints(show: Open) -> None:
    steps = backprop(example())
    tab = show(steps)
    assert texts(tab) == python_texts(steps)
    for node, grad in steps.gradients.items():
        box = tab.locator(f"#n{toposort(steps.root).index(node)}")
        assert box.locator(".grad").text_content() == shorter(grad)
        assert box.locator(".data").text_content() == shorter(node.data)
    for _ in range(3):
        tab.click("#back")
    assert tab.text_content("#step") == str(steps[-4])


@in_browser
def test_random_graphs_show_what_python_prints(show: Open) -> None:
    from hypothesis import HealthCheck, Phase, given, settings

    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

    @settings(max_examples=6, deadline=None, suppress_health_check=quiet, phases=[Phase.generate], database=None)
    @given(expressions(near_kinks=True))
    def law(expression: Any) -> None:
        steps = backprop(expression.build()[1])
        tab = show(steps)
        assert all_texts(tab) == python_texts(steps)
        tab.close()

    law()


@in_browser
def test_before_it_comes_nothing_is_shown(show: Open) -> None:
    tab = show(backprop(example()))
    count = tab.locator(".node").count()
    grads = [box.text_content() for box in tab.locator(".node .grad").all()]
    assert grads == ["–"] * count
    assert tab.locator(".made .data").all_text_contents() == ["?"] * tab.locator(".made").count()
    assert "?" not in tab.locator(".leaf .data").all_text_contents()


@in_browser
def test_keys_slider_and_play(show: Open) -> None:
    steps = backprop(example())
    expected = python_texts(steps)
    tab = show(steps)
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    assert tab.text_content("#step") == expected[1]
    tab.keyboard.press("ArrowLeft")
    assert tab.text_content("#step") == expected[0]
    tab.keyboard.press("End")
    assert tab.text_content("#step") == expected[-1]
    assert tab.is_disabled("#next")
    tab.keyboard.press("Home")
    assert tab.is_disabled("#back")
    tab.locator("#slider").fill("7")
    assert tab.text_content("#step") == expected[6]
    tab.focus("#slider")
    tab.keyboard.press("ArrowRight")
    assert tab.text_content("#step") == expected[7]
    tab.keyboard.press("Home")
    tab.select_option("#speed", "120")
    tab.locator("#phase").click()
    tab.keyboard.press(" ")
    assert tab.text_content("#play") == "Pause"
    tab.wait_for_selector("#back:enabled")
    tab.keyboard.press(" ")
    assert tab.text_content("#play") == "Play"
    tab.locator("#slider").fill(str(len(expected) - 3))
    tab.click("#play")
    tab.wait_for_selector("#next:disabled", timeout=10_000)
    assert tab.text_content("#step") == expected[-1]
    assert tab.text_content("#play") == "Play"


@in_browser
def test_the_lit_nodes_and_edges_are_those_of_the_step(show: Open) -> None:
    x = Value(3.0, label="x")
    steps = backprop(x * x)
    tab = show(steps)
    assert tab.locator(".edge").count() == 2
    for k, edge in ((1, "e1_0"), (2, "e1_1")):
        tab.evaluate(f"go({1 + 1 + k})")
        assert [each.get_attribute("id") for each in tab.locator(".edge.lit").all()] == [edge]
        assert tab.locator(".node.source").get_attribute("id") == "n1"
        assert tab.locator(".node.target").get_attribute("id") == "n0"


@in_browser
def test_a_node_tells_its_story(show: Open) -> None:
    steps = backprop(example())
    tab = show(steps)
    tab.click("#last")
    for way in ("hover", "focus", "click"):
        for i, node in enumerate(toposort(steps.root)):
            getattr(tab.locator(f"#n{i}"), way)()
            story = tab.text_content("#story")
            assert steps.names[node] in story
            given = [step for step in steps if step.argument is node]
            assert len(tab.locator("#story tr:not(.sum)").all()) == len(given)
            assert [cell.text_content() for cell in tab.locator("#story tr:not(.sum) td.number").all()] == [
                short(step.contribution) for step in given
            ]
            assert tab.text_content("#story tr.sum td.number") == short(steps.gradients[node])


@in_browser
def test_a_wrong_order_is_shown_as_wrong(show: Open) -> None:
    a = Value(2.0, label="a")
    b = a * a
    tab = show(backprop(b * (b + 1.0), order="depth-first"))
    tab.click("#last")
    assert "a.grad is" in tab.text_content("#phase")
    assert tab.locator(".node.wrong").count() == 1
    assert "wrong order" in tab.text_content("#leaves")


@in_browser
@pytest.mark.parametrize("data", [0.0, math.nan, math.inf])
def test_a_graph_of_one_node(show: Open, data: float) -> None:
    steps = backprop(Value(data, label="alone"))
    tab = show(steps)
    assert texts(tab) == [str(steps[0])] == ["∂alone/∂alone = 1.0 (alone.grad: 0.0 → 1.0)"]
    assert tab.text_content("#n0 .data") == shorter(data)


@in_browser
def test_nan_and_inf_go_through(show: Open) -> None:
    x, y = Value(0.0, label="x"), Value(-0.0, label="y")
    steps = backprop(mp.log(x) * y + 1.0 / y + mp.relu(x))
    assert all_texts(show(steps)) == python_texts(steps)


# --------------------------------------------------------------------------------------------------------- live leaves


def leaf_moves(tab: Any, build: Callable[[list[Value]], Value], numbers: list[float], names: str) -> None:
    """Type the numbers into the page; values, gradients and texts must be Python's at those numbers."""
    for i, number in enumerate(numbers):
        tab.fill(f"#leaf{i}", repr(number))
    leaves = [Value(number, label=name) for number, name in zip(numbers, names)]
    root = build(leaves)
    steps = backprop(root)
    got = tab.evaluate("() => [nodes.map((node) => String(node.data)), steps.map((step) => String(step.after))]")
    assert all(is_close(float(x), node.data) for x, node in zip(got[0], toposort(root), strict=True))
    assert all(is_close(float(x), step.after) for x, step in zip(got[1], steps, strict=True))


@in_browser
def test_a_leaf_that_moves_takes_values_and_gradients_with_it(show: Open) -> None:
    def build(leaves: list[Value]) -> Value:
        a, b, c = leaves
        d = a * b
        e = mp.sigmoid(d + c) ** 3 - mp.relu(a) / (1.0 + mp.square(b)) + mp.hypot(a, c) % 2.0
        return mp.maximum(e, a) * mp.atan2(d, c) + mp.elu(d, alpha=0.5) + 2.0**c + mp.exp(-e) * d

    leaves = [Value(x, label=name) for x, name in zip([0.5, -1.5, 2.0], "abc")]
    tab = show(backprop(build(leaves)))
    random = Random(0)
    for _ in range(20):
        leaf_moves(tab, build, [random.uniform(-3.0, 3.0) for _ in range(3)], "abc")
    leaf_moves(tab, build, [0.0, -0.0, 1.0], "abc")


@in_browser
def test_dragging_is_typing_and_words_follow(show: Open) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    tab = show(backprop(a * b))
    tab.click("#last")
    tab.locator(".leafrow input[type=range]").first.fill("5")
    assert tab.input_value("#leaf0") == "5"
    assert tab.text_content("#step") == str(backprop(Value(5.0, label="a") * b)[-1])
    tab.fill("#leaf0", "")  # on the way to another number
    tab.fill("#leaf0", "7.5")
    assert tab.text_content("#n2 .data") == "-22.5"
    tab.press("#leaf0", "Home")  # an arrow or Home in a number is for the number
    assert tab.is_disabled("#next")


@in_browser
@pytest.mark.parametrize("width", [380, 1024])
def test_a_leaf_s_number_and_name_are_seen_whole(show: Open, width: int) -> None:
    numbers = [-1.2345678e-105, -123456.789, 1e308, math.nan, -math.inf]
    leaves = [Value(x, label="abcdefgh" * 10 + str(i)) for i, x in enumerate(numbers)]
    tab = show(backprop(sum(leaves, Value(0.0))), viewport={"width": width, "height": 800})
    assert [tab.input_value(f"#leaf{i}") for i in range(1, 6)] == ["-1.23457e-105", "-123457", "1e+308", "", ""]
    assert [tab.get_attribute(f"#leaf{i}", "placeholder") for i in range(1, 6)] == ["", "", "", "nan", "-inf"]
    tab.hover("#leaf1")  # then there are the little arrows, too
    room = """() => [...document.querySelectorAll(".leafrow input[type=number]")].map((input) => {
        const pen = document.createElement("canvas").getContext("2d");
        const style = getComputedStyle(input);
        pen.font = style.font;
        return input.clientWidth - parseFloat(style.paddingLeft) - 16 - pen.measureText(input.value).width;
    })"""
    assert min(tab.evaluate(room)) >= 0.0
    whole = "[...document.querySelectorAll('.leafrow label')].every((label) => label.scrollWidth <= label.clientWidth)"
    assert tab.evaluate(whole)
    assert tab.evaluate("getComputedStyle(document.querySelector('.leafrow label')).textOverflow") == "clip"


@in_browser
def test_the_page_says_which_conditions_stay(show: Open) -> None:
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    chosen = mp.where(a > b, a * a, b * 3.0)
    tab = show(backprop(chosen + mp.where(mp.less(a, b), a, b)))
    stays = "What Python decided, as by an if, stays"
    assert f"follow. {stays}; so does the condition of chosen, a plain number." in tab.text_content("#leaves")
    tab.fill("#leaf0", "5")
    tab.evaluate("go(final)")
    assert tab.evaluate("nodes.find((node) => node.name === 'chosen').data") == 6.0  # as it says, not 25
    assert f"{stays}." in show(backprop(mp.where(mp.less(a, b), a, b))).text_content("#leaves")
    many = sum([mp.where(a > i, a, b) for i in range(5)], Value(0.0))
    assert "the condition of v1, v3, v5 and 2 nodes more, a plain number" in backprop(many).html()


def edge_points(op: Op) -> list[tuple[float, ...]]:
    """Points inside the domain, at edges, and outside; with the options' defaults and others."""
    random = Random(op.name)
    edges = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 30.0, -700.0, 1e-9, 1e15, math.inf, -math.inf, math.nan]
    edges += [1e308, -1e308, 1e-308, -1e-308, 1e160, 1e-160, 1.0 - 1e-9, 1e-7 - 1.0]
    count = op.arity
    points = []
    for _ in range(300):
        inside = [random.uniform(max(low, -5.0), min(high, 5.0)) for low, high in op.domain[:count]]
        points.append([random.choice(edges) if random.random() < 0.4 else x for x in inside])
    options = list(op.options.values())
    shifted = [(x if math.isinf(x) else x + 0.25) for x in options]
    return [(*point, *(shifted if i % 3 == 0 else options)) for i, point in enumerate(points)]


def plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


@in_browser
def test_the_page_computes_each_row_as_python_does(browser: Any) -> None:
    live = [TABLE[name] for name, function in FUNCTIONS.items() if function.__module__ == HOME]
    assert [op.name for op in live if not isinstance(script(op), Script)] == []  # every row of the package
    cases: list[tuple[str, str, tuple[float, ...], float]] = []
    for op in live:
        for args in edge_points(op):
            out = op.forward(*args)  # type: ignore[misc]
            cases.append((op.name, f"forward.{op.name}", args, out))
            for i in range(op.arity):
                for part, expected in enumerate(op.slope(i, out, args)):  # the slope, and whether anything passes
                    call = f"((...at) => Number(slopeAt({op.name!r}, {i}, at)[{part}]))"
                    cases.append((op.name, call, (out, *args), float(expected)))
    asked = [[call, [plain(x) for x in args]] for _, call, args, _ in cases]
    helpers = asset("script/arithmetic.js") + asset("script/special.js")
    run = f"""() => {{
        {arithmetic(live)}
        {helpers}
        const real = (x) => typeof x === "string" ? {{nan: NaN, inf: Infinity, "-inf": -Infinity}}[x] : x;
        const functions = {{}};
        return {json.dumps(asked)}.map(([call, args]) =>
            String((functions[call] ??= eval(call))(...args.map(real))));
    }}"""
    tab = browser.new_page()
    got = [float(x) for x in tab.evaluate(run)]
    tab.close()
    differing = [(*case, x) for case, x in zip(cases, got, strict=True) if not is_close(x, case[3])]
    assert differing == []


@pytest.mark.parametrize("column", ["", "log(1 + exp(x))"])  # the second overflows where its forward does not
def test_the_page_says_why_its_leaves_are_fixed(column: str) -> None:
    soft = mp.primitive("my_softplus", mp.softplus.op.forward, lambda out, x: mp.sigmoid(x), sympy=column)  # type: ignore[arg-type]  # rows have one
    text = backprop(soft(Value(0.5)) * 2.0).html().replace("\\u0027", "'")
    assert "my_softplus cannot be computed in the page: it is no function of JavaScript's Math" in text
    assert "no formula of such functions that is as exact" in text


def test_leaves_are_fixed_where_python_alone_knows() -> None:
    x = Value(2.0)
    y = x * x
    with x.register_hook(lambda gradient: 2.0 * gradient):
        assert "a hook, which is Python, changes a gradient" in backprop(y).html()
    x.data = 3.0
    assert "y is no longer what its arguments give" in backprop(y).html()
    branching = mp.primitive("branching", lambda x: x, lambda out, x: 1.0 if x > 0.0 else -1.0, sympy="x")
    assert "its derivative cannot be traced" in backprop(branching(x)).html()
    cube = mp.primitive("cubed", lambda x: x * x * x, lambda out, x: 3.0 * mp.square(x), sympy="x**3")
    y = cube(x)
    assert '"fixed":""' in backprop(y).html()
    mp.primitive("cubed", lambda x: -x, lambda out, x: -1.0, sympy="-x")  # made again: y knows the old one
    assert "no longer" in backprop(y).html()


@in_browser
@pytest.mark.parametrize("column", ["", "2*x"])
def test_a_primitive_may_be_called_as_what_each_object_of_javascript_has(show: Open, column: str) -> None:
    twice = mp.primitive("constructor", lambda x: 2.0 * x, lambda out, x: 2.0, sympy=column)
    steps = backprop(twice(Value(3.0, label="x")) * 2.0)
    tab = show(steps)
    assert all_texts(tab) == python_texts(steps)
    assert tab.text_content("#why") == ""  # it has no rule in words
    assert tab.locator("#lesson svg").count() == bool(column)


# ------------------------------------------------------------------------------------------------- bad input, and looks


@in_browser
def test_labels_break_nothing(show: Open, browser: Any) -> None:
    root = Value(1.0, label=NASTY[0])
    for label in NASTY[1:]:
        root = root * Value(1.5, label=label)
    root.label = NASTY[0]
    steps = backprop(root)
    tab = show(steps)
    assert all_texts(tab) == python_texts(steps)
    assert tab.evaluate("window.stolen") is None
    assert tab.locator("img").count() == 0
    tab = browser.new_page()
    tab.set_content(steps._repr_html_())
    frame = tab.frame_locator("iframe")
    frame.locator("#last").click()
    assert frame.locator("#step").text_content() == str(steps[-1])
    assert tab.evaluate("window.stolen") is None
    tab.close()


@in_browser
@pytest.mark.parametrize("name", [*NASTY[:4], "\x00\ufffe"])
def test_names_of_blocks_break_nothing(show: Open, name: str) -> None:
    x = Value(1.0, label="x")
    with mp.scope(name):
        y = mp.sin(x) * x
    tab = show(backprop(y * 2.0))
    tab.evaluate("open(graph.levels.at(-1))")
    assert tab.evaluate("boxes.length") == 3
    tab.evaluate("openBox(1)")
    assert tab.evaluate("boxes.length") == 4
    assert tab.evaluate("window.stolen") is None


WORDS_FROM_LEFT_TO_RIGHT = """(where) => {
    const found = [];
    const walker = document.createTreeWalker(document.querySelector(where), NodeFilter.SHOW_TEXT);
    for (let text; (text = walker.nextNode()); ) {
        for (const { index, 0: word } of text.data.matchAll(/[\\p{L}\\p{N}_]+/gu)) {
            const range = document.createRange();
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            const { left, top, height } = range.getBoundingClientRect();
            found.push([word, left, top + height / 2]);
        }
    }
    return found;
}"""


@in_browser
def test_names_that_run_from_right_to_left_leave_all_beside_them_in_its_place(show: Open) -> None:
    w, x, t = Value(2.0, label="وزن"), Value(3.0, label="ثقل1"), Value(-1.5, label="משקל")
    loss = (w * x - t) * w
    steps = backprop(loss)
    tab = show(steps, viewport={"width": 1600, "height": 900})
    tab.select_option("#traveller", index=1)
    marks = str.maketrans("", "", "\u2068\u2069")
    for k, text in enumerate(python_texts(steps), 1):
        tab.evaluate(f"go({k})")
        assert tab.text_content("#step").translate(marks) == text
        for where in ("#step", "#story .formula", "#ways .way", "#ways .sum", "#lesson figcaption, #lesson p"):
            words = tab.evaluate(WORDS_FROM_LEFT_TO_RIGHT, where)
            lines = [(round(middle / 12), left) for _, left, middle in words]  # each line from the left
            assert lines == sorted(lines), (where, words)
    tab.click("#predict")
    tab.evaluate("go(final - 1)")
    lines = [(round(middle / 12), left) for _, left, middle in tab.evaluate(WORDS_FROM_LEFT_TO_RIGHT, "#asked")]
    assert lines == sorted(lines)
    listed = steps._repr_html_().partition("<iframe")[0]
    assert "\u2068وزن\u2069.grad: " in listed
    assert "\u2068وزن\u2069" in steps.ledger(w)._repr_html_()
    assert "\u2068" not in str(steps)  # a text is data


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 600])
def test_it_fits_its_place_and_can_be_read(show: Open, scheme: str, width: int) -> None:
    neuron = mp.Neuron(2, seed=1)
    tab = show(backprop(neuron([0.5, -1.0])), viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab.click("#last")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = """() => [...document.querySelectorAll(".node")].filter((node) => {
        const box = node.querySelector(".paper").getBoundingClientRect();
        return [...node.querySelectorAll("text")].some((text) => {
            const inner = text.getBoundingClientRect();
            return inner.width && (inner.left < box.left || inner.right > box.right || inner.bottom > box.bottom);
        });
    }).length"""
    assert tab.evaluate(cut) == 0
    contrast = """(what) => {
        const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number).map((x) => x / 255)
            .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const element = document.querySelector(what);
        const style = getComputedStyle(element);
        const ink = light(element.tagName === "text" ? style.fill : style.color);
        const paper = light(getComputedStyle(document.querySelector(element.tagName === "text" ? ".paper" : "body"))
            [element.tagName === "text" ? "fill" : "backgroundColor"]);
        return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    }"""
    for what in (".node .name", ".node .data", ".node .word", "#step", "#step .upstream", "#step .local", "#phase"):
        assert tab.evaluate(contrast, what) > 4.5


@in_browser
def test_a_viewer_without_trust_sees_the_picture_alone(browser: Any) -> None:
    steps = backprop(example())
    html = steps._repr_html_()
    tab = browser.new_page()
    tab.set_content(html)
    assert not tab.is_visible(".micrograd-plus-static")
    assert tab.frame_locator("iframe").locator("#next").is_visible()
    tab.set_content(html[: html.index("<iframe")])  # what a notebook that is not trusted keeps
    assert tab.is_visible(".micrograd-plus-static img")
    assert tab.evaluate("document.querySelector('img').naturalWidth") > 100
    tab.click("summary")
    assert tab.locator("li").all_text_contents() == list(map(str, steps))
    tab.close()


def test_a_file_of_another_kind_or_place(tmp_path: Path) -> None:
    steps = backprop(Value(1.0) * 2.0)
    with pytest.raises(ValueError, match=r"page\.png'\): expected a name that ends in \.html"):
        steps.save(tmp_path / "page.png")
    with pytest.raises(FileNotFoundError, match="does not exist; make it first"):
        steps.save(tmp_path / "nowhere" / "page.html")
    with pytest.raises(TypeError, match="expected the path of a file, got int"):
        steps.save(3)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_graph_too_large_for_a_page(tmp_path: Path) -> None:
    y = Value(1.0)
    for _ in range(LIMIT):
        y = y * 1.0
    steps = backprop(y)
    with pytest.raises(ValueError, match=f"a graph of {LIMIT + 1} nodes is too large for a page, which shows {LIMIT}"):
        steps.save(tmp_path / "page.html")
    html = steps._repr_html_()
    assert "too large" in html
    assert "<iframe" not in html
    assert str(steps[0]) in html


@in_browser
def test_the_page_shortens_numbers_as_python_does(browser: Any) -> None:
    random = Random(5)
    numbers = [
        0.0,
        -0.0,
        1.0,
        0.5,
        0.99995,
        9999.5,
        12345.0,
        999999.5,
        1e6,
        1.5e-5,
        2 / 3,
        1e22,
        5e-324,
        1e308,
        0.1 + 0.2,
    ]
    numbers += [random.uniform(-10, 10) * 10.0 ** random.randint(-12, 12) for _ in range(2000)]
    numbers += [math.inf, -math.inf, math.nan, *[-x for x in numbers[:15]]]
    tab = browser.new_page()
    words = asset("script/words.js")
    run = f"""() => {{ {words}
        const real = (x) => typeof x === "string" ? {{nan: NaN, inf: Infinity, "-inf": -Infinity}}[x] : x;
        return {json.dumps([plain(x) if x or math.copysign(1, x) > 0 else 0.0 for x in numbers])}.map(real)
            .map((x) => [short(x), shorter(x)]); }}"""
    assert tab.evaluate(run) == [[short(x), shorter(x)] for x in numbers]
    tab.close()


@in_browser
def test_what_rounding_leaves_is_no_number_to_be_shown(show: Open) -> None:
    x, tiny = Value(0.3, label="x"), Value(1e-17, label="tiny")
    steps = backprop((0.1 * x + 0.2 * x - 0.3 * x) * 5.0 + mp.sin(math.pi * x / x) + 0.0 * tiny)
    tab = show(steps)
    assert all_texts(tab) == python_texts(steps)
    assert "≈0 (1.22465e-16, left by rounding)" in "".join(steps.forward)
    assert tab.locator(".node .data", has_text="≈0").count() >= 1
    assert "e-17" not in "".join(tab.locator(".node .grad").all_text_contents())
    assert tab.text_content("#n1 .data") == "1e-17"  # small in earnest
    tab.evaluate("recompute()")  # as when a leaf moves
    assert all_texts(tab) == python_texts(steps)


def test_the_script_in_few_letters_is_up_to_date() -> None:
    made_of = asset(SHORT).partition("\n")[0]
    assert digest("\n".join(whole_scripts())) in made_of, "a script has changed: python docs/shorten.py"
    assert len(page_script(bare=True)) < 0.65 * len(page_script())
