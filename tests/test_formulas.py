"""Formulas mean what the graph computes, have no parenthesis too many, and SymPy finds the engine's own derivatives."""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import apply
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.reading import aloud
from micrograd_plus.formulas.symbolic import to_sympy
from micrograd_plus.formulas.writing import formula
from micrograd_plus.ops.rows import FUNCTIONS

sympy: Any = pytest.importorskip("sympy")
each_row = pytest.mark.parametrize("op", list(TABLE.values()), ids=list(TABLE))


def leaf(label: str = "", data: float = 0.5) -> Value:
    return Value(data, label=label)


a, b, c, x, y, z, w = [leaf(label) for label in "abcxyzw"]


# --------------------------------------------------------------------------------------------------- random expressions

CONSTANTS = (2.0, 3.0, -1.0, 1.0, 0.5, -2.0, 0.25, 4.0, -3.0, 0.0)  # their sums and products are exact
EXPONENTS = (2.0, 3.0, -1.0, -2.0, 1.0, 0.0, 0.5)
MEANING: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "mod": lambda x, y: x % y,
    "pow": lambda x, y: x**y,
    "neg": lambda x: -x,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
    "identity": lambda x: x,
    "less": lambda x, y: mpmath.mpf(x < y),
    "tanh": mpmath.tanh,
    "exp": mpmath.exp,
    "where": lambda condition, x, y: x if condition else y,
    "clamp": lambda x, min, max: sorted((x, mpmath.mpf(min), mpmath.mpf(max)))[1],
}


def grown(smaller: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    either = st.one_of(smaller, st.sampled_from(CONSTANTS))
    binary = st.sampled_from([mp.add, mp.sub, mp.mul, mp.div, mp.add, mp.sub, mp.mul, mp.mod, mp.less])
    return st.one_of(
        st.builds(lambda f, x, y: f(x, y), binary, smaller, either),
        st.builds(lambda f, x, y: f(x, y), binary, either, smaller),
        st.builds(mp.pow, smaller, st.one_of(st.sampled_from(EXPONENTS), smaller)),
        st.builds(mp.pow, st.sampled_from((2.0, -2.0, 0.5)), smaller),
        st.builds(
            lambda f, x: f(x),
            st.sampled_from([mp.neg, mp.neg, mp.reciprocal, mp.square, mp.tanh, mp.exp, mp.identity]),
            smaller,
        ),
        st.builds(mp.clamp, smaller, st.sampled_from((-math.inf, -1.0)), st.sampled_from((1.0, 2.0))),
        st.builds(mp.where, smaller, either, either),
    )


expressions = st.recursive(st.sampled_from([a, b, c]), grown, max_leaves=10)


def evaluated(root: Value, numbers: dict[str, Any]) -> Any:
    """What the graph means, at fifty digits."""
    found: dict[Value, Any] = {}
    for node in toposort(root):
        args = [found[arg] if isinstance(arg, Value) else mpmath.mpf(arg) for arg in node.args]
        found[node] = numbers[node.label] if node.op is None else MEANING[node.op.name](*args)
        assume(isinstance(found[node], mpmath.mpf) and abs(found[node]) < 1e6)  # a complex number can't be compared
    return found[root]


def read(text: str, numbers: dict[str, Any]) -> Any:
    """What the plain text means to Python, at fifty digits."""
    scope = {**numbers, **MEANING, "inf": mpmath.inf}
    scope["clamp"] = lambda x, min=-mpmath.inf, max=mpmath.inf: MEANING["clamp"](x, min, max)
    *definitions, result = re.sub(r"(?<![\w.])(\d+(\.\d+)?)", r"mpf(\1)", text).split("\n")
    scope["mpf"] = mpmath.mpf
    for line in definitions:
        name, _, part = line.partition(" = ")
        scope[name] = eval(part, scope)
    return eval(result, scope)


def parts(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield line.partition(" = ")[2] or line


@given(expressions, st.sampled_from([1, 5, 200]))
@settings(max_examples=400)
def test_plain_text_read_by_python_gives_the_value(v: Value, limit: int) -> None:
    text = str(formula(v, limit=limit))
    assume("…" not in text)
    with mpmath.workdps(50):
        numbers = {"a": mpmath.mpf(0.75), "b": mpmath.mpf(1.625), "c": mpmath.mpf(-2.5)}
        try:
            want = evaluated(v, numbers)
        except ArithmeticError:
            assume(False)
        assert mpmath.almosteq(read(text, numbers), want, 1e-40, 1e-40), text


@given(expressions)
@settings(max_examples=400)
def test_no_parentheses_can_be_spared(v: Value) -> None:
    for text in parts(str(formula(v))):
        meant = ast.dump(ast.parse(text))
        for start, end in groups(text):
            try:
                again = ast.dump(ast.parse(f"{text[:start]}{text[start + 1 : end]}{text[end + 1 :]}"))
            except SyntaxError:
                continue
            assert again != meant, text


def groups(text: str) -> Iterator[tuple[int, int]]:
    """Where the pairs of parentheses stand that are not those of a call."""
    stack: list[int] = []
    for i, character in enumerate(text):
        if character == "(":
            stack.append(i)
        elif character == ")":
            start = stack.pop()
            if start == 0 or not (text[start - 1].isalnum() or text[start - 1] == "_"):
                yield start, i


@given(expressions)
@settings(max_examples=200)
def test_latex_is_balanced(v: Value) -> None:
    assert_balanced(formula(v).latex)


def assert_balanced(latex: str) -> None:
    opened: list[str] = []
    pairs = {r"\right": r"\left", "}": "{", r"\end{cases}": r"\begin{cases}", r"\end{aligned}": r"\begin{aligned}"}
    for token in re.findall(r"\\(?:begin|end)\{\w+\}|\\(?:[A-Za-z]+|.)|[{}]", latex):
        if token in pairs.values():
            opened.append(token)
        elif token in pairs:
            assert opened.pop() == pairs[token], latex
    assert not opened, latex
    assert not re.search(r"[-+] *-|\\cdot *[-+]|#\d", latex), latex


# ------------------------------------------------------------------------------------------------------------ the table


def made(op: Op) -> tuple[list[Value], list[Value]]:
    """Leaves for an operation and its results at some points inside the domain and off the kinks."""
    count = op.arity
    options = list(op.options.values())
    leaves, results = [], []
    for shift in (0.0, 0.31, -1.13, 1.7):
        point = []
        for i, (low, high) in enumerate(op.domain[:count]):
            number = 0.62 + shift + 0.45 * i
            if not low < number < high:
                number = low + 0.3 + 0.1 * abs(shift) if math.isfinite(low) else 0.5
            point.append(number)
        if op.kinks is None or abs(op.kinks(*point, *options)) > 1e-3:
            fresh = [leaf(label, number) for label, number in zip("xyz", point)]
            leaves.append(fresh)
            results.append(apply(op, *fresh, *options))
    assert results, op.name
    return leaves, results  # type: ignore[return-value]


def number_of(expression: Any, leaves: list[Value]) -> float:
    point = {sympy.Symbol(leaf.label, real=True): sympy.Float(leaf.data, 40) for leaf in leaves}
    return float(expression.xreplace(point).evalf(30))


@each_row
def test_sympy_agrees_with_the_engine(op: Op) -> None:
    points: Any = zip(*made(op))
    for leaves, v in points:
        expression = to_sympy(v)
        assert number_of(expression, leaves) == pytest.approx(v.data, rel=1e-9)
        slopes = mp.gradient(v, leaves)
        for x, slope in zip(leaves, slopes):
            symbol = sympy.Symbol(x.label, real=True)
            assert number_of(sympy.diff(expression, symbol), leaves) == pytest.approx(slope, rel=1e-9, abs=1e-14)
            assert number_of(to_sympy(v, wrt=x), leaves) == pytest.approx(slope, rel=1e-9, abs=1e-14)


def test_a_clamp_with_one_bound_is_no_constant_for_sympy() -> None:
    a, b = leaf("a", 10.0), leaf("b", 3.0)
    held = [mp.clamp(a, min=0.0), mp.clamp(a, max=20.0), mp.clamp(a)]
    for bound in held:
        for v in (mp.less(bound, b), bound % b, mp.where(mp.less(bound, b), 1.0 * a, 1.0 * b), mp.floor(bound / b)):
            assert number_of(to_sympy(v), [a, b]) == v.data


LATEX: dict[str, str] = {
    "add": r"x + y",
    "sub": r"x - y",
    "mul": r"x \cdot y",
    "div": r"\frac{x}{y}",
    "mod": r"x \bmod y",
    "pow": r"x^{y}",
    "pow_log": r"x^{y} \cdot \ln\left(x\right)^{z}",
    "neg": r"-x",
    "abs": r"\left|x\right|",
    "reciprocal": r"\frac{1}{x}",
    "square": r"x^{2}",
    "sqrt": r"\sqrt{x}",
    "cbrt": r"\sqrt[3]{x}",
    "one_minus_square": r"1 - x^{2}",
    "rsqrt": r"\frac{1}{\sqrt{x}}",
    "exp": r"e^{x}",
    "exp2": r"2^{x}",
    "expm1": r"e^{x} - 1",
    "log": r"\ln\left(x\right)",
    "log2": r"\log_{2}\left(x\right)",
    "log10": r"\log_{10}\left(x\right)",
    "log1p": r"\ln\left(1 + x\right)",
    "logaddexp": r"\ln\left(e^{x} + e^{y}\right)",
    "sign": r"\operatorname{sgn}\left(x\right)",
    "floor": r"\left\lfloor x \right\rfloor",
    "ceil": r"\left\lceil x \right\rceil",
    "trunc": r"\operatorname{trunc}\left(x\right)",
    "round": r"\operatorname{round}\left(x\right)",
    "maximum": r"\max\left(x, y\right)",
    "minimum": r"\min\left(x, y\right)",
    "clamp": r"\operatorname{clamp}\left(x\right)",
    "less": r"\left[x < y\right]",
    "less_equal": r"\left[x \leq y\right]",
    "equal": r"\left[x = y\right]",
    "where": r"\begin{cases} y & \text{if } x \ne 0 \\ z & \text{otherwise} \end{cases}",
    "copysign": r"\operatorname{copysign}\left(x, y\right)",
    "hypot": r"\sqrt{x^{2} + y^{2}}",
    "direction": r"\operatorname{direction}\left(x, y\right)",
    "stop_gradient": r"\operatorname{stop\_gradient}\left(x\right)",
    "identity": r"x",
    "sin": r"\sin\left(x\right)",
    "cos": r"\cos\left(x\right)",
    "tan": r"\tan\left(x\right)",
    "asin": r"\arcsin\left(x\right)",
    "acos": r"\arccos\left(x\right)",
    "atan": r"\arctan\left(x\right)",
    "atan2": r"\operatorname{atan2}\left(x, y\right)",
    "sinh": r"\sinh\left(x\right)",
    "cosh": r"\cosh\left(x\right)",
    "tanh": r"\tanh\left(x\right)",
    "sech": r"\operatorname{sech}\left(x\right)",
    "asinh": r"\operatorname{arsinh}\left(x\right)",
    "acosh": r"\operatorname{arcosh}\left(x\right)",
    "atanh": r"\operatorname{artanh}\left(x\right)",
    "sinc": r"\operatorname{sinc}\left(x\right)",
    "radians": r"\operatorname{radians}\left(x\right)",
    "degrees": r"\operatorname{degrees}\left(x\right)",
    "erf": r"\operatorname{erf}\left(x\right)",
    "erfc": r"\operatorname{erfc}\left(x\right)",
    "erfinv": r"\operatorname{erf}^{-1}\left(x\right)",
    "erfcx": r"\operatorname{erfcx}\left(x\right)",
    "erfcx_derivative": r"\operatorname{erfcx\_derivative}\left(x\right)",
    "log_ndtr": r"\operatorname{log\_ndtr}\left(x\right)",
    "sigmoid": r"\sigma\left(x\right)",
    "sigmoid_slope": r"\sigma'\left(x\right)",
    "relu": r"\operatorname{relu}\left(x\right)",
    "leaky_relu": r"\operatorname{leaky\_relu}\left(x\right)",
    "elu": r"\operatorname{elu}\left(x\right)",
    "selu": r"\operatorname{selu}\left(x\right)",
    "celu": r"\operatorname{celu}\left(x\right)",
    "gelu": r"\operatorname{gelu}\left(x\right)",
    "silu": r"\operatorname{silu}\left(x\right)",
    "mish": r"\operatorname{mish}\left(x\right)",
    "softplus": r"\operatorname{softplus}\left(x\right)",
    "softsign": r"\operatorname{softsign}\left(x\right)",
    "logsigmoid": r"\operatorname{logsigmoid}\left(x\right)",
    "logit": r"\operatorname{logit}\left(x\right)",
    "hardtanh": r"\operatorname{hardtanh}\left(x\right)",
    "hardsigmoid": r"\operatorname{hardsigmoid}\left(x\right)",
}


@each_row
def test_every_row_has_its_latex(op: Op) -> None:
    """Read by a person, since no parser knows whether a formula looks right."""
    count = op.arity
    made = formula(apply(op, *[x, y, z][:count], *op.options.values()))
    assert made.latex == LATEX.get(op.name), f"add how {op.name!r} is written to LATEX in tests/test_formulas.py"


def gated(then: str, condition: str, otherwise: str = "0") -> str:
    """Cases in LaTeX."""
    return rf"\begin{{cases}} {then} & \text{{if }} {condition} \\ {otherwise} & \text{{otherwise}} \end{{cases}}"


WITHIN: dict[str, tuple[str, str, str]] = {  # as a factor beside w, in LaTeX; to the power w; as a factor in plain text
    "add": (r"w \cdot \left(x + y\right)", r"\left(x + y\right)^{w}", "w * (x + y)"),
    "sub": (r"w \cdot \left(x - y\right)", r"\left(x - y\right)^{w}", "w * (x - y)"),
    "mul": (r"w \cdot x \cdot y", r"\left(x \cdot y\right)^{w}", "w * x * y"),
    "div": (r"w \cdot \frac{x}{y}", r"\left(\frac{x}{y}\right)^{w}", "w * (x / y)"),
    "mod": (r"w \cdot \left(x \bmod y\right)", r"\left(x \bmod y\right)^{w}", "w * (x % y)"),
    "pow": (r"w \cdot x^{y}", r"\left(x^{y}\right)^{w}", "w * x**y"),
    "pow_log": (
        r"w \cdot \left(x^{y} \cdot \ln\left(x\right)^{z}\right)",
        r"\left(x^{y} \cdot \ln\left(x\right)^{z}\right)^{w}",
        "w * pow_log(x, y, z)",
    ),
    "neg": (r"-w \cdot x", r"\left(-x\right)^{w}", "-w * x"),
    "reciprocal": (r"\frac{w}{x}", r"\left(\frac{1}{x}\right)^{w}", "w / x"),
    "square": (r"w \cdot x^{2}", r"\left(x^{2}\right)^{w}", "w * x**2"),
    "one_minus_square": (r"w \cdot \left(1 - x^{2}\right)", r"\left(1 - x^{2}\right)^{w}", "w * one_minus_square(x)"),
    "rsqrt": (r"w \cdot \frac{1}{\sqrt{x}}", r"\left(\frac{1}{\sqrt{x}}\right)^{w}", "w * rsqrt(x)"),
    "exp": (r"w \cdot e^{x}", r"\left(e^{x}\right)^{w}", "w * exp(x)"),
    "exp2": (r"w \cdot 2^{x}", r"\left(2^{x}\right)^{w}", "w * exp2(x)"),
    "expm1": (r"w \cdot \left(e^{x} - 1\right)", r"\left(e^{x} - 1\right)^{w}", "w * expm1(x)"),
    "less": (gated("w", r"x < y"), r"\left[x < y\right]^{w}", "where(x < y, w, 0)"),
    "less_equal": (gated("w", r"x \leq y"), r"\left[x \leq y\right]^{w}", "where(x <= y, w, 0)"),
    "equal": (gated("w", r"x = y"), r"\left[x = y\right]^{w}", "where(x == y, w, 0)"),
}


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.precedence != 9], ids=repr)
def test_every_row_that_is_no_call_knows_how_tightly_it_binds(op: Op) -> None:
    made = apply(op, *[x, y, z][: len(op.partials)])
    product, power = formula(w * made), formula(made**w)
    assert (product.latex, power.latex, product.text) == WITHIN[op.name]


SIGNS = [(0, r"<|=|\\leq"), (1, r" [+-] "), (2, r"\\cdot|\\bmod|^\\frac"), (3, "^-"), (4, r"^[^\\]+\^$")]


@each_row
def test_a_row_binds_like_the_sign_in_its_template(op: Op) -> None:
    """Comparisons 0, sums 1, products and fractions 2, minus signs 3, powers 4, calls 9: by what no bracket holds."""
    outside = op.latex
    while (held := re.sub(r"\\left[^l]((?!\\left|\\right).)*\\right.|\{[^{}]*\}", "", outside)) != outside:
        outside = held
    assert op.precedence == next((binds for binds, sign in SIGNS if re.search(sign, outside)), 9), outside


def test_what_binds_like_a_sum_is_bracketed_behind_a_minus() -> None:
    assert formula(w - mp.expm1(x)).latex == r"w - \left(e^{x} - 1\right)"
    assert formula(mp.expm1(x) + w).latex == "e^{x} - 1 + w"


def test_the_symbols_are_pythons() -> None:
    symbols = {op.name: op.symbol for op in TABLE.values() if op.symbol != op.name}
    assert list(symbols.values()) == ["+", "-", "*", "/", "%", "**", "-", "<", "<=", "=="]


@each_row
def test_a_rows_template_is_what_is_written(op: Op) -> None:
    """Also for sums and products, which formulas gather themselves; pictures read the row."""
    count = op.arity
    filled = op.latex
    for i, name in enumerate("xyz"[:count], 1):
        filled = filled.replace(f"#{i}", name)
    filled = re.sub(r"(, )?#\d", "", filled)  # options that have their defaults
    if op.precedence == 0:
        filled = rf"\left[{filled}\right]"
    if op.name != "where":  # its cases
        assert filled.replace(" ", "") == LATEX[op.name].replace(" ", "")


@each_row
def test_every_row_can_be_typeset(op: Op) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext").MathTextParser("path")
    _, results = made(op)
    latex = formula(results[0] * x + y, wrt=None).latex
    assert_balanced(latex)
    if r"\begin" not in latex:
        mathtext.parse(f"${latex}$".replace(r"\bmod", r"\mathrm{mod}"))


# ------------------------------------------------------------------------------------------------------- exact examples

tanh = mp.tanh
EXAMPLES = [
    (x - (y - z), "x - (y - z)", r"x - \left(y - z\right)"),
    ((x + y) + z, "x + y + z", "x + y + z"),
    (x + (y - z), "x + y - z", "x + y - z"),
    ((-x) ** 2, "(-x)**2", r"\left(-x\right)^{2}"),
    (-(x**2), "-x**2", "-x^{2}"),
    (2**-x, "2**-x", "2^{-x}"),
    ((-2) ** x, "(-2)**x", r"\left(-2\right)^{x}"),
    ((x**y) ** z, "(x**y)**z", r"\left(x^{y}\right)^{z}"),
    (x ** (y**z), "x**y**z", "x^{y^{z}}"),
    (x / (y * z), "x / (y * z)", r"\frac{x}{y \cdot z}"),
    (x / (y / z), "x / (y / z)", r"\frac{x}{\frac{y}{z}}"),
    ((x + 1) / 2, "(x + 1) / 2", r"\frac{x + 1}{2}"),
    (x * (1 / y), "x / y", r"\frac{x}{y}"),
    (-(x % y), "-(x % y)", r"-\left(x \bmod y\right)"),
    (-(x / y / z), "-x / y / z", r"-\frac{\frac{x}{y}}{z}"),
    (-((y % x) / z / z), "-(y % x / z) / z", r"-\frac{\frac{y \bmod x}{z}}{z}"),
    (x + -y, "x - y", "x - y"),
    (x + -3, "x - 3", "x - 3"),
    (x - -y * 2, "x + 2 * y", "x + 2 y"),
    (3 * (2 * x), "6 * x", "6 x"),
    ((2 * x) * 3, "6 * x", "6 x"),
    (x * -1, "-x", "-x"),
    (3 * (2 * x) / 4, "3 * x / 2", r"\frac{3 x}{2}"),
    (x + 1 + 2, "x + 3", "x + 3"),
    (1.0 * x**1 + 0, "x", "x"),
    (2.5 * x * 1e-7, "2.5e-07 * x", r"2.5 \cdot 10^{-7} x"),
    (1e300 * (1e300 * x), "1e+300 * (1e+300 * x)", r"10^{300} \left(10^{300} x\right)"),
    (math.inf - x, "inf - x", r"\infty - x"),
    (x * (y - z) * 2, "2 * x * (y - z)", r"2 x \cdot \left(y - z\right)"),
    (2 * 2**x, "2 * 2**x", r"2 \cdot 2^{x}"),
    (mp.exp(-x) ** 2, "exp(-x)**2", r"\left(e^{-x}\right)^{2}"),
    (mp.sin(x + y) ** 2, "sin(x + y)**2", r"\sin\left(x + y\right)^{2}"),
    (mp.log1p(-x), "log1p(-x)", r"\ln\left(1 - x\right)"),
    (mp.identity(x + y) * z, "(x + y) * z", r"\left(x + y\right) \cdot z"),
    (mp.less(x, y) * 2, "2 * (x < y)", r"2 \left[x < y\right]"),
    (
        mp.where(mp.less(x, y), -x, 3.0),
        "where(x < y, -x, 3)",
        r"\begin{cases} -x & \text{if } x < y \\ 3 & \text{otherwise} \end{cases}",
    ),
    (mp.leaky_relu(x), "leaky_relu(x)", r"\operatorname{leaky\_relu}\left(x\right)"),
    (mp.leaky_relu(x, 0.2), "leaky_relu(x, negative_slope=0.2)", r"\operatorname{leaky\_relu}\left(x, 0.2\right)"),
    (mp.clamp(x, max=1), "clamp(x, max=1)", r"\operatorname{clamp}\left(x, -\infty, 1\right)"),
    (mp.abs(x - y), "abs(x - y)", r"\left|x - y\right|"),
    (Value(6.0), "6", "6"),
]


def products(first: Value, *others: Value) -> Iterator[Value]:
    """Everything of a product, a quotient, a remainder and a change of sign for each leaf, inside each other."""
    if not others:
        yield first
        return
    *before, last = first, *others
    for inner in products(*before):
        yield from (-inner, inner * last, inner / last, inner % last, last * inner, last / inner, last % inner)


def test_products_quotients_remainders_and_signs_are_read_as_they_were_computed() -> None:
    leaves = [Value(number, label=name) for name, number in zip("abcde", (1.3, -2.5, 0.71, 3.7, 1.9))]
    space = {leaf.label: leaf.data for leaf in leaves}
    for v in products(*leaves):
        assert math.isclose(eval(str(formula(v)), space), v.data, rel_tol=1e-9), formula(v)


@pytest.mark.parametrize(("v", "text", "latex"), EXAMPLES, ids=[text for _, text, _ in EXAMPLES])
def test_examples(v: Value, text: str, latex: str) -> None:
    f = formula(v)
    assert (str(f), f.latex) == (text, latex)
    head = "v = " if v.op is not None else ""  # what this test calls it; of a leaf there is nothing to say
    assert f._repr_latex_() == rf"$\displaystyle {head}{latex}$"
    assert_balanced(latex)


@pytest.mark.parametrize(
    ("label", "text", "latex"),
    [
        ("x", "x", "x"),
        ("w1", "w1", "w_{1}"),
        ("x_2", "x_2", "x_{2}"),
        ("w_1_2", "w_1_2", "w_{1,2}"),
        ("w[0][1]", "w[0][1]", "w_{0,1}"),
        ("theta", "theta", r"\theta"),
        ("θ1", "θ1", r"\theta_{1}"),
        ("alpha_k", "alpha_k", r"\alpha_{k}"),
        ("x_max", "x_max", r"x_{\mathrm{max}}"),
        ("loss2", "loss2", r"\mathrm{loss}_{2}"),
        ("learning_rate", "learning_rate", r"\mathrm{learning\_rate}"),
        ("layers.0.weight", "layers.0.weight", r"\mathrm{layers.0.weight}"),
        ("x'", "x'", "{x'}"),
        ("100% {a^b}", "'100% {a^b}'", r"\mathrm{100\%\ \{a\hat{\ }b\}}"),
    ],
)
def test_labels(label: str, text: str, latex: str) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext").MathTextParser("path")
    f = formula(leaf(label) ** 2)
    assert (str(f), f.latex) == (f"{text}**2", f"{latex}^{{2}}")
    mathtext.parse(f"${f.latex}$")
    assert to_sympy(leaf(label)) == sympy.Symbol(label, real=True)


def test_leaves_without_a_label_are_called_as_the_caller_calls_them() -> None:
    speed, weights = Value(2.0), [Value(3.0), Value(4.0, label="w")]
    assert str(formula(speed * weights[0] + weights[1] * leaf())) == "speed * weights[0] + w * x_1"
    assert str(formula(speed**3, speed)) == "3 * speed**2"
    assert str(to_sympy(speed * weights[0])) == "speed*weights[0]"


def test_jupyter_and_the_prompt_say_what_it_is_the_formula_of() -> None:
    w, b = leaf("w"), leaf("b")
    y = w * w + b
    assert repr(formula(y)) == "y = w * w + b"
    assert formula(y)._repr_latex_() == r"$\displaystyle y = w \cdot w + b$"
    assert repr(formula(y, w)) == f"∂y/∂w = {formula(y, w)}"
    assert formula(y, b)._repr_latex_() == r"$\displaystyle \frac{\partial y}{\partial b} = 1$"
    area = x * y
    assert repr(formula(area * tanh(area))) == f"t_1 = {formula(area)}\nt_1 * tanh(t_1)"  # it has no name
    bent = area * tanh(area)
    told = formula(bent)
    assert repr(told).splitlines()[-1] == f"bent = {str(told).splitlines()[-1]}"
    assert r" \\ \mathrm{bent} &= " in told._repr_latex_()
    assert_balanced(told._repr_latex_())
    assert formula(w).of == formula(Value(3.0)).of == ()
    labelled = (w * w).relu()
    labelled.label = "cost"
    assert formula(labelled, w).of == ("cost", "w")


# ------------------------------------------------------------------------------------------------------- the classroom


@pytest.mark.parametrize(
    ("v", "text", "latex"),
    [
        (
            mp.relu(w * x + b) ** 2,
            "where(w * x + b > 0, 2 * (w * x + b) * x, 0)",
            gated(r"2 \left(w \cdot x + b\right) \cdot x", r"w \cdot x + b > 0"),
        ),
        (mp.relu(w * x + b), "where(w * x + b > 0, x, 0)", gated("x", r"w \cdot x + b > 0")),
        (mp.relu(w), "w > 0", gated("1", "w > 0")),
        (mp.leaky_relu(w * x), "where(w * x > 0, x, 0.01 * x)", gated("x", r"w \cdot x > 0", "0.01 x")),
        (mp.elu(w), "where(w <= 0, exp(w), 1)", gated("e^{w}", r"w \leq 0", "1")),
        (mp.clamp(w, -1, 1) * x, "where((w >= -1) * (w <= 1), x, 0)", gated("x", r"-1 \leq w \leq 1")),
        (mp.hardtanh(w, -2, 3), "(w > -2) * (w < 3)", gated("1", "-2 < w < 3")),
        (
            mp.hardsigmoid(w) * x,
            "where((w > -3) * (w < 3), 0.16666666666666666 * x, 0)",
            gated("0.166667 x", "-3 < w < 3"),
        ),
        (mp.maximum(w, x), "(w > x) + 0.5 * (w == x)", r"\left[w > x\right] + 0.5 \left[w = x\right]"),
        (mp.where(mp.less(x, b), w * x, b), "where(x < b, x, 0)", gated("x", "x < b")),
        (mp.where(mp.less(x, b), w, 2 * w), "where(x < b, 1, 2)", gated("1", "x < b", "2")),
        (
            mp.relu(mp.relu(w) * x),
            "where((w > 0) * (w * x > 0), x, 0)",
            gated("x", r"w > 0 \text{ and } w \cdot x > 0"),
        ),
        (mp.relu(1 - w * x), "where(1 - w * x > 0, -x, 0)", gated("-x", r"1 - w \cdot x > 0")),
        (w**x, "where(x != 0, x * w**(x - 1), 0)", gated(r"x \cdot w^{x - 1}", r"x \neq 0")),
    ],
)
def test_a_derivative_with_masks_reads_as_in_a_textbook(v: Value, text: str, latex: str) -> None:
    f = formula(v, w)
    assert (str(f), f.latex) == (text, latex)
    assert_balanced(latex)


def test_a_layer_of_relus_has_a_condition_for_each() -> None:
    v = x * mp.relu(w * a + w * b + c) + y * mp.relu(w * c + w * b + a)
    t_1, t_2, whole = str(formula(v, w)).split("\n")
    assert t_1 == "t_1 = where(w * c + w * b + a > 0, y, 0)"
    assert t_2 == "t_2 = where(w * a + w * b + c > 0, x, 0)"
    assert whole == "t_1 * b + t_1 * c + t_2 * b + t_2 * a"


def test_a_label_is_not_written_out() -> None:
    z = w * x + b
    z.label = "z"
    assert str(formula(mp.relu(z) ** 2, w)) == "z = w * x + b\nwhere(z > 0, 2 * z * x, 0)"


@pytest.mark.parametrize(
    ("v", "text"),
    [
        (2 * x**2 * y, "2 × x² × y"),
        (x**-1 / y**0.5, "x⁻¹ / y^0.5"),
        (x ** (y - 1), "x^(y - 1)"),
        ((x + y) ** 3 / 3, "(x + y)³ / 3"),
        (mp.where(mp.less(x, y), x, 0.0), "x where x < y, else 0"),
        (1 - mp.less_equal(x, 0.0), "1 where x > 0"),
        ((1 - mp.less(x, -1.0)) * mp.less_equal(x, 1.0), "1 where -1 ≤ x ≤ 1"),
        (2 * (1 - mp.equal(x, y)), "2 × (x ≠ y)"),
        (mp.tanh(x * y) / 3, "tanh(x × y) / 3"),
        (x * math.pi, "3.14159 × x"),
    ],
)
def test_what_is_read_has_the_signs_of_books(v: Value, text: str) -> None:
    assert aloud(v) == text


def test_latex_has_six_digits_and_text_has_all() -> None:
    f = formula(x * (1 / 3) + 123456789.0)
    assert str(f) == "0.3333333333333333 * x + 123456789"
    assert f.latex == "0.333333 x + 123456789"


KINKED = st.sampled_from([mp.relu, mp.leaky_relu, mp.abs, mp.hardtanh, mp.elu, mp.square, mp.tanh])


def bent(smaller: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    either = st.one_of(smaller, st.sampled_from((2.0, -1.0, 0.0)))
    pairs = st.sampled_from([mp.add, mp.sub, mp.mul, mp.mul, mp.maximum, mp.minimum])
    choices = st.builds(lambda x, y, p, q: mp.where(mp.less(x, y), p, q), smaller, either, smaller, either)
    return st.one_of(
        st.builds(lambda f, x: f(x), KINKED, smaller),
        st.builds(lambda f, p, q: f(p, q), pairs, smaller, either),
        choices,
    )


@given(st.recursive(st.sampled_from([leaf("a", 0.75), leaf("b", 1.625), leaf("c", -2.5)]), bent, max_leaves=8))
@settings(max_examples=400)
def test_what_is_said_of_a_derivative_is_its_number(v: Value) -> None:
    leaves = [node for node in toposort(v) if node.op is None] or [v]
    for one in leaves:
        text = str(formula(v, one))
        names = {each.label: each.data for each in leaves}
        scope: dict[str, Any] = {**names, **{name: FUNCTIONS[name] for name in FUNCTIONS}}
        *lines, last = text.split("\n")
        for line in lines:
            name, _, part = line.partition(" = ")
            scope[name] = eval(part, scope)
        want = mp.gradient(v, [one])[0]
        assert math.isclose(float(eval(last, scope)), want, rel_tol=1e-9, abs_tol=1e-9), text


def test_names_do_not_clash() -> None:
    assert str(formula(leaf() * leaf("x_1") + leaf())) == "x_2 * x_1 + x_3"
    assert str(formula(leaf("w") - leaf("w") * leaf("w_2"))) == "w_1 - w_3 * w_2"
    shared = leaf("t_1") * leaf("y")
    assert str(formula(shared / (1 + shared))) == "t_2 = t_1 * y\nt_2 / (1 + t_2)"


def test_what_is_shared_is_named_by_its_label_or_a_number() -> None:
    area = x * y
    assert str(formula(area * tanh(area))) == "t_1 = x * y\nt_1 * tanh(t_1)"
    area.label = "A"
    f = formula(area * tanh(area))
    assert str(f) == "A = x * y\nA * tanh(A)"
    assert f.latex == r"\begin{aligned} A &= x \cdot y \\ & A \cdot \tanh\left(A\right) \end{aligned}"
    short = 2 * x
    assert str(formula(short * tanh(short) - -short)) == "2 * x * tanh(2 * x) + 2 * x"


def test_gradients() -> None:
    first = mp.gradient(x**3, [x], create_graph=True)[0]
    second = mp.gradient(first, [x], create_graph=True)[0]
    assert str(formula(x**3, wrt=x)) == str(formula(first)) == "3 * x**2"
    assert (str(formula(first, wrt=x)), formula(second).latex) == ("6 * x", "6 x")
    assert str(formula(second, wrt=x)) == "6"
    assert str(formula(x * y, wrt=z)) == "0"
    assert str(formula(mp.sin(w * x + b), wrt=w)) == "cos(w * x + b) * x"
    assert [leaf.grad for leaf in (w, x, b)] == [0.0, 0.0, 0.0]


def chain(step: Callable[[Value], Value], count: int) -> Value:
    v = x
    for _ in range(count):
        v = step(v)
    return v


def test_a_chain_that_doubles_sixty_times_has_sixty_lines() -> None:
    f = formula(chain(lambda v: v + tanh(v), 60))
    *lines, last = str(f).split("\n")
    assert lines == ["t_1 = x + tanh(x)", *[f"t_{i} = t_{i - 1} + tanh(t_{i - 1})" for i in range(2, 60)]]
    assert last == "t_59 + tanh(t_59)"
    assert_balanced(f.latex)


DEEP = 10_000


@pytest.mark.parametrize("step", [tanh, lambda v: v + x, lambda v: 2 / v, lambda v: v * y, lambda v: tanh(v) + v])
def test_a_long_chain_is_elided(step: Callable[[Value], Value]) -> None:
    f = formula(chain(step, DEEP))
    assert f.operations in (DEEP, 2 * DEEP)
    assert len(str(f)) < 5_000
    assert len(re.findall(rf"\n… \([\d,]+ of {f.operations:,} operations not shown\)\n", str(f))) == 1
    assert_balanced(f.latex)


@pytest.mark.parametrize("limit", [1, 10, 50])
def test_limit_says_how_many_operations_are_written(limit: int) -> None:
    v = chain(lambda v: mp.sin(v * y) + z, 60)
    text, _, last = str(formula(v, limit=limit)).rpartition("\n")
    (hidden,) = re.findall(r"… \((\d+) of 180 operations not shown\)", text)
    shown = len(re.findall(r"sin|\*|\+", re.sub("….*", "", text) + last))
    assert shown + int(hidden) == 180
    assert shown <= max(limit, 4)
    assert "…" not in str(formula(v, limit=180))
    with pytest.raises(ValueError, match=r"formula\(limit=0\): expected a whole number of at least 1"):
        formula(v, limit=0)


@pytest.mark.parametrize("way", [formula, to_sympy])
def test_what_cannot_be_written_is_refused(way: Callable[..., Any]) -> None:
    made = Value(2.0, (x,), "triple", label="o")
    for _ in range(2):
        with pytest.raises(TypeError, match=r"labelled 'o'.*rule of this 'triple'.*detach"):
            way(made * 2)
        made._backward = lambda: None
    with pytest.raises(TypeError, match=r"\(3\): expected a Value, got int"):
        way(3)
    with pytest.raises(TypeError, match=r"\('x'\): expected a Value, got str"):
        way(x, wrt="x")


# ---------------------------------------------------------------------------------------------------------------- SymPy


def test_constants_are_exact_where_they_are_simple() -> None:
    s = sympy.Symbol("x", real=True)
    assert to_sympy(0.5 * x + 3.0) == s / 2 + 3
    assert to_sympy(x * math.inf) == sympy.oo * s
    assert to_sympy(0.1 * x) == sympy.Float(0.1) * s
    assert to_sympy(1e300 * x) == sympy.Float(1e300) * s


def test_named_parts_put_together_again_give_the_expression() -> None:
    v = chain(lambda v: v + tanh(v) * y, 6)
    definitions, expression = to_sympy(v, named=True)
    assert [str(symbol) for symbol, _ in definitions] == ["t_1", "t_2", "t_3", "t_4", "t_5"]
    for symbol, part in reversed(definitions):
        expression = expression.xreplace({symbol: part})
    assert expression == to_sympy(v)


@pytest.mark.parametrize("step", [tanh, lambda v: v + tanh(v)])
def test_sympy_gets_no_more_than_it_can_bear(step: Callable[[Value], Value]) -> None:
    v = chain(step, 1_000)
    with pytest.raises(ValueError, match="too much for SymPy; named=True names its parts"):
        to_sympy(v)
    definitions, expression = to_sympy(v, named=True)
    numbers = {sympy.Symbol("x", real=True): sympy.Float(x.data)}
    for symbol, part in definitions:
        numbers[symbol] = part.xreplace(numbers).evalf()
    assert float(expression.xreplace(numbers)) == pytest.approx(v.data, rel=1e-9)


@pytest.mark.parametrize("f", [mp.relu, mp.leaky_relu, mp.elu, mp.softsign, mp.abs], ids=lambda f: f.__name__)
def test_layers_of_pieces_cost_sympy_no_comparisons(f: Callable[[Value], Value]) -> None:
    v = chain(lambda v: f(2 * v - y), 20)  # regression: SymPy compared all that was inside, doubling with every layer
    definitions, expression = to_sympy(v, named=True)
    numbers = {sympy.Symbol(leaf.label, real=True): sympy.Float(leaf.data) for leaf in (x, y)}
    for symbol, part in definitions:
        numbers[symbol] = part.xreplace(numbers).evalf()
    assert float(expression.xreplace(numbers).evalf()) == pytest.approx(v.data, rel=1e-6, abs=1e-9)


def test_a_primitive_that_sympy_does_not_know_brings_its_derivatives_and_numbers() -> None:
    def cubed(x: float) -> float:
        return x * x * x

    formulas_cube = mp.primitive("formulas_cube", cubed, lambda out, x: 3.0 * mp.square(x), latex="#1^{3}")
    try:
        s = sympy.Symbol("x", real=True)
        expression = to_sympy(2 * formulas_cube(x))
        assert str(expression) == "2*formulas_cube(x)"
        assert sympy.diff(expression, s) == 6 * s**2
        assert float(expression.subs(s, 3).evalf()) == 54.0
        assert formula(formulas_cube(x + y)).latex == r"\left(x + y\right)^{3}"
        with pytest.raises(ValueError, match="'formulas_cube': SymPy has no 'no_such_function'"):
            to_sympy(mp.primitive("formulas_cube", cubed, None, sympy="no_such_function")(x))
    finally:
        del TABLE["formulas_cube"], mp.ops.rows.FUNCTIONS["formulas_cube"], Value.formulas_cube  # type: ignore[attr-defined]


def test_the_gradient_of_stop_gradient_is_zero_in_sympy_too() -> None:
    s = sympy.Symbol("x", real=True)
    stopped = to_sympy(mp.stop_gradient(x) * x)
    assert float(sympy.diff(stopped, s).subs(s, 3.0).evalf()) == 3.0
    assert sympy.diff(stopped, s, 2) == 0


def test_without_sympy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r"pip install 'micrograd-plus\[sympy\]'"):
        to_sympy(x)


@given(st.lists(st.sampled_from(["w", "x", "y"]), min_size=2, max_size=5), st.data())
def test_a_leaf_bears_one_name_in_a_formula_and_in_its_derivatives(labels: list[str], draw: st.DataObject) -> None:
    leaves = [Value(float(i + 2), label=label) for i, label in enumerate(labels)]
    order = draw.draw(st.permutations([*leaves, *leaves]))
    e = leaves[0] * leaves[1]
    for leaf in order:
        e = e + leaf * mp.sin(leaf)
    *_, shown = str(formula(e)).splitlines()
    named = {name: leaf.data for name, leaf in zip(re.findall(r"\* sin\((\w+)\)", shown), order)}
    for leaf in leaves:
        *parts, last = str(formula(e, leaf)).splitlines()
        space = {"sin": math.sin, "cos": math.cos, **named}
        exec("\n".join(parts), space)
        assert eval(last, space) == pytest.approx(mp.gradient(e, [leaf])[0], rel=1e-12)


def test_equal_labels_are_numbered_alike_in_a_derivative() -> None:
    a, b = Value(2.0, label="w"), Value(3.0, label="w")
    e = a * b + a
    assert [str(formula(e)), str(formula(e, a)), str(formula(e, b))] == ["w_1 * w_2 + w_1", "1 + w_2", "w_1"]
    assert str(to_sympy(e, b)) == "w_1"
