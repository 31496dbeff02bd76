"""Schedules: how the learning rate changes while the optimizer steps, with PyTorch's names and numbers."""

from __future__ import annotations

import math
from reprlib import repr as short_repr

from micrograd_plus._support.arguments import whole
from micrograd_plus.optim.base import Optimizer
from micrograd_plus.optim.ranges import checked


class Schedule:
    """What becomes of an optimizer's learning rate: call `step` after the optimizer's own, once an epoch, say.

    As in PyTorch, a schedule changes the rate it finds, so that several may act on one optimizer.

    Args:
        optimizer: whose `lr` it writes, the first time at once.
        last_epoch: how far a schedule has come that this one takes over from; -1 for none. Takes over the optimizer's
            `initial_lr` too, which the first schedule noted there.

    Attributes:
        base_lr: the optimizer's learning rate before any schedule, its `initial_lr`.

    Raises:
        TypeError: `optimizer` is none, or an argument is of the wrong type.
        ValueError: an argument is out of its range, or there is no `initial_lr` to take over.

    To write one, say what the next rate is:

    >>> import micrograd_plus as mp
    >>> class Halving(Schedule):
    ...     def next_lr(self, lr):
    ...         return lr / 2
    >>> schedule = Halving(mp.optim.SGD([mp.Value(1.0)], lr=1.0))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            kind = type(optimizer).__name__
            raise TypeError(f"{name}(optimizer): got {short_repr(optimizer)}, a {kind}, expected an optimizer")
        self.optimizer = optimizer
        self.last_epoch = whole(name, "last_epoch", last_epoch, least=-1) + 1
        if optimizer.initial_lr is None:
            if last_epoch >= 0:
                way_out = "expected -1, or an optimizer whose initial_lr is set"
                raise ValueError(f"{name}: last_epoch {last_epoch} but no earlier schedule; {way_out}")
            optimizer.initial_lr = optimizer.lr
        self.base_lr = optimizer.initial_lr
        self._write(self.first_lr(optimizer.lr))

    def step(self) -> None:
        """Go to the next epoch, and give the optimizer its learning rate."""
        self.last_epoch += 1
        self._write(self.next_lr(self.optimizer.lr))

    def get_last_lr(self) -> list[float]:
        """The learning rate this schedule wrote last, in a list, as PyTorch gives it."""
        return [self._last_lr]

    def first_lr(self, lr: float) -> float:
        """The rate at the start, from the one found there.

        >>> import micrograd_plus as mp
        >>> class Careful(Schedule):
        ...     def first_lr(self, lr):
        ...         return lr / 10
        >>> Careful(mp.optim.SGD([mp.Value(1.0)], lr=1.0)).get_last_lr()
        [0.1]
        """
        return lr

    def next_lr(self, lr: float) -> float:
        """The rate of epoch `last_epoch`, from the one before it."""
        return lr

    def _write(self, lr: float) -> None:
        self.optimizer._lr = self._last_lr = float(lr)  # past .lr's check: PyTorch's chained schedules may go below 0


class StepLR(Schedule):
    """The rate times gamma every step_size epochs.

    Arguments `optimizer` and `last_epoch` and errors are those of `Schedule`.

    Args:
        step_size: in epochs, at least 1.
        gamma: the factor, at least 0.

    >>> import micrograd_plus as mp
    >>> schedule = StepLR(mp.optim.SGD([mp.Value(1.0)], lr=1.0), step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = whole("StepLR", "step_size", step_size)
        self.gamma: float = checked("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        """The rate at the start; taking over at a multiple of step_size it falls at once, as in PyTorch."""
        return self.next_lr(lr) if self.last_epoch > 0 else lr

    def next_lr(self, lr: float) -> float:
        """The rate times gamma at a multiple of step_size."""
        return lr if self.last_epoch % self.step_size else lr * self.gamma


class ExponentialLR(Schedule):
    """The rate times gamma every epoch.

    Arguments `optimizer` and `last_epoch` and errors are those of `Schedule`.

    Args:
        gamma: the factor, at least 0.

    >>> import micrograd_plus as mp
    >>> schedule = ExponentialLR(mp.optim.SGD([mp.Value(1.0)], lr=1.0), gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma: float = checked("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float) -> float:
        """The rate times gamma."""
        return lr * self.gamma


class CosineAnnealingLR(Schedule):
    """The rate along half a cosine down to eta_min in T_max epochs, and up again (Loshchilov and Hutter 2017).

    Arguments `optimizer` and `last_epoch` and errors are those of `Schedule`.

    Args:
        T_max: in epochs, at least 1.
        eta_min: the lowest rate, at least 0.

    >>> import micrograd_plus as mp
    >>> schedule = CosineAnnealingLR(mp.optim.SGD([mp.Value(1.0)], lr=1.0), T_max=2)
    >>> schedule.step()
    >>> print(f"{schedule.get_last_lr()[0]:.6f}")
    0.500000
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = whole("CosineAnnealingLR", "T_max", T_max)
        self.eta_min: float = checked("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float) -> float:
        """The rate's distance to eta_min, times the ratio of two neighbours on the cosine."""
        before, now = (1.0 + math.cos(math.pi * epoch / self.T_max) for epoch in (self.last_epoch - 1, self.last_epoch))
        if (self.last_epoch - 1) % (2 * self.T_max) == self.T_max:  # from the bottom, where the distance is 0
            return lr + (self.base_lr - self.eta_min) * (1.0 - math.cos(math.pi / self.T_max)) / 2.0
        return now / before * (lr - self.eta_min) + self.eta_min


class LinearLR(Schedule):
    """The rate along a straight line, from start_factor to end_factor times itself in total_iters epochs.

    Arguments `optimizer` and `last_epoch` and errors are those of `Schedule`.

    Args:
        start_factor: above 0, at most 1.
        end_factor: from 0 to 1.
        total_iters: in epochs, at least 1; after them the rate stays.

    >>> import micrograd_plus as mp
    >>> schedule = LinearLR(mp.optim.SGD([mp.Value(1.0)], lr=1.0), start_factor=1.0, end_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor: float = checked("LinearLR", "start_factor", start_factor)
        self.end_factor: float = checked("LinearLR", "end_factor", end_factor)
        self.total_iters = whole("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def first_lr(self, lr: float) -> float:
        """The rate times start_factor."""
        return lr if self.last_epoch > 0 else lr * self.start_factor

    def next_lr(self, lr: float) -> float:
        """The rate times the ratio of two neighbours on the line."""
        if self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))
