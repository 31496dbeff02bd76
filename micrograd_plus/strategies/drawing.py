"""Hypothesis strategies: numbers, expressions and networks drawn at random, which shrink to ones that can be read.

>>> from hypothesis import find
>>> print(find(expressions(["add", "tanh"], max_nodes=4), lambda expression: "tanh" in expression.functions))
a = 0.0
b = mp.tanh(a)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from reprlib import repr as short_repr
from string import ascii_lowercase
from typing import Any

from hypothesis import strategies as st

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import MLP
from micrograd_plus.ops.rows import FUNCTIONS, HOME

Function = Callable[..., Any]

MARGIN = 0.05  # how far arguments stay from the ends of a domain, and from kinks by the row's own measure
LARGEST = 100.0  # of the numbers in an expression
STEEPEST = 1e4  # of the sums of absolute contributions, by which rounding errors grow
CONSTANTS = (2.0, 0.5, 3.0, -1.0, 1.5, -2.0, 0.1)
SIMPLE = (1.0, 0.5, 2.0, -0.5, 0.25, 1.5, 0.75, -1.5)  # leaves for a function that fits none of those there are
INFIX = {"add", "sub", "mul", "div", "mod", "pow"}  # a < b is a bool in Python: it is no node
SEVERAL = 4  # results that nothing uses yet: beyond these, the next operation uses one of them

# ------------------------------------------------------------------------------------------------------------- numbers


def values(min_value: float = -10.0, max_value: float = 10.0) -> st.SearchStrategy[Value]:
    """Leaves with ordinary numbers: finite, of about five digits; they shrink to the likes of 0.0, 1.0 and 0.5.

    Args:
        min_value: the smallest number that may occur.
        max_value: the largest.

    Raises:
        TypeError: a bound is no number.
        ValueError: a bound is not finite, or min_value is above max_value.

    >>> from hypothesis import find
    >>> find(values(), lambda x: x.data > 1)
    Value(data=2.0, grad=0.0)
    """
    low, high = number(min_value, "values: min_value ="), number(max_value, "values: max_value =")
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"values({min_value!r}, {max_value!r}): expected two finite numbers, the smaller one first")
    return st.builds(Value, _numbers(low, high))


@cache
def _numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of about five digits; nothing so small that its square is lost."""
    spread = max(abs(low), abs(high)) if high - low == math.inf else high - low
    digits = 5 - math.ceil(math.log10(spread)) if spread else 17
    return st.floats(low, high).map(lambda x: min(max(round(x, digits) + 0.0, low), high))


# --------------------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an expression: a function, what it is applied to, and its options.

    Args:
        function: one of the table.
        args: for each of its arguments the index of an earlier node (the inputs come first), or a constant, a float.
        options: its plain numbers, all of them in their order, or none for the defaults.

    >>> import micrograd_plus as mp
    >>> print(Expression((0.5,), (Step(mp.mul, (0, 2.0)), Step(mp.leaky_relu, (1,), options=(0.2,)))))
    a = 0.5
    b = a * 2.0
    c = mp.leaky_relu(b, negative_slope=0.2)
    """

    function: Function
    args: tuple[int | float, ...]
    options: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Expression:
    """A program of a few inputs that makes a graph; its text is the program.

    Args:
        inputs: the numbers it was drawn with, at which every operation is inside its domain.
        steps: its operations, a tuple of them in their order; the last one's result is the result.

    >>> import micrograd_plus as mp
    >>> f = Expression((0.5, 2.0), (Step(mp.mul, (0, 1)), Step(mp.tanh, (2,)), Step(mp.add, (2, 3))))
    >>> print(f)
    a, b = 0.5, 2.0
    c = a * b
    d = mp.tanh(c)
    e = c + d
    >>> f(0.5, 2.0)
    1.76159...
    >>> f(mp.Value(0.5), 2.0)
    Value(data=1.76159..., grad=0.0)
    >>> f.names, sorted(f.functions)
    (['a', 'b', 'c', 'd', 'e'], ['add', 'mul', 'tanh'])
    >>> f.nodes(0.0, 2.0)
    [0.0, 2.0, 0.0, 0.0, 0.0]
    >>> leaves, result = f.build()
    >>> result.backward()
    >>> leaves[1].grad == 0.5 + 0.5 * (1.0 - mp.tanh(1.0) ** 2)
    True
    """

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> Any:
        """The result at other inputs, as many as it has.

        Returns:
            A float if all inputs are, else a Value.

        Raises:
            TypeError: there are more inputs, or fewer.
        """
        return self.nodes(*inputs)[-1]

    def nodes(self, *inputs: Any) -> list[Any]:
        """The inputs, then the result of each step, in a list.

        Raises:
            TypeError: there are more inputs, or fewer.
        """
        if len(inputs) != len(self.inputs):
            raise TypeError(f"an expression of {', '.join(self.names[: len(self.inputs)])} got {len(inputs)} inputs")
        nodes = list(inputs)
        for step in self.steps:
            nodes.append(step.function(*[nodes[x] if isinstance(x, int) else x for x in step.args], *step.options))
        return nodes

    def build(self) -> tuple[list[Value], Value]:
        """New leaves with the inputs it was drawn with, a list of them, and the result: a graph of its own."""
        leaves = [Value(x, label=name) for x, name in zip(self.inputs, self.names)]
        result: Value = self(*leaves)
        return leaves, result

    @property
    def names(self) -> list[str]:
        """The variables of the program, as many as it has nodes: those of the inputs, then those of the steps."""
        return [
            ascii_lowercase[i % 26] + (str(i // 26) if i >= 26 else "")
            for i in range(len(self.inputs) + len(self.steps))
        ]

    @property
    def functions(self) -> set[str]:
        """The names of the functions in it."""
        return {_op(step.function).name for step in self.steps}

    def __len__(self) -> int:
        """How many nodes its graph has, leaves among them."""
        return len(self.inputs) + len(self.steps)

    def __repr__(self) -> str:
        names = self.names
        count = len(self.inputs)
        lines = [f"{', '.join(names[:count])} = {', '.join(map(repr, self.inputs))}"]
        lines += [f"{name} = {_written(step, names)}" for name, step in zip(names[count:], self.steps)]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's protocol, also Hypothesis's
        """The lines one under another, also inside a longer report."""
        for i, line in enumerate(repr(self).split("\n")):
            if i:
                printer.break_()
            printer.text(line)


def _op(function: Function) -> Op:
    op: Op = function.op  # type: ignore[attr-defined]
    return op


def _written(step: Step, names: Sequence[str]) -> str:
    op = _op(step.function)
    args = [names[x] if isinstance(x, int) else repr(x) for x in step.args]
    ours = step.function.__module__ == HOME
    if ours and op.name == "neg":
        return f"-{args[0]}"
    if ours and op.name in INFIX:
        if isinstance(step.args[0], float) and step.args[0] < 0.0:  # -1.0 ** a is -(1.0 ** a)
            args[0] = f"({args[0]})"
        return f"{args[0]} {op.symbol} {args[1]}"
    if step.options != tuple(op.options.values()):
        args += [f"{name}={x!r}" for name, x in zip(op.options, step.options)]
    return f"{'mp.' if ours else ''}{op.name}({', '.join(args)})"


def expressions(
    functions: str | Function | Iterable[str | Function] | None = None,
    *,
    min_nodes: int = 2,
    max_nodes: int = 20,
    max_leaves: int = 4,
    near_kinks: bool = False,
) -> st.SearchStrategy[Expression]:
    """Random graphs of shared nodes, as programs that shrink to short ones.

    Each operation is applied to nodes that lie inside its domain and away from its kinks, as its row in the table
    tells (`Op.domain`, `Op.kinks`). All numbers stay below 100 or so and derivatives below some 10⁴, so that
    gradients can be compared. Leaves lie between -3 and 3, or where a function needs them.

    Args:
        functions: which to use, by name or the functions themselves, primitives of yours too; None for all that the
            package has.
        min_nodes: how many nodes a graph has at least, leaves among them; but fewer where the functions allow no more:
            a logarithm of a logarithm soon has no logarithm.
        max_nodes: how many it has at most.
        max_leaves: how many leaves at most.
        near_kinks: whether arguments may lie near kinks and on them, as 0 of relu; never at poles.

    Returns:
        A strategy for `Expression`.

    Raises:
        TypeError: a function is none of the table, or a size is no whole number.
        ValueError: no function of that name is known, there are none, or a size is too small.

    >>> from hypothesis import find
    >>> print(find(expressions(["mul", "sin"], max_nodes=4), lambda expression: "sin" in expression.functions))
    a = 0.0
    b = mp.sin(a)
    """
    chosen = _chosen(functions)
    least = whole("expressions", "min_nodes", min_nodes)
    most = whole("expressions", "max_nodes", max_nodes, least=max(2, least), hint=", and of min_nodes")
    leaves = whole("expressions", "max_leaves", max_leaves)
    return _expressions(chosen, least, most, leaves, bool(near_kinks))


def _chosen(functions: str | Function | Iterable[str | Function] | None) -> tuple[Function, ...]:
    if functions is None:
        return tuple([function for function in FUNCTIONS.values() if function.__module__ == HOME])
    listed = [functions] if isinstance(functions, str) or callable(functions) else list(functions)
    if not listed:
        raise ValueError("expressions(functions=[]): expected at least one function, or None for all of them")
    found: list[Function] = []
    for function in listed:
        if isinstance(function, str):
            if function not in FUNCTIONS:
                raise unknown("function", function, FUNCTIONS)
            found.append(FUNCTIONS[function])
        elif isinstance(getattr(function, "op", None), Op):
            found.append(function)
        else:
            wanted = "expected a name such as 'tanh', a function such as mp.tanh, or one that mp.primitive made"
            raise TypeError(f"expressions(functions=[{short_repr(function)}]): {wanted}")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A step as it is drawn, before one knows what nodes there will be."""

    function: Function
    picks: tuple[int, ...]  # each counts from the newest node that fits, so that 0 goes on with the last result
    options: tuple[float, ...]
    constant: tuple[int, float] | None = None  # in place of a node: which argument, and the number
    leaf: tuple[int, float] | None = None  # likewise a new leaf


@st.composite
def _wishes(draw: st.DrawFn, functions: tuple[Function, ...], most: int) -> _Wish:
    function = draw(st.sampled_from(_weighted(functions)))
    arity = _arity(function)
    picks = tuple([draw(st.integers(0, most)) for _ in range(arity)])
    options = draw(_options(_defaults(function)))
    kind = draw(st.integers(0, 5)) if arity > 1 else 0
    if kind < 4:
        return _Wish(function, picks, options)
    place = draw(st.integers(0, arity - 1))
    if kind == 4:
        return _Wish(function, picks, options, constant=(place, draw(st.sampled_from(CONSTANTS))))
    return _Wish(function, picks, options, leaf=(place, draw(_numbers(-3.0, 3.0))))


@cache
def _weighted(functions: tuple[Function, ...]) -> tuple[Function, ...]:
    """Functions of steps four times less often: in a long program a few of them stop every gradient."""
    flat = [f for f in functions if _op(f).flat]
    return (*[f for f in functions if f not in flat] * 4, *flat)


@cache
def _options(defaults: tuple[float, ...]) -> st.SearchStrategy[tuple[float, ...]]:
    """Mostly the defaults; else all of them doubled or halved, and bounds that were infinite finite."""

    def scaled(scale: float) -> tuple[float, ...]:
        return tuple([x * scale if math.isfinite(x) else math.copysign(scale, x) for x in defaults])

    return st.sampled_from([defaults] * 6 + [scaled(2.0), scaled(0.5)]) if defaults else st.just(())


@st.composite
def _expressions(
    draw: st.DrawFn, functions: tuple[Function, ...], least: int, most: int, max_leaves: int, near_kinks: bool
) -> Expression:
    program = _Program(functions, most, max_leaves, near_kinks)
    program.add(draw(_numbers(-3.0, 3.0)))
    wishes = _wishes(functions, most)
    for _ in range(draw(st.integers(least - 1, most - 1))):  # a list is short, or hardly shrinks
        program.grant(draw(wishes))
    program.fill(least)
    program.join()
    return program.expression()


class _Program:
    """An expression while it is made: each node has its number, and a bound on how errors have grown in it."""

    def __init__(self, functions: Sequence[Function], most: int, max_leaves: int, near_kinks: bool) -> None:
        self.functions = functions
        self.joins = sorted([f for f in functions if _arity(f) == 2], key=lambda f: _op(f).name != "add")
        self.most, self.max_leaves, self.near_kinks = most, max_leaves, near_kinks
        self.data: list[float] = []
        self.growth: list[float] = []
        self.steps: list[Step | None] = []  # None for a leaf
        self.loose: dict[int, None] = {}  # the nodes that nothing uses yet, oldest first

    def add(self, data: float, step: Step | None = None, growth: float = 1.0) -> int:
        """A new node, the result of a step or a leaf; get its index."""
        for node in step.args if step else ():
            if isinstance(node, int):
                self.loose.pop(node, None)
        self.loose[len(self.data)] = None
        self.data.append(data)
        self.steps.append(step)
        self.growth.append(growth)
        return len(self.data) - 1

    def drop_leaf(self) -> None:
        """Take back the last node, a leaf that nothing uses."""
        for column in (self.data, self.steps, self.growth):
            column.pop()
        self.loose.popitem()

    @property
    def room(self) -> int:
        """How many nodes may still be added: each loose one but the last will take another to join it."""
        return self.most - len(self.data) - len(self.loose) + 1

    def grant(self, wish: _Wish) -> bool:
        """Add the wished step if it fits some nodes, or else a new leaf; or don't."""
        if self.room < 1:
            return False
        if wish.leaf and self.apply_to_leaf(wish, *wish.leaf):
            return True
        if (wish.constant and self.apply(wish, dict([wish.constant]))) or self.apply(wish, {}):
            return True
        places = range(_arity(wish.function))
        if len(self.data) == 1 and len(places) == 1:  # the first leaf is good for nothing
            self.drop_leaf()
        start = wish.picks[0] % len(SIMPLE)
        simple = (*SIMPLE[start:], *SIMPLE[:start])
        tries = [(i, x) for i in places for x in _in_interval(simple, *_op(wish.function).domain[i])]
        if any(self.apply_to_leaf(wish, i, x) for i, x in tries):
            return True
        if len(self.data) <= 1:  # nothing goes with the first leaf: begin with another one
            for first in [x for _, x in tries] or [0.0]:
                if self.data:
                    self.drop_leaf()
                self.add(first)
                if self.apply(wish, {}) or any(self.apply_to_leaf(wish, i, x) for i, x in tries):
                    return True
        return False

    def apply_to_leaf(self, wish: _Wish, place: int, data: float) -> bool:
        """Add a leaf and the wished step of it, if both may be and the leaf can be joined to the rest."""
        leaves = self.steps.count(None)
        if leaves and (not self.joins or self.room < 3 or leaves == self.max_leaves):
            return False
        if self.apply(wish, {place: self.add(data)}):
            return True
        self.drop_leaf()
        return False

    def apply(self, wish: _Wish, given: dict[int, int | float]) -> bool:
        """Add the wished step with some arguments given, the others as they are picked; False where none fit."""
        arity, domain = _arity(wish.function), _op(wish.function).domain
        newest = range(len(self.data) - 1, -1, -1)
        # with little room, or no way to join results later, the step goes on from one that nothing uses yet
        narrow = self.room == 1 or not self.joins or len(self.loose) > SEVERAL
        if any(isinstance(x, int) for x in given.values()):
            narrow = False  # it goes on from a new leaf
        choices: list[Iterable[int | float]] = []
        for i in range(arity):
            if i in given:
                choices.append((given[i],))
                continue
            pool = list(reversed(self.loose)) if narrow else newest
            narrow = False
            pick = wish.picks[i % len(wish.picks)] % len(pool)
            inside = (x for x in (*pool[pick:], *pool[:pick]) if _is_inside(self.data[x], *domain[i]))
            choices.append(inside if i == arity - 1 else islice(inside, 3))
        return any(self.add_step(Step(wish.function, args, wish.options)) for args in product(*choices))

    def add_step(self, step: Step, slack: float = 1.0) -> bool:
        """Add a step, unless it is outside its domain, near a kink, too large or too steep."""
        op = _op(step.function)
        args = [self.data[x] if isinstance(x, int) else x for x in step.args]
        numbers = (*args, *step.options)
        if not all(_is_inside(x, *interval) for x, interval in zip(args, op.domain)):
            return False
        if not self.near_kinks and op.kinks is not None and not abs(op.kinks(*numbers)) >= MARGIN:
            return False
        out = op.forward(*numbers) if op.forward else math.nan
        if not abs(out) <= slack * LARGEST:
            return False
        growth = 1.0
        for x, partial, mask in zip(step.args, op.partials, op.masks):
            if isinstance(x, int) and partial is not None and (mask is None or mask(out, *numbers)):
                growth += abs(float(partial(out, *numbers))) * self.growth[x]
        if growth <= slack * STEEPEST:
            self.add(out, step, growth)
            return True
        return False

    def fill(self, least: int) -> None:
        """Go on with whatever fits until there are so many nodes, or nothing fits."""
        wishes = [_Wish(function, (0,), _defaults(function)) for function in self.functions]
        while len(self.data) + len(self.loose) - 1 < least:
            if not any(self.grant(wish) for wish in wishes):
                return

    def join(self) -> None:
        """Make one result of all."""
        *others, result = self.loose
        for other in reversed(others):
            steps = [Step(f, args, _defaults(f)) for f in self.joins for args in ((result, other), (other, result))]
            if any(self.add_step(step, slack=10.0) for step in steps):
                result = len(self.data) - 1

    def expression(self) -> Expression:
        """What the last node needs: inputs first, then the steps in order."""
        used = {len(self.data) - 1}
        for node in range(len(self.data) - 1, -1, -1):
            if node in used and (step := self.steps[node]):
                used.update([x for x in step.args if isinstance(x, int)])
        order = sorted(used, key=lambda node: (self.steps[node] is not None, node))
        place = {node: i for i, node in enumerate(order)}
        steps = []
        for step in [self.steps[node] for node in order]:
            if step:
                args = tuple([place[x] if isinstance(x, int) else x for x in step.args])
                steps.append(Step(step.function, args, step.options))
        return Expression(tuple([self.data[node] for node in order if self.steps[node] is None]), tuple(steps))


def _arity(function: Function) -> int:
    return len(_op(function).partials) - len(_op(function).options)


def _defaults(function: Function) -> tuple[float, ...]:
    return tuple(_op(function).options.values())


def _in_interval(numbers: Iterable[float], low: float, high: float) -> list[float]:
    """Those of the numbers that lie in an open interval, and a few of its own."""
    own = [low + 1.0, low + 2.0, high - 1.0, high - 2.0]
    if math.isfinite(high - low):
        own += [low + (high - low) * part for part in (0.5, 0.25, 0.75)]
    return [x for x in (*numbers, *own) if _is_inside(x, low, high)]


def _is_inside(x: float, low: float, high: float) -> bool:
    margin = min(MARGIN, 0.1 * (high - low))
    return low + margin < x < high - margin


# ------------------------------------------------------------------------------------------------------------ networks


def mlps(
    max_inputs: int = 3,
    max_layers: int = 3,
    max_width: int = 3,
    *,
    activations: Sequence[str] = ("relu", "tanh", "sigmoid", "linear"),
) -> st.SearchStrategy[MLP]:
    """Small networks; a failing test shows the call that makes its network, and shrinks to the smallest.

    Args:
        max_inputs: how many inputs at most.
        max_layers: how many layers at most.
        max_width: how many neurons a layer has at most.
        activations: a list of names of functions of one argument: the hidden layers take one, the last layer another.

    Raises:
        TypeError: a size is no whole number.
        ValueError: a size is below 1, or no activation is given, or one is unknown.

    >>> from hypothesis import find
    >>> find(mlps(), lambda model: True)
    MLP of [Layer of [ReLUNeuron(1)]]
    """
    width = whole("mlps", "max_width", max_width)
    if isinstance(activations, str) or not activations:
        raise ValueError(f"mlps(activations={activations!r}): expected a list of names, such as ['relu', 'tanh']")
    for activation in activations:
        MLP(1, [1], activation=activation, seed=0)  # a wrong name is told now
    return st.builds(
        MLP,
        st.integers(1, whole("mlps", "max_inputs", max_inputs)),
        st.lists(st.integers(1, width), min_size=1, max_size=whole("mlps", "max_layers", max_layers)),
        activation=st.sampled_from(activations),
        output=st.sampled_from(activations),
        seed=st.integers(0, 999),
    )


st.register_type_strategy(Expression, expressions())
