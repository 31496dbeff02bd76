"""Optimizers: how a gradient becomes a step, with PyTorch's names, defaults and numbers.

A rule is a plain function. Called once a step with the step's number and the options, it works out whatever is the same
for all parameters and returns the update of one: `update(theta, gradient, *state) -> (theta, *state)`. That is written
in arithmetic which floats and NumPy arrays share, so one rule steps a list of Values and a flat vector alike; `m += g`
makes a new float, but overwrites an array, which saves memory and time. Only state and what an update made itself may
be overwritten. An optimizer is a rule, its options, and its state: one column of numbers for each thing it remembers of
a parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.value import Value
from micrograd_plus.ops import table as ops
from micrograd_plus.optim.ranges import checked, parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Update = Callable[..., tuple[Any, ...]]  # (theta, gradient, *state) -> (theta, *state)
Rule = Callable[..., Update]  # (t, *, lr, **options) -> the update of step t, which counts from 1


def _shared(function: Any) -> Callable[..., Any]:
    """A function of floats, and NumPy's own for arrays: mp's takes care of more than these can be."""

    def call(*args: Any) -> Any:
        if type(args[0]) is float:
            return function(*args)
        import numpy as np

        return getattr(np, function.op.numpy)(*args)

    return call


div, maximum, sqrt = _shared(ops.div), _shared(ops.maximum), _shared(ops.sqrt)


class Optimizer:
    """Parameters, the rule that steps them, and what the rule remembers of each.

    Args:
        params: a list of the Values to step, as `model.parameters()` gives them.
        rule: a function of `(t, *, lr, **options)`, called once a step with its number from 1 on, which returns the
            update of one parameter, a function of `(theta, gradient, *state)` that returns the tuple `(theta, *state)`.
        lr: the learning rate, in units of theta per unit of what the rule makes of a gradient.
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
    >>> def lion(t, *, lr, betas):  # Chen et al. 2023
    ...     def update(theta, g, m):
    ...         step = sign(betas[0] * m + (1 - betas[0]) * g)
    ...         return theta - lr * step, betas[1] * m + (1 - betas[1]) * g
    ...     return update
    >>> x = Value(1.0)
    >>> optimizer = Optimizer([x], lion, lr=0.25, betas=(0.9, 0.99), state=[0.0])
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
        self._own: list[Any] = []  # the columns that `update` made, and may overwrite
        self.steps = 0

    @property
    def lr(self) -> float:
        """The learning rate of the next step; a schedule, or anybody, may write it.

        Raises:
            TypeError: what is written is no number.
            ValueError: it is negative or not finite.

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
        """Move each parameter by what the rule makes of its `.grad`."""
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

        Counts as a step, and remembers what `step` would: the two may take turns. `state` then holds arrays, which the
        next update overwrites.

        Raises:
            ValueError: `theta` or `gradient` has not one number for each parameter.

        >>> import numpy as np
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
            columns = [column if any(column is own for own in self._own) else np.array(column) for column in self.state]
            moved, *self.state = self._next_update()(*vectors.values(), *columns)
        self._own = list(self.state)
        self.steps += 1
        return np.asarray(moved, dtype=float)

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to 0, as before a new backward pass."""
        for parameter in self.params:
            parameter._grad = 0.0

    def _next_update(self) -> Update:
        """The rule's update for the coming step, within weight decay and the choice of direction."""
        update = self.rule(self.steps + 1, lr=self._lr, **self.options)
        if self.weight_decay and self.decoupled_weight_decay:
            update = _shrinking(update, 1.0 - self._lr * self.weight_decay)
        elif self.weight_decay:
            update = _decaying(update, self.weight_decay)
        return _climbing(update) if self.maximize else update

    def __repr__(self) -> str:
        always = {"lr": self._lr, **self.options, "weight_decay": self.weight_decay}
        flags = [f for f in ("decoupled_weight_decay", "maximize") if getattr(self, f)]
        shown = [f"{k}={v}" for k, v in always.items()] + [f"{f}=True" for f in flags]
        return f"{type(self).__name__}({len(self.params)} parameters, {', '.join(shown)})"


def _decaying(update: Update, weight_decay: float) -> Update:
    return lambda theta, g, *state: update(theta, g + weight_decay * theta, *state)


def _shrinking(update: Update, factor: float) -> Update:
    return lambda theta, g, *state: update(theta * factor, g, *state)


def _climbing(update: Update) -> Update:
    return lambda theta, g, *state: update(theta, -g, *state)


# ------------------------------------------------------------------------------------------- the optimizers, rule first


def sgd_rule(t: int, *, lr: float, momentum: float, dampening: float, nesterov: bool) -> Update:
    """Gradient descent, with the momentum of Polyak 1964 or of Nesterov (Sutskever et al. 2013), as PyTorch has it."""
    if momentum == 0.0:
        return lambda theta, g, b: (theta - lr * g, b)
    share = 1.0 if t == 1 else 1.0 - dampening  # the first gradient is taken whole

    def update(theta: Any, g: Any, b: Any) -> tuple[Any, ...]:
        b *= momentum
        b += share * g
        return theta - lr * (g + momentum * b if nesterov else b), b

    return update


class SGD(Optimizer):
    """Gradient descent: theta - lr · gradient; stochastic when the gradient is that of a sample.

    Arguments `params`, `lr`, `weight_decay` and `maximize` and errors are those of `Optimizer`.

    Args:
        momentum: how much of the last step's velocity is kept, at least 0.
        dampening: how much of a new gradient is left out of the velocity.
        nesterov: look ahead along the velocity; it is a ValueError without a momentum, or with a dampening.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> SGD([x], lr=0.25).step()
    >>> x.data
    0.5
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, sgd_rule, lr, [0.0], weight_decay=weight_decay, maximize=maximize,
            momentum=momentum, dampening=dampening, nesterov=nesterov,
        )  # fmt: skip
        if nesterov and (momentum == 0 or dampening != 0):
            given = f"nesterov=True with momentum {momentum!r} and dampening {dampening!r}"
            raise ValueError(f"{type(self).__name__}: {given}; expected a momentum above 0 and a dampening of 0")


def adagrad_rule(t: int, *, lr: float, lr_decay: float, eps: float) -> Update:
    """Duchi, Hazan and Singer 2011, figure 1 with diagonal matrices, and PyTorch's decay of the rate."""
    rate = lr / (1.0 + (t - 1) * lr_decay)

    def update(theta: Any, g: Any, total: Any) -> tuple[Any, ...]:
        total += g * g
        root = sqrt(total)
        root += eps
        return theta - rate * div(g, root), total

    return update


class Adagrad(Optimizer):
    """Each step divided by the root of the sum of all squared gradients so far.

    Arguments `params`, `lr`, `weight_decay` and `maximize` and errors are those of `Optimizer`.

    Args:
        lr_decay: step t has the rate lr / (1 + (t - 1) · lr_decay).
        initial_accumulator_value: what the sum of squares starts with.
        eps: added to the root, against division by 0.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> Adagrad([x], lr=0.25).step()
    >>> print(f"{x:.6f}")
    0.750000
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        start = checked(type(self).__name__, "initial_accumulator_value", initial_accumulator_value)
        super().__init__(
            params, adagrad_rule, lr, [start], weight_decay=weight_decay, maximize=maximize, lr_decay=lr_decay, eps=eps
        )


def rmsprop_rule(t: int, *, lr: float, alpha: float, eps: float, momentum: float, centered: bool) -> Update:  # noqa: ARG001 - no step differs
    """Tieleman and Hinton 2012, lecture 6.5, slide 29; centered, with momentum: Graves 2013, equations 38 to 41.

    As in PyTorch, eps stands outside the root; Graves has it inside.
    """

    def update(theta: Any, g: Any, v: Any, mean: Any, b: Any) -> tuple[Any, ...]:
        v *= alpha
        v += (1.0 - alpha) * g * g
        if centered:
            mean += (1.0 - alpha) * (g - mean)
        root = sqrt(maximum(v - mean * mean, 0.0) if centered else v)  # rounding may bring a variance below 0
        root += eps
        step = div(g, root)
        if momentum:
            b *= momentum
            b += step
        return theta - lr * (b if momentum else step), v, mean, b

    return update


class RMSprop(Optimizer):
    """Each step divided by the root of a moving average of squared gradients.

    Arguments `params`, `lr`, `weight_decay` and `maximize` and errors are those of `Optimizer`.

    Args:
        alpha: how much of an average is kept at each step, from 0 to 1.
        eps: added to the root, against division by 0.
        momentum: how much of the last step's velocity is kept, at least 0.
        centered: divide by the gradient's standard deviation instead.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> RMSprop([x], lr=0.025).step()
    >>> print(f"{x:.6f}")
    0.750000
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, rmsprop_rule, lr, [0.0] * 3, weight_decay=weight_decay, maximize=maximize,
            alpha=alpha, eps=eps, momentum=momentum, centered=centered,
        )  # fmt: skip


def adam_rule(t: int, *, lr: float, betas: tuple[float, float], eps: float, amsgrad: bool) -> Update:
    """Kingma and Ba 2015, algorithm 1; AMSGrad after Reddi et al. 2018, algorithm 2, as PyTorch has it."""
    beta1, beta2 = betas
    correction = math.sqrt(1.0 - beta2**t)
    rate = lr * correction / (1.0 - beta1**t)  # the correction of the root, too

    def update(theta: Any, g: Any, m: Any, v: Any, largest: Any) -> tuple[Any, ...]:
        m += (1.0 - beta1) * (g - m)
        v *= beta2
        v += (1.0 - beta2) * g * g
        largest = maximum(largest, v) if amsgrad else v
        root = sqrt(largest)
        root += eps * correction
        return theta - rate * div(m, root), m, v, largest

    return update


class Adam(Optimizer):
    """A moving average of gradients, divided by the root of one of their squares, both corrected for starting at 0.

    Arguments `params`, `lr`, `weight_decay`, `maximize` and `decoupled_weight_decay` and errors are those of
    `Optimizer`.

    Args:
        betas: how much of the two averages is kept at each step, from 0 up to, but not including, 1.
        eps: added to the root, against division by 0.
        amsgrad: divide by the largest average of squares so far.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> Adam([x], lr=0.25).step()
    >>> print(f"{x:.6f}")
    0.750000
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params, adam_rule, lr, [0.0] * 3, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay, betas=betas, eps=eps, amsgrad=amsgrad,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    Arguments `params`, `lr`, `betas`, `eps`, `amsgrad` and `maximize` are those of `Adam`, errors are those of
    `Optimizer`.

    Args:
        weight_decay: each step shrinks theta by lr · weight_decay of itself.

    >>> x = Value(1.0)
    >>> AdamW([x], lr=0.5, weight_decay=0.5).step()
    >>> x.data
    0.75
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


def adadelta_rule(t: int, *, lr: float, rho: float, eps: float) -> Update:  # noqa: ARG001 - no step differs
    """Zeiler 2012, algorithm 1."""

    def update(theta: Any, g: Any, v: Any, u: Any) -> tuple[Any, ...]:
        v *= rho
        v += (1.0 - rho) * g * g
        delta = div(sqrt(u + eps), sqrt(v + eps))
        delta *= g
        u *= rho
        u += (1.0 - rho) * delta * delta
        return theta - lr * delta, v, u

    return update


class Adadelta(Optimizer):
    """Each step scaled by the root of the moving averages of squared steps over that of squared gradients.

    Arguments `params`, `lr`, `weight_decay` and `maximize` and errors are those of `Optimizer`.
    Here `lr` scales what the rule finds by itself.

    Args:
        rho: how much of an average is kept at each step, from 0 to 1.
        eps: added to both averages; it gets the first step going.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> Adadelta([x]).step()
    >>> print(f"{x:.6f}")
    0.996838
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, adadelta_rule, lr, [0.0] * 2, weight_decay=weight_decay, maximize=maximize, rho=rho, eps=eps
        )


def nadam_rule(t: int, *, lr: float, betas: tuple[float, float], eps: float, momentum_decay: float) -> Update:
    """Dozat 2016, with PyTorch's schedule of the momentum: mu(t) = beta1 · (1 - 0.96^(t · decay) / 2)."""
    beta1, beta2 = betas

    def mu(t: int) -> float:
        return beta1 * (1.0 - 0.5 * math.pow(0.96, t * momentum_decay))

    product = 1.0
    for i in range(1, t + 1):
        product *= mu(i)
        if product < 1e-20:  # 1 - product is 1 from here on
            break
    correction = 1.0 - beta2**t
    share_now = lr * (1.0 - mu(t)) / (1.0 - product)
    share_past = lr * mu(t + 1) / (1.0 - product * mu(t + 1))

    def update(theta: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m += (1.0 - beta1) * (g - m)
        v *= beta2
        v += (1.0 - beta2) * g * g
        root = sqrt(v / correction)
        root += eps
        return theta - div(share_now * g + share_past * m, root), m, v

    return update


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which looks one step ahead.

    PyTorch keeps the product of the momenta in its default dtype: the numbers are its own to 1e-9 under
    `torch.set_default_dtype(torch.float64)`, and to some six digits under float32, whatever dtype the parameters have.

    Arguments `params`, `lr`, `weight_decay`, `maximize` and `decoupled_weight_decay` and errors are those of
    `Optimizer`.

    Args:
        betas: how much of the two averages is kept at each step, from 0 up to, but not including, 1.
        eps: added to the root, against division by 0.
        momentum_decay: how fast the momentum grows from half of betas[0] to the whole of it.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> NAdam([x], lr=0.25).step()
    >>> print(f"{x:.6f}")
    0.735887
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, nadam_rule, lr, [0.0] * 2, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay, betas=betas, eps=eps, momentum_decay=momentum_decay,
        )  # fmt: skip


def radam_rule(t: int, *, lr: float, betas: tuple[float, float], eps: float) -> Update:
    """Liu et al. 2020, algorithm 2; as in PyTorch, it adapts from an effective length above 5 on (the paper: 4)."""
    beta1, beta2 = betas
    correction = 1.0 - beta2**t
    rate = lr / (1.0 - beta1**t)
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * t * beta2**t / correction
    if adaptive := length > 5.0:
        variance = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
        rate *= math.sqrt(variance * correction)

    def update(theta: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m += (1.0 - beta1) * (g - m)
        v *= beta2
        v += (1.0 - beta2) * g * g
        if not adaptive:
            return theta - rate * m, m, v
        root = sqrt(v)
        root += eps
        return theta - rate * div(m, root), m, v

    return update


class RAdam(Optimizer):
    """Adam that waits with dividing until its average of squares is worth something, and then does so by degrees.

    Arguments `params`, `lr`, `weight_decay`, `maximize` and `decoupled_weight_decay` and errors are those of
    `Optimizer`.

    Args:
        betas: how much of the two averages is kept at each step, from 0 up to, but not including, 1.
        eps: added to the root, against division by 0.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> RAdam([x], lr=0.25).step()
    >>> print(f"{x:.6f}")
    0.500000
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, radam_rule, lr, [0.0] * 2, weight_decay=weight_decay, maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay, betas=betas, eps=eps,
        )  # fmt: skip


OPTIMIZERS: dict[str, type[SGD | Adagrad | RMSprop | Adam | Adadelta | NAdam | RAdam]] = {
    made.__name__.lower(): made for made in (SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, NAdam, RAdam)
}
"""The optimizers by name, in small letters: those that `by_name` knows."""


def by_name(name: str, params: Iterable[Value], **options: Any) -> Optimizer:
    """The optimizer of that name, in capitals or not, with the options it takes.

    Args:
        name: "sgd", "adagrad", "rmsprop", "adam", "adamw", "adadelta", "nadam" or "radam".
        params: a list of the Values to step, as `model.parameters()` gives them.
        options: what the optimizer takes besides, by name, such as `lr`.

    Raises:
        ValueError: there is none; the error names the nearest.

    >>> by_name("adam", [Value(1.0)], lr=0.5).lr
    0.5
    """
    if not isinstance(name, str) or name.lower() not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name.lower()](params, **options)
