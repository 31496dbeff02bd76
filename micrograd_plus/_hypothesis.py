"""Teach Hypothesis how to draw our types, as in `st.from_type(Value)`, once both packages are imported.

Whichever is imported second does it: this package in `__init__`, Hypothesis by its entry point, which is `plugins`.
"""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Register `Value` and `MLP`; the strategies themselves are imported when the first one is drawn."""
    from hypothesis.strategies import register_type_strategy

    from micrograd_plus.engine.value import Value
    from micrograd_plus.nn import MLP

    register_type_strategy(Value, _values)
    register_type_strategy(MLP, _mlps)


def _values(_: type) -> Any:
    from micrograd_plus.strategies.leaves import values

    return values()


def _mlps(_: type) -> Any:
    from micrograd_plus.strategies.networks import mlps

    return mlps()
