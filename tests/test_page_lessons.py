"""What the page teaches, in a real browser: where a pass starts, why a step is as it is, guesses, paths."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser, opened

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.numerals import short
from micrograd_plus.stepping.stepper import Backprop, backprop

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened() as chromium:
        yield chromium


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a pass; the test fails if the page complains."""
    complaints: list[str] = []
    tabs = []

    def show(steps: Backprop, **options: Any) -> Any:
        steps.save(tmp_path / "page.html")
        tab = browser.new_page(**options)
        tabs.append(tab)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto((tmp_path / "page.html").as_uri())
        return tab

    yield show
    for tab in tabs:
        tab.close()
    assert complaints == []


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
    assert [tab.text_content(f"#n{i} .grad") for i in range(len(nodes))] == [short(node.grad) for node in nodes]
    tab.fill("#leaf0", "5")  # a leaf that moves starts afresh, too
    assert tab.text_content("#n1 .grad") == "5.0"
    assert said not in show(backprop(a * b + a)).text_content("#phase")


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
