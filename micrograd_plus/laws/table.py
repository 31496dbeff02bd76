"""The laws that every scalar engine must keep, each after those that it rests on."""

from __future__ import annotations

from micrograd_plus.laws.kinds import exact, operation
from micrograd_plus.laws.programs import Program
from micrograd_plus.laws.random_expressions import agrees_with_fractions
from micrograd_plus.laws.reports import Law
from micrograd_plus.laws.special import asked_again, deep_chains, leaves_python_alone, prints_nothing, used_again

_NODE = ("a new node",)
_START = (*_NODE, "dy/dy is 1")
_PRODUCT = (*_START, "Value * Value")
_SUM = (*_PRODUCT, "Value + Value")
_NUMBERS = (*_SUM, "Value * number", "Value + number")
_GRAPHS = (*_NUMBERS, "a node used twice", "equal numbers, two nodes")
_TWO = ((3.0, 2.0), (-1.5, 4.0), (2.0, -4.0))
_ONE = ((2.0,), (-4.0,))
_POSITIVE = ((2.0,), (0.5,))

# fmt: off
LAWS: tuple[Law, ...] = (
    exact(
        "a new node", "keeps its number; its gradient is 0",
        "nothing has been differentiated yet, so the gradient is 0; backward() adds to it.",
        ("x = Value(2.5)\nprint(x.data, x.grad)", (2.5, 0.0)),
        ("x = Value(-3)\nprint(x.data, x.grad)", (-3.0, 0.0)),
        shows="the gradient begins as None, or not at all; the number is rounded or kept as text",
    ),
    exact(
        "dy/dy is 1", "where backward() starts, it puts a 1",
        "a number moves exactly as much as itself. Without that 1 at the start, the chain rule multiplies zeros.",
        ("x = Value(3.0)\nx.backward()\nprint(x.grad)", (1.0,)),
        shows="backward() puts no 1 at its start; it leaves out the node it is called on",
        rests=_NODE,
    ),
    operation("Value * Value", "each factor gets the other one", ("x * y",), ("y", "x"), _TWO,
              shows="each factor gets itself and not the other one; the gradient that arrives is left out (chain "
                    "rule); the wrong end first",
              rests=_START),
    operation("Value + Value", "each term gets all of the gradient", ("x + y",), ("1", "1"), _TWO,
              shows="a term is left out; the gradient that arrives is left out (chain rule)",
              rests=_PRODUCT),
    exact(
        "a node used twice", "what comes back from both uses adds up",
        "x stands on both sides, and both edges to x must add to its gradient: x + x is 2 x, with slope 2, and x * x "
        "has slope 2 x. Write += where the rule gives its gradient away, not =.",
        ("x = Value(3.0)\ny = x + x\ny.backward()\nprint(y.data, x.grad)", (6.0, 2.0)),
        ("x = Value(3.0)\ny = x * x\ny.backward()\nprint(y.data, x.grad)", (9.0, 6.0)),
        ("x = Value(3.0)\ny = x * Value(2.0) + x * Value(5.0)\ny.backward()\nprint(y.data, x.grad)", (21.0, 7.0)),
        shows="= where += belongs; a node's rule that runs once for each kind of parent, as in a set",
        rests=_SUM,
    ),
    exact(
        "the output's gradient is 1", "also where operations made it",
        "y moves exactly as much as y.",
        ("x = Value(3.0)\ny = x * Value(2.0)\ny.backward()\nprint(y.grad)", (1.0,)),
        shows="the 1 is put at a leaf only, or the output starts again from 0 after it",
        rests=_PRODUCT,
    ),

    operation("Value * number", "the number is the slope", ("x * 3", "x * 2.5"), ("c",), _ONE,
              shows="a number is not made a Value; it is taken for 1",
              rests=_PRODUCT),
    operation("Value + number", "a number shifts; the slope stays 1", ("x + 3", "x + 2.5"), ("1",), _ONE,
              shows="a number is not made a Value; its gradient goes to the wrong node",
              rests=_SUM),
    exact(
        "equal numbers, two nodes", "nodes that hold the same are not one",
        "x and y hold the same number and are two variables. Where nodes are kept in a set or a dict, they must be "
        "told apart by who they are: leave == and hash() as Python has them.",
        ("x = Value(2.0)\ny = Value(2.0)\nz = x * y * y\nz.backward()\nprint(x.grad, y.grad)", (4.0, 8.0)),
        ("x = Value(2.0)\ny = Value(2.0)\nz = (x + 1) * (y + 1) * 5\nz.backward()\nprint(x.grad, y.grad)",
         (15.0, 15.0)),
        shows="== and hash() by data; a set or dict of numbers and not of nodes",
        rests=(*_NUMBERS, "a node used twice"),
    ),
    exact(
        "topological order", "a node waits for all that use it",
        "y is used twice, on paths of its own length. Its rule may run only once, and only when the gradients of both "
        "uses have arrived: sort the nodes topologically and go through them from the output back.",
        ("x = Value(1.0)\ny = x * 2\nz = y * 3 + y\nz.backward()\nprint(x.grad)", (8.0,)),
        ("x = Value(1.0)\ny = x * 2\nz = y + y * 3\nz.backward()\nprint(x.grad)", (8.0,)),
        ("x = Value(2.0)\ny = x * x\nz = (y * 2) * (y * 3)\nz.backward()\nprint(x.grad)", (192.0,)),
        ("x = y = Value(1.0)\nfor _ in range(6):\n    y = y * 0.5 + y\ny.backward()\nprint(x.grad)", (1.5**6,)),
        ("x = y = Value(1.0)\nfor _ in range(6):\n    y = y + y * 0.5 * 1\ny.backward()\nprint(x.grad)", (1.5**6,)),
        shows="rules that run as nodes are met, breadth or depth first; rules that run once for every use",
        rests=_GRAPHS,
    ),

    operation("number * Value", "__rmul__: the same, from the left", ("3 * x", "2.5 * x"), ("c",), _ONE,
              shows="__rmul__ is not there, or turns the wrong way round",
              rests=(*_PRODUCT, "Value * number")),
    operation("number + Value", "__radd__: the same, from the left", ("3 + x", "2.5 + x"), ("1",), _ONE,
              shows="__radd__ is not there",
              rests=(*_SUM, "Value + number")),
    operation("-Value", "the slope is -1", ("-x",), ("-1",), _ONE,
              shows="__neg__ is not there; it forgets where it came from",
              rests=(*_PRODUCT, "Value * number")),
    operation("Value - Value", "the second one gets a minus", ("x - y",), ("1", "-1"), _TWO,
              shows="both slopes are 1; the two sides are swapped",
              rests=(*_SUM, "-Value")),
    operation("Value - number", "a number shifts; the slope stays 1", ("x - 3", "x - 2.5"), ("1",), _ONE,
              shows="the number is not made a Value; the sign is lost",
              rests=(*_SUM, "Value + number", "Value - Value")),
    operation("number - Value", "__rsub__: the number comes first", ("3 - x", "2.5 - x"), ("-1",), _ONE,
              shows="__rsub__ is not there, or gives Value - number",
              rests=(*_SUM, "-Value", "number + Value", "Value - Value")),
    operation("Value ** number", "slope n * x ** (n - 1)", ("x ** 2", "x ** 3", "x ** 1"), ("c * x ** (c - 1)",),
              _ONE,
              shows="the n in front, or the n - 1 in the exponent, is left out; n must be whole",
              rests=_PRODUCT,
              more=(Program("x = Value(4.0)\nz = x ** 1.5\nz.backward()\nprint(z.data, x.grad)", (8.0, 3.0),
                            "the derivative of x ** 1.5 by x is 1.5 * x ** 0.5."),)),
    operation("Value ** -number", "slope n * x ** (n - 1), n below 0", ("x ** -1", "x ** -2"), ("c * x ** (c - 1)",),
              _ONE,
              shows="n below 0 is taken for its absolute value; abs or // in the slope",
              rests=(*_PRODUCT, "Value ** number")),
    operation("Value ** 0", "always 1, so its slope is 0", ("x ** 0",), ("0",), _ONE,
              shows="the slope is 1 and not 0; 0 is taken for what is not there",
              rests=(*_PRODUCT, "Value ** number")),
    operation("Value / Value", "slopes 1 / y and -x / y ** 2", ("x / y",), ("1 / y", "-x / y ** 2"), _TWO,
              shows="// for /; the minus or the square of the divisor's slope is left out",
              rests=(*_PRODUCT, "Value ** number", "Value ** -number"),
              more=(Program("x = Value(3)\ny = Value(2)\nz = x / y\nz.backward()\nprint(z.data, x.grad, y.grad)",
                            (1.5, 0.5, -0.75), "3 / 2 is 1.5, also where both are whole numbers."),)),
    operation("Value / number", "slope 1 / c", ("x / 4", "x / 2.5"), ("1 / c",), _ONE,
              shows="the number is not made a Value; the slope is the number and not 1 / c",
              rests=(*_PRODUCT, "Value * number", "Value / Value")),
    operation("number / Value", "__rtruediv__: the number is on top", ("3 / x", "2.5 / x"), ("-c / x ** 2",), _ONE,
              shows="__rtruediv__ is not there, or gives Value / number",
              rests=(*_PRODUCT, "number * Value", "Value ** number", "Value ** -number", "Value / Value")),
    exact(
        "numbers are constants", "they take part and stay as they are",
        "a plain number is no variable: it has no gradient and nothing changes it.",
        ("c = 3.0\nx = Value(2.0)\ny = x * c + c\ny.backward()\nprint(y.data, x.grad, c)", (9.0, 3.0, 3.0)),
        shows="a number in an expression is changed, or gets a gradient that something else reads",
        rests=_NUMBERS,
    ),
    exact(
        "zero is a number", "a factor 0 gives the other slope 0",
        "x * y has slope y by x and slope x by y, also where that is 0. Ask `is None` for what is not there, not `or`.",
        ("x = Value(0.0)\ny = Value(5.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 5.0, 0.0)),
        ("x = Value(5.0)\ny = Value(0.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 0.0, 5.0)),
        ("x = Value(5.0)\nz = 0 * x + 0\nz.backward()\nprint(z.data, x.grad)", (0.0, 0.0)),
        shows="`or` and `if x:` where `is None` belongs; a factor 0 taken for 1",
        rests=(*_GRAPHS, "number * Value"),
    ),
    exact(
        "x - x and x / x", "what comes back from both uses cancels",
        "x - x is always 0 and x / x always 1, so their slope is 0: both edges to x must add to its gradient.",
        ("x = Value(4.0)\ny = x - x\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(4.0)\ny = x / x\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        shows="both edges to one node, with slopes that differ, are taken for one",
        rests=(*_GRAPHS, "Value - Value", "Value / Value", "zero is a number"),
    ),
    exact(
        "a sum of a list", "sum() starts with 0 + Value",
        "sum(values) is 0 + a + b + c, and each term has slope 1.",
        ("a, b, c = Value(1.0), Value(2.0), Value(3.0)\ny = sum([a, b, c])\ny.backward()\n"
         "print(y.data, a.grad, b.grad, c.grad)", (6.0, 1.0, 1.0, 1.0)),
        shows="0 + Value does not go, or starts with a gradient",
        rests=(*_GRAPHS, "number + Value"),
    ),
    exact(
        "+= makes a new node", "the old one stays as it was",
        "y += 1 is y = y + 1: a new node under the name y, while x is still the old one. Leave out __iadd__, and "
        "Python does just that.",
        ("x = Value(2.0)\ny = x\ny += 1\nprint(x.data, y.data)", (2.0, 3.0)),
        ("x = Value(2.0)\ny = x * 1\ny += x\ny.backward()\nprint(y.data, x.grad)", (4.0, 2.0)),
        ("start = total = Value(0.0)\nfor v in [Value(1.0), Value(2.0)]:\n    total += v\ntotal.backward()\n"
         "print(start.data, total.data, v.grad)", (0.0, 3.0, 1.0)),
        shows="__iadd__ changes the node on the left",
        rests=_GRAPHS,
    ),
    exact(
        "-=, *= and /= do, too", "the old one stays as it was",
        "y -= 1 is y = y - 1: a new node under the name y, while x is still the old one. Leave out __isub__, __imul__ "
        "and __itruediv__, and Python does just that.",
        *[(f"x = Value(2.0)\ny = x\ny {symbol}= 4\ny.backward()\nprint(x.data, y.data, x.grad)", (2.0, *expected))
          for symbol, expected in {"-": (-2.0, 1.0), "*": (8.0, 4.0), "/": (0.5, 0.25)}.items()],
        shows="__isub__, __imul__ or __itruediv__ changes the node on the left",
        rests=(*_GRAPHS, "Value - number", "Value / number"),
    ),
    exact(
        "**= does, too", "the old one stays as it was",
        "y **= 2 is y = y ** 2: a new node under the name y, while x is still the old one. Leave out __ipow__, and "
        "Python does just that.",
        ("x = Value(3.0)\ny = x\ny **= 2\ny.backward()\nprint(x.data, y.data, x.grad)", (3.0, 9.0, 6.0)),
        shows="__ipow__ changes the node on the left",
        rests=(*_GRAPHS, "Value ** number"), extra="Value ** number",
    ),

    exact(
        "data stays", "backward() changes gradients only",
        "going back asks how much the numbers matter; it does not change them.",
        ("x = Value(3.0)\ny = x * x\nz = y + 1\nz.backward()\nprint(x.data, y.data, z.data)", (3.0, 9.0, 10.0)),
        shows="backward() sets nodes to 0 with their gradients; rules that write to .data",
        rests=_GRAPHS,
    ),
    exact(
        "backward from the middle", "what was built on top stays out of it",
        "y.backward() differentiates y. z was made from y, so y does not depend on z, and z's gradient stays 0.",
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\ny.backward()\nprint(x.grad, y.grad, z.grad)", (2.0, 1.0, 0.0)),
        shows="a list of all nodes that were ever made; nodes that know who uses them and follow that",
        rests=_GRAPHS,
    ),
    exact(
        "two graphs do not mix", "backward() touches its own graph only",
        "a and b have nothing to do with each other. Let every node know its own parents, and share nothing else: no "
        "list or tape for all.",
        ("b = Value(3.0)\nb.grad = 7.0\na = Value(2.0)\ny = a * 5\ny.backward()\nprint(a.grad, b.grad)", (5.0, 7.0)),
        ("a, b = Value(2.0), Value(3.0)\ny = a * 5\nz = b * 4\ny.backward()\nz.backward()\nprint(a.grad, b.grad)",
         (5.0, 4.0)),
        shows="one tape, list or set for all graphs",
        rests=_GRAPHS,
    ),
    exact(
        "two losses add up", "gradients of a leaf accumulate",
        "backward() adds to the gradient of a leaf; setting it to 0 between two steps is up to whoever trains.",
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = x * 5\nz.backward()\nprint(x.grad)", (7.0,)),
        ("x = Value(3.0)\ny = x * 2\nz = x * 5\ny.backward()\nz.backward()\nprint(x.grad)", (7.0,)),
        shows="backward() sets the gradients of leaves to 0, or writes = where += belongs",
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),
    exact(
        "a second backward()", "adds the same to the leaves once more",
        "every call must add the same to the leaves. The nodes in between start again from 0 at every call; what an "
        "earlier call left in them must not flow down a second time.",
        ("x = Value(3.0)\ny = x * 2 * 5\ny.backward()\ny.backward()\nprint(x.grad)", (20.0,)),
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = y * 5\nz.backward()\nprint(x.grad)", (12.0,)),
        ("x = Value(3.0)\ny = x * 2\na, b = y * 3, y * 5\na.backward()\nb.backward()\nprint(x.grad)", (16.0,)),
        shows="nodes in between keep what an earlier call left in them; nodes are marked as visited for ever",
        rests=(*_GRAPHS, "two graphs do not mix", "two losses add up"),
    ),
    exact(
        "zero, and go again", "gradients set to 0 start afresh",
        "once the gradients are 0 again, backward() must give what it gave the first time.",
        ("x = Value(4.0)\nfor _ in range(3):\n    loss = x * x\n    x.grad = 0.0\n    loss.backward()\n"
         "    x.data -= 0.25 * x.grad\nprint(x.data)", (0.5,)),
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\nz.backward()\nx.grad = y.grad = z.grad = 0.0\nz.backward()\n"
         "print(x.grad)", (10.0,)),
        shows="an order or a mark kept from the first call; gradients kept in a second place",
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),

    operation("relu", "slope 1 above 0, and 0 below", ("x.relu()",), ("float(x > 0)",), ((3.0,), (-2.0,)),
              value="max(x, 0.0)",
              shows="the slope asks the wrong side; the negative side is not 0; a slope outside of 0 to 1 at 0",
              rests=_PRODUCT, method="relu",
              more=(Program("x = Value(0.0)\ny = x.relu()\ny.backward()\nprint(y.data, 0 <= x.grad <= 1)", (0.0, True),
                            "relu(0) is 0, and its slope there may be anything from 0 to 1; most take 0."),)),
    operation("exp", "is its own slope", ("x.exp()",), ("exp(x)",), _ONE,
              value="exp(x)",
              shows="the slope is x, or exp is taken of the gradient",
              rests=_PRODUCT, method="exp"),
    operation("log", "slope 1 / x", ("x.log()",), ("1 / x",), _POSITIVE,
              value="log(x)",
              shows="the slope is x and not 1 / x; log of another base",
              rests=_PRODUCT, method="log"),
    operation("tanh", "slope 1 - tanh(x) ** 2", ("x.tanh()",), ("1 - tanh(x) ** 2",), ((0.5,), (-2.0,)),
              value="tanh(x)",
              shows="1 - x ** 2 for 1 - tanh(x) ** 2",
              rests=_PRODUCT, method="tanh"),
    operation("sigmoid", "slope s * (1 - s)", ("x.sigmoid()",), ("exp(-x) / (1 + exp(-x)) ** 2",), ((0.5,), (-2.0,)),
              value="1 / (1 + exp(-x))",
              shows="x * (1 - x) for s * (1 - s)",
              rests=_PRODUCT, method="sigmoid"),
    operation("sin", "slope cos(x)", ("x.sin()",), ("cos(x)",), _ONE,
              value="sin(x)",
              shows="-cos(x), or sin(x) itself, for cos(x)",
              rests=_PRODUCT, method="sin"),
    operation("cos", "slope -sin(x)", ("x.cos()",), ("-sin(x)",), _ONE,
              value="cos(x)",
              shows="sin(x) without its minus",
              rests=_PRODUCT, method="cos"),
    operation("sqrt", "slope 1 / (2 * sqrt(x))", ("x.sqrt()",), ("1 / (2 * sqrt(x))",), _POSITIVE,
              value="sqrt(x)",
              shows="the 2 is left out; the slope multiplies by the root and does not divide",
              rests=_PRODUCT, method="sqrt"),
    operation("Value ** Value", "base and exponent both get a slope", ("x ** y",),
              ("y * x ** (y - 1)", "x ** y * log(x)"), ((2.0, 3.0), (0.5, 2.0)),
              shows="the exponent is taken for a number and gets no slope",
              rests=(*_PRODUCT, "Value ** number"), extra="Value ** Value"),
    operation("number ** Value", "__rpow__: slope c ** x * log(c)", ("2 ** x", "0.5 ** x"), ("c ** x * log(c)",),
              ((3.0,), (-1.0,)),
              shows="the slope is that of Value ** number; log(c) is left out",
              rests=_PRODUCT, extra="number ** Value"),

    exact(
        "tanh far out", "nears -1 and 1, and never overflows",
        "tanh levels off at -1 and 1. exp(2 * x) is too large for a float there: math.tanh knows the way.",
        ("x = Value(1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        ("x = Value(-1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (-1.0, 0.0)),
        shows="exp(2 * x), which overflows",
        rests=(*_START, "tanh"), method="tanh",
    ),
    exact(
        "sigmoid far out", "nears 0 and 1, and never overflows",
        "the sigmoid levels off at 0 and 1. exp(1000) is too large for a float: below 0, take exp(x) / (1 + exp(x)).",
        ("x = Value(-1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        shows="exp(-x), which overflows",
        rests=(*_START, "sigmoid"), method="sigmoid",
    ),
    Law(
        "deep chains", "10,000 operations, one on the other", deep_chains,
        "a function that calls itself once for every node", _GRAPHS,
    ),
    exact(
        "repr", "a node can be shown",
        "print(x) and the notebook call repr(x), which must be a string.",
        ("x = Value(2.5)\nprint(isinstance(repr(x), str))", (True,)),
        shows="__repr__ names an attribute that is not there, or returns no string",
        rests=_NODE,
    ),
    Law(
        "prints nothing", "an engine computes in silence", prints_nothing,
        "print() left over from looking for a fault", (*_SUM, "Value - Value", "Value / Value", "Value ** number"),
    ),
    Law(
        "Python stays", "its own functions are left alone", leaves_python_alone,
        "a built-in function, or one of math's, replaced for everybody", _NODE,
    ),
    Law(
        "used again", "each rule adds, by its own numbers", used_again,
        "= where += belongs in one operation alone; what a rule needs is kept in one place for all nodes",
        _GRAPHS, times=3,
    ),
    Law(
        "new data, new numbers", "nothing is kept of what x was before", asked_again,
        "a function's value or slope is kept at its node, or in a cache, and given once more when data is another",
        (*_GRAPHS, "zero, and go again"), times=3,
    ),
    Law(
        "random expressions", "agree with exact fractions", agrees_with_fractions,
        "what no law above asks for: several operations together",
        (*_GRAPHS, "zero is a number", "x - x and x / x", "topological order"), times=10,
    ),
)
# fmt: on
