"""How does one write a node's rule, its local derivative and its value, by the names of what it is made of?"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import POW, Op, refused
from micrograd_plus.engine.recording import Block, enable_grad, watching
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import DUST, enclosed, short
from micrograd_plus.formulas.reading import aloud, raised, sign

NONE_OLD: Identities[Value, float] = Identities()
_LONG = 60  # a longer derivative is named, not written: sinc'(x)


def grouped(text: str) -> str:
    """A formula as a factor: in parentheses, unless it is one name, number or call.

    >>> grouped("b"), grouped("2 × x"), grouped("cos(2 × x)²")
    ('b', '(2 × x)', 'cos(2 × x)²')
    """
    return text if re.fullmatch(r"[^\s()+*/-]+(\([^()]*\)[⁰-⁹¹²³⁻]*)?", text) else f"({text})"


def local_formula(node: Value, place: int, names: Mapping[Value, str]) -> str:
    """∂node/∂argument as text; "" where it is a constant, sinc'(x) where it is long."""
    op, args = rule(node), node.args
    with enable_grad(), Block(watching, None):
        values = [each for each in (node, *args) if isinstance(each, Value)]
        marks = Identities((each, Value(each.data, label=names[each])) for each in values)
        at = [marks[arg] if isinstance(arg, Value) else arg for arg in args]
        slope = op.partials[place](marks[node], *at)  # type: ignore[misc]  # a Value's partial is never None
        text = aloud(slope) if isinstance(slope, Value) else ""
    if not isinstance(slope, Value) or (text and len(text) <= _LONG):
        return text
    called = [names[arg] if isinstance(arg, Value) else short(arg) for arg in args]
    return f"{op.name}{chr(39) if len(args) == 1 else f'_{place + 1}'}({', '.join(called)})"


def parts(node: Value) -> list[str | int]:
    """How a node is written: text, and in it the places of the arguments that are Values.

    >>> import micrograd_plus as mp
    >>> x = mp.Value(2.0)
    >>> parts(3.0 * x), parts(x**2), parts(mp.clamp(x, 0.0))
    (['3.0 × ', 1], [0, '²'], ['clamp(', 0, ', min=0.0)'])
    """
    op, args = node.op, node.args
    if op is None:
        return []
    written: list[str | int] = [i if isinstance(arg, Value) else enclosed(arg) for i, arg in enumerate(args)]
    count = len(args) - len(op.options)
    if op.symbol not in ("", op.name) and not op.options and count in (1, 2):
        pieces = [op.symbol, *written] if count == 1 else [written[0], f" {sign(op.symbol)} ", written[1]]
        if op is POW:
            exponent = args[1]
            pieces = [written[0], *(["^", 1] if isinstance(exponent, Value) else [raised(exponent)])]
    else:
        commas: list[str | int] = [piece for each in written[:count] for piece in (", ", each)]
        given = zip(op.options.items(), args[count:])
        options = [f", {name}={short(float(x))}" for (name, usual), x in given if x != usual]
        pieces = [f"{op.name}(", *commas[1:], *options, ")"]
    joined: list[str | int] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def forward_text(
    node: Value, names: Mapping[Value, str], dusty: Container[Value] = (), old: Mapping[Value, float] = NONE_OLD
) -> str:
    """How a value came about: its formula, the same with numbers, and the result.

    Args:
        node: whose value it is.
        names: what the nodes are called.
        dusty: the nodes whose values are nothing but what rounding left.
        old: the nodes that hold another number than what their arguments give now, with the latter.
    """
    given = {i: arg for i, arg in enumerate(node.args) if isinstance(arg, Value)}
    numbers = {i: DUST if arg in dusty else enclosed(arg.data) for i, arg in given.items()}
    in_words = "".join([names[given[x]] if isinstance(x, int) else x for x in parts(node)])
    in_numbers = "".join([numbers[x] if isinstance(x, int) else x for x in parts(node)])
    result = f"{DUST} ({short(node.data)}, left by rounding)" if node in dusty else short(node.data)
    if short(old.get(node, node.data)) != short(node.data):
        result = f"{short(old[node])}, but {names[node]}.data is {result}, from before data were written"
    return f"{names[node]} = {in_words} = {in_numbers} = {result}"


def rule(node: Value) -> Op:
    """The row of a node that an operation made.

    Raises:
        TypeError: its rule was set by hand.
    """
    if node.op is None or node.op.forward is None:
        raise refused(node, "backprop can write only rules that stand in the table; make it with mp.primitive")
    return node.op
