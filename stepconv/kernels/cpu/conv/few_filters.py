"""Layers of few filters: a vector holds neighbouring cells of one filter's output.

A weight meets as many cells at once as a vector has lanes, so a handful of filters keeps all of
them busy. The windows of neighbouring cells must be neighbours too: a stride of one along a row.
A task sums some rows of one image; the padded rows of the source lie one behind the other, so
vectors run on from row to row, and what they sum between two rows is left behind.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.tasks import Bands, bands_of, size_of_tasks, sourcing, task_at
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.tiles import multiply_add, row_of_numbers
from stepconv.kernels.cpu.machine.vector import address, lanes, registers
from stepconv.kernels.passes import Pass, Walk, tap_places

Array = Any
Numbers = tuple[int, ...]

# A task's sums and its rows of the source should lie in the second-level cache.
_CELLS = 2000
_MOST_FILTERS = 8


def apply_pass(x: Array, w: Array, bias: Array, out: Array, plan: Pass) -> None:
    """Compute one pass for all images and groups."""
    filters = out.shape[1] // plan.groups
    height, vectors = tile_shape(filters)
    width = vectors * lanes(x.dtype)
    # Vectors reach beyond the last cell, and what they load there is left behind.
    bands = bands_of(x, plan, size_of_tasks(plan.grid, _CELLS), width)
    positions = (bands.rows - 1) * plan.stride[0] * bands.pitch + bands.columns + width
    threads = thread_count()
    room = bands.copied + filters * positions + filters * width
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    tables = _tables(plan, bands, filters, width, positions, x.itemsize)
    numbers = (plan.walk[:], bands[:], positions)
    kernel = _kernel(x.dtype, height, vectors).for_work(out.size * w[0].size)
    kernel(x, w.reshape(-1), bias, out, memory, tables, numbers)


@remembered
def _tables(
    plan: Pass, bands: Bands, filters: int, width: int, positions: int, size: int
) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of taps, and of filters.

    The last tile repeats the last filter: it sums and writes the same twice.
    """
    table = np.stack([plan.weights, tap_places(plan.taps, bands.source_rows, bands.pitch)], 1)
    filter_ = np.minimum(np.arange(filters + _MOST_FILTERS), filters - 1)
    return table * size, np.stack(
        [filter_ * plan.between[1], filter_ * width, filter_ * positions]
    ) * size


def tile_shape(filters: int) -> tuple[int, int]:
    """Return how many filters a tile takes, shared out evenly, and how many vectors of each."""
    tiles = -(-filters // _MOST_FILTERS)
    height = -(-filters // tiles)
    return height, min(8, (registers() - 2) // (height + 1))


@functools.cache
def _kernel(dtype: Any, height: int, vectors: int) -> Any:
    sums, source_of = multiply_add(dtype, height, vectors), sourcing(dtype)
    copy_row, lane_count = row_of_numbers(dtype), lanes(dtype)
    width, size = vectors * lane_count, np.dtype(dtype).itemsize

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        w: Array,
        bias: Array,
        out: Array,
        memory: Array,
        tables: tuple[Array, Array],
        numbers: tuple[Numbers, Numbers, int],
    ) -> None:
        plan, bands, positions = Walk(*numbers[0]), Bands(*numbers[1]), numbers[2]
        table, places = tables
        groups, cells, step = plan.groups, bands.copied, plan.stride_y * bands.pitch
        filters = out.shape[1] // groups
        plane = out.shape[2] * out.shape[3]
        source = memory[worker, :cells]
        result = memory[worker, cells : cells + filters * positions]
        biases = memory[worker, cells + filters * positions :]
        source[cells - width :] = 0
        tasks = x.shape[0] * groups * bands.tasks
        for t in range(*share_of(tasks, share)):
            task = task_at(t, plan, bands)
            n, g, here, here_x = task.image, task.group, task.rows, task.columns
            source_of(x, task, plan, bands, address(source))
            for m in range(filters):
                for i in range(width):
                    biases[m * width + i] = bias[g * filters + m]
            # With a stride of one all rows are one run of cells, else each is its own.
            runs, length = (1, (here - 1) * bands.pitch + here_x)
            if plan.stride_y > 1:
                runs, length = here, here_x
            for run in range(runs):
                for p in range(run * step, run * step + length, width):
                    for m in range(0, filters, height):
                        sums(
                            address(w) + g * plan.between_groups * size,
                            address(places[0]) + m * 8,
                            address(source) + p * size,
                            address(table),
                            table.shape[0],
                            address(biases),
                            address(places[1]) + m * 8,
                            address(result) + p * size,
                            address(places[2]) + m * 8,
                        )
            target = out[n, g * filters : (g + 1) * filters].reshape(-1)
            for m in range(filters):
                for q in range(here):
                    y = plan.first_y + (task.row + q) * plan.step_y
                    z = plan.first_x + task.column * plan.step_x
                    to = m * plane + y * out.shape[3] + z
                    at = m * positions + q * step
                    if plan.step_x == 1:
                        copy_row(
                            address(result) + at * size,
                            address(target) + to * size,
                            here_x // lane_count,
                            here_x % lane_count,
                        )
                    else:
                        for r in range(here_x):
                            target[to + r * plan.step_x] = result[at + r]

    return apply
