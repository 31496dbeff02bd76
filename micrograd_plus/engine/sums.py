"""The weighted sum in a neuron, made without looking for each operator anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd_plus.engine.operations import ADD, MUL
from micrograd_plus.engine.recording import open_blocks, tracing
from micrograd_plus.engine.value import Value, node, overrides


def weighed(total: Any, weights: Sequence[Any], xs: Sequence[Any]) -> Any:
    """total + weights[0] * xs[0] + weights[1] * xs[1] + ..., a node for each sign: the sum in a neuron.

    The operators make the same nodes; here nobody has to look for them, weight after weight.
    """
    own = overrides(Value)
    kind: type[Value] = Value  # of what a trace makes, as good as a Value
    if open_blocks and (trace := tracing.get()) is not None:
        kind = trace.kind
    for weight, x in zip(weights, xs):
        if (
            (type(weight) is Value or type(weight) is kind)
            and (type(x) is Value or type(x) is kind)
            and (type(total) is Value or type(total) is kind)
            and not own
        ):
            product = node(MUL, weight._data * x._data, weight, x)
            total = node(ADD, total._data + product._data, total, product)
        else:
            total = total + weight * x
    return total
