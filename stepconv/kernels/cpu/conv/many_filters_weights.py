"""The gradient for the weights of many filters: vectors of filters again, summed over all cells.

grad_out is turned so that the gradients of one cell for all filters lie side by side. Each meets
the source cell under every tap. Images are split into a fixed number of parts, each with sums of
its own that are added in order: the same bits on any number of threads.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of
from stepconv.kernels.cpu.conv.many_filters import vectors_for
from stepconv.kernels.cpu.conv.tasks import (
    Bands,
    add_parts,
    bands_of,
    parts_for,
    room_for_parts,
    size_of_tasks,
    sourcing,
    task_at,
)
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.staging import turning
from stepconv.kernels.cpu.machine.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import address, lanes
from stepconv.kernels.passes import Pass, Walk, tap_places

Array = Any

Numbers = tuple[int, ...]

_CELLS = 800
_GRADIENT_BYTES = 24 * 1024


def weigh(x: Array, grad_out: Array, grad_w: Array, plan: Pass) -> None:
    """grad_w[o, k] = Σ x[n, tap k of the window of cell p] · grad_out[n, o, p]."""
    filters, taps = grad_w.shape[0] // plan.groups, len(plan.taps)
    vectors = vectors_for(filters, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-filters // width) * width
    size = size_of_tasks(plan.grid, _CELLS)
    bands = bands_of(x, plan, size, lanes(x.dtype), plan.stays_inside(x.shape[2:]))
    tasks = x.shape[0] * bands.tasks
    parts = parts_for(tasks, plan.groups * taps * wide * x.itemsize)
    room = bands.copied + bands.rows * bands.columns * wide
    sums, own = room_for_parts(x.dtype, (parts, plan.groups, taps, wide), room)
    tables = _tables(plan, bands, wide, rows_of(vectors), x.itemsize)
    _kernel(x.dtype, vectors)(x, grad_out, sums, own, *tables, plan.walk[:], bands[:])
    add_parts(sums.swapaxes(2, 3)[..., None], grad_w.reshape(grad_w.shape[0], taps))


@remembered
def _tables(plan: Pass, bands: Bands, wide: int, height: int, size: int) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of cells, and of taps.

    The last tile repeats the last tap: it sums and writes the same twice.
    """
    q, r = np.divmod(np.arange(bands.rows * bands.columns), bands.columns)
    source = q * plan.stride[0] * bands.pitch + r * plan.stride[1]
    cells = np.stack([source, np.arange(len(q)) * wide], 1)
    taps = tap_places(plan.taps, bands.source_rows, bands.pitch)
    tap = np.minimum(np.arange(len(taps) + height), len(taps) - 1)
    return cells * size, np.stack([taps[tap], tap * wide]) * size


@functools.cache
def _kernel(dtype: Any, vectors: int) -> Any:
    height = rows_of(vectors)
    multiply = multiply_add(dtype, height, vectors)
    source_of, turn = sourcing(dtype), turning(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    width = vectors * lane_count
    block = _GRADIENT_BYTES // (width * size)

    @parallel
    def weigh(
        worker: int,
        share: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        memory: Array,
        table: Array,
        places: Array,
        walk: Numbers,
        numbers: Numbers,
    ) -> None:
        plan, bands = Walk(*walk), Bands(*numbers)
        parts, groups, count, wide = sums.shape
        filters = grad_out.shape[1] // groups
        tasks = x.shape[0] * bands.tasks
        source = address(memory[worker])
        turned = source + bands.copied * size
        memory[worker, bands.copied :] = 0
        plane = plan.grid_y * plan.grid_x
        for t in range(*share_of(parts * groups, share)):
            part, g = t // groups, t % groups
            result = sums[part, g]
            result[:] = 0
            for u in range(part * tasks // parts, (part + 1) * tasks // parts):
                image, rest = u // bands.tasks, u % bands.tasks
                task = task_at((image * groups + g) * bands.tasks + rest, plan, bands)
                here = task.rows * task.columns
                windows = source_of(x, task, plan, bands, source)
                first = (task.image * groups + g) * filters * plane
                first += task.row * plan.grid_x + task.column
                turn(address(grad_out) + first * size, plane, filters, here, turned, wide)
                for p in range(0, here, block):
                    for m in range(0, wide, width):
                        for k in range(0, count, height):
                            multiply(
                                windows,
                                address(places[0]) + k * 8,
                                turned + m * size,
                                address(table) + p * 16,
                                min(block, here - p),
                                address(result) + m * size,
                                address(places[1]) + k * 8,
                                address(result) + m * size,
                                address(places[1]) + k * 8,
                            )

    return weigh
