"""The teacher's kit: right engines are cleared, each broken one is told what it breaks, and what is shown does fail."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from micrograd.engine import Value as Micrograd

import micrograd_plus as mp
from micrograd_plus.laws import LAWS, EngineReport, Failure, check_engine


@pytest.fixture(autouse=True)
def _pythons_own_recursion_limit() -> Iterator[None]:
    """The limit that a student's Python has; mypy, which other tests call, raises it for the whole process."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(limit)


OPERATORS = """
import math


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other):
        other = to_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = to_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __sub__(self, other):
        other = to_value(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __truediv__(self, other):
        other = to_value(other)
        return Value(self.data / other.data, (self, other), (1.0 / other.data, -self.data / other.data**2))

    def __pow__(self, n):
        if isinstance(n, Value):
            slopes = (n.data * self.data ** (n.data - 1), self.data**n.data * math.log(self.data))
            return Value(self.data**n.data, (self, n), slopes)
        return Value(self.data**n, (self,), (n * self.data ** (n - 1) if n else 0.0,))

    def __radd__(self, number):
        return self + number

    def __rmul__(self, number):
        return self * number

    def __rsub__(self, number):
        return to_value(number) - self

    def __rtruediv__(self, number):
        return to_value(number) / self

    def __rpow__(self, number):
        return to_value(number) ** self

    def order(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        return order

    def backward(self):
        order = self.order()
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += slope * node.grad


def to_value(number):
    return number if isinstance(number, Value) else Value(number)
"""

ACTIVATIONS = """
def relu(x):
    return Value(max(x.data, 0.0), (x,), (float(x.data > 0),))

def tanh(x):
    t = math.tanh(x.data)
    return Value(t, (x,), (1 - t**2,))

def exp(x):
    e = math.exp(x.data)
    return Value(e, (x,), (e,))

def log(x):
    return Value(math.log(x.data), (x,), (1 / x.data,))

def sigmoid(x):
    s = 0.5 * (1 + math.tanh(0.5 * x.data))
    return Value(s, (x,), (s * (1 - s),))

Value.relu, Value.tanh, Value.exp, Value.log, Value.sigmoid = relu, tanh, exp, log, sigmoid
"""

RECURSIVE = """    def order(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)
        visit(self)
        return order

    def unused(self):"""

UNSORTED = """        def go(node):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += slope * node.grad
                go(parent)
        go(self)

    def unused(self, order=()):
        for node in order:"""

BREADTH_FIRST = """    def order(self):
        order, seen = [self], {self}
        for node in order:
            order += [parent for parent in node.parents if parent not in seen]
            seen.update(node.parents)
        return order[::-1]

    def unused(self):"""

IN_PLACE = """    def __iadd__(self, other):
        self.data += to_value(other).data
        return self

    def order(self):"""

EQUAL = """    def __eq__(self, other):
        return self.data == other.data

    def __hash__(self):
        return hash(self.data)

    def order(self):"""

REPR = """    def __repr__(self):
        return f"Value({self.date})"

    def order(self):"""

TAPE = """order = globals().setdefault("tape", {})
        order.update(dict.fromkeys(self.order()))
        for node in ():"""

RESET = """if node.parents and node is not self:
                node.data = 0.0
            if node.parents:"""

# what a student may get wrong: the line, what it says instead, and the laws that must be named for it, no others
FAULTS: dict[str, tuple[str, str, list[str]]] = {
    "repr": ("    def order(self):", REPR, ["repr"]),
    "gradient None": ("grad = data, 0.0", "grad = data, None", ["a new node"]),
    "no 1 to start with": ("self.grad += 1.0", "pass", ["dy/dy is 1"]),
    "chain rule forgotten": ("slope * node.grad", "slope", ["Value * Value"]),
    "numbers refused": ("isinstance(number, Value)", "isinstance(number, object)",
                        ["Value * number", "Value + number", "number ** Value"]),
    "sub adds": ("(self, other), (1.0, -1.0)", "(self, other), (1.0, 1.0)", ["Value - Value"]),
    "sub the wrong way round": ("self.data - other.data", "other.data - self.data", ["Value - Value"]),
    "div floors": ("Value(self.data / other", "Value(self.data // other", ["Value / Value"]),
    "pow without n": ("n * self.data ** (n - 1) if n else", "self.data ** (n - 1) if n else", ["Value ** number"]),
    "pow of 0": ("if n else 0.0", "if n else 1.0", ["Value ** 0"]),
    "pow of Values": ("isinstance(n, Value)", "isinstance(n, str)", ["Value ** Value", "number ** Value"]),
    "no __radd__": ("__radd__", "__radd", ["number + Value"]),
    "no __rmul__": ("__rmul__", "__rmul", ["number * Value"]),
    "__rsub__ the wrong way round": ("to_value(number) - self", "self - number", ["number - Value"]),
    "__rtruediv__ the wrong way round": ("to_value(number) / self", "self / number", ["number / Value"]),
    "= instead of +=": ("parent.grad += slope", "parent.grad = slope", ["a node used twice"]),
    "equality by data": ("    def order(self):", EQUAL, ["equal numbers, two nodes"]),
    "no order": ("        for node in reversed(order):", UNSORTED, ["topological order", "deep chains"]),
    "breadth first": ("    def order(self):", BREADTH_FIRST, ["topological order"]),
    "the wrong end first": ("in reversed(order)", "in order", ["Value * Value"]),
    "recursion": ("    def order(self):", RECURSIVE, ["deep chains"]),
    "+= in place": ("    def order(self):", IN_PLACE, ["+= makes a new node"]),
    "data set to 0": ("if node.parents:", RESET, ["data stays"]),
    "one tape for all": ("order = self.order()\n        for node in order:", TAPE, ["two graphs do not mix"]),
    "leaves set to 0": ("if node.parents:", "if True:", ["two losses add up"]),
    "nodes between keep theirs": ("node.grad = 0.0", "pass", ["a second backward()"]),
    "a factor 0 taken for 1": ("(other.data, self.data)", "(other.data or 1.0, self.data)", ["zero is a number"]),
    "div by the absolute value": ("(1.0 / other.data", "(1.0 / abs(other.data)", ["Value / Value"]),
    "gradients clipped": ("slope * node.grad", "slope * min(node.grad, 60.0)", ["random expressions"]),
    "relu by the wrong side": ("float(x.data > 0)", "float(x.data < 0)", ["relu"]),
    "tanh with 1 - x²": ("1 - t**2", "1 - x.data**2", ["tanh"]),
    "tanh by exp": ("math.tanh(x.data)", "1 - 2 / (math.exp(2 * x.data) + 1)", ["tanh far out"]),
    "sigmoid by exp": ("0.5 * (1 + math.tanh(0.5 * x.data))", "1 / (1 + math.exp(-x.data))", ["sigmoid far out"]),
    "exp with slope x": ("(x,), (e,)", "(x,), (x.data,)", ["exp"]),
    "log with slope x": ("1 / x.data", "x.data", ["log"]),
}  # fmt: skip


def engine(name: str, *changes: tuple[str, str], source: str = OPERATORS + ACTIVATIONS) -> type:
    """The student's Value, changed, in a module of that name."""
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    module = ModuleType(name)
    exec(source, vars(module))
    sys.modules[name] = module
    value: type = module.Value
    return value


@pytest.fixture(autouse=True)
def students() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("student")]:
        del sys.modules[name]


def verdicts(report: EngineReport) -> dict[str, str]:
    return {outcome.law.name: outcome.verdict for outcome in report.outcomes}


def pasted(failure: Failure) -> str:
    """What the program prints or raises when a student runs it."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(failure.program, {})
    except Exception as error:  # noqa: BLE001 - that is what is asked
        return f"raises {type(error).__name__}"
    return f"prints {out.getvalue().strip()}"


def test_ours_holds_them_all() -> None:
    report = check_engine(mp.Value)
    assert report.failures == []
    assert set(verdicts(report).values()) == {"pass"}
    assert f"{len(LAWS)} of {len(LAWS)} laws hold" in str(report)


def test_micrograd_is_told_its_four_faults_and_no_other() -> None:
    report = check_engine(Micrograd)
    assert report.failures == ["Value ** Value", "number ** Value", "a second backward()", "deep chains"]
    assert "fails too" not in verdicts(report).values()
    shown = {outcome.law.name: outcome.failure for outcome in report.outcomes if outcome.failure}
    assert shown["a second backward()"].got == "prints 30"
    assert shown["a second backward()"].expected == "20.0"
    assert "range(2000)" in shown["deep chains"].program
    assert shown["number ** Value"].got.startswith("raises TypeError: unsupported operand type(s) for **")
    for failure in shown.values():
        assert failure.program.startswith("from micrograd.engine import Value\n")
        assert pasted(failure).startswith(failure.got.split(":")[0])


@pytest.mark.parametrize("source", [OPERATORS, OPERATORS + ACTIVATIONS])
def test_a_right_engine_of_a_students_holds_all_that_concern_it(source: str) -> None:
    report = check_engine(engine("student", source=source))
    assert report.failures == []
    missing = {law.name for law in LAWS if law.method and (source == OPERATORS or law.method in ("sin", "cos", "sqrt"))}
    assert {name for name, verdict in verdicts(report).items() if verdict == "not there"} == missing
    assert {verdict for name, verdict in verdicts(report).items() if name not in missing} == {"pass"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_engine_is_told_what_it_breaks_by_a_program_that_fails(fault: str) -> None:
    old, new, laws = FAULTS[fault]
    report = check_engine(engine("student", (old, new)))
    assert report.failures == laws
    for outcome in report.outcomes:
        assert bool(outcome.failure) == (outcome.verdict in ("FAIL", "fails too"))
        assert bool(outcome.mend) == (outcome.verdict == "fails too")
        assert outcome.mend in ("", *laws)
        if outcome.failure:
            assert outcome.failure.program.startswith("from student import Value\n")
            assert len(outcome.failure.program.splitlines()) <= 9
            assert pasted(outcome.failure).startswith(outcome.failure.got.split(":")[0])
            assert pasted(outcome.failure) != f"prints {outcome.failure.expected}"
    assert max(map(len, str(report).splitlines())) <= 80


def test_the_report_is_a_table_of_all_laws_then_a_program_for_each_failure() -> None:
    report = check_engine(engine("student", FAULTS["= instead of +="][:2]))
    lines = str(report).splitlines()
    assert lines[0] == "The laws of autograd, and student.Value"
    assert [line[11:38].strip() for line in lines[2 : 2 + len(LAWS)]] == [law.name for law in LAWS]
    assert [line[:11].strip() for line in lines[2 : 2 + len(LAWS)]] == list(verdicts(report).values())
    assert "fails too  topological order           mend first: a node used twice" in lines
    assert "not there  sin                         no .sin()" in lines
    assert """\
FAIL  a node used twice: what comes back from both uses adds up

      from student import Value
      x = Value(3.0)
      y = x + x
      y.backward()
      print(y.data, x.grad)

  it        prints 6.0 1.0
  expected  prints 6.0 2.0
  because   x stands on both sides, and both edges to x must add to its
""" in str(report)
    kinds = list(verdicts(report).values())
    counts = (
        f"{kinds.count('pass')} of {len(LAWS)} laws hold, 1 fails, {kinds.count('fails too')} fail along with others,"
    )
    assert counts in str(report)


def test_a_random_expression_that_fails_is_small_and_the_same_every_time() -> None:
    old, new, _ = FAULTS["gradients clipped"]
    first, second = (check_engine(engine("student", (old, new))) for _ in range(2))
    assert first == second
    (failure,) = [outcome.failure for outcome in first.outcomes if outcome.failure]
    assert len(failure.program.splitlines()) <= 7


def test_laws_have_names_of_their_own_and_rest_on_earlier_ones() -> None:
    names = [law.name for law in LAWS]
    assert len(set(names)) == len(names)
    for i, law in enumerate(LAWS):
        assert set(law.rests) <= set(names[:i]), law.name


def test_whatever_an_engine_raises_is_quoted_and_the_check_goes_on() -> None:
    raising = "raise LookupError('a long tale ' * 100)"
    report = check_engine(engine("student", ("        return self + number", f"        {raising}")))
    assert report.failures == ["number + Value"]
    (failure,) = [outcome.failure for outcome in report.outcomes if outcome.verdict == "FAIL" and outcome.failure]
    assert failure.got.startswith("raises LookupError: a long tale")
    assert len(failure.got) <= 300


@pytest.mark.parametrize("left", [SystemExit, KeyboardInterrupt])
def test_leaving_is_let_through(left: type[BaseException]) -> None:
    with pytest.raises(left):
        check_engine(engine("student", ("        order = self.order()", f"        raise {left.__name__}")))


def test_what_is_no_engine_at_all_breaks_one_law_and_the_rest_follows() -> None:
    report = check_engine(float)
    assert report.failures == ["a new node"]
    assert "raises AttributeError: 'float' object has no attribute 'data'" in str(report)


def test_the_recursion_limit_is_left_as_it_was() -> None:
    limit = sys.getrecursionlimit()
    raised = "        import sys; sys.setrecursionlimit(100_000)\n        order = self.order()"
    changes = ("    def order(self):", RECURSIVE), ("        order = self.order()", raised)
    assert check_engine(engine("student", *changes)).failures == []
    assert sys.getrecursionlimit() == limit


def test_a_class_of_another_name_or_home_is_imported_as_value() -> None:
    old, new, _ = FAULTS["pow of 0"]
    source = (OPERATORS + ACTIVATIONS).replace(old, new)
    module = ModuleType("student_of_scalars")
    exec(source.replace("Value", "Scalar") + "\nclass Home:\n    class Inner(Scalar): ...\n", vars(module))
    sys.modules[module.__name__] = module
    starts = {
        module.Scalar: "from student_of_scalars import Scalar as Value\n",
        module.Home.Inner: "from student_of_scalars import Home\nValue = Home.Inner\n",
    }
    for value, start in starts.items():
        (failure,) = [outcome.failure for outcome in check_engine(value).outcomes if outcome.failure]
        assert failure.program.startswith(f"{start}x = Value(2.0)\n")
        assert pasted(failure) == failure.got
    notebook = type("Value", (module.Scalar,), {"__module__": "__main__"})
    (failure,) = [outcome.failure for outcome in check_engine(notebook).outcomes if outcome.failure]
    assert failure.program.startswith("x = Value(2.0)\n")


def test_only_a_class_is_taken() -> None:
    wrong: list[tuple[object, str]] = [
        (5, r"check_engine\(5\): expected a class, such as Value, got int$"),
        (mp.Value(2.0), r"check_engine\(Value\(data=2.0, grad=0.0\)\): expected a class.*; did you mean Value\?$"),
        (mp.engine, "expected a class, such as Value, got module"),
    ]
    for thing, message in wrong:
        with pytest.raises(TypeError, match=message):
            check_engine(thing)  # type: ignore[arg-type]


def test_without_hypothesis_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match=r"pip install 'micrograd-plus\[check\]'"):
        check_engine(mp.Value)
