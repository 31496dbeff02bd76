"""Cut one epoch of examples into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

from micrograd_plus._support.arguments import Seed, by_place, generator, paired, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

X = TypeVar("X", bound="list[Any] | NDArray[Any]")
Y = TypeVar("Y", bound="list[Any] | NDArray[Any]")


def minibatches(
    x: X, y: Y, size: SupportsIndex | None = 32, seed: Seed = None, *, shuffle: bool = True, drop_last: bool = False
) -> Iterator[tuple[X, Y]]:
    """One epoch: every example once, in batches (xs, ys) of `size`.

    Textbooks speak of three ways to descend, and the size picks one:

    - `size=1`: one example a step, stochastic gradient descent in the strict sense; Bishop calls it on-line.
    - `size=k`: a mini-batch a step, as Nielsen and 3Blue1Brown draw them, who say stochastic for it too.
    - `size=None`, or the number of examples: the whole set a step; in Goodfellow, Bengio and Courville, batch.

    Args:
        x: the examples, a list or a NumPy array whose first axis counts them.
        y: their labels or targets, as many.
        size: how many examples a batch; the last batch holds what is left, all of them if the size is larger.
        seed: a whole number for the same order every time; a `random.Random`, so that each epoch takes a new
            order and a whole training can be repeated; or None.
        shuffle: False keeps the order and draws no random number.
        drop_last: leave out a last batch that is smaller.

    Returns:
        An iterator of pairs; lists are cut into lists, arrays and pandas' tables into arrays. The order is drawn at
        the call.

    Raises:
        TypeError: x or y has no length, the size is no whole number, or the seed is of the wrong type.
        ValueError: x and y differ in length or are empty, the size is below 1, or drop_last would leave nothing.

    >>> for xs, ys in minibatches([[0.0], [0.1], [0.2]], [0, 1, 2], size=2, shuffle=False):
    ...     print(xs, ys)
    [[0.0], [0.1]] [0, 1]
    [[0.2]] [2]
    """
    count = paired("minibatches", x, y)
    size = count if size is None else whole("minibatches", "size", size, hint=", or None for all")
    if drop_last and size > count:
        raise ValueError(f"minibatches(size={size}, drop_last=True): no batch is full with {count} examples")
    order = ordered(count, generator("minibatches", seed), shuffle=shuffle)
    end = count - count % size if drop_last else count
    cuts = [order[i : i + size] for i in range(0, end, size)]
    return ((take(x, cut), take(y, cut)) for cut in cuts)


def ordered(count: int, random: Random, *, shuffle: bool) -> Sequence[int]:
    """The indices of one epoch's examples."""
    if not shuffle:
        return range(count)
    order = list(range(count))
    random.shuffle(order)
    return order


def take(data: Any, indices: Any) -> Any:
    """These examples: a list of a list, an array of an array.

    Args:
        indices: a list, a range, an array of whole numbers, or a slice.
    """
    if not isinstance(data, Sequence):
        return by_place(data)[indices]
    return list(data[indices]) if isinstance(indices, slice) else [data[i] for i in indices]
