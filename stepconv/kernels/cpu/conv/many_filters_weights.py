"""The gradient for the weights of many filters: vectors of filters again, summed over all cells.

grad_out is turned so that the gradients of one cell for all filters lie side by side. Each meets
the source cell under every tap. Images are split into a fixed number of parts, each with sums of
its own that are added in order: the same bits on any number of threads.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.many_filters import vectors_for
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying, turning
from stepconv.kernels.cpu.machine.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import address, lanes
from stepconv.kernels.passes import Pass, tap_places, under

Array = Any

_CELLS = 800
_GRADIENT_BYTES = 24 * 1024
_PARTS = 8
_SUMS_BYTES = 16 * 2**20


def weigh(x: Array, grad_out: Array, grad_w: Array, plan: Pass, groups: int) -> None:
    """grad_w[o, k] = Σ x[n, tap k of the window of cell p] · grad_out[n, o, p]."""
    filters, taps = grad_w.shape[0] // groups, len(plan.taps)
    vectors = vectors_for(filters, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-filters // width) * width
    rows = max(1, min(plan.grid[0], _CELLS // plan.grid[1]))
    # Rows are cut only where one alone is too long, such as that of a signal.
    piece = plan.grid[1] if plan.grid[1] <= 2 * _CELLS else _CELLS
    units = x.shape[0] * -(-plan.grid[0] // rows) * -(-plan.grid[1] // piece)
    most = max(1, _SUMS_BYTES // (groups * taps * wide * x.dtype.itemsize))
    parts = max(1, min(units, _PARTS, most))
    threads = thread_count()
    cells, (source_rows, pitch) = 0, x.shape[2:]
    if not plan.stays_inside(x.shape[2:]):
        source_rows, pitch = under((rows, piece), plan.stride, plan.reach)
        cells = source_rows * pitch * (x.shape[1] // groups) + lanes(x.dtype)
    room = cells + rows * piece * wide
    count = parts * groups * taps * wide
    memory = scratch(x.dtype, threads * room + count)
    sums = memory[:count].reshape(parts, groups, taps, wide)
    own = memory[count:].reshape(threads, room)
    sizes = (rows, piece, source_rows, pitch, wide, rows_of(vectors), x.itemsize)
    numbers = (*plan.grid, *plan.corner, *plan.stride, cells, rows, piece, source_rows, pitch)
    _kernel(x.dtype, vectors)(x, grad_out, sums, own, *_tables(plan, *sizes), numbers)
    _add_parts(sums, grad_w.reshape(grad_w.shape[0], taps))


@remembered
def _tables(
    plan: Pass,
    rows: int,
    piece: int,
    source_rows: int,
    pitch: int,
    wide: int,
    height: int,
    size: int,
) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of cells, and of taps.

    The last tile repeats the last tap: it sums and writes the same twice.
    """
    q, r = np.divmod(np.arange(rows * piece), piece)
    source = q * plan.stride[0] * pitch + r * plan.stride[1]
    cells = np.stack([source, np.arange(len(q)) * wide], 1)
    taps = tap_places(plan.taps, source_rows, pitch)
    tap = np.minimum(np.arange(len(taps) + height), len(taps) - 1)
    return cells * size, np.stack([taps[tap], tap * wide]) * size


@parallel
def _add_parts(share: int, shares: int, sums: Array, grad_w: Array) -> None:
    """grad_w[o, k] = Σ of the parts, in order."""
    parts, groups, taps, _ = sums.shape
    filters = grad_w.shape[0] // groups
    for o in range(*share_of(grad_w.shape[0], share, shares)):
        g, m = o // filters, o % filters
        for k in range(taps):
            total = sums[0, g, k, m]
            for part in range(1, parts):
                total += sums[part, g, k, m]
            grad_w[o, k] = total


@functools.cache
def _kernel(dtype: Any, vectors: int) -> Any:
    height = rows_of(vectors)
    multiply = multiply_add(dtype, height, vectors)
    copy_rows, turn = copying(dtype), turning(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    width = vectors * lane_count
    block = _GRADIENT_BYTES // (width * size)

    @parallel
    def weigh(
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        memory: Array,
        table: Array,
        places: Array,
        numbers: Array,
    ) -> None:
        rows, columns, corner_y, corner_x, stride_y, stride_x = numbers[:6]
        cells, band, piece, source_rows, pitch = numbers[6:]
        parts, groups, count, wide = sums.shape
        in_group, filters = x.shape[1] // groups, grad_out.shape[1] // groups
        bands, pieces = (rows + band - 1) // band, (columns + piece - 1) // piece
        units = x.shape[0] * bands * pieces
        source = address(memory[share])
        turned = source + cells * size
        memory[share, cells:] = 0
        shape, plane = (in_group, x.shape[2], x.shape[3]), rows * columns
        for t in range(*share_of(parts * groups, share, shares)):
            part, g = t // groups, t % groups
            result = sums[part, g]
            result[:] = 0
            for unit in range(part * units // parts, (part + 1) * units // parts):
                n = unit // (bands * pieces)
                start, start_x = unit // pieces % bands * band, unit % pieces * piece
                here = min(band, rows - start) * min(piece, columns - start_x)
                image = address(x) + (n * groups + g) * in_group * x.shape[2] * x.shape[3] * size
                top, left = corner_y + start * stride_y, corner_x + start_x * stride_x
                windows = source
                if cells == 0:
                    windows = image + (top * pitch + left) * size
                else:
                    copy_rows(image, shape, top, left, source_rows, pitch, source)
                first = (n * groups + g) * filters * plane + start * columns + start_x
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
