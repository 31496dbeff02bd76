"""A primitive is registered whole, or refused and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.formulas.cards import card
from micrograd_plus.ops.rows import FUNCTIONS


@pytest.fixture(autouse=True)
def _no_primitive_stays() -> Iterator[None]:
    known, attributes = set(TABLE), set(dir(Value))
    yield
    for name in set(TABLE) - known:
        del TABLE[name], FUNCTIONS[name]
    for name in set(dir(Value)) - attributes:
        delattr(Value, name)


def one(x: float) -> float:
    return x


def two(x: float, y: float) -> float:
    return x


def slope(out: Any, *args: Any) -> float:
    return 1.0


WRONG: dict[str, dict[str, Any]] = {
    "options, no name": {"options": {"a b": 1.0}},
    "options, a keyword": {"options": {"if": 1.0}},
    "options, not text": {"options": {1: 1.0}},
    "options, an argument": {"options": {"x": 1.0}},
    "options, a Value": {"options": {"a": Value(1.0)}},
    "options, no number": {"options": {"a": "1"}},
    "kinks, text": {"kinks": "ab"},
    "kinks, no numbers": {"kinks": ["a"]},
    "kinks, a number": {"kinks": 1.0},
    "doc": {"doc": None},
    "symbol": {"symbol": 3},
    "latex": {"latex": 5},
    "precedence": {"precedence": "high"},
    "numpy": {"numpy": 5},
    "scipy": {"scipy": []},
    "sympy": {"sympy": None},
    "rule": {"rule": None},
    "arrays": {"arrays": "exp"},
    "domain": {"domain": (1.0, 0.0)},
    "partials": {"partials": [slope, slope, slope]},
    "forward": {"forward": lambda: 1.0},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_refused_leaves_nothing_behind(what: str) -> None:
    right: dict[str, Any] = {"forward": two if "options" in WRONG[what] else one, "partials": slope}
    before = (dict(TABLE), dict(FUNCTIONS), set(dir(Value)))
    with pytest.raises((TypeError, ValueError), match=r"odd_one|options"):
        mp.primitive("odd_one", **right | WRONG[what])
    assert (dict(TABLE), dict(FUNCTIONS), set(dir(Value))) == before
    function: Any = mp.primitive("odd_one", one, slope)  # its name is still free
    x = Value(3.0)
    function(x).backward()
    assert x.grad == 1.0
    with pytest.raises((TypeError, ValueError)):
        mp.primitive("odd_one", **right | WRONG[what])
    assert FUNCTIONS["odd_one"] == function  # and what was there before is there
    assert TABLE["odd_one"] is function.op


NEEDED = [
    "__iadd__",
    "__slots__",
    "__len__",
    "__iter__",
    "__array__",
    "__index__",
    "__getattr__",
    "__dict__",
    "__new__",
]
NEEDED += ["_repr_html_", "_data", "_anything", "_", "data", "backward", "exp", "lambda", "None", "a b", "", "3d"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_name_that_python_or_value_needs_is_refused(name: str) -> None:
    before = (dict(TABLE), set(dir(Value)))
    with pytest.raises(ValueError, match="primitive"):
        mp.primitive(name, one, slope)
    assert (dict(TABLE), set(dir(Value))) == before
    y = Value(1.0)
    y += 1.0
    assert y.data == 2.0


def test_what_was_given_may_change_afterwards() -> None:
    """Lists and dicts are the caller's own."""
    options, kinks, partials = {"a": 1.0}, [0.0], [slope]
    function: Any = mp.primitive("odd_one", two, partials, options=options, kinks=kinks)
    options["b"] = 2.0
    kinks.append(5.0)
    partials.clear()
    assert function.op.options == {"a": 1.0}
    assert function.op.kinks(5.0) == 5.0
    assert function(3.0) == 3.0


def test_a_rule_in_words_is_shown_in_its_card() -> None:
    mp.primitive("ruled", one, slope, rule="what comes passes")
    assert "\nrule          what comes passes\n" in card("ruled")
    mp.primitive("unruled", one, slope)
    assert "\nrule" not in card("unruled")


def test_a_doc_without_words_is_as_none() -> None:
    for doc in ("", " ", "; ", "; odd_one(1.0) = 1.0"):
        assert mp.primitive("odd_one", one, slope, doc).__doc__.startswith("Odd_one, a primitive of ")  # type: ignore[union-attr]
