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


def weights_of(form: Gather, step: int, *, mirrored: bool) -> Array:
    """Return the cells of the weights that meet a cell of the source in a step, each once.

    They are counted as in the array that was given: `mirrored` ones are applied after a half turn.
    """
    assert form.weights is not None  # a family that weighs has some
    plane, i, j = form.place(step)
    planes = np.unique(form.pairs(np.array([plane]))[0, :, 1])
    shape = form.weights.shape
    return _as_given(
        _crossed(shape, planes, _met(form.row(i)), _met(form.column(j))), shape, mirrored
    )


def steps_meeting(form: Gather, cell: int, *, mirrored: bool) -> Array:
    """Return the steps in which a cell of the weights meets a cell of the source."""
    assert form.weights is not None
    shape = form.weights.shape
    (at,) = _as_given(np.array([cell]), shape, mirrored)
    plane, y, x = np.unravel_index(at, shape)
    count, height, width = form.shape
    meeting = form.pairs(np.arange(count))[:, :, 1] == plane
    rows = [i for i in range(height) if y in _met(form.row(i))]
    columns = [j for j in range(width) if x in _met(form.column(j))]
    planes = np.flatnonzero(meeting.any(axis=1))
    return _crossed(form.shape, planes, np.array(rows, np.int64), np.array(columns, np.int64))


def _as_given(cells: Array, shape: tuple[int, ...], mirrored: bool) -> Array:
    """Return cells of weights that are applied as those of the array, and the other way."""
    size = shape[-2] * shape[-1]
    return np.sort(cells // size * size + (size - 1 - cells % size)) if mirrored else cells


def _met(reading: Reading) -> Array:
    """Return the taps that meet a cell of the source, not its padding."""
    pairs = zip(reading.cells, reading.taps, strict=True)
    return np.unique(np.array([tap for cell, tap in pairs if cell >= 0], np.int64))


def _read(reading: Reading) -> Array:
    cells = np.unique(np.array(reading.cells, np.int64))
    return cells[cells >= 0]


def _crossed(shape: tuple[int, ...], planes: Array, rows: Array, columns: Array) -> Array:
    """Return the numbers of all cells in these planes, rows and columns."""
    _, height, width = shape
    crossed = (planes[:, None, None] * height + rows[:, None]) * width + columns
    return np.asarray(crossed.reshape(-1))
