"""Where the pixels of each window lie, as tables for kernels with channels in the lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan
from stepconv.geometry.budget import check
from stepconv.kernels.cpu.channels.sums import OUTSIDE

Table = NDArray[np.int64]


def window_table(plan: Plan, step: int, pictures: int = 1) -> Table:
    """Return for each pixel of the output where its taps lie, in bytes from the first pixel of x.

    Pixels of x are `step` bytes apart; what is not there has OUTSIDE.
    """
    # So many copies of it there are on the way.
    check("table of windows", (*plan.output, plan.rows.window * plan.columns.window), 4 * 8)
    rows, columns = (_cells(axis) for axis in plan.axes)
    down, across = rows[:, None, :, None], columns[None, :, None, :]
    cells = down * plan.columns.size + across
    there = (down != OUTSIDE) & (across != OUTSIDE)
    one = np.where(there, cells * step, OUTSIDE).reshape(-1)
    picture = plan.rows.size * plan.columns.size * step
    every = np.arange(pictures)[:, None] * picture + one
    return np.ascontiguousarray(np.where(one == OUTSIDE, OUTSIDE, every).reshape(-1), np.int64)


def _cells(axis: Axis) -> Table:
    """Return for each window along an axis the cells that it reads, OUTSIDE for what is not there.

    >>> _cells(Axis(size=3, window=3, before=1, after=1)).tolist()
    [[-1, 0, 1], [0, 1, 2], [1, 2, -1]]
    """
    read = np.array([list(axis.taps(index)) for index in range(axis.output)], np.int64)
    inside = (read >= 0) & (read < axis.size)
    return np.where(inside, read, OUTSIDE).reshape(axis.output, axis.window)


def sides(axis: Axis) -> Table:
    """Return for each window along an axis the first cell that it reads, and how many.

    >>> sides(Axis(size=4, window=3, stride=2, before=1, after=1)).tolist()
    [[0, 2], [1, 3]]
    """
    found = []
    for index in range(axis.output):
        inside = [cell for cell in axis.taps(index) if 0 <= cell < axis.size]
        found.append((inside[0] if inside else 0, len(inside)))
    return np.array(found, np.int64).reshape(-1, 2)


def shares(counts: Any) -> NDArray[np.float32]:
    """Return by what the sum of each window is multiplied, where so many cells count."""
    rows, columns = (np.array(along, np.float64) for along in counts)
    return (1 / (rows[:, None] * columns)).astype(np.float32).reshape(-1)
