"""Which optimizers are there? The table: for each a rule and a class, with PyTorch's names, defaults and numbers.

The class's signature is the one list of its options: `given(locals())` hands them on, and the rule finds them by name
in `o`. A class that stands here is public, found by name, documented and tested. To add one, write these two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.value import Value
from micrograd_plus.ops import table as ops
from micrograd_plus.optim.base import Optimizer, Update, given, keeping


def _shared(function: Any) -> Callable[..., Any]:
    """A function of floats, and NumPy's own for arrays: mp's takes care of more than these can be."""

    def call(*args: Any) -> Any:
        if type(args[0]) is float:
            return function(*args)
        import numpy as np

        return getattr(np, function.op.numpy)(*args)

    return call


_div, _maximum, _sign, _sqrt = map(_shared, (ops.div, ops.maximum, ops.sign, ops.sqrt))


@keeping
def sgd_rule(t: int, **o: Any) -> Update:
    """Gradient descent, with the momentum of Polyak 1964 or of Nesterov (Sutskever et al. 2013), as PyTorch has it."""
    lr, momentum, nesterov = o["lr"], o["momentum"], o["nesterov"]
    if momentum == 0.0:
        return lambda theta, g, b: (theta - lr * g, b)
    share = 1.0 if t == 1 else 1.0 - o["dampening"]  # the first gradient is taken whole

    def update(theta: Any, g: Any, b: Any) -> tuple[Any, ...]:
        b = momentum * b
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
        super().__init__(rule=sgd_rule, state=[0.0], **given(locals()))
        if nesterov and (momentum == 0 or dampening != 0):
            options = f"nesterov=True with momentum {momentum!r} and dampening {dampening!r}"
            raise ValueError(f"{type(self).__name__}: {options}; expected a momentum above 0 and a dampening of 0")


@keeping
def adagrad_rule(t: int, **o: Any) -> Update:
    """Duchi, Hazan and Singer 2011, figure 1 with diagonal matrices, and PyTorch's decay of the rate."""
    rate, eps = o["lr"] / (1.0 + (t - 1) * o["lr_decay"]), o["eps"]

    def update(theta: Any, g: Any, total: Any) -> tuple[Any, ...]:
        total = total + g * g
        root = _sqrt(total)
        root += eps
        return theta - rate * _div(g, root), total

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
        super().__init__(rule=adagrad_rule, state=[initial_accumulator_value], **given(locals()))


@keeping
def rmsprop_rule(t: int, **o: Any) -> Update:  # noqa: ARG001 - no step differs
    """Tieleman and Hinton 2012, lecture 6.5, slide 29; centered, with momentum: Graves 2013, equations 38 to 41.

    As in PyTorch, eps stands outside the root; Graves has it inside.
    """
    lr, alpha, eps, momentum, centered = o["lr"], o["alpha"], o["eps"], o["momentum"], o["centered"]

    def update(theta: Any, g: Any, v: Any, mean: Any, b: Any) -> tuple[Any, ...]:
        v = alpha * v
        v += (1.0 - alpha) * g * g
        if centered:
            mean = mean + (1.0 - alpha) * (g - mean)
        root = _sqrt(_maximum(v - mean * mean, 0.0) if centered else v)  # rounding may bring a variance below 0
        root += eps
        step = _div(g, root)
        if momentum:
            b = momentum * b
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
        super().__init__(rule=rmsprop_rule, state=[0.0] * 3, **given(locals()))


@keeping
def adam_rule(t: int, **o: Any) -> Update:
    """Kingma and Ba 2015, algorithm 1; AMSGrad after Reddi et al. 2018, algorithm 2, as PyTorch has it."""
    (beta1, beta2), amsgrad = o["betas"], o["amsgrad"]
    correction = math.sqrt(1.0 - beta2**t)
    rate = o["lr"] * correction / (1.0 - beta1**t)  # the correction of the root, too
    eps = o["eps"] * correction

    def update(theta: Any, g: Any, m: Any, v: Any, largest: Any) -> tuple[Any, ...]:
        m = m + (1.0 - beta1) * (g - m)
        v = beta2 * v
        v += (1.0 - beta2) * g * g
        largest = _maximum(largest, v) if amsgrad else v
        root = _sqrt(largest)
        root += eps
        return theta - rate * _div(m, root), m, v, largest

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
        super().__init__(rule=adam_rule, state=[0.0] * 3, **given(locals()))


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
        super().__init__(decoupled_weight_decay=True, **given(locals()))


@keeping
def adadelta_rule(t: int, **o: Any) -> Update:  # noqa: ARG001 - no step differs
    """Zeiler 2012, algorithm 1."""
    lr, rho, eps = o["lr"], o["rho"], o["eps"]

    def update(theta: Any, g: Any, v: Any, u: Any) -> tuple[Any, ...]:
        v = rho * v
        v += (1.0 - rho) * g * g
        delta = _div(_sqrt(u + eps), _sqrt(v + eps))
        delta *= g
        u = rho * u
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
        super().__init__(rule=adadelta_rule, state=[0.0] * 2, **given(locals()))


@keeping
def nadam_rule(t: int, **o: Any) -> Update:
    """Dozat 2016, with PyTorch's schedule of the momentum: mu(t) = beta1 · (1 - 0.96^(t · decay) / 2)."""
    (beta1, beta2), lr, eps, decay = o["betas"], o["lr"], o["eps"], o["momentum_decay"]

    def mu(t: int) -> float:
        return float(beta1 * (1.0 - 0.5 * math.pow(0.96, t * decay)))

    product = 1.0
    for i in range(1, t + 1):
        product *= mu(i)
        if product < 1e-20:  # 1 - product is 1 from here on
            break
    correction = 1.0 - beta2**t
    share_now = lr * (1.0 - mu(t)) / (1.0 - product)
    share_past = lr * mu(t + 1) / (1.0 - product * mu(t + 1))

    def update(theta: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m = m + (1.0 - beta1) * (g - m)
        v = beta2 * v
        v += (1.0 - beta2) * g * g
        root = _sqrt(v / correction)
        root += eps
        return theta - _div(share_now * g + share_past * m, root), m, v

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
        super().__init__(rule=nadam_rule, state=[0.0] * 2, **given(locals()))


@keeping
def radam_rule(t: int, **o: Any) -> Update:
    """Liu et al. 2020, algorithm 2; as in PyTorch, it adapts from an effective length above 5 on (the paper: 4)."""
    (beta1, beta2), eps = o["betas"], o["eps"]
    correction = 1.0 - beta2**t
    rate = o["lr"] / (1.0 - beta1**t)
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * t * beta2**t / correction
    if adaptive := length > 5.0:
        variance = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
        rate *= math.sqrt(variance * correction)

    def update(theta: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m = m + (1.0 - beta1) * (g - m)
        v = beta2 * v
        v += (1.0 - beta2) * g * g
        if not adaptive:
            return theta - rate * m, m, v
        root = _sqrt(v)
        root += eps
        return theta - rate * _div(m, root), m, v

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
        super().__init__(rule=radam_rule, state=[0.0] * 2, **given(locals()))


@keeping
def lion_rule(t: int, **o: Any) -> Update:  # noqa: ARG001 - no step differs
    """Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2."""
    (beta1, beta2), lr = o["betas"], o["lr"]

    def update(theta: Any, g: Any, m: Any) -> tuple[Any, ...]:
        step = _sign(beta1 * m + (1.0 - beta1) * g)
        m = beta2 * m
        m += (1.0 - beta2) * g
        return theta - lr * step, m

    return update


class Lion(Optimizer):
    """Each parameter moves by lr, along the sign of a blend of its gradient and a moving average of gradients.

    PyTorch has none: names and defaults are those of the paper's repository. All steps being as large, it wants a rate
    three to ten times smaller than Adam's, and a weight decay as many times larger.

    Arguments `params` and `lr` and errors are those of `Optimizer`.

    Args:
        betas: how much of the average is in the blend, and how much of it is kept at each step, from 0 up to, but not
            including, 1.
        weight_decay: each step shrinks theta by lr · weight_decay of itself, as in `AdamW`.

    >>> x = Value(1.0)
    >>> (x * x).backward()
    >>> Lion([x], lr=0.25).step()
    >>> x.data
    0.75
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(rule=lion_rule, state=[0.0], decoupled_weight_decay=True, **given(locals()))


OPTIMIZERS: dict[str, type[Any]] = {
    name.lower(): made
    for name, made in list(globals().items())
    if isinstance(made, type) and issubclass(made, Optimizer) and made is not Optimizer
}
"""The optimizers by name, in small letters: every one that stands above, as `by_name` knows them."""


def by_name(name: str, params: Iterable[Value], **options: Any) -> Optimizer:
    """The optimizer of that name, in capitals or not, with the options it takes.

    Args:
        name: that of a class, such as "sgd" or "adamw"; `OPTIMIZERS` has all.
        params: a list of the Values to step, as `model.parameters()` gives them.
        options: what the optimizer takes besides, by name, such as `lr`.

    Raises:
        ValueError: there is none; the error names the nearest.

    >>> by_name("adam", [Value(1.0)], lr=0.5).lr
    0.5
    """
    if not isinstance(name, str) or name.lower() not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    made: Optimizer = OPTIMIZERS[name.lower()](params, **options)
    return made


# what the room makes public by `import *`; a type checker reads the classes' names instead
globals()["__all__"] = ["OPTIMIZERS", "Optimizer", "by_name", *[made.__name__ for made in OPTIMIZERS.values()]]
