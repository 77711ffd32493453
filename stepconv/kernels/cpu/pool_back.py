"""The gradients of pools in vectors, for small windows of float32 and float64.

A task owns a band of rows of one plane of grad_x, and of a long row a strip. It goes through all
windows over its cells; what they send to cells of other tasks is left out. So no two tasks write
the same cell, and each cell is summed in the textbook's order.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of, thread_count
from stepconv.kernels.cpu.pool_back_tiles import kept, mask_count, reach, returned
from stepconv.kernels.cpu.pool_rows import CELLS, STRIP, band_rows
from stepconv.kernels.cpu.pool_tiles import Windows, read_at
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.vector import lanes

Array = Any

_NONE = np.empty(0, np.int64)


class Cut(NamedTuple):
    """How the planes of a call are cut into tasks, and what a thread needs of memory.

    A task takes `band` rows of windows and `strip` columns of them. In the memory of a thread are
    first `own` numbers for the tile, then for each row of windows, and for each column, the cells
    that it counts, and `spare` numbers for the rows that nobody asked for. What is read in place of
    rows that are not there is in `padding` and `zeros`.
    """

    band: int
    strip: int
    own: int
    rows: int
    columns: int
    spare: int
    masks: int
    padding: Array
    zeros: Array


@functools.lru_cache(maxsize=64)
def cut_planes(
    dtype: Any,
    shape: tuple[int, int, int],
    windows: Windows,
    top: int,
    left: int,
    average: bool,
    cells: int,
) -> Cut:
    """Decide how to cut the planes of grad_x."""
    planes, height, width = shape
    lane_count, (before_i, before_j) = lanes(dtype), reach(windows)
    # The grid of windows is carried on to the last cells, which may belong to no window.
    rows = (height + top - 1) // windows.stride_y + 1
    columns = (width + left - 1) // windows.stride_x + 1
    band = band_rows(planes, rows, width * windows.stride_y, cells)
    strip = min(STRIP, columns)
    vectors = -(-(strip + before_j) // lane_count)
    wide = (vectors + 1) * lane_count * windows.stride_x + windows.width
    return Cut(
        band,
        strip,
        own=vectors * lane_count * kept(windows, average).vectors,
        rows=rows + before_i,
        columns=columns + lane_count,
        spare=wide,
        masks=vectors * mask_count(dtype, windows),
        padding=np.full(wide, -np.inf, dtype),
        zeros=np.zeros(wide, dtype),
    )


def backward(
    x: Array,
    grad_out: Array,
    grad_x: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] | None = None,
) -> Array:
    """Hand each window's gradient to its winner, or with counts to all of its cells.

    Return the planes in which a winner is in doubt, because of NaN or of a window of -inf alone.
    """
    dtype, average = grad_x.dtype, counts is not None
    cut = cut_planes(dtype, grad_x.shape, windows, top, left, average, CELLS)
    threads = thread_count()
    room = cut.own + cut.rows + cut.columns + cut.spare + 2 * lanes(dtype)
    memory = scratch(dtype, threads * room).reshape(threads, room)
    masks = np.empty((threads, cut.masks), np.int64)
    doubtful = np.zeros(len(grad_x), np.bool_)
    counted = counts or (_NONE, _NONE)
    numbers = (top, left, cut.band, cut.strip, cut.own, cut.rows, cut.columns, cut.spare)
    kernel = _backward(dtype, windows, average)
    kernel(x, grad_out, grad_x, *counted, cut.padding, cut.zeros, memory, masks, doubtful, *numbers)
    return np.flatnonzero(doubtful)


@inner
def _lanes_between(low: int, high: int, lane_count: int) -> int:
    """Return a mask of the lanes from `low` to `high` - 1."""
    before, after = min(max(low, 0), lane_count), min(max(high, 0), lane_count)
    return ((1 << after) - 1) & ~((1 << before) - 1)


@functools.cache
def _backward(dtype: Any, windows: Windows, average: bool) -> Any:
    back = returned(dtype, windows, average)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    stride_y, stride_x = windows.stride_y, windows.stride_x
    before_i, before_j = reach(windows)
    read, masks_each = np.array(read_at(windows, lane_count)), mask_count(dtype, windows)
    # Rows before the first one find the largest cells of the rows that it shares with them.
    lead = 0 if average else before_i

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        grad_x: Array,
        row_counts: Array,
        column_counts: Array,
        padding: Array,
        zeros: Array,
        memory: Array,
        masks: Array,
        doubtful: Array,
        top: int,
        left: int,
        band: int,
        strip: int,
        own: int,
        counted_rows: int,
        counted_columns: int,
        spare: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        # Cells are counted from the padding: row i · stride_y + q starts window row i if q is 0.
        first_i, last_i = top // stride_y, (top + height - 1) // stride_y + 1
        first_j, last_j = left // stride_x, (left + width - 1) // stride_x + 1
        bands = (last_i - first_i + band - 1) // band
        strips = (last_j - first_j + strip - 1) // strip
        first_task, last_task = share_of(planes * bands * strips, share, shares)
        mine, mask = memory[share], masks[share]
        mine = mine[-mine.ctypes.data // size % lane_count :]  # from a multiple of a vector's size
        kept, mine = mine[:own], mine[own:]
        row_cells, mine = mine[:counted_rows], mine[counted_rows:]
        column_cells, mine = mine[:counted_columns], mine[counted_columns:]
        dump, doubt = mine[:spare], mine[spare:]
        if average:
            row_cells[:] = 1
            column_cells[:] = 1
            for i in range(rows):
                row_cells[before_i + i] = row_counts[i]
            for j in range(columns):
                column_cells[j] = column_counts[j]
        for t in range(first_task, last_task):
            plane = t // (bands * strips)
            low_i, low_j = first_i + t // strips % bands * band, first_j + t % strips * strip
            high_i, high_j = min(last_i, low_i + band), min(last_j, low_j + strip)
            begin_i, begin_j = max(0, low_i - before_i), max(0, low_j - before_j)
            vectors = (high_j - begin_j + lane_count - 1) // lane_count
            low_y, high_y = max(0, low_i * stride_y - top), min(height, high_i * stride_y - top)
            low_z, high_z = max(0, low_j * stride_x - left), min(width, high_j * stride_x - left)
            z = begin_j * stride_x - left
            if strips > 1 or t == first_task:
                for k in range(vectors):
                    at = k * masks_each
                    there = columns - begin_j - k * lane_count
                    mask[at] = _lanes_between(0, there, lane_count)
                    here = z + k * stride_x * lane_count
                    for u in range(stride_x):
                        first = here + u * lane_count
                        own_cells = _lanes_between(low_z - first, high_z - first, lane_count)
                        mask[at + 1 + u] = own_cells
                    for n in range(len(read)):
                        first = here + read[n]
                        real_cells = _lanes_between(-first, width - first, lane_count)
                        mask[at + 1 + stride_x + n] = real_cells
            kept[:] = 0
            corner = (plane * height - top) * width + z
            back(
                begin_i - lead,
                high_i - begin_i + lead,
                vectors,
                mask.ctypes.data,
                x.ctypes.data + corner * size,
                width * size,
                top,
                top + height,
                padding.ctypes.data,
                row_cells.ctypes.data + before_i * size,
                column_cells.ctypes.data + begin_j * size,
                grad_out.ctypes.data + (plane * rows * columns + begin_j) * size,
                columns * size,
                begin_i,
                rows,
                zeros.ctypes.data,
                kept.ctypes.data,
                grad_x.ctypes.data + corner * size,
                top + low_y,
                top + high_y,
                dump.ctypes.data,
                doubt.ctypes.data,
            )
            for lane in range(lane_count):
                if doubt[lane] != 0:
                    doubtful[plane] = True

    return apply
