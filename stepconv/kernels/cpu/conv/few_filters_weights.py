"""The gradient for the weights of few filters: scalar products along rows of cells.

Neighbouring cells lie in the lanes of a vector; only at the end are the lanes added up. Images are
split into a fixed number of parts with sums of their own, which are added in order: the same bits
on any number of threads. The windows of neighbouring cells must be neighbours: a stride of one.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying
from stepconv.kernels.cpu.machine.tiles import dot
from stepconv.kernels.cpu.machine.vector import address, lanes, registers
from stepconv.kernels.passes import Pass, tap_places, under

Array = Any

_CELLS = 2000
_PARTS = 8
_SUMS_BYTES = 16 * 2**20


def weigh(x: Array, grad_out: Array, grad_w: Array, plan: Pass, groups: int) -> None:
    """grad_w[o, k] = Σ x[n, tap k of the window of cell p] · grad_out[n, o, p]."""
    filters, taps = grad_w.shape[0] // groups, len(plan.taps)
    height, width = _tile_shape(filters)
    # Tiles at the edge repeat the last filter or tap in room of their own.
    high, wide = -(-filters // height) * height, -(-taps // width) * width
    lane_count = lanes(x.dtype)
    rows = max(1, min(plan.grid[0], _CELLS // plan.grid[1]))
    # Rows are cut only where one alone is too long, such as that of a signal.
    piece = plan.grid[1] if plan.grid[1] <= 2 * _CELLS else _CELLS
    units = x.shape[0] * -(-plan.grid[0] // rows) * -(-plan.grid[1] // piece)
    most = max(1, _SUMS_BYTES // (groups * high * wide * lane_count * x.dtype.itemsize))
    parts = max(1, min(units, _PARTS, most))
    threads = thread_count()
    source_rows, pitch = under((rows, piece), plan.stride, plan.reach)
    cells = source_rows * pitch * (x.shape[1] // groups) + lanes(x.dtype)
    count = parts * groups * high * wide * lane_count
    memory = scratch(x.dtype, count + threads * cells)
    sums = memory[:count].reshape(parts, groups, high, wide, lane_count)
    own = memory[count:].reshape(threads, cells)
    numbers = (*plan.grid, *plan.corner, plan.stride[0], rows, piece, source_rows, pitch)
    tables = _tables(plan, filters, high, wide, source_rows, pitch, x.itemsize)
    _kernel(x.dtype, height, width)(x, grad_out, sums, own, *tables, numbers)
    _add_parts(sums, grad_w.reshape(grad_w.shape[0], taps))


@remembered
def _tables(
    plan: Pass, filters: int, high: int, wide: int, source_rows: int, pitch: int, size: int
) -> tuple[Array, Array]:
    """Return where filters lie in grad_out and taps in the source, in bytes."""
    filter_ = np.minimum(np.arange(high), filters - 1)
    tap = np.minimum(np.arange(wide), len(plan.taps) - 1)
    taps = tap_places(plan.taps, source_rows, pitch)
    return filter_ * plan.grid[0] * plan.grid[1] * size, taps[tap] * size


def _tile_shape(filters: int) -> tuple[int, int]:
    """Return how many filters and taps a tile takes: their products fill the registers."""
    most = 6 if registers() >= 32 else 3
    tiles = -(-filters // most)
    height = -(-filters // tiles)
    return height, min(8, (registers() - 1 - height) // height)


@parallel
def _add_parts(share: int, shares: int, sums: Array, grad_w: Array) -> None:
    """grad_w[o, k] = Σ of the parts and lanes, in order."""
    parts, groups, _, _, lane_count = sums.shape
    filters = grad_w.shape[0] // groups
    for o in range(*share_of(grad_w.shape[0], share, shares)):
        g, m = o // filters, o % filters
        for k in range(grad_w.shape[1]):
            total = grad_w.dtype.type(0)
            for part in range(parts):
                for lane in range(lane_count):
                    total += sums[part, g, m, k, lane]
            grad_w[o, k] = total


@functools.cache
def _kernel(dtype: Any, height: int, width: int) -> Any:
    products, copy_rows = dot(dtype, height, width), copying(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def weigh(
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        memory: Array,
        places: Array,
        offsets: Array,
        numbers: Array,
    ) -> None:
        rows, columns, corner_y, corner_x, stride_y, band, piece, source_rows, pitch = numbers
        parts, groups, high, wide, _ = sums.shape
        in_group, filters = x.shape[1] // groups, grad_out.shape[1] // groups
        bands, pieces = (rows + band - 1) // band, (columns + piece - 1) // piece
        units = x.shape[0] * bands * pieces
        source = address(memory[share])
        shape = (in_group, x.shape[2], x.shape[3])
        for t in range(*share_of(parts * groups, share, shares)):
            part, g = t // groups, t % groups
            result = sums[part, g]
            result[:] = 0
            for unit in range(part * units // parts, (part + 1) * units // parts):
                n = unit // (bands * pieces)
                start, start_x = unit // pieces % bands * band, unit % pieces * piece
                here_x = min(piece, columns - start_x)
                image = address(x) + (n * groups + g) * in_group * x.shape[2] * x.shape[3] * size
                top = corner_y + start * stride_y
                copy_rows(image, shape, top, corner_x + start_x, source_rows, pitch, source)
                gradients = address(grad_out[n, g * filters]) + (start * columns + start_x) * size
                for m in range(0, high, height):
                    for k in range(0, wide, width):
                        products(
                            gradients,
                            address(places) + m * 8,
                            columns * size,
                            source,
                            address(offsets) + k * 8,
                            stride_y * pitch * size,
                            min(band, rows - start),
                            here_x // lane_count,
                            here_x % lane_count,
                            min(1, here_x % lane_count),
                            address(result[m, k]),
                            wide * lane_count * size,
                        )

    return weigh
