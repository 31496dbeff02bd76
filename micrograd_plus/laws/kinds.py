"""How a law is written: as programs, or as one operation with its slopes, from which the programs are made."""

from __future__ import annotations

import math
import re

from micrograd_plus.laws.programs import Program, all_of
from micrograd_plus.laws.reports import Law

# what arrives in chains, of either sign; nothing else there holds these, as equal numbers have a law of their own
_ARRIVING = (10.0, -20.0)

_FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "tanh", "sin", "cos", "sqrt")}


def exact(
    name: str,
    says: str,
    why: str,
    *programs: tuple[str, tuple[float | bool, ...]],
    shows: str,
    rests: tuple[str, ...] = (),
    method: str = "",
    extra: str = "",
) -> Law:
    """A law of programs written out, the smallest first."""
    trial = all_of(*[Program(lines, expected, why) for lines, expected in programs])
    return Law(name, says, trial, shows, rests, method, extra)


def operation(
    name: str,
    says: str,
    expressions: tuple[str, ...],
    slopes: tuple[str, ...],
    at: tuple[tuple[float, ...], ...],
    *,
    shows: str,
    value: str = "",
    rests: tuple[str, ...] = (),
    method: str = "",
    extra: str = "",
    more: tuple[Program, ...] = (),
) -> Law:
    """A law of one operation on x, or on x and y: its value and its slopes, alone and in a chain.

    Args:
        name: of the law.
        says: what it is, in words.
        expressions: the operation on Values, once with each plain number it is tried with.
        slopes: the derivatives by x and by y, written in x, y and c, which is the plain number in the expression; with
            Python's own functions, and exp, log, tanh, sin, cos, sqrt.
        at: the numbers that x and y are.
        shows: the kinds of fault that break it, in words.
        value: the expression on plain floats, where that is written otherwise.
        rests: the laws without which this one cannot hold.
        method: the method that it is about.
        extra: the expression that not every engine knows.
        more: further programs.
    """
    programs = [_direct_and_chained(each, value or each, slopes, numbers) for each in expressions for numbers in at]
    in_turn = [program for turn in zip(*programs) for program in turn]
    return Law(name, says, all_of(*in_turn, *more), shows, rests, method, extra)


def _direct_and_chained(
    expression: str, value: str, slopes: tuple[str, ...], numbers: tuple[float, ...]
) -> list[Program]:
    """The program of an operation by itself, and those in which its result is multiplied by another number."""
    constant = (re.findall(r"-?\d[\d.]*", expression) or ["c"])[0]
    rules = [re.sub(r"\bc\b", constant, slope) for slope in slopes]
    said = " and ".join(f"by {leaf} is {rule}" for leaf, rule in zip("xy", rules))
    why = f"the derivative of {value} {said}"
    chain = f"{why}, and the chain rule multiplies it by the gradient that arrives, here"
    names = dict(zip("xy", numbers))
    results = tuple(evaluated(formula, names) for formula in (value, *rules))
    leaves = "".join(f"{leaf} = Value({number})\n" for leaf, number in names.items())
    ask = "\nz.backward()\nprint(" + ", ".join(["z.data", *[f"{leaf}.grad" for leaf in names]]) + ")"
    chained = [
        Program(
            f"{leaves}z = ({expression}) * Value({factor}){ask}",
            tuple(factor * result for result in results),
            f"{chain} {factor:g}.",
        )
        for factor in _ARRIVING
    ]
    return [Program(f"{leaves}z = {expression}{ask}", results, f"{why}."), *chained]


def evaluated(text: str, numbers: dict[str, float]) -> float:
    """A formula of a law, worked out on plain floats."""
    return float(eval(text, dict(_FUNCTIONS), numbers))  # noqa: S307
