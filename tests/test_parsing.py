"""Expressions are read as Python would read them, and run never: everything else is refused, and the place marked."""

from __future__ import annotations

import ast
import math
import re
import subprocess
import sys
import warnings
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.cli.expressions import CONSTANTS, EXPECTED, LONGEST, ExpressionError, parse
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.cards import usage
from micrograd_plus.formulas.writing import formula
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.programs import Expression

LETTERS = {"w": 2.0, "x": -3.0, "y": 0.5}


def used(text: str, values: dict[str, float] = LETTERS) -> dict[str, float]:
    """The values of those names that the text mentions."""
    return {name: value for name, value in values.items() if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)}


def same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


# --------------------------------------------------------------------------------------------------------- what is read


def texts() -> st.SearchStrategy[str]:
    """Expressions as people write them: few parentheses, any spaces."""
    atoms = st.sampled_from(["w", "x", "y", "2", "0.5", "1e-3", ".25", "3."])
    calls = {"sin": 1, "exp": 1, "maximum": 2, "leaky_relu": 1, "where": 3, "pow": 2, "abs": 1}

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", " - ", "*", " / ", "%", "**"]), inner).map("".join)
        signed = st.tuples(st.sampled_from("-+"), inner).map("".join)
        call = st.sampled_from(sorted(calls)).flatmap(
            lambda name: st.tuples(*[inner] * calls[name]).map(lambda args: f"{name}({', '.join(args)})")
        )
        return (
            binary | signed | inner.map("({})".format) | call | inner.map("leaky_relu({}, negative_slope=-0.5)".format)
        )

    return st.recursive(atoms, larger, max_leaves=12)


@given(texts())
@settings(max_examples=300)
@example("-x**2")
@example("x**-w")
@example("w**x**y")
@example("w - x - y")
@example("w / x * y")
@example("-x % w")
@example("w * x")
def test_it_is_read_as_python_reads_it(text: str) -> None:
    """Python's own eval, of text that is ours, is the oracle: same numbers, same gradients, same operations."""
    values = used(text)
    leaves = {name: mp.Value(value, label=name) for name, value in values.items()}
    try:
        want = eval(text, {"__builtins__": {}}, {**FUNCTIONS, **leaves})
    except ArithmeticError:  # of numbers alone, such as 1 / 0: ours is inf
        assume(False)
    assume(not isinstance(want, complex))
    want = want if isinstance(want, mp.Value) else mp.Value(want)
    root, ours = parse(text, values)
    root.backward()
    want.backward()
    assert list(ours) == list(dict.fromkeys(re.findall(r"\b[wxy]\b", text)))
    assert same(root.data, want.data)
    assert all(same(ours[name].grad, leaves[name].grad) for name in values)
    assert [node._op for node in toposort(root)] == [node._op for node in toposort(want)]


@given(expressions(max_nodes=30))
@settings(max_examples=100)
def test_what_formula_writes_is_read_back(expression: Expression) -> None:
    """A formula gathers constants, so the last digits may differ: derivatives stay below 1e4, numbers below 100."""
    leaves, out = expression.build()
    values = {leaf.label: leaf.data for leaf in leaves}
    for line in formula(out, limit=100_000).text.split("\n"):
        name, _, right = line.rpartition(" = ")  # a part of the formula has a name
        root, _ = parse(right, used(right, values))
        values[name] = root.data
    assert math.isclose(root.data, out.data, rel_tol=1e-9, abs_tol=1e-8)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_every_function_of_the_table_may_be_called(name: str, data: list[float]) -> None:
    call = usage(name)
    names = ["condition", "x", "y", "z"]
    values = used(call, dict(zip(names, [data[0], *data])))
    root, leaves = parse(call, values)
    want = FUNCTIONS[name](*[mp.Value(leaf.data) for leaf in leaves.values()])
    assert root.op is want.op is FUNCTIONS[name].op  # type: ignore[attr-defined]
    assert same(root.data, want.data)


def test_a_name_is_one_leaf_that_bears_it() -> None:
    root, leaves = parse("x*x + b*x", {"b": 1, "x": 3})
    assert list(leaves) == ["x", "b"]
    assert [leaf.label for leaf in leaves.values()] == ["x", "b"]
    root.backward()
    assert (root.data, leaves["x"].grad, leaves["b"].grad) == (12.0, 7.0, 3.0)
    assert [node.label for node in toposort(root)] == ["x", "b", "", "", ""]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x < y", 1), ("x > y", 0), ("x <= y", 1), ("x >= y", 0), ("x == y", 0), ("2*(x < y) + 1", 3),
        ("where(x < 0, w, y)", 2), ("clamp(x, -1, 1)", -1), ("clamp(x, max=-4)", -4), ("pi + 0*x", math.pi),
        ("π * y", math.pi / 2), ("-inf", -math.inf), ("1_000 + x", 997), ("9**9**9", math.inf), ("1/0", math.inf),
        ("0/0", math.nan), ("(-8)**(1/3)", math.nan), ("1e999*w", math.inf), ("x", -3), ("  ((x))\n+\t1 ", -2),
        ("9" * 400, math.inf), ("5", 5), ("- - x", -3), ("leaky_relu(x, negative_slope=-2*pi/pi)", 6),
    ],
)  # fmt: skip
def test_some_values(text: str, value: float) -> None:
    assert same(parse(text, used(text)).root.data, value)


def test_the_constants_are_names_like_others_once_they_have_a_value() -> None:
    assert parse("pi*inf", {"pi": 3, "inf": 2}).root.data == 6.0
    assert all(same(parse(name, {}).root.data, value) for name, value in CONSTANTS.items())
    assert parse("relu(relu) + e", {"relu": 4, "e": 1}).root.data == 5.0  # functions are no names of numbers


def test_names_are_compared_as_python_compares_them() -> None:
    micro, mu = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
    assert list(parse(f"{micro} * 2", {micro: 1}).leaves) == [mu]


def test_a_primitive_of_yours_may_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (FUNCTIONS, TABLE):
        monkeypatch.setitem(where, "doubled", None)  # it goes again after this test
        del where["doubled"]
    mp.primitive("doubled", lambda x: 2 * x, lambda out, x: 2.0)
    assert parse("doubled(x)", {"x": 3}).root.data == 6.0
    del mp.Value.doubled  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------ what is refused

# the place that is marked, and why; "" for what was expected instead
REFUSED = {
    "relu(w*x + b.__class__)": ("b.__class__", ""),
    "__import__('os').system('touch made')": ("__import__('os').system", ""),
    "__import__('os')": ("__import__", "unknown function '__import__'"),
    "open('made', 'w')": ("open", "unknown function 'open'"),
    "eval('1')": ("eval", "unknown function"),
    "().__class__.__bases__[0].__subclasses__()": ("().__class__.__bases__[0].__subclasses__", ""),
    "x.data": ("x.data", ""),
    "x.relu()": ("x.relu", ""),
    "relu.op": ("relu.op", ""),
    "relu.__globals__['sys']": ("relu.__globals__['sys']", ""),
    "x[0]": ("x[0]", ""),
    "x[1:2]": ("x[1:2]", ""),
    "'text'": ("'text'", ""),
    "w * b'text'": ("b'text'", ""),
    "f'{x}'": ("f'{x}'", ""),
    "f'{open(1)}' + w": ("f'{open(1)}'", ""),
    "'%s' % x": ("'%s'", ""),
    "'\\d' * w": ("\\", ""),
    "lambda: x": ("lambda: x", ""),
    "(lambda: x)()": ("lambda: x", ""),
    "x if w else y": ("x if w else y", ""),
    "x and y": ("x and y", ""),
    "not x": ("not x", ""),
    "x in y": ("x in y", ""),
    "x is y": ("x is y", ""),
    "x < y < w": ("x < y < w", "expected a single comparison, as in x < y"),
    "w + (y := 3)": ("y := 3", ""),
    "y := 3": (":=", ""),
    "x = 3": ("=", ""),
    "x += 3": ("+=", ""),
    "import os": ("import", "import is a word of Python, which cannot be a name"),
    "del x": ("del", "del is a word of Python"),
    "w*lambda + x": ("lambda", "lambda is a word of Python"),
    "x; y": (";", ""),
    "[x, y]": ("[x, y]", ""),
    "(x, y)": ("(x, y)", ""),
    "x, y": ("x, y", ""),
    "{x}": ("{x}", ""),
    "{x: y}": ("{x: y}", ""),
    "[x for y in w]": ("[x for y in w]", ""),
    "{x for y in w}": ("{x for y in w}", ""),
    "{x: y for y in w}": ("{x: y for y in w}", ""),
    "sin(x for x in y)": ("(x for x in y)", ""),
    "(yield x)": ("yield x", ""),
    "(yield from x)": ("yield from x", ""),
    "await x": ("await x", ""),
    "relu(*x)": ("*x", ""),
    "relu(**x)": ("x", ""),
    "x @ y": ("x @ y", ""),
    "~x": ("~x", ""),
    "x & y": ("x & y", ""),
    "x << y": ("x << y", ""),
    "x | y": ("|", "write abs(x)"),
    "w*True": ("True", ""),
    "None": ("None", ""),
    "...": ("...", ""),
    "x # y": ("#", ""),
    "x \\\n + y": ("\\", ""),
    "x!": ("!", ""),
    "x ? y": ("?", ""),
    "$x": ("$", ""),
    "x\0y": ("�", ""),
    "x\x1b[31m": ("�", ""),
    "x + \ud800": ("�", ""),
    "x^2": ("^", "write ** for powers"),
    "w + x²": ("²", "write **2"),
    "w·x": ("·", "write *"),
    "w − x": ("−", "write -"),
    "w ≤ x": ("≤", "write <="),
    "w // x": ("//", "write floor(x / y)"),
    "w != x": ("!=", "write 1 - (x == y)"),
    "y + 2x": ("2x", "write 2*x"),
    "y + 2.5 x": ("2.5 x", "write 2.5*x"),
    "2j": ("2j", "write 2*j"),
    "2(x + 1)": ("2", "write * between the factors"),
    "(x + 1)(x - 1)": ("x + 1", "write * between the factors"),
    "sin(x)(x)": ("sin(x)", "write * between the factors"),
    "x(y + 1)": ("x", "x is a number; write x*(...)"),
    "pi(y)": ("pi", "pi is a number; write pi*(...)"),
    "w * tahn(x)": ("tahn", "unknown function 'tahn'; did you mean 'tanh'?"),
    "arctan(x)": ("arctan", "did you mean 'atan'?"),
    "ln(x)": ("ln", "did you mean 'log'?"),
    "max(x, y)": ("max", "did you mean 'maximum'?"),
    "frobnicate(x)": ("frobnicate", "the command micrograd-plus ops lists them"),
    "relu + 1": ("relu", "relu is a function; expected its arguments, as in relu(x)"),
    "w + relu()": ("relu()", "expected relu(x)"),
    "relu(x, y)": ("relu(x, y)", "expected relu(x)"),
    "where(x, y)": ("where(x, y)", "expected where(condition, x, y)"),
    "relu(x=x)": ("relu(x=x)", "expected relu(x)"),
    "elu(x, beta=2)": ("elu(x, beta=2)", "expected elu(x, alpha=1.0)"),
    "elu(x, 1, alpha=2)": ("elu(x, 1, alpha=2)", "expected elu(x, alpha=1.0)"),
    "elu(x, 1, 2)": ("elu(x, 1, 2)", "expected elu(x, alpha=1.0)"),
    "elu(alpha=2)": ("elu(alpha=2)", "expected elu(x, alpha=1.0)"),
    "elu(x, alpha=1, alpha=2)": ("", "expected "),  # Python may refuse it first
    "elu(x, alpha=y + 1)": ("y + 1", "an option is a plain number, it gets no gradient"),
    "elu(x, w)": ("w", "an option is a plain number, it gets no gradient"),
    "(w*x": ("(", "'(' was never closed"),
    "w*x)": (")", "unmatched ')'"),
    "relu(w*x + )": (")", ""),
    "w x": ("x", ""),
    "w ** * x": ("*", ""),
    "é + 2ü": ("2ü", "write 2*ü"),
    "é*é.x": ("é.x", ""),
}


def marked(error: BaseException) -> tuple[str, str]:
    """What is marked in a message, and why."""
    first, line, *below = str(error).split("\n")
    carets, why = re.match(r"( +\^*)\s*(.*)", " ".join(below)).groups()  # type: ignore[union-attr]
    assert first == "cannot read the expression"
    assert "^" in carets
    return line[carets.index("^") : len(carets)], why


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused_and_the_place_marked(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text, used(text))
    place, why = marked(refused.value)
    want, reason = REFUSED[text]
    assert place == want or not want
    assert (reason or EXPECTED) in why


def test_the_end_is_marked_where_something_is_missing() -> None:
    with pytest.raises(ExpressionError) as refused:
        parse("w*x +", LETTERS)
    assert str(refused.value).split("\n")[1:] == ["  w*x +", f"       ^ {EXPECTED}"]


def test_no_kind_of_expression_that_python_has_is_forgotten() -> None:
    """Each is either read, or refused by an example above."""
    read = {ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Call}
    seen: set[type] = set()
    for text in REFUSED:
        with suppress(SyntaxError, ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen |= {type(node) for node in ast.walk(ast.parse(text, mode="eval"))}
    assert set(ast.expr.__subclasses__()) - read - seen == set()


def test_nothing_of_it_runs() -> None:
    """Python tells a hook of everything that is imported, opened, compiled and executed."""
    program = f"""
import difflib, sys
from micrograd_plus.cli.expressions import parse
events = []
sys.addaudithook(lambda event, args: events.append(event))
for text in {[*REFUSED, "w*x"]!r}:
    try:
        parse(text, {{"w": 1.0, "x": 2.0}})
    except ValueError:
        pass
print(set(events) - {{"builtins.id"}})  # asking for an identity does nothing
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{'compile'}\n", "")


@given(st.text(alphabet=st.sampled_from("wxy2.5e +-*/%()<=,:'\"[]{}^é漢\n\\#") | st.characters(), max_size=60))
@settings(max_examples=400)
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        parse(text, used(text))
        return
    with pytest.raises(ValueError, match=r"^(cannot read|no value for|a value for|the expression is empty)") as refused:
        parse(text, used(text))
    if refused.type is ExpressionError:
        _, line, *below = str(refused.value).split("\n")
        assert line.isprintable()
        assert "^" in below[0]
        assert max(map(len, [line, *below])) <= 150


DEEP = {
    "minus": "-" * 9_999 + "x",
    "parentheses": "(" * 4_999 + "x" + ")" * 4_999,
    "powers": "x**" * 3_333 + "x",
    "not": "not " * 2_499 + "x",
    "lambda": "lambda:" * 1_400 + "x",
    "if": "x if x else " * 800 + "x",
    "attributes": "x" + ".a" * 4_999,
    "comparison": "x<" * 4_999 + "x",
    "calls": "sin(" * 1_999 + "x" + ")" * 1_999,
    "indices": "x" + "[0]" * 3_300,
    "lists": "[" * 5_000 + "]" * 5_000,
    "digits": "9" * 9_999,
    "strings": "f'{x}'" * 1_600,
    "tuple": "x," * 5_000,
    "long name": "x" * 9_000 + "(1)",
    "factor": "2" + "x" * 9_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_the_deepest_and_the_longest_are_refused_in_a_few_lines(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text, {"x": 1.0})
    assert len(str(refused.value).split("\n")) <= 4
    assert max(map(len, str(refused.value).split("\n"))) <= 150


def test_a_long_sum_is_read() -> None:
    names = {f"x{i}": float(i) for i in range(600)}
    root, leaves = parse(" + ".join(names), names)
    assert (root.data, len(leaves)) == (sum(range(600)), 600)
    with suppress(ExpressionError):  # as deep as 4,999 operations go only some Pythons
        assert parse("x+" * 4_999 + "x", {"x": 2}).root.data == 10_000


def test_an_expression_that_is_too_long_is_not_even_looked_at() -> None:
    parse("x" + " " * (LONGEST - 1), {"x": 1})
    with pytest.raises(ValueError, match="the expression has 1,000,001 characters; expected at most 10,000"):
        parse("x" * 1_000_001, {})


@pytest.mark.parametrize("place", [0, 35, 500, 4_000, 9_989])
def test_of_a_long_expression_the_part_around_the_place_is_shown(place: int) -> None:
    text = "x" * place + "^" + "x" * (9_990 - place)
    with pytest.raises(ExpressionError) as refused:
        parse(text, {})
    line = str(refused.value).split("\n")[1]
    assert marked(refused.value) == ("^", "write ** for powers")
    assert len(line) <= 2 + 72
    assert line.startswith("  …") == (place > 36)
    assert line.endswith("…") == (place < 9_950)


def test_carets_stand_below_wide_characters_and_marks() -> None:
    with pytest.raises(ExpressionError) as refused:
        parse("漢 + e\N{COMBINING ACUTE ACCENT} + x^2", {})
    _, _, carets = str(refused.value).split("\n")
    assert carets.index("^") == 2 + len("xx + e + x")


# ---------------------------------------------------------------------------------------------------- names and numbers


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("w*x + b", {"w": 2}, "no value for x and b; w has one; give them one: --at x=2,b=3"),
        ("w*x + b", {"w": 2, "x": 1}, "no value for b; w and x have one; give it one: --at b=2"),
        ("x", {}, "no value for x; give it one: --at x=2"),
        (
            "weight*x",
            {"wieght": 1, "x": 1},
            "no value for weight; there is one for 'wieght', did you mean 'weight'. Or give it",
        ),
        ("e*x", {"x": 1}, "no value for e; .*--at e=2 .Euler's number is exp.1.."),
        ("x + y", {"x": 1, "y": 1, "yy": 1}, "a value for 'yy', which is not in the expression; did you mean 'y'?"),
        ("x", {"x": 1, "learning": 1}, "a value for 'learning', which is not in the expression; its names are x"),
        ("2*pi", {"x": 1}, "a value for 'x', which is not in the expression; it has no names"),
        (" ", {}, "the expression is empty; expected one such as relu"),
    ],
)
def test_names_and_values_must_match(text: str, values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text, values)


def test_what_is_no_text_and_no_number_is_refused() -> None:
    nothing: Any = 3
    with pytest.raises(TypeError, match=r"parse\(3\): expected an expression as a string, got int"):
        parse(nothing, {})
    wrong: Any = {"x": "2"}
    with pytest.raises(TypeError, match="x = '2': expected a real number, got str"):
        parse("x", wrong)
