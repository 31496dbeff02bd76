"""Draw small networks."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from micrograd_plus._support.arguments import whole
from micrograd_plus.nn import MLP


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
