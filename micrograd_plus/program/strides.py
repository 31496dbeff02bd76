"""How rows lie in an array: evenly spaced, as a matrix, or each written once."""

from __future__ import annotations

import numpy as np

from micrograd_plus.program.arrays import Array, Places


def stride(indices: Places) -> tuple[int, int] | None:
    """Start and step of indices that are evenly spaced."""
    if len(indices) == 1:
        return int(indices[0]), 1
    step = int(indices[1] - indices[0])
    if step == 0 or (np.diff(indices) != step).any():
        return None
    return int(indices[0]), step


def strided(places: Places, m: int, k: int) -> tuple[int, int, int] | None:
    """Start, and the steps down and right, of places that are a matrix evenly laid out, no place twice."""
    grid = places.reshape(m, k)
    down = int(grid[1, 0] - grid[0, 0]) if m > 1 else k
    right = int(grid[0, 1] - grid[0, 0]) if k > 1 else 1
    even = grid == grid[0, 0] + down * np.arange(m)[:, None] + right * np.arange(k)
    if down <= 0 or right <= 0 or not even.all() or len(np.unique(places)) != len(places):
        return None
    return int(grid[0, 0]), down, right


def is_matrix_of_theta(array: Array) -> bool:
    """Whether it is theta, or rows of it and of nothing else."""
    if array.kind == "theta":
        return True
    return len(array.pieces) == 1 and array.arrays[0].kind == "theta"


def rows_of_theta(array: Array) -> Places:
    """Which rows of theta these are."""
    return np.arange(array.rows) if array.kind == "theta" else array.pieces[0].source


def first_writes(scatter: Array) -> tuple[list[bool], bool]:
    """For each piece whether it is the first to come to its rows, each once; and whether all rows are reached so."""
    written = np.zeros(scatter.rows, dtype=bool)
    first, complete = [], True
    for piece in scatter.pieces:
        first.append(not written[piece.target].any() and len(np.unique(piece.target)) == len(piece.target))
        complete = complete and (first[-1] or bool(written[piece.target].all()))
        written[piece.target] = True
    return first, complete and bool(written.all())
