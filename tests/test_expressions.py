"""Backward on random graphs of up to 200 shared nodes against mpmath, at 50 digits.

tests/test_ops_torch.py does the same against PyTorch.
"""

from __future__ import annotations

from typing import Any

import mpmath
import pytest
from definitions import DEFINITIONS
from hypothesis import given, settings

from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.programs import Expression, Step

# An error is relative to the sum of the absolute contributions along all paths: contributions that cancel leave their
# rounding errors. One operation is off by some 1e-16, and errors may grow by 1e4 (strategies.STEEPEST). A slope is that
# at the numbers which the nodes hold: of log(x) at 1 - 1e-8 the last digit of x changes the eighth. Of 2,500 graphs the
# worst was off by 3e-14.
TOLERANCE = 1e-12
NOTHING = 1e-25  # a slope as small as that, exp(-100) say, is beyond the digits of `slopes`


def slopes(step: Step, args: list[Any]) -> list[Any]:
    """The partial derivatives of a step by central differences, right to some 40 digits; 0 behind a stop_gradient."""
    name = step.function.__name__
    if name == "stop_gradient":
        return [mpmath.mpf(0)]

    def moved(i: int, by: Any) -> Any:
        return DEFINITIONS[name](*args[:i], args[i] + by, *args[i + 1 :], *step.options)

    def slope(i: int) -> Any:
        small = min(abs(args[i]), 1) or mpmath.mpf(1)  # a step far below the argument, which passes no kink on its way
        h = small * mpmath.mpf(10) ** -20
        with mpmath.workdps(mpmath.mp.dps - int(mpmath.log10(small))):
            return (moved(i, h) - moved(i, -h)) / (2 * h)

    return [slope(i) if isinstance(x, int) else None for i, x in enumerate(step.args)]


def exact(expression: Expression) -> tuple[Any, list[Any], list[Any]]:
    """The result and its derivative by each input, by a reverse sweep; and the sums of absolute contributions."""
    held = expression.nodes(*expression.inputs)
    with mpmath.workdps(60):
        nodes = [mpmath.mpf(x) for x in expression.inputs]
        partials: list[list[Any]] = []
        for step in expression.steps:
            partials.append(slopes(step, [mpmath.mpf(held[x] if isinstance(x, int) else x) for x in step.args]))
            args = [nodes[x] if isinstance(x, int) else mpmath.mpf(x) for x in step.args]
            nodes.append(DEFINITIONS[step.function.__name__](*args, *map(mpmath.mpf, step.options)))
        grads, sizes = [mpmath.mpf(0)] * len(nodes), [mpmath.mpf(0)] * len(nodes)
        grads[-1] = sizes[-1] = mpmath.mpf(1)
        count = len(expression.inputs)
        for k in reversed(range(count, len(nodes))):
            step = expression.steps[k - count]
            for x, slope in zip(step.args, partials[k - count]):
                if isinstance(x, int):
                    grads[x] += grads[k] * slope
                    sizes[x] += sizes[k] * abs(slope)
        return nodes[-1], grads[:count], sizes


def compare(expression: Expression) -> float:
    """Fail where value or gradient is not the exact one; get the largest relative error."""
    leaves, out = expression.build()
    out.backward()
    value, grads, sizes = exact(expression)
    nodes = expression.nodes(*expression.inputs)
    scale: float = sum(float(size) * (abs(node) + 1.0) for size, node in zip(sizes, nodes))
    errors = {"the value": (out.data, value, abs(float(value - out.data)) / scale)}
    for name, leaf, grad, size in zip(expression.names, leaves, grads, sizes):
        error = abs(float(grad - leaf.grad))
        errors[f"the gradient by {name}"] = (leaf.grad, grad, error / (float(size) + NOTHING))
    for what, (got, want, error) in errors.items():
        assert error <= TOLERANCE, f"{what} is {got!r}, expected {float(want)!r}: off by {error:.1e}"
    return max(error for _, _, error in errors.values())


@given(expressions(list(DEFINITIONS), max_nodes=200))
@settings(max_examples=40)
def test_value_and_gradient_are_the_exact_ones(expression: Expression) -> None:
    compare(expression)


@given(expressions(list(DEFINITIONS), max_nodes=200))
@settings(max_examples=40)
def test_a_second_backward_gives_exactly_twice(expression: Expression) -> None:
    leaves, out = expression.build()
    out.backward()
    once = [leaf.grad for leaf in leaves]
    out.backward()
    assert [leaf.grad for leaf in leaves] == [2.0 * grad for grad in once]


def test_the_slopes_of_tiny_arguments_are_exact_too() -> None:
    with mpmath.workdps(60):
        by_divisor = slopes(Step(FUNCTIONS["mod"], (0, 1)), [mpmath.mpf("9.5e-23"), mpmath.mpf("7e-23")])[1]
        assert abs(by_divisor + 1) < 1e-30
        assert abs(slopes(Step(FUNCTIONS["exp"], (0,)), [mpmath.mpf("1e-300")])[0] - 1) < 1e-30


@pytest.mark.parametrize("wrong", [1.0 + 1e-9, 2.0, -1.0])
def test_a_wrong_partial_in_a_graph_is_caught(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    tanh = TABLE["tanh"]
    expression = Expression((0.5,), (Step(FUNCTIONS["tanh"], (0,)), Step(FUNCTIONS["mul"], (0, 1))))
    compare(expression)
    monkeypatch.setattr(tanh, "partials", (lambda out, _: (1.0 - out * out) * wrong,))
    with pytest.raises(AssertionError, match="the gradient by a is"):
        compare(expression)
