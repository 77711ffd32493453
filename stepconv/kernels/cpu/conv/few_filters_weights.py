"""The gradient for the weights of few filters: scalar products along rows of cells.

Neighbouring cells lie in the lanes of a vector; only at the end are the lanes added up. Images are
split into a fixed number of parts with sums of their own, which are added in order: the same bits
on any number of threads. The windows of neighbouring cells must be neighbours: a stride of one.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of
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
from stepconv.kernels.cpu.machine.tiles import Side, dot
from stepconv.kernels.cpu.machine.vector import address, lanes, registers
from stepconv.kernels.passes import Pass, Walk, tap_places

Array = Any

Numbers = tuple[int, ...]

_CELLS = 2000


def weigh(x: Array, grad_out: Array, grad_w: Array, plan: Pass) -> None:
    """grad_w[o, k] = Σ x[n, tap k of the window of cell p] · grad_out[n, o, p]."""
    filters, taps = grad_w.shape[0] // plan.groups, len(plan.taps)
    height, width = _tile_shape(filters)
    # Tiles at the edge repeat the last filter or tap in room of their own.
    high, wide = -(-filters // height) * height, -(-taps // width) * width
    lane_count = lanes(x.dtype)
    bands = bands_of(x, plan, size_of_tasks(plan.grid, _CELLS), lane_count)
    tasks = x.shape[0] * bands.tasks
    parts = parts_for(tasks, plan.groups * high * wide * lane_count * x.itemsize)
    shape = (parts, plan.groups, high, wide, lane_count)
    sums, own = room_for_parts(x.dtype, shape, bands.copied)
    tables = _tables(plan, bands, filters, high, wide, x.itemsize)
    _kernel(x.dtype, height, width)(x, grad_out, sums, own, *tables, plan.walk[:], bands[:])
    add_parts(sums, grad_w.reshape(grad_w.shape[0], taps))


@remembered
def _tables(
    plan: Pass, bands: Bands, filters: int, high: int, wide: int, size: int
) -> tuple[Array, Array]:
    """Return where filters lie in grad_out and taps in the source, in bytes."""
    filter_ = np.minimum(np.arange(high), filters - 1)
    tap = np.minimum(np.arange(wide), len(plan.taps) - 1)
    taps = tap_places(plan.taps, bands.source_rows, bands.pitch)
    return filter_ * plan.grid[0] * plan.grid[1] * size, taps[tap] * size


def _tile_shape(filters: int) -> tuple[int, int]:
    """Return how many filters and taps a tile takes: their products fill the registers."""
    most = 6 if registers() >= 32 else 3
    tiles = -(-filters // most)
    height = -(-filters // tiles)
    return height, min(8, (registers() - 1 - height) // height)


@functools.cache
def _kernel(dtype: Any, height: int, width: int) -> Any:
    products, source_of = dot(dtype, height, width), sourcing(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def weigh(
        worker: int,
        share: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        memory: Array,
        places: Array,
        offsets: Array,
        walk: Numbers,
        numbers: Numbers,
    ) -> None:
        plan, bands = Walk(*walk), Bands(*numbers)
        parts, groups, high, wide, _ = sums.shape
        filters = grad_out.shape[1] // groups
        tasks = x.shape[0] * bands.tasks
        for t in range(*share_of(parts * groups, share)):
            part, g = t // groups, t % groups
            result = sums[part, g]
            result[:] = 0
            for u in range(part * tasks // parts, (part + 1) * tasks // parts):
                image, rest = u // bands.tasks, u % bands.tasks
                task = task_at((image * groups + g) * bands.tasks + rest, plan, bands)
                source = source_of(x, task, plan, bands, address(memory[worker]))
                gradients = address(grad_out[task.image, g * filters])
                gradients += (task.row * plan.grid_x + task.column) * size
                for m in range(0, high, height):
                    for k in range(0, wide, width):
                        taps_at = address(offsets) + k * 8
                        products(
                            Side(gradients, address(places) + m * 8, plan.grid_x * size),
                            Side(source, taps_at, plan.stride_y * bands.pitch * size),
                            task.rows,
                            task.columns // lane_count,
                            task.columns % lane_count,
                            min(1, task.columns % lane_count),
                            address(result[m, k]),
                            wide * lane_count * size,
                        )

    return weigh
