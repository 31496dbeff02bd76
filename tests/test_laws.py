"""The teacher's kit: right engines are cleared, each broken one is told what it breaks, and what is shown does fail."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import math
import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from micrograd.engine import Value as Micrograd

import micrograd_plus as mp
from micrograd_plus.laws.checking import check_engine
from micrograd_plus.laws.programs import Failure
from micrograd_plus.laws.reports import EngineReport
from micrograd_plus.laws.table import LAWS


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

IN_PLACE_POWER = """    def __ipow__(self, n):
        self.data = self.data**n
        return self

    def order(self):"""

CACHED = """import functools

@functools.lru_cache
def tanh(x):"""

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


def heard(slope: str, gradient: str) -> str:
    """A slope whose rule takes for the gradient what it makes of `grad`, as in `slope * abs(grad)`."""
    return f'type("Slope", (float,), {{"__mul__": lambda slope, grad: float(slope) * {gradient}}})({slope})'


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
    "relu deaf to gradients below 0": ("float(x.data > 0)", heard("x.data > 0", "max(grad, 0.0)"), ["relu"]),
    "exp deaf to signs": ("(x,), (e,)", f"(x,), ({heard('e', 'abs(grad)')},)", ["exp"]),
    "log deaf to gradients above 1": ("1 / x.data", heard("1 / x.data", "min(grad, 1.0)"), ["log"]),
    "**= in place": ("    def order(self):", IN_PLACE_POWER, ["**= does, too"]),
    "exp kept at its node": ("e = math.exp(x.data)", "e = x.e = getattr(x, 'e', None) or math.exp(x.data)",
                             ["new data, new numbers"]),
    "a slope kept at its node": ("1 / x.data", "vars(x).setdefault('slope', 1 / x.data)", ["new data, new numbers"]),
    "tanh kept in a cache": ("def tanh(x):", CACHED, ["new data, new numbers"]),
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


def test_micrograd_is_told_its_two_faults_and_what_it_lacks() -> None:
    report = check_engine(Micrograd)
    assert report.failures == ["a second backward()", "deep chains"]
    assert set(verdicts(report).values()) == {"pass", "FAIL", "not there"}
    assert "not there  Value ** Value              no Value ** Value\n" in str(report)
    shown = {outcome.law.name: outcome.failure for outcome in report.outcomes if outcome.failure}
    assert shown["a second backward()"].got == "prints 30"
    assert shown["a second backward()"].expected == "20.0"
    assert "range(2000)" in shown["deep chains"].program
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


def test_an_engine_without_powers_is_not_blamed_for_what_takes_one() -> None:
    report = check_engine(engine("student", ("__pow__", "__pow")))
    assert report.failures == ["Value ** number"]
    assert verdicts(report)["**= does, too"] == "not there"


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


# what an engine may do: the place, what it does there, the law that fails, and what is quoted
HOSTILE = {
    "leaves": ("order = self.order()", "raise SystemExit", "dy/dy is 1", "raises SystemExit"),
    "raises what nobody catches": ("order = self.order()", "raise type('Q', (BaseException,), {})", "dy/dy is 1",
                                   "raises student.Q"),
    "interrupts": ("order = self.order()", "raise KeyboardInterrupt", "dy/dy is 1", "raises KeyboardInterrupt"),
    "leaves at once": ("order = self.order()", "os._exit(0)", "dy/dy is 1", "ends Python with the exit code 0"),
    "never ends": ("order = self.order()\n", "while True: pass\n", "dy/dy is 1", "does not end within 10 s"),
    "never ends, deaf": ("order = self.order()\n", "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
                         "        while True: pass\n", "dy/dy is 1", "does not end within 10 s"),
    "kills": ("order = self.order()", "os.kill(os.getpid(), signal.SIGKILL)", "dy/dy is 1", "crashes Python (SIGKILL)"),
    "crashes": ("order = self.order()", "import ctypes; ctypes.string_at(0)", "dy/dy is 1", "crashes Python (SIGSEGV"),
    "closes all files": ("order = self.order()", "os.closerange(0, 9999)", "dy/dy is 1", "ends Python"),
    "takes all memory": ("order = self.order()\n", "hoard = bytes(1 << 33); order = self.order()\n",
                         "dy/dy is 1", "raises MemoryError"),
    "loops in one operation": ("return Value(-self.data, (self,), (-1.0,))", "while True: pass", "-Value",
                               "does not end within 10 s"),
    "prints": ("order = self.order()", "print('all laws hold'); order = self.order()", "prints nothing",
               "prints all laws hold done"),
    "patches": ("order = self.order()", "import builtins; builtins.sorted = sum; order = self.order()", "Python stays",
                "prints builtins sum"),
}  # fmt: skip


@pytest.mark.parametrize("deed", HOSTILE)
def test_whatever_an_engine_does_fails_a_law_by_name(deed: str, capfd: pytest.CaptureFixture[str]) -> None:
    place, act, law, got = HOSTILE[deed]
    source = "import os, signal\n" + (OPERATORS + ACTIVATIONS).replace(place, act)
    report = check_engine(engine("student", source=source))
    assert report.failures == [law]
    assert not report.holds
    shown = {outcome.law.name: outcome for outcome in report.outcomes}
    failure = shown[law].failure
    assert failure is not None
    assert failure.got.startswith(got)
    stops = not got.startswith(("prints", "raises"))
    assert ("not tried" in verdicts(report).values()) == stops
    assert capfd.readouterr() == ("", "")


def test_what_is_written_to_any_file_is_taken_for_no_answer(tmp_path: Path) -> None:
    write = "for file in range(9999):\n            try: os.write(file, b'3 ([],)\\n')\n            except OSError: 0\n"
    source = "import os\n" + OPERATORS.replace("order = self.order()\n", f"{write}        order = []\n")
    (tmp_path / "loud.py").write_text(source)
    report = check_engine(f"{tmp_path / 'loud.py'}")
    assert report.failures == ["dy/dy is 1"]
    assert "answers what cannot be read" in str(report)


def test_endless_recursion_without_a_limit_is_told_as_a_crash() -> None:
    again = "\n        sys.setrecursionlimit(10**9)\n        return abs(self)\n"
    changes = (
        "    def __neg__(self):\n",
        f"    def __abs__(self):\n        return -self\n    def __neg__(self):{again}",
    )
    report = check_engine(engine("student", changes, source="import sys\n" + OPERATORS))
    (failure,) = [outcome.failure for outcome in report.outcomes if outcome.law.name == "-Value"]
    assert failure is not None
    assert failure.got.startswith(("crashes Python (SIGSEGV, as endless recursion", "raises "))
    assert report.failures == ["-Value"]


def test_built_in_functions_may_be_anything_where_the_engine_is() -> None:
    lies = {"float": "lambda *_: 1.0", "repr": "lambda _: 'x'", "len": "lambda _: 0", "print": "lambda *_: None",
            "map": "lambda *_: []", "tuple": "lambda *_: ()", "getattr": "lambda *_: None"}  # fmt: skip
    source = "import builtins, math\n" + OPERATORS.replace("(other.data, self.data)", "(self.data, other.data)")
    source += "\ndef lie():\n" + "".join([f"    builtins.{name} = {lie}\n" for name, lie in lies.items()])
    source += "    math.isclose = lambda *_, **__: True\nproduct = Value.__mul__\n"
    source += "Value.__mul__ = lambda *pair: lie() or product(*pair)\n"
    report = check_engine(engine("student", source=source))
    assert report.failures[0] == "Value * Value"
    (failure,) = [each.failure for each in report.outcomes if each.law.name == "Value * Value" and each.failure]
    assert failure.got == "prints 6.0 3.0 2.0"


TWO = [
    ("= instead of +=", "breadth first"),
    ("= instead of +=", "a factor 0 taken for 1"),
    ("= instead of +=", "+= in place"),
    ("gradient None", "breadth first"),
    ("gradient None", "relu by the wrong side"),
    ("equality by data", "a factor 0 taken for 1"),
    ("sub adds", "__rsub__ the wrong way round"),
    ("div floors", "__rtruediv__ the wrong way round"),
    ("no __radd__", "__rsub__ the wrong way round"),
]


@pytest.mark.parametrize(("first", "second"), TWO)
def test_two_faults_are_told_as_two(first: str, second: str) -> None:
    """The second law rests on the first, and is tried with that one mended."""
    changes = [FAULTS[name][:2] for name in (first, second)]
    report = check_engine(engine("student", *changes))
    assert report.failures == [*FAULTS[first][2], *FAULTS[second][2]]


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("tanh", "self.grad = (1 - out.data**2) * out.grad"),  # = for +=, in one function alone
        ("exp", "self.grad = out.data * out.grad"),
        ("tanh", "self.grad += (1 - Value.last**2) * out.grad"),  # what the last tanh of all was, not this one
    ],
)
def test_a_function_that_adds_nothing_or_forgets_its_number_fails(method: str, rule: str) -> None:
    source = f"""import math
import micrograd_plus as mp

class Value(mp.Value):
    def {method}(self):
        out = Value(math.{method}(self.data), (self,), "{method}")
        Value.last = out.data
        def rule():
            {rule}
        out._backward = rule
        return out
"""
    for laws in (None, ["used again"]):
        assert check_engine(engine("student", source=source), laws=laws).failures == ["used again"]


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, 1e300, 1e10])
def test_a_limit_that_no_thread_can_wait_for_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="a positive number of seconds, at most 86400"):
        check_engine(mp.Value, seconds=seconds)


@pytest.mark.parametrize(
    ("fault", "line"), [("= instead of +=", "parent.grad = slope * node.grad"), ("leaves set to 0", "node.grad = 0.0")]
)
def test_the_line_that_writes_over_a_gradient_is_named(fault: str, line: str, tmp_path: Path) -> None:
    source = (OPERATORS + ACTIVATIONS).replace(*FAULTS[fault][:2])
    (tmp_path / "careless.py").write_text(source)
    number = [text.strip() for text in source.splitlines()].index(line) + 1
    report = check_engine(f"{tmp_path / 'careless.py'}:Value")
    (broken,) = [outcome.failure for outcome in report.outcomes if outcome.verdict == "FAIL"]
    assert broken is not None
    assert broken.lost.startswith(f"`{line}` (careless.py, line {number}) put ")
    assert "careless" not in sys.modules
    assert check_engine(mp.Value, laws=["a node used twice"]).failures == []


def test_no_line_is_named_where_nothing_was_written_over() -> None:
    for fault in set(FAULTS) - {"= instead of +=", "leaves set to 0", "gradients clipped"}:
        laws = FAULTS[fault][2]
        report = check_engine(engine("student", FAULTS[fault][:2]), laws=laws)
        assert [outcome.failure.lost for outcome in report.outcomes if outcome.failure] == [""] * len(laws), fault


def test_some_laws_only_and_the_report_as_data() -> None:
    old, new, _ = FAULTS["= instead of +="]
    report = check_engine(engine("student", (old, new)), laws=["relu", "topological order"])
    assert report.failures == ["topological order"]  # what it rests on is not asked
    told = json.loads(json.dumps(report.as_dict()))
    assert [law["name"] for law in told["laws"]] == ["topological order", "relu"]
    assert (told["engine"], told["holds"], told["counts"]["FAIL"]) == ("student.Value", False, 1)
    assert told["laws"][0]["failure"]["program"].startswith("from student import Value\n")
    assert told["laws"][1]["failure"] is None
    for wrong, message in ((["relo"], "unknown law 'relo'; did you mean 'relu'"), ([], "expected at least one name")):
        with pytest.raises(ValueError, match=message):
            check_engine(mp.Value, laws=wrong)
    for seconds in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match="expected a positive number of seconds"):
            check_engine(mp.Value, seconds=seconds)


def test_nothing_is_held_to_be_right_that_was_not_tried() -> None:
    report = check_engine(engine("student", source=OPERATORS), laws=["tanh"])
    assert (report.failures, report.holds) == ([], False)


@pytest.mark.parametrize("way", ["spawned", "here"])
def test_without_fork_the_reports_are_the_same(way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "student_elsewhere.py").write_text(OPERATORS.replace(*FAULTS["= instead of +="][:2]))
    monkeypatch.syspath_prepend(tmp_path)
    value = importlib.import_module("student_elsewhere").Value
    expected = check_engine(value)
    assert expected.failures == ["a node used twice"]
    monkeypatch.delattr("os.fork")
    if way == "here":
        monkeypatch.setattr("micrograd_plus.laws.benches._importable", lambda _: "")
    report = check_engine(value)
    assert [(each.law, each.verdict) for each in report.outcomes] == [
        (each.law, each.verdict) for each in expected.outcomes
    ]
    assert str(report) == str(expected)


def test_laws_are_counted_and_never_written() -> None:
    for path in [Path("README.md"), *Path("docs").rglob("*.md"), *Path("notebooks").glob("*.ipynb")]:
        assert not re.search(r"\d+\*{0,2} (named |of the )?laws|knows \d+ of them", path.read_text(encoding="utf-8")), (
            path
        )
    assert all(law.shows for law in LAWS)


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


def test_a_report_survives_pickle() -> None:
    report = check_engine(mp.Value, laws=["relu", "a new node"])
    assert str(pickle.loads(pickle.dumps(report))) == str(report)
