"""Write many numbers in few bytes: what changes from one snapshot to the next, which deflate well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = 127  # what 1 becomes, and -1 its negative


def quantised(numbers: NDArray[Any], full: float) -> NDArray[np.uint8]:
    """Numbers as bytes: `full` and all beyond it become 127, the negatives 256 minus that; nan becomes 128.

    >>> quantised(np.array([0.0, 0.5, -2.0, np.nan]), 1.0).tolist()
    [0, 64, 129, 128]
    """
    with np.errstate(invalid="ignore"):
        whole = np.round(np.clip(numbers / (full or 1.0), -1.0, 1.0) * FULL)
    return np.where(np.isnan(whole), 128, whole % 256).astype(np.uint8)


def changes(frames: NDArray[np.uint8]) -> bytes:
    """The first frame, and of each next one by how much it differs from the one before, modulo 256.

    >>> list(changes(np.array([[1, 2], [1, 1]], dtype=np.uint8)))
    [1, 2, 0, 255]
    """
    return bytes(frames[:1].tobytes()) + bytes((frames[1:] - frames[:-1]).tobytes())
