"""Losses: one number for how wrong a network is about one example.

A prediction is a Value (or a number), or a list of them, one for each output; the target has the same form. The cost
of a batch is the mean over its examples, `mean([loss(model(x), y) for x, y in batch])`, which is what `fit` takes.
Each loss is an entry of the table LOSSES; one that is entered is documented and tested.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from math import inf
from operator import index
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple, TypeVar
from warnings import warn

from micrograd_plus._support.arguments import by_place
from micrograd_plus.engine.calls import made
from micrograd_plus.engine.operations import DIV, TABLE
from micrograd_plus.engine.recording import tracing
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.table import clamp, equal, less, log, log1p, maximum, relu, softplus, square, where
from micrograd_plus.ops.vectors import added, is_many, log_softmax, logsumexp, lookup, mean, numbers_in, widened

Target = Literal["number", "sign", "probability", "class"]
_F = TypeVar("_F", bound=Callable[..., Any])


class Loss(NamedTuple):
    """An entry of the table of losses.

    Attributes:
        function: the loss itself, of a prediction and a target.
        target: what the target of each output is: a "number"; a "sign", -1 or 1; a "probability"; or it is the right
            "class", one for all outputs.
        outputs: the interval that outputs must be in, a pair of numbers.

    >>> LOSSES["hinge"] == Loss(hinge, target="sign", outputs=(-inf, inf))
    True
    """

    function: Callable[..., Any]
    target: Target
    outputs: tuple[float, float]


LOSSES: dict[str, Loss] = {}
"""The losses by name, with what they take; tests and the reference loop over them."""


def _loss(target: Target, outputs: tuple[float, float] = (-inf, inf)) -> Callable[[_F], _F]:
    """Enter a function into the table of losses."""

    def enter(function: _F) -> _F:
        LOSSES[function.__name__] = Loss(function, target, outputs)
        return function

    return enter


@_loss("number")
def squared_error(prediction: Any, target: Any) -> Any:
    """The sum over the outputs of (prediction - target)²: the cost of one example as 3Blue1Brown draws it.

    Args:
        prediction: a list of k numbers or Values, one for each output, or a single one.
        target: what they should be, as many.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance.
        ValueError: there are more targets than outputs or fewer, or none.

    >>> squared_error([1.0, 0.5], [0.0, 0.0])
    1.25
    """
    return _over_outputs("squared_error", added, lambda p, t: square(p - t), prediction, target)


@_loss("number")
def mean_squared_error(prediction: Any, target: Any) -> Any:
    """The mean over the outputs of (prediction - target)².

    Args:
        prediction: a list of k numbers or Values, one for each output, or a single one.
        target: what they should be, as many.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance.
        ValueError: there are more targets than outputs or fewer, or none.

    >>> mean_squared_error([1.0, 0.5], [0.0, 0.0])
    0.625
    """
    return _over_outputs("mean_squared_error", mean, lambda p, t: square(p - t), prediction, target)


@_loss("number")
def huber(prediction: Any, target: Any, *, delta: float = 1.0) -> Any:
    """The mean of half the squared difference, or of a straight line beyond a difference of delta (Huber 1964).

    One output that is far off pulls no harder than with the force delta. As in PyTorch's HuberLoss:
    (prediction - target)² / 2 up to delta, delta · (|prediction - target| - delta / 2) beyond.

    Args:
        prediction: a list of k numbers or Values, one for each output, or a single one.
        target: what they should be, as many.
        delta: the difference from which on the loss is straight, above 0; infinity keeps the square.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance, or delta is none.
        ValueError: there are more targets than outputs or fewer, or none, or delta is not above 0.

    >>> huber([0.5, -3.0], [0.0, 0.0])
    1.3125
    """
    delta = number(delta, "huber: delta =")
    if not delta > 0.0:
        raise ValueError(f"huber: delta {delta!r}; expected a number above 0")

    def term(p: Any, t: Any) -> Any:
        difference = p - t
        near = clamp(difference, -delta, delta)
        return near * (difference - 0.5 * near)  # which, unlike a choice of |difference|, has all its derivatives at 0

    return _over_outputs("huber", mean, term, prediction, target)


@_loss("sign")
def hinge(score: Any, target: Any) -> Any:
    """The mean of max(0, 1 - target·score), for targets -1 and 1, as in micrograd's demo.

    Args:
        score: a list of k numbers or Values, one for each output, or a single one: the larger, the surer of a 1.
        target: -1 or 1 for each output, a list of as many, or a single one.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance.
        ValueError: a target is a number other than -1 and 1, or there are more targets than outputs or fewer, or none.

    >>> hinge([0.5, -3.0], [1, -1])
    0.25
    """

    def term(s: Any, t: Any) -> Any:
        if not isinstance(t, Value) and t not in (-1, 1):
            raise ValueError(f"hinge: target {t!r}; expected -1 or 1 (for labels 0 and 1 give 2·label - 1)")
        return relu(1.0 - t * s)

    return _over_outputs("hinge", mean, term, score, target)


@_loss("probability", outputs=(0.0, 1.0))
def binary_cross_entropy(probability: Any, target: Any) -> Any:
    """The mean of -t·ln(p) - (1 - t)·ln(1 - p) from the probability p, such as a sigmoid's output.

    As PyTorch's, it takes no logarithm for less than -100, so that it is finite at 0 and 1. From the number before the
    sigmoid, `binary_cross_entropy_with_logits` loses no digits, and its gradient never vanishes where the network is
    sure of what is wrong. The gradient is (p - t) / (p·(1 - p)), and 0 where a logarithm was stopped.

    Args:
        probability: a list of k numbers or Values from 0 to 1, one for each output, or a single one.
        target: the probability that is right for each, from 0 to 1: a list of as many, or a single one.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance.
        ValueError: a probability or a target is outside 0 to 1, or there are more targets than outputs or fewer, or
            none.

    >>> binary_cross_entropy(0.9, 1.0)
    0.10536...
    >>> binary_cross_entropy([0.0, 1.0], [0.0, 0.0])
    50.0
    """

    def term(p: Any, t: Any) -> Any:
        plain = p._data if isinstance(p, Value) else p
        if not 0 <= plain <= 1 and plain == plain and (plain is p or tracing.get() is None):
            way_out = "for outputs before a sigmoid there is binary_cross_entropy_with_logits"
            raise ValueError(f"binary_cross_entropy({short_repr(p)}): expected a probability from 0 to 1; {way_out}")
        _check_probability("binary_cross_entropy", t)
        return -(t * maximum(log(p), -100.0) + (1.0 - t) * maximum(log1p(-p), -100.0))

    return _over_outputs("binary_cross_entropy", mean, term, probability, target)


@_loss("probability")
def binary_cross_entropy_with_logits(logit: Any, target: Any) -> Any:
    """The mean of -t·ln(σ(x)) - (1 - t)·ln(1 - σ(x)) from the logit x itself, before any sigmoid σ.

    Written as t·softplus(-x) + (1 - t)·softplus(x), which loses no digits however large x is. A warning says so if it
    is given the output of a sigmoid.

    Args:
        logit: a list of k numbers or Values, one for each output, or a single one.
        target: the probability of each, from 0 to 1: a list of as many, or a single one.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: something in them is neither a number nor a Value, a list of lists for instance.
        ValueError: a target is a number outside 0 to 1, or there are more targets than outputs or fewer, or none.

    >>> binary_cross_entropy_with_logits(1000.0, 0.0)
    1000.0
    """

    def term(x: Any, t: Any) -> Any:
        _check_probability("binary_cross_entropy_with_logits", t)
        if isinstance(x, Value) and x.op is _SIGMOID:
            way_out = "give binary_cross_entropy those, or this one logits"
            _warn("binary_cross_entropy_with_logits", "a sigmoid", way_out)
        return t * softplus(-x) + (1.0 - t) * softplus(x)

    return _over_outputs("binary_cross_entropy_with_logits", mean, term, logit, target)


@_loss("class")
def cross_entropy(logits: Any, target: Any) -> Any:
    """How little probability softmax(logits) gives to the right class: -ln(softmax(logits)[target]).

    A warning says so if it is given the outputs of a softmax or of sigmoids.

    Args:
        logits: a list of n Values or numbers, one for each class, before any softmax.
        target: the right class's index (a Value will do), or a list of n probabilities (one-hot, say).

    Returns:
        A Value, or a float where nothing is a Value. For a class it is softplus(logsumexp(the other logits) - its
        logit), which loses no digits at any size.

    Raises:
        TypeError: the target is neither a class nor a list, or the logits are no list of numbers or Values.
        ValueError: no such class, or lists of different lengths, or empty ones.

    >>> cross_entropy([1000.0, 0.0, -1000.0], 1)
    1000.0
    >>> cross_entropy([0.0, 0.0], [0.5, 0.5])
    0.69314...
    """
    logits, targets = numbers_in("cross_entropy", logits), _many("cross_entropy", target)
    out = _cross_entropy(logits, targets if is_many(target) or isinstance(target, Iterator) else target)
    return made("cross_entropy", (tuple(logits), tuple(targets)), out)


def _cross_entropy(logits: Any, target: Any) -> Any:
    """The same of lists, without a memory of the call."""
    _check_logits(logits)
    if is_many(target):
        pairs = _terms("cross_entropy", lambda _, t: t, logits, target)
        if sorted(t for t in pairs if not isinstance(t, Value)) != [0.0] * (len(pairs) - 1) + [1.0]:
            return -_expected(pairs, log_softmax(logits))
        target = pairs.index(1.0)
    if isinstance(target, Value):
        return logsumexp(logits) - lookup(logits, target)
    try:
        right = index(target)
    except TypeError:
        expected = "expected the right class's index, or a list of probabilities"
        raise TypeError(f"cross_entropy: target {short_repr(target)}; {expected}") from None
    if not 0 <= right < len(logits):
        raise ValueError(f"cross_entropy: target {right}; expected a class from 0 to {len(logits) - 1}")
    others = [logit for i, logit in enumerate(logits) if i != right]
    if not others:
        return -log_softmax(logits)[0]
    gap = logsumexp(others) - logits[right]
    return where(equal(gap, -inf), 0.0, softplus(gap))  # all others are masked by -inf: nothing is left to learn


def _expected(weights: Sequence[Any], logs: Sequence[Any]) -> Any:
    """The sum of weights times logarithms, in which 0 · log(0) is 0."""
    terms = []
    for weight, logarithm in zip(weights, logs):
        if isinstance(weight, Value):
            terms.append(weight * where(less(-inf, logarithm) + weight, logarithm, 0.0))
        elif weight != 0.0:
            terms.append(weight * logarithm)
    return added(terms) if terms else 0.0 * logs[0]


_SIGMOID, _EXP = TABLE["sigmoid"], TABLE["exp"]


def _check_probability(name: str, t: Any) -> None:
    if not isinstance(t, Value) and not 0 <= t <= 1:
        raise ValueError(f"{name}: target {t!r}; expected a probability from 0 to 1")


def _check_logits(logits: Any) -> None:
    """Warn where these are probabilities already; the first one nearly always tells that they are none."""
    first = logits[0] if is_many(logits) and len(logits) > 1 else None
    if not isinstance(first, Value) or first.op is None:
        return
    if first.op is _SIGMOID:
        _warn("cross_entropy", "a sigmoid", 'make the last layer with output="linear"')
    elif first.op is DIV and all(map(_is_share, logits)) and abs(added([x._data for x in logits]) - 1.0) < 1e-6:
        _warn("cross_entropy", "a softmax", "give it what goes into the softmax")


def _is_share(x: Any) -> bool:
    """Whether it is an exponential that was divided by something."""
    return isinstance(x, Value) and x.op is DIV and isinstance(x._a, Value) and x._a.op is _EXP


def _warn(name: str, maker: str, way_out: str) -> None:
    told = f"{name} takes logits and was given the output of {maker}, so it learns little, and slowly; {way_out}"
    level, frame = 1, sys._getframe()  # of the first frame outside of this file: Python warns once for its line
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warn(told, stacklevel=level)


def _many(name: str, x: Any) -> Any:
    """A list, with a single number in one; an error for what has no order."""
    if isinstance(x, (Set, Mapping)):
        raise TypeError(f"{name}({short_repr(x)}): expected a number or a list of them, got {type(x).__name__}")
    return by_place(x) if is_many(x) else list(x) if isinstance(x, Iterator) else [x]


def _over_outputs(
    name: str, combine: Callable[[list[Any]], Any], term: Callable[[Any, Any], Any], prediction: Any, target: Any
) -> Any:
    """The terms of all outputs combined, by their mean or their sum; it remembers which loss it is."""
    predictions, targets = [_many(name, x) for x in (prediction, target)]
    out = combine(_terms(name, term, predictions, targets))
    return made(name, (tuple(predictions), tuple(targets)), out)


def _terms(name: str, term: Callable[[Any, Any], Any], predictions: Any, targets: Any) -> list[Any]:
    """The term of each output."""
    if len(predictions) != len(targets):
        raise ValueError(f"{name}: {len(predictions)} outputs and {len(targets)} targets; expected as many of each")
    if len(predictions) == 0:
        raise ValueError(f"{name}: got an empty list; expected at least one output")
    for value in (*predictions, *targets):
        if is_many(value) or isinstance(value, str):
            way_out = "give one example at a time and average a batch with mean([...])"
            raise TypeError(f"{name}({short_repr(value)}): expected a number or a Value; {way_out}")
    return [term(widened(p), widened(t)) for p, t in zip(predictions, targets)]
