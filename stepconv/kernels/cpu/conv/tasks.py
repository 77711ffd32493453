"""How a layer is cut into tasks: bands of rows of one image, or pieces of rows that are long.

The gradient of its weights is split into parts, whose number depends on the sizes alone. Each has
sums of its own, which are added in order: the same bits on any number of threads.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of, thread_count
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying
from stepconv.kernels.cpu.machine.vector import address
from stepconv.kernels.passes import Pair, Pass, Walk

Array = Any

_PARTS = 8
_SUMS_BYTES = 16 * 2**20


class Bands(NamedTuple):
    """Rows and columns of a task's grid, and of the source that lies under them.

    Each group of an image has so many tasks, some of them side by side. Of the source `copied`
    cells are kept with the padding round them; if there are 0, the task reads the image itself.
    """

    rows: int
    columns: int
    source_rows: int
    pitch: int
    copied: int
    tasks: int
    across: int


class Task(NamedTuple):
    """In which image and group a task is, where in the grid it begins, and how large it is."""

    image: int
    group: int
    row: int
    column: int
    rows: int
    columns: int


def size_of_tasks(grid: Pair, cells: int) -> Pair:
    """Return the rows and columns of a task of about so many cells.

    Rows are cut only where one alone is too long, such as that of a signal.
    """
    rows = max(1, min(grid[0], cells // grid[1]))
    return rows, grid[1] if grid[1] <= 2 * cells else cells


def bands_of(x: Array, plan: Pass, size: Pair, beyond: int, in_place: bool = False) -> Bands:
    """Return the bands of tasks of this size; what they copy has some cells more at its end."""
    (rows, columns), across = size, -(-plan.grid[1] // size[1])
    high, pitch = x.shape[2:] if in_place else plan.under(rows, columns)
    copied = 0 if in_place else high * pitch * (x.shape[1] // plan.groups) + beyond
    return Bands(rows, columns, high, pitch, copied, -(-plan.grid[0] // rows) * across, across)


@inner
def task_at(t: int, plan: Walk, bands: Bands) -> Task:
    """Return task t, those of an image one group after the other."""
    image, group = t // (plan.groups * bands.tasks), t // bands.tasks % plan.groups
    row = t % bands.tasks // bands.across * bands.rows
    column = t % bands.tasks % bands.across * bands.columns
    rows, columns = min(bands.rows, plan.grid_y - row), min(bands.columns, plan.grid_x - column)
    return Task(image, group, row, column, rows, columns)


@functools.cache
def sourcing(dtype: Any) -> Any:
    """Return the function that finds or copies what the windows of a task read."""
    copy_rows, size = copying(dtype), np.dtype(dtype).itemsize

    @inner
    def source_of(x: Array, task: Task, plan: Walk, bands: Bands, room: int) -> int:
        """Return the address of the first window: in the image, or in the room for copies."""
        shape = x.shape[1] // plan.groups, x.shape[2], x.shape[3]
        plane = (task.image * plan.groups + task.group) * shape[0]
        image = address(x) + plane * shape[1] * shape[2] * size
        top = plan.corner_y + task.row * plan.stride_y
        left = plan.corner_x + task.column * plan.stride_x
        if bands.copied == 0:
            return image + (top * bands.pitch + left) * size
        copy_rows(image, shape, top, left, bands.source_rows, bands.pitch, room)
        return room

    return source_of


def parts_for(tasks: int, sums_bytes: int) -> int:
    """Return into how many parts the gradient is split whose sums take so many bytes."""
    return max(1, min(tasks, _PARTS, _SUMS_BYTES // sums_bytes))


def room_for_parts(dtype: Any, shape: tuple[int, ...], own: int) -> tuple[Array, Array]:
    """Return memory for the sums of all parts, and for each thread some of its own."""
    count, threads = math.prod(shape), thread_count()
    memory = scratch(dtype, count + threads * own)
    return memory[:count].reshape(shape), memory[count:].reshape(threads, own)


@parallel
def add_parts(worker: int, share: int, sums: Array, grad_w: Array) -> None:
    """grad_w[o, k] = Σ of the parts and lanes, in order: sums[part, group, filter, k, lane]."""
    parts, groups, _, _, lanes = sums.shape
    filters = grad_w.shape[0] // groups
    for o in range(*share_of(grad_w.shape[0], share)):
        g, m = o // filters, o % filters
        for k in range(grad_w.shape[1]):
            total = grad_w.dtype.type(0)
            for part in range(parts):
                for lane in range(lanes):
                    total += sums[part, g, m, k, lane]
            grad_w[o, k] = total
