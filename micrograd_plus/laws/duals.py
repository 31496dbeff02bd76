"""Exact numbers with their derivatives: forward mode, which needs no graph and no backward pass."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


class Dual:
    """An exact number and its derivative by one leaf: forward mode, which needs no graph and no backward."""

    def __init__(self, value: Fraction | float, slope: Fraction | float = 0) -> None:
        self.value, self.slope = Fraction(value), Fraction(slope)
        if max(abs(self.value), abs(self.slope)) > 10_000:
            raise OverflowError("too large to compare floats with")

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __pow__(self, n: int) -> Dual:
        if n < 0 and abs(self.value) < Fraction(1, 8):
            raise ZeroDivisionError("too near to a pole to compare floats with")
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def relu(self) -> Dual:
        if self.value == 0:
            raise ArithmeticError("relu has no derivative at 0")
        return self if self.value > 0 else Dual(0)

    def __neg__(self) -> Dual:
        return self * -1

    def __sub__(self, other: Any) -> Dual:
        return self + _dual(other) * -1

    def __truediv__(self, other: Any) -> Dual:
        return self * _dual(other) ** -1

    def __radd__(self, number: float) -> Dual:
        return _dual(number) + self

    def __rmul__(self, number: float) -> Dual:
        return _dual(number) * self

    def __rsub__(self, number: float) -> Dual:
        return _dual(number) - self

    def __rtruediv__(self, number: float) -> Dual:
        return _dual(number) / self


def _dual(number: Dual | float) -> Dual:
    return number if isinstance(number, Dual) else Dual(number)
