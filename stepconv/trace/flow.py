"""Flow: the cells that a step was made from, and the steps that a cell flows into.

Cells are counted through all planes of a source, as steps are through those of a result.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Reading
from stepconv.trace.gather import Gather

Array = NDArray[Any]


def cells_of(form: Gather, step: int) -> Array:
    """Return the cells of the source that flow into a step, each once, padding left out."""
    plane, i, j = form.place(step)
    planes = np.unique(form.pairs(np.array([plane]))[0, :, 0])
    return _crossed(form.source.shape, planes, _read(form.row(i)), _read(form.column(j)))


def steps_of(form: Gather, cell: int) -> Array:
    """Return the steps that a cell of the source flows into."""
    plane, y, x = np.unravel_index(cell, form.source.shape)
    count, height, width = form.shape
    flowing = form.pairs(np.arange(count))[:, :, 0] == plane
    rows = [i for i in range(height) if y in form.row(i).cells]
    columns = [j for j in range(width) if x in form.column(j).cells]
    planes = np.flatnonzero(flowing.any(axis=1))
    return _crossed(form.shape, planes, np.array(rows, np.int64), np.array(columns, np.int64))


def _read(reading: Reading) -> Array:
    cells = np.unique(np.array(reading.cells, np.int64))
    return cells[cells >= 0]


def _crossed(shape: tuple[int, ...], planes: Array, rows: Array, columns: Array) -> Array:
    """Return the numbers of all cells in these planes, rows and columns."""
    _, height, width = shape
    crossed = (planes[:, None, None] * height + rows[:, None]) * width + columns
    return np.asarray(crossed.reshape(-1))
