"""A data set is a list of examples with a label for each."""

from __future__ import annotations

from typing import Any, NamedTuple

from micrograd_plus._support.arguments import paired, whole
from micrograd_plus.data.batches import take


class Dataset(NamedTuple):
    """Images and their labels; it unpacks as the pair it is: `x, y = load_digits()`.

    Attributes:
        images: a list with a list of k plain floats for each, row by row; or a NumPy array (n, k).
        labels: a list with an int for each image; or a NumPy array (n,).

    >>> small = Dataset(images=[[0.0, 0.5], [1.0, 0.0]], labels=[3, 7])
    >>> small
    Dataset(2 images of 2 numbers, with labels)
    >>> x, y = small
    >>> y
    [3, 7]
    """

    images: Any
    labels: Any

    def __repr__(self) -> str:
        first = self.images[0] if len(self.images) else []
        if not hasattr(first, "__len__"):
            return f"Dataset({len(self.images)} numbers, with labels)"
        return f"Dataset({len(self.images)} images of {len(first)} numbers, with labels)"


def hold_out(dataset: tuple[Any, Any], every: int = 5) -> tuple[Dataset, Dataset]:
    """Split into (train, held_out): held out are the examples whose index is a multiple of `every`.

    A network is judged on what it has not seen. Taking every fifth example, rather than the last fifth, keeps the
    two parts alike: data often lie in the order in which they were gathered, and the end of it comes from other
    writers.

    Args:
        dataset: a `Dataset`, or any pair of examples and their labels, lists or arrays of n.
        every: one in so many is held out.

    Returns:
        Two `Dataset`, for training and held out, in the order they had; lists of lists, arrays of arrays.

    Raises:
        TypeError: `every` is no whole number, or there are no lists or arrays.
        ValueError: `every` is below 2, images and labels differ in number, or there are fewer than two.

    >>> train, held_out = hold_out(([[0.0], [0.1], [0.2], [0.3]], [0, 1, 2, 3]), every=2)
    >>> train.labels, held_out.labels
    ([1, 3], [0, 2])
    """
    images, labels = dataset
    count = paired("hold_out", images, labels)
    every = whole("hold_out", "every", every, least=2)
    if count < 2:
        raise ValueError("hold_out: 1 example; expected at least two, to keep one and hold out another")
    kept = [i for i in range(count) if i % every]
    held = list(range(0, count, every))
    return Dataset(take(images, kept), take(labels, kept)), Dataset(take(images, held), take(labels, held))


def one_hot(label: Any, classes: int = 10) -> list[float]:
    """The label as a list of zeros with a single 1.0: what a network with one output a class should answer.

    Args:
        label: a whole number, the place of the 1.0.
        classes: how many numbers there are.

    Raises:
        TypeError: the label or `classes` is no whole number.
        ValueError: the label is not one of 0, 1, …, classes - 1.

    >>> one_hot(2, classes=4)
    [0.0, 0.0, 1.0, 0.0]
    """
    classes = whole("one_hot", "classes", classes)
    label = whole("one_hot", "label", label, least=0)
    if label >= classes:
        raise ValueError(f"one_hot(label={label}): expected at most {classes - 1}, there are {classes} classes")
    return [float(i == label) for i in range(classes)]
