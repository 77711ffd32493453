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
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying
from stepconv.kernels.cpu.machine.tiles import multiply_add, row_of_numbers
from stepconv.kernels.cpu.machine.vector import address, lanes, registers
from stepconv.kernels.passes import Pass, tap_places, under

Array = Any
Steps = tuple[int, int, int]

# A task's sums and its rows of the source should lie in the second-level cache.
_CELLS = 2000
_MOST_FILTERS = 8


def apply_pass(x: Array, w: Array, bias: Array, out: Array, plan: Pass, steps: Steps) -> None:
    """Compute one pass for all images and groups; `steps` as in layer.apply_passes."""
    groups = steps[2]
    filters = out.shape[1] // groups
    height, vectors = tile_shape(filters)
    width = vectors * lanes(x.dtype)
    rows = max(1, min(plan.grid[0], _CELLS // plan.grid[1]))
    # Rows are cut only where one alone is too long, such as that of a signal.
    piece = plan.grid[1] if plan.grid[1] <= 2 * _CELLS else _CELLS
    source_rows, pitch = under((rows, piece), plan.stride, plan.reach)
    # Vectors reach beyond the last cell, and what they load there is left behind.
    cells = source_rows * pitch * (x.shape[1] // groups) + width
    positions = (rows - 1) * plan.stride[0] * pitch + piece + width
    threads = thread_count()
    room = cells + filters * positions + filters * width
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    kernel = _kernel(x.dtype, height, vectors)
    tables = _tables(plan, filters, source_rows, pitch, steps[1], width, positions, x.itemsize)
    numbers = (*plan.grid, *plan.first, *plan.step, *plan.corner, plan.stride[0])
    numbers = (*numbers, cells, positions, rows, piece, source_rows, pitch)
    kernel(x, w.reshape(-1), bias, out, memory, *tables, numbers, steps)


@remembered
def _tables(
    plan: Pass,
    filters: int,
    source_rows: int,
    pitch: int,
    step: int,
    width: int,
    positions: int,
    size: int,
) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of taps, and of filters.

    The last tile repeats the last filter: it sums and writes the same twice.
    """
    table = np.stack([plan.weights, tap_places(plan.taps, source_rows, pitch)], 1)
    filter_ = np.minimum(np.arange(filters + _MOST_FILTERS), filters - 1)
    return table * size, np.stack([filter_ * step, filter_ * width, filter_ * positions]) * size


def tile_shape(filters: int) -> tuple[int, int]:
    """Return how many filters a tile takes, shared out evenly, and how many vectors of each."""
    tiles = -(-filters // _MOST_FILTERS)
    height = -(-filters // tiles)
    return height, min(8, (registers() - 2) // (height + 1))


@functools.cache
def _kernel(dtype: Any, height: int, vectors: int) -> Any:
    sums, copy_rows = multiply_add(dtype, height, vectors), copying(dtype)
    copy_row, lane_count = row_of_numbers(dtype), lanes(dtype)
    width, size = vectors * lane_count, np.dtype(dtype).itemsize

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        w: Array,
        bias: Array,
        out: Array,
        memory: Array,
        table: Array,
        places: Array,
        numbers: Array,
        steps: Array,
    ) -> None:
        rows, columns, first_y, first_x, step_y, step_x, corner_y, corner_x = numbers[:8]
        stride_y, cells, positions, band, piece, source_rows, pitch = numbers[8:]
        groups, count = steps[2], table.shape[0]
        in_group, filters = x.shape[1] // groups, out.shape[1] // groups
        bands, pieces = (rows + band - 1) // band, (columns + piece - 1) // piece
        shape = (in_group, x.shape[2], x.shape[3])
        plane = out.shape[2] * out.shape[3]
        source = memory[share, :cells]
        result = memory[share, cells : cells + filters * positions]
        biases = memory[share, cells + filters * positions :]
        source[cells - width :] = 0
        for t in range(*share_of(x.shape[0] * groups * bands * pieces, share, shares)):
            n, g = t // (groups * bands * pieces), t // (bands * pieces) % groups
            start, start_x = t // pieces % bands * band, t % pieces * piece
            here, here_x = min(band, rows - start), min(piece, columns - start_x)
            image = address(x) + (n * groups + g) * in_group * x.shape[2] * x.shape[3] * size
            top, left = corner_y + start * stride_y, corner_x + start_x
            copy_rows(image, shape, top, left, source_rows, pitch, address(source))
            for m in range(filters):
                for i in range(width):
                    biases[m * width + i] = bias[g * filters + m]
            # With a stride of one all rows are one run of cells, else each is its own.
            runs, length = (1, (here - 1) * pitch + here_x)
            if stride_y > 1:
                runs, length = here, here_x
            for run in range(runs):
                for p in range(run * stride_y * pitch, run * stride_y * pitch + length, width):
                    for m in range(0, filters, height):
                        sums(
                            address(w) + g * steps[0] * size,
                            address(places[0]) + m * 8,
                            address(source) + p * size,
                            address(table),
                            count,
                            address(biases),
                            address(places[1]) + m * 8,
                            address(result) + p * size,
                            address(places[2]) + m * 8,
                        )
            target = out[n, g * filters : (g + 1) * filters].reshape(-1)
            for m in range(filters):
                for q in range(here):
                    y = first_y + (start + q) * step_y
                    to = m * plane + y * out.shape[3] + first_x + start_x * step_x
                    at = m * positions + q * stride_y * pitch
                    if step_x == 1:
                        copy_row(
                            address(result) + at * size,
                            address(target) + to * size,
                            here_x // lane_count,
                            here_x % lane_count,
                        )
                    else:
                        for r in range(here_x):
                            target[to + r * step_x] = result[at + r]

    return apply
