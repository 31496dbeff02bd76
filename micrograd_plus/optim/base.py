"""What do all optimizers share? Parameters, a rule that steps them, and what it remembers of each.

A rule is a plain function. Called once a step with the step's number and the options, it works out whatever is the same
for all parameters and returns the update of one: `update(theta, gradient, *state) -> (theta, *state)`. That is written
in arithmetic which floats and NumPy arrays share, so one rule steps a list of Values and a flat vector alike; `m += g`
makes a new float, but overwrites an array, which saves memory and time. Only state and what an update made itself may
be overwritten: an update gets copies of the state, so that a step can be undone, unless its rule is `keeping` it. An
optimizer is a rule, its options, and its state: one column of numbers for each thing it remembers of a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from micrograd_plus.engine.value import Value
from micrograd_plus.optim.ranges import checked, parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Update = Callable[..., tuple[Any, ...]]  # (theta, gradient, *state) -> (theta, *state)
Rule = Callable[..., Update]  # (t, *, lr, **options) -> the update of step t, which counts from 1


def keeping(rule: Rule) -> Rule:
    """Say of a rule that its updates overwrite no state, and so need no copies of it."""
    vars(rule)["keeping"] = True
    return rule


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a constructor was called with, from its `locals()`: so its signature is the one list of its options."""
    return {name: value for name, value in arguments.items() if name not in ("self", "__class__")}


class Optimizer:
    """Parameters, the rule that steps them, and what the rule remembers of each.

    Args:
        params: a list of the Values to step, as `model.parameters()` gives them.
        rule: a function of `(t, *, lr, **options)`, called once a step with its number from 1 on, which returns the
            update of one parameter, a function of `(theta, gradient, *state)` that returns the tuple `(theta, *state)`.
        lr: the learning rate: how far theta moves for each unit of the direction that the rule computes.
        state: for each thing that the rule remembers of a parameter, the number it starts with.
        weight_decay: adds weight_decay · theta to the gradient, the slope of a penalty on theta².
        decoupled_weight_decay: shrinks theta by lr · weight_decay instead (Loshchilov and Hutter 2019, algorithm 2).
        maximize: climb instead of descending.
        options: passed on to the rule, by name.

    Attributes:
        steps: how many were taken.
        initial_lr: the learning rate that the first schedule found; None before.

    Raises:
        TypeError: something in `params` is no Value, or an option is of the wrong type.
        ValueError: `params` is empty, holds a Value twice or a computed one, or an option is out of its range.

    >>> from micrograd_plus import sign
    >>> def signum(t, *, lr, momentum):  # Bernstein et al. 2018, algorithm 2
    ...     def update(theta, g, m):
    ...         m = momentum * m + (1 - momentum) * g
    ...         return theta - lr * sign(m), m
    ...     return update
    >>> x = Value(1.0)
    >>> optimizer = Optimizer([x], signum, lr=0.25, momentum=0.9, state=[0.0])
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (x * x).backward()
    ...     optimizer.step()
    >>> x.data
    0.25
    """

    def __init__(
        self,
        params: Iterable[Value],
        rule: Rule,
        lr: float,
        state: Iterable[float] = (),
        *,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **options: Any,
    ) -> None:
        name = type(self).__name__
        self.params = parameters(f"{name}(params)", params)
        self.rule = rule
        self._lr: float = checked(name, "lr", lr)
        self.initial_lr: float | None = None
        self.weight_decay: float = checked(name, "weight_decay", weight_decay)
        self.decoupled_weight_decay: bool = checked(name, "decoupled_weight_decay", decoupled_weight_decay)
        self.maximize: bool = checked(name, "maximize", maximize)
        self.options = {option: checked(name, option, value) for option, value in options.items()}
        self.state: list[Any] = [[float(start)] * len(self.params) for start in state]  # columns: sequences or arrays
        self.steps = 0

    @property
    def lr(self) -> float:
        """The learning rate of the next step; a schedule, or anybody, may write it.

        Raises:
            TypeError: what is written is no number.
            ValueError: it is negative or not finite.

        >>> from micrograd_plus.optim import SGD
        >>> optimizer = SGD([Value(1.0)], lr=0.5)
        >>> optimizer.lr /= 2
        >>> optimizer
        SGD(1 parameters, lr=0.25, ...)
        """
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = checked(type(self).__name__, "lr", lr)

    def step(self) -> None:
        """Move each parameter as the rule says from its `.grad`.

        Raises:
            ValueError: `params` was made longer or shorter.
        """
        update = self._next_update()
        columns = [column.tolist() if hasattr(column, "tolist") else column for column in self.state]
        thetas, gradients = [p._data for p in self.params], [p._grad for p in self.params]
        moved, *self.state = zip(*map(update, thetas, gradients, *columns))
        for parameter, theta in zip(self.params, moved):
            parameter.data = theta
        self.steps += 1

    def update(self, theta: ArrayLike, gradient: ArrayLike) -> NDArray[Any]:
        """The same step for a flat vector in the order of `params`, which are neither read nor written.

        Args:
            theta: the n parameters, an array (n,).
            gradient: the derivative by each of them, an array (n,).

        Returns:
            The parameters after the step, a float64 array (n,).

        Counts as a step, and remembers what `step` would: the two may take turns. `state` then holds arrays, which no
        later update overwrites.

        Raises:
            ValueError: `theta` or `gradient` has not one number for each parameter.

        >>> import numpy as np
        >>> from micrograd_plus.optim import SGD
        >>> optimizer = SGD([Value(0.0), Value(0.0)], lr=0.5)
        >>> optimizer.update(np.array([1.0, 2.0]), np.array([1.0, -1.0]))
        array([0.5, 2.5])
        """
        import numpy as np

        vectors = {"theta": np.asarray(theta, dtype=float), "gradient": np.asarray(gradient, dtype=float)}
        for which, vector in vectors.items():
            if vector.shape != (expected := (len(self.params),)):
                where = f"{type(self).__name__}.update: {which} of shape {vector.shape}"
                raise ValueError(f"{where}; expected {expected}, one number for each parameter")
        with np.errstate(all="ignore"):
            taken = np.asarray if getattr(self.rule, "keeping", False) else np.array  # the latter copies
            columns = [taken(column) for column in self.state]
            moved, *state = self._next_update()(*vectors.values(), *columns)
        theirs = {id(_memory(vector)) for vector in (*vectors.values(), moved)}  # the caller's, then or from now on
        self.state = [np.array(column) if id(_memory(column)) in theirs else column for column in state]
        self.steps += 1
        return np.asarray(moved, dtype=float)

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to 0, as before a new backward pass."""
        for parameter in self.params:
            parameter._grad = 0.0

    def _next_update(self) -> Update:
        """The rule's update for the coming step, within weight decay and the choice of direction."""
        if any(len(column) != len(self.params) for column in self.state):
            told = f"{type(self).__name__}: {len(self.params)} parameters, and a state of {len(self.state[0])}"
            raise ValueError(f"{told}; expected those it was made for: make another optimizer for others")
        update = self.rule(self.steps + 1, lr=self.lr, **self.options)
        if self.weight_decay and self.decoupled_weight_decay:
            update = _shrinking(update, 1.0 - self.lr * self.weight_decay)
        elif self.weight_decay:
            update = _decaying(update, self.weight_decay)
        return _climbing(update) if self.maximize else update

    def __copy__(self) -> Optimizer:
        copied: Optimizer = object.__new__(type(self))
        vars(copied).update(vars(self), state=list(self.state))  # no update overwrites the columns
        return copied

    def __repr__(self) -> str:
        always = {"lr": self.lr, **self.options, "weight_decay": self.weight_decay}
        flags = [f for f in ("decoupled_weight_decay", "maximize") if getattr(self, f)]
        shown = [f"{k}={v}" for k, v in always.items()] + [f"{f}=True" for f in flags]
        return f"{type(self).__name__}({len(self.params)} parameters, {', '.join(shown)})"


def _memory(column: Any) -> Any:
    """The array that holds the numbers of this one."""
    base = getattr(column, "base", None)
    return column if base is None else base


def _decaying(update: Update, weight_decay: float) -> Update:
    return lambda theta, g, *state: update(theta, g + weight_decay * theta, *state)


def _shrinking(update: Update, factor: float) -> Update:
    return lambda theta, g, *state: update(theta * factor, g, *state)


def _climbing(update: Update) -> Update:
    return lambda theta, g, *state: update(theta, -g, *state)
