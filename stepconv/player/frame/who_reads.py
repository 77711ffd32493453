"""Who reads a cell of the source: which cells of the result, how many, and whose window is best."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Reading
from stepconv.player.frame.film import Film
from stepconv.player.frame.grid import Cell

Array = NDArray[Any]


def readers_of(film: Film, cell: Cell) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the rows and the columns of the result whose crossings read a cell."""
    rows, columns = (
        tuple(index for index, reading in enumerate(readings) if at in reading.cells)
        for readings, at in zip(film.readings(), cell, strict=True)
    )
    return rows, columns


@lru_cache(maxsize=2)
def counts(film: Film) -> tuple[Array, Array]:
    """Return how many rows and how many columns of the result read each one of the source.

    A cell of the source is read as often as the product says.
    """
    rows, columns = (
        np.bincount([c for r in readings for c in {*r.cells} - {-1}], minlength=size)
        for readings, size in zip(film.readings(), film.gather.source.shape[1:], strict=True)
    )
    return rows, columns


def covering(film: Film, row: int, column: int, plane: int) -> int | None:
    """Return the step whose window lies best over a cell of the source, None if none does."""
    _, height, width = film.gather.shape
    rows, columns = film.readings()
    i, j = _nearest(rows, row), _nearest(columns, column)
    return None if i is None or j is None else (plane * height + i) * width + j


def in_padding(film: Film) -> Array:
    """Return which cells of a plane of the result read a position outside the source."""
    rows, columns = (
        np.array([r.bounds[0] < 0 or r.bounds[1] > size for r in readings], bool)
        for readings, size in zip(film.readings(), film.gather.source.shape[1:], strict=True)
    )
    return np.asarray(rows[:, None] | columns)


def _nearest(readings: Iterable[Reading], position: int) -> int | None:
    """Return the index whose reading has the position nearest to its middle."""
    over = {
        index: abs(sum(reading.bounds) - 1 - 2 * position)
        for index, reading in enumerate(readings)
        if position in reading.positions
    }
    return min(over, key=lambda index: over[index], default=None)
