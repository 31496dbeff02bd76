"""Rows of the table in ONNX's standard operators, for which onnxruntime has kernels; formulas where it has none."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_plus.engine.operations import LESS, TABLE, Op
from micrograd_plus.program.exports.formulas import FORMULAS, formula_of
from micrograd_plus.program.exports.onnx_graph import Attribute, Graph, Made
from micrograd_plus.program.exports.steps import recorded

OPERATORS = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "div": "Div",
    "neg": "Neg",
    "reciprocal": "Reciprocal",
    "sqrt": "Sqrt",
    "pow": "Pow",
    "exp": "Exp",
    "log": "Log",
    "abs": "Abs",
    "sign": "Sign",
    "floor": "Floor",
    "ceil": "Ceil",
    "round": "Round",
    "maximum": "Max",
    "minimum": "Min",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "equal": "Equal",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "relu": "Relu",
}
"""In both floats, right at every edge, by the names of the rows."""
SINGLE = {
    "tan": "Tan",
    "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "asinh": "Asinh",
    "acosh": "Acosh",
    "atanh": "Atanh",
    "erf": "Erf",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "mish": "Mish",
    "leaky_relu": "LeakyRelu",
    "hardsigmoid": "HardSigmoid",
}
"""For which onnxruntime has kernels in float32 alone."""
ACTIVATIONS = {"float64": {"sigmoid": "Sigmoid"}}
ACTIVATIONS["float32"] = ACTIVATIONS["float64"] | {"gelu": "Gelu", "elu": "Elu", "selu": "Selu", "celu": "Celu"}
"""What a network is written with; right to the last place of 1, not of what is near 0."""
MORE = ("mod", "square", "where", "identity", "stop_gradient")  # which take more than an operator, or less
COMPARISONS = ("Less", "LessOrEqual", "Equal")  # which give truths


def known_operators(dtype: str, network: bool) -> dict[str, str]:
    """The operators for rows, by their names.

    Args:
        dtype: what numbers are.
        network: whether it is a network, with activations as one would write them by hand.
    """
    return OPERATORS | (SINGLE if dtype == "float32" else {}) | (ACTIVATIONS[dtype] if network else {})


def known_rows(operators: dict[str, str]) -> set[Op]:
    """The rows that need no formula from the table: there is an operator, or a formula here."""
    return {TABLE[name] for name in [*operators, *MORE, *FORMULAS]}


class Rows:
    """Rows of the table, applied element by element.

    Args:
        graph: where the nodes are made.
        operators: what there is for rows, by their names.
    """

    def __init__(self, graph: Graph, operators: dict[str, str]) -> None:
        self.graph, self.operators = graph, operators

    def applied(self, op: Op, args: Sequence[Made | float]) -> Made | float:
        """A row of arguments and options; a plain number where all of them are."""
        if not any(isinstance(arg, Made) for arg in args):
            assert op.forward is not None
            return op.forward(*args)
        ours = TABLE.get(op.name) is op
        if op is LESS and args[0] == 0.0 and isinstance(args[1], Made) and args[1].truth:
            return args[1]
        if ours and op.name in MORE:
            made: Made | float = getattr(self, f"_{op.name}")(*args)
            return made
        if ours and op.name in self.operators:
            options = [float(option) for option in args[op.arity :] if not isinstance(option, Made)]
            return self.node(self.operators[op.name], *args[: op.arity], **_attributes(op, options))
        formula = formula_of(op)
        assert formula is not None
        options = [float(option) for option in args[op.arity :] if not isinstance(option, Made)]
        out: Made | float = recorded(formula, op.arity, tuple(options)).evaluated(args[: op.arity], self.applied)
        return out

    def node(self, operator: str, *args: Made | float, **attributes: Attribute) -> Made:
        """An operator, element by element."""
        given = [self.number(arg) for arg in args]
        name = self.graph.node(operator, *[arg.name for arg in given], **attributes)
        return _broadcast(name, given, operator in COMPARISONS)

    def number(self, arg: Made | float) -> Made:
        """As numbers, where it may be a plain number, or truths."""
        if not isinstance(arg, Made):
            return Made(self.graph.numbers(arg), 1, False)
        if arg.truth:
            return arg._replace(name=self.graph.node("Cast", arg.name, to=self.graph.float), truth=False)
        return arg

    def true(self, arg: Made) -> Made:
        """As truths: where it is not 0."""
        if arg.truth:
            return arg
        return self.opposite(self.node("Equal", arg, 0.0))

    def opposite(self, arg: Made) -> Made:
        """Where it is not true."""
        return arg._replace(name=self.graph.node("Not", arg.name))

    def both(self, *args: Made) -> Made:
        """Where all of them are true."""
        first, *others = args
        for other in others:
            first = _broadcast(self.graph.node("And", first.name, other.name), [first, other], True)
        return first

    def chosen(self, condition: Made, x: Made | float, y: Made | float) -> Made:
        """The one where it is true, the other elsewhere."""
        given = [condition, self.number(x), self.number(y)]
        return _broadcast(self.graph.node("Where", *[arg.name for arg in given]), given)

    # ------------------------------------------------------------------------- rows that take more than an operator

    def _where(self, condition: Made | float, x: Made | float, y: Made | float) -> Made | float:
        if not isinstance(condition, Made):
            return x if condition else y
        return self.chosen(self.true(condition), x, y)

    def _square(self, x: Made) -> Made:
        return self.node("Mul", x, x)

    def _mod(self, x: Made | float, y: Made | float) -> Made:
        """The remainder with the divisor's sign, where C's has that of what is divided."""
        rest = self.node("Mod", x, y, fmod=1)
        zero = self.applied(TABLE["copysign"], [0.0, y])
        below = [self.node("Less", arg, 0.0) for arg in (y, rest)]
        other = _broadcast(self.graph.node("Xor", *[arg.name for arg in below]), below, True)
        return self.chosen(self.node("Equal", rest, 0.0), zero, self.chosen(other, self.node("Add", rest, y), rest))

    def _identity(self, x: Made) -> Made:
        return x

    _stop_gradient = _identity


def _attributes(op: Op, options: Sequence[float]) -> dict[str, Attribute]:
    """A row's options, or what else its operator must be told."""
    if op.name == "hardsigmoid":
        return {"alpha": 1.0 / 6.0, "beta": 0.5}
    return {"alpha": options[0]} if options else {}


def _broadcast(name: str, args: Sequence[Made], truth: bool = False) -> Made:
    """What is made of these, element by element."""
    return Made(name, max([arg.rows for arg in args]), any(arg.wide for arg in args), truth)
