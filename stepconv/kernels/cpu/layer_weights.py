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
from stepconv.kernels.cpu.layer import vectors_for
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.staging import copying, turning
from stepconv.kernels.cpu.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.vector import address, lanes
from stepconv.kernels.passes import Pass

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
    units = x.shape[0] * -(-plan.grid[0] // rows)
    most = max(1, _SUMS_BYTES // (groups * taps * wide * x.dtype.itemsize))
    parts = max(1, min(units, _PARTS, most))
    threads = thread_count()
    cells = 0
    if not plan.stays_inside(x.shape[2:]):
        cells = plan.cells(rows) * (x.shape[1] // groups) + lanes(x.dtype)
    room = cells + rows * plan.grid[1] * wide
    count = parts * groups * taps * wide
    memory = scratch(x.dtype, threads * room + count)
    sums = memory[:count].reshape(parts, groups, taps, wide)
    own = memory[count:].reshape(threads, room)
    _kernel(x.dtype, vectors)(x, grad_out, sums, own, cells, plan.taps, plan.numbers, rows)
    _add_parts(sums, grad_w.reshape(grad_w.shape[0], taps))


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
        cells: int,
        taps: Array,
        numbers: Array,
        band: int,
    ) -> None:
        rows, columns = numbers[:2]
        corner_y, corner_x, stride_y, stride_x, reach_y, reach_x = numbers[6:]
        parts, groups, count, wide = sums.shape
        in_group, filters = x.shape[1] // groups, grad_out.shape[1] // groups
        bands = (rows + band - 1) // band
        units = x.shape[0] * bands
        source_rows = (band - 1) * stride_y + reach_y
        pitch = (columns - 1) * stride_x + reach_x
        if cells == 0:
            source_rows, pitch = x.shape[2], x.shape[3]
        tasks = parts * groups
        source, turned = memory[share, :cells], memory[share, cells:]
        turned[:] = 0
        places = np.empty((2, count + height), np.int64)
        for k in range(count + height):
            # The last tile repeats the last tap: it sums and writes the same twice.
            tap = min(k, count - 1)
            row = taps[tap, 0] * source_rows + taps[tap, 1]
            places[0, k] = (row * pitch + taps[tap, 2]) * size
            places[1, k] = tap * wide * size
        table = np.empty((band * columns, 2), np.int64)
        for p in range(band * columns):
            q, r = p // columns, p % columns
            table[p, 0] = (q * stride_y * pitch + r * stride_x) * size
            table[p, 1] = p * wide * size
        for t in range(*share_of(tasks, share, shares)):
            part, g = t // groups, t % groups
            result = sums[part, g]
            result[:] = 0
            for unit in range(part * units // parts, (part + 1) * units // parts):
                n, start = unit // bands, unit % bands * band
                here = min(band, rows - start) * columns
                image = x[n, g * in_group : (g + 1) * in_group]
                top = corner_y + start * stride_y
                windows = address(source)
                if cells == 0:
                    windows = address(image) + (top * pitch + corner_x) * size
                else:
                    copy_rows(image, top, corner_x, source_rows, pitch, source)
                gradients = grad_out[n, g * filters : (g + 1) * filters].reshape(-1)
                plane = rows * columns
                turn(gradients[start * columns :], plane, filters, here, turned, wide)
                for p in range(0, here, block):
                    for m in range(0, wide, width):
                        for k in range(0, count, height):
                            multiply(
                                windows,
                                address(places[0]) + k * 8,
                                address(turned) + m * size,
                                address(table) + p * 16,
                                min(block, here - p),
                                address(result) + m * size,
                                address(places[1]) + k * 8,
                                address(result) + m * size,
                                address(places[1]) + k * 8,
                            )

    return weigh
