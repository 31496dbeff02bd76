"""What is printed as text shows itself in Jupyter as tables and curves, with the same numbers, and escaped."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import MLP, Value
from micrograd_plus._support.markup import clean, table
from micrograd_plus.nn.summaries import SHOWN, summary
from micrograd_plus.training.curves import drawn, markup
from micrograd_plus.training.records import Epoch, History

EVIL = "<script>alert(1)</script>\x00"


class Tags(HTMLParser):
    """The tags that a browser sees; each must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - theirs
        self.seen.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def words(html: str) -> str:
    """What is read of it."""
    return unescape(re.sub("<[^>]*>", " ", html))


def rows(html: str) -> list[list[str]]:
    """The cells of each row."""
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall("<tr>(.*?)</tr>", html)]
    return [[unescape(cell) for cell in row] for row in cells]


def evil_graph() -> Value:
    x = Value(3.0, label=EVIL)
    return x * x + mp.tanh(x)


class Evil(mp.Module):
    def __init__(self) -> None:
        self.parts = {EVIL: MLP(2, [2, 1]), EVIL + "w": [Value(1.0), Value(2.0)]}

    def __repr__(self) -> str:
        return EVIL


def evil_report() -> Any:
    def wrong(x: float) -> float:
        return 3 * x

    def cube(x: Any) -> Any:
        return x**3

    cube.__name__ = EVIL
    with pytest.raises(mp.GradientError) as caught:
        mp.check_grads(cube, 2.0, gradient=wrong)
    return caught.value.report


def evil_program() -> Any:
    def loss(x: Any, y: Any) -> Any:
        return mp.losses.squared_error(MODEL(x), y)

    loss.__name__ = EVIL
    return mp.compile(loss, x=2, y=())


class EvilEngine(mp.Value):
    def sqrt(self) -> Value:
        return mp.Value(self.data**0.5)


EvilEngine.sqrt.__doc__ = EVIL
MODEL = MLP(2, [3, 1], seed=1)
HISTORY = History([Epoch(i, 10 * i, 2.0 / i, 1 - 0.5 / i, 0.1, 0.5) for i in range(1, 31)])


def evil_ledger() -> Any:
    y = evil_graph()
    leaf = y.args[0].args[0]  # type: ignore[union-attr]
    assert isinstance(leaf, Value)
    return mp.backprop(y).ledger(leaf)


SHOWN_IN_JUPYTER: dict[str, Callable[[], Any]] = {
    "ledger": evil_ledger,
    "history": lambda: HISTORY,
    "history of nothing": History,
    "program": evil_program,
    "model": Evil,
    "report of check_grads": evil_report,
    "report of check_engine": lambda: mp.check_engine(EvilEngine, laws=["sqrt", "relu"]),
    "nudges": lambda: mp.nudges(MODEL, [1.0, 2.0], 1.0),
    "nudges of several": lambda: mp.nudges(MODEL, [[1.0, 2.0]] * 5, [1.0] * 5),
}


@pytest.mark.parametrize("name", SHOWN_IN_JUPYTER)
def test_every_display_is_whole_and_escaped_and_text_stays_as_it_is(name: str) -> None:
    shown = SHOWN_IN_JUPYTER[name]()
    html = shown._repr_html_()
    assert "script" not in Tags(html).seen
    assert "\x00" not in html
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    bundle, _ = formatter.format(shown)
    assert bundle["text/html"] == html
    assert bundle["text/plain"] == repr(shown)


def test_the_evil_names_are_shown() -> None:
    for name in ("ledger", "program", "model", "report of check_grads"):
        assert "<script>alert(1)" in words(SHOWN_IN_JUPYTER[name]()._repr_html_())


def test_a_ledger_has_the_rows_of_its_text() -> None:
    x = Value(3.0, label="x")
    square = x * x
    ledger = mp.backprop(square + 4 * x).ledger(x)
    head, *body, foot = rows(ledger._repr_html_())
    assert head == ["path", "contribution"]
    assert body == [["L → v1 → x", "4.0"], ["L → square → x", "3.0"], ["L → square → x", "3.0"]]
    assert foot == ["sum", "10.0"]
    assert [row.rsplit(maxsplit=1) for row in map(str.strip, str(ledger).splitlines()[1:4])] == body


def test_a_program_explains_itself() -> None:
    program = mp.compile(lambda x, y: mp.losses.squared_error(MODEL(x), y), x=2, y=())
    html = program._repr_html_()
    told = program.explain().splitlines()
    assert told[0] in words(html)
    assert [" x ".join(row).removeprefix(" x ") for row in rows(html)[1:]] == [line.strip() for line in told[1:]]
    branching = mp.compile(lambda x: x * x if x > 0 else -x, x=())
    branching([1.0, -1.0])
    assert branching._repr_html_().count("<table ") == 2
    assert words(branching._repr_html_()).count("where ") == 2


def test_a_model_shows_its_layers() -> None:
    model = MLP(784, [16, 16, 10], activation="sigmoid", seed=1)
    assert rows(model._repr_html_()) == [
        ["where", "what", "activation", "shape", "parameters"],
        ["layers.0", "Layer", "sigmoid", "784 → 16", "12,560"],
        ["layers.1", "Layer", "sigmoid", "16 → 16", "272"],
        ["layers.2", "Layer", "linear", "16 → 10", "170"],
        ["in all", "", "", "", "13,002"],
    ]
    assert rows(mp.Neuron(2)._repr_html_())[1] == ["itself", "Neuron", "relu", "2 → 1", "3"]


def test_a_module_of_ones_own_shows_its_lists_and_counts_what_is_shared_once() -> None:
    class Own(mp.Module):
        def __init__(self) -> None:
            self.table = [[Value(0.0) for _ in range(3)] for _ in range(4)]
            self.uneven = [Value(0.0), [Value(0.0)]]
            self.bias = Value(0.0)
            self.again = self.bias
            layer = mp.Layer(2, 3, activation="tanh")
            layer.neurons[0].activation = lambda x: x
            self.inner = [mp.Neuron(2), layer]

    module = Own()
    found = rows(summary(module))[1:]
    assert found[0] == ["table", "Values", "", "4 × 3", "12"]
    assert found[1] == ["uneven", "Values", "", "", "2"]
    assert found[2] == ["bias", "Value", "", "", "1"]
    assert found[3:5] == [
        ["inner.0", "Neuron", "relu", "2 → 1", "3"],
        ["inner.1", "Layer", "<lambda>, tanh", "2 → 3", "9"],
    ]
    assert found[-1][-1] == str(len(module.parameters())) == "27"


def test_a_model_of_many_layers_is_cut() -> None:
    found = rows(MLP(1, [1] * 100)._repr_html_())
    assert len(found) == SHOWN + 3
    assert found[SHOWN // 2 + 1][0] == "… 60 more"
    assert found[-1][-1] == "200"


def test_the_report_names_what_is_wrong() -> None:
    html = evil_report()._repr_html_()
    (wrong,) = rows(html)[1:]
    assert wrong[0] == "wrong"
    assert wrong[3].startswith("got 6, expected 12, tolerance")
    agreed = mp.check_grads(mp.tanh)
    assert agreed._repr_html_() == f"<p>{agreed}</p>"


def test_a_broken_law_stands_before_the_table_of_all() -> None:
    html = SHOWN_IN_JUPYTER["report of check_engine"]()._repr_html_()
    assert html.index("z = x.sqrt()") < html.index("<details>")
    assert ["FAIL", "sqrt", "slope 1 / (2 * sqrt(x))"] in rows(html)


def test_nudges_have_a_table_a_layer() -> None:
    wanted = mp.nudges(MLP(2, [12, 1], seed=1), [1.0, 2.0], 1.0)
    html = wanted._repr_html_()
    assert html.count("<table ") == 2
    assert "layers.1, the output: 1 neuron" in words(html)
    assert "4 more, with wishes of at most" in words(html)
    several = SHOWN_IN_JUPYTER["nudges of several"]()._repr_html_()
    assert "what each example wants" in words(several)


# -------------------------------------------------------------------------------------------------------------- curves


def test_curves_are_drawn_from_the_history() -> None:
    drawing = drawn(HISTORY)
    assert drawing.description == "loss from 2 to 0.06667 and accuracy from 50.0 % to 98.3 % over 30 epochs"
    lines = re.findall(r'<polyline points="([^"]*)"', drawing.svg)
    assert [len(line.split()) for line in lines] == [30, 30]
    heights = [float(point.split(",")[1]) for point in lines[0].split()]
    assert heights == sorted(heights)  # the loss falls, and an SVG counts downwards
    assert ">epoch</text>" in drawing.svg
    assert ">loss</text>" in drawing.svg
    assert ">accuracy in %</text>" in drawing.svg


def test_curves_stand_one_under_another_where_there_is_no_room_for_two() -> None:
    images = re.findall(r'<img alt="([^"]*)" src="[^"]*?width=\'(\d+)\'', markup(HISTORY))
    assert images == [
        ("loss from 2 to 0.06667 over 30 epochs", "300"),
        ("accuracy from 50.0 % to 98.3 % over 30 epochs", "300"),
    ]
    assert "overflow" not in markup(HISTORY).partition("<details>")[0]


def test_an_unjudged_training_has_one_curve_and_no_column() -> None:
    history = History([Epoch(i, i, 1.0 / i, None, 0.1, 0.5) for i in (1, 2, 3)])
    assert drawn(history).width == drawn(HISTORY).width / 2
    assert "accuracy" not in markup(history)
    assert len(rows(markup(history))) == 4


def test_a_long_training_lists_its_first_and_last_epochs() -> None:
    listed = [row[0] for row in rows(markup(HISTORY))[1:]]
    assert listed == [*map(str, range(1, 11)), "… 10 more", *map(str, range(21, 31))]


@given(st.lists(st.tuples(st.floats(), st.none() | st.floats(0.0, 1.0)), min_size=1, max_size=30))
def test_any_history_can_be_shown(numbers: list[tuple[float, float | None]]) -> None:
    history = History([Epoch(i, i, loss, share, 0.1, 0.5) for i, (loss, share) in enumerate(numbers, 1)])
    svg = drawn(history).svg
    for places in re.findall(r'points="([^"]*)"', svg):
        for x, y in [place.split(",") for place in places.split()]:
            assert 0.0 <= float(x) <= drawn(history).width
            assert 0.0 <= float(y) <= drawn(history).height
    assert not re.search(r'"-?(nan|inf)', svg)
    Tags(markup(history))


def test_a_gap_where_the_loss_is_no_number() -> None:
    losses = [1.0, 2.0, math.nan, 3.0, math.inf, 1.0, 1.0]
    svg = drawn([Epoch(i, i, loss, None, 0.1, 0.5) for i, loss in enumerate(losses, 1)]).svg
    assert [len(line.split()) for line in re.findall(r'<polyline points="([^"]*)"', svg)] == [2, 2]
    assert svg.count("<circle") == 5


@given(st.text(), st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_a_table_keeps_every_text(caption: str, cells: list[list[str]]) -> None:
    html = table(caption, ["a", "b"], cells, numbers=[1])
    Tags(html)
    assert html.count("<td") == 2 * len(cells)
    assert all(f">{clean(text)}</td>" in html for row in cells for text in row)
