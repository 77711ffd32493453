"""A layer's output as planes: maps are planes already, a flat row is laid out as a single one."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A row of so few cells stands upright: its cells are counted like classes.
_FEW = 12


def row_shape(count: int) -> tuple[int, int]:
    """Return rows and columns for a flat row of cells: near a square, and without gaps if it can.

    >>> row_shape(120), row_shape(10), row_shape(84), row_shape(13)
    ((12, 10), (10, 1), (12, 7), (4, 4))
    """
    if count <= _FEW:
        return max(count, 1), 1
    least = ceil(sqrt(count))
    for rows in range(least, 2 * least):
        if count % rows == 0:
            return rows, count // rows
    return ceil(count / least), least


def planes(output: Array) -> Array:
    """Return an output as (planes, rows, columns); what a flat row leaves open is 0."""
    if output.ndim == 3:
        return output
    rows, columns = row_shape(output.size)
    laid = np.zeros(rows * columns, output.dtype)
    laid[: output.size] = output.reshape(-1)
    return laid.reshape(1, rows, columns)


def plane_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return planes, rows and columns of an output of this shape."""
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    return (1, *row_shape(shape[0]))


def index_of(shape: tuple[int, ...], plane: int, row: int, column: int) -> tuple[int, ...] | None:
    """Return the cell of an output that a place in its planes shows; None for a gap.

    >>> index_of((120,), 0, 1, 3), index_of((6, 28, 28), 2, 3, 4), index_of((13,), 0, 3, 3)
    ((13,), (2, 3, 4), None)
    """
    if len(shape) == 3:
        return plane, row, column
    number = row * row_shape(shape[0])[1] + column
    return (number,) if number < shape[0] else None


def place_of(shape: tuple[int, ...], index: tuple[int, ...]) -> tuple[int, int, int]:
    """Return plane, row and column at which a cell of an output is shown."""
    if len(shape) == 3:
        plane, row, column = index
        return plane, row, column
    row, column = divmod(index[0], row_shape(shape[0])[1])
    return 0, row, column
