"""The gradients of pools in vectors, for small windows of float32 and float64.

A task owns cells of the input. Where windows overlap, it first finds what each window over its
cells sends back, in memory of its own, then every cell gathers from the windows over it. So no two
tasks write the same cell, and each cell is summed in the textbook's order.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.pool_rows import (
    CELLS,
    STRIP,
    as_type,
    band_rows,
    row_of_padding,
    whole_windows,
)
from stepconv.kernels.cpu.pool_tiles import Windows, gathered, returned, sent_back
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.vector import lanes

Array = Any

_BAND = 4 * CELLS  # cells in the rows of a task that keeps something for each window


def backward(
    x: Array,
    grad_out: Array,
    grad_x: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] | None = None,
) -> None:
    """Hand each window's gradient to its winner, or with counts to all of its cells."""
    dtype, average = grad_x.dtype, counts is not None
    planes, height, width = grad_x.shape
    window_y, window_x, stride_y, stride_x = windows
    padding = row_of_padding(dtype, windows, -np.inf)
    tables = (*as_type(counts, dtype), padding, first_names(dtype, windows, left))
    window_rows = (height + top - 1) // stride_y + 1 - top // stride_y
    threads = thread_count()
    if (window_y, window_x) == (stride_y, stride_x):
        band = band_rows(planes, window_rows, width * stride_y, CELLS)
        memory = np.empty((threads, stride_x * lanes(dtype)), dtype)
        kernel = _backward_apart(dtype, windows, average)
        kernel(x, grad_out, grad_x, *tables, top, left, memory, band)
    else:
        band = band_rows(planes, window_rows, width * stride_y, _BAND)
        strip = min(STRIP, (width + left - 1) // stride_x + 1)
        pitch = window_x + strip + 2 * lanes(dtype)
        room = (1 if average else 2) * (band + window_y) * pitch + stride_x * lanes(dtype)
        memory = scratch(dtype, threads * room).reshape(threads, room)
        kernel = _backward(dtype, windows, average)
        kernel(x, grad_out, grad_x, *tables, top, left, memory, band, strip, pitch)


@functools.lru_cache(maxsize=64)
def first_names(dtype: Any, windows: Windows, left: int) -> Array:
    """names[a, j] = the name of the first real cell of window j, if row a is its first real one."""
    before = np.maximum(0, left - np.arange(2 * lanes(dtype)) * windows.stride_x)
    return (np.arange(windows.height)[:, None] * windows.width + before).astype(dtype)


@functools.cache
def _backward(dtype: Any, windows: Windows, average: bool) -> Any:
    send, send_edge = (sent_back(dtype, windows, average, edges) for edges in (False, True))
    gather, gather_edge = (gathered(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows
    before_i, before_j = (window_y - 1) // stride_y, (window_x - 1) // stride_x

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        grad_x: Array,
        row_cells: Array,
        column_cells: Array,
        padding: Array,
        names: Array,
        top: int,
        left: int,
        memory: Array,
        band: int,
        strip: int,
        pitch: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        first_whole, last_whole = whole_windows(height, window_y, stride_y, top)
        first_owned, last_owned = whole_windows(height, stride_y, stride_y, top)
        # Cells are counted from the padding: row i · stride_y + q starts window row i if q is 0.
        first_i, last_i = top // stride_y, (top + height - 1) // stride_y + 1
        first_j, last_j = left // stride_x, (left + width - 1) // stride_x + 1
        bands, strips = (
            (last_i - first_i + band - 1) // band,
            (last_j - first_j + strip - 1) // strip,
        )
        x_at, grad_out_at, grad_x_at = x.ctypes.data, grad_out.ctypes.data, grad_x.ctypes.data
        padding_at, names_at = padding.ctypes.data, names.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        tasks = planes * bands * strips
        grad = memory[share, : (band + window_y) * pitch]
        grad_at, winner_at = grad.ctypes.data, grad.ctypes.data + grad.size * size
        dump_at = memory[share].ctypes.data + (memory.shape[1] - stride_x * lane_count) * size
        grad[:] = 0
        for t in range(*share_of(tasks, share, shares)):
            plane = t // (bands * strips)
            low_i, low_j = first_i + t // strips % bands * band, first_j + t % strips * strip
            high_i, high_j = min(last_i, low_i + band), min(last_j, low_j + strip)
            # Window (i, j) sends to place (i - origin_i, j - origin_j) of the memory.
            origin_i, origin_j = low_i - before_i, low_j - before_j
            if strips > 1:
                grad[:] = 0
            from_i, to_i = max(0, origin_i), min(rows, high_i)
            from_j, to_j = max(0, origin_j), min(columns, high_j)
            grad[: (from_i - origin_i) * pitch] = 0
            grad[(to_i - origin_i) * pitch : (high_i - origin_i) * pitch] = 0
            for start in range(from_j, to_j, lane_count):
                j = max(from_j, min(start, to_j - lane_count))
                z = j * stride_x - left
                whole = z >= 0 and z + stride_x * (lane_count - 1) + window_x <= width
                whole = whole and j + lane_count <= to_j
                i = from_i
                while i < to_i:
                    clear = first_whole <= i < last_whole
                    count = min(to_i, last_whole) - i if clear else 1
                    y = i * stride_y - top
                    source = x_at + ((plane * height + y) * width + z) * size
                    cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                    given = grad_out_at + ((plane * rows + i) * columns + j) * size
                    to = ((i - origin_i) * pitch + j - origin_j) * size
                    if whole and clear:
                        send(
                            source,
                            width * size,
                            0,
                            0,
                            0,
                            0,
                            0,
                            count,
                            cells_i,
                            cells_j,
                            given,
                            columns * size,
                            0,
                            0,
                            grad_at + to,
                            winner_at + to,
                            pitch * size,
                        )
                    else:
                        name = max(0, -y) * 2 * lane_count + min(j, lane_count)
                        send_edge(
                            source,
                            width * size,
                            -y,
                            height - y,
                            -z,
                            width - z,
                            padding_at,
                            count,
                            cells_i,
                            cells_j,
                            given,
                            columns * size,
                            to_j - j,
                            names_at + name * size,
                            grad_at + to,
                            winner_at + to,
                            pitch * size,
                        )
                    i += count
            for j in range(low_j, high_j, lane_count):
                z = j * stride_x - left
                end = min(width, high_j * stride_x - left)
                whole = z >= 0 and z + stride_x * lane_count <= end
                i = low_i
                while i < high_i:
                    clear = first_owned <= i < last_owned
                    count = min(high_i, last_owned) - i if clear else 1
                    y = i * stride_y - top
                    at = ((i - origin_i) * pitch + j - origin_j) * size
                    to = grad_x_at + ((plane * height + y) * width + z) * size
                    if whole and clear:
                        gather(
                            grad_at + at,
                            winner_at + at,
                            pitch * size,
                            count,
                            to,
                            width * size,
                            0,
                            0,
                            0,
                            0,
                            0,
                        )
                    else:
                        gather_edge(
                            grad_at + at,
                            winner_at + at,
                            pitch * size,
                            count,
                            to,
                            width * size,
                            -y,
                            height - y,
                            -z,
                            end - z,
                            dump_at,
                        )
                    i += count

    return apply


@functools.cache
def _backward_apart(dtype: Any, windows: Windows, average: bool) -> Any:
    """Return the kernel for windows side by side: each writes its own cells."""
    inside, at_edge = (returned(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, _, stride_y, stride_x = windows

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        grad_x: Array,
        row_cells: Array,
        column_cells: Array,
        padding: Array,
        names: Array,
        top: int,
        left: int,
        memory: Array,
        band: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        first_whole, last_whole = whole_windows(height, window_y, stride_y, top)
        last_whole = min(last_whole, rows)
        # The grid of windows is carried on to the last cells, which may belong to no window.
        all_rows, all_columns = (
            (height + top - 1) // stride_y + 1,
            (width + left - 1) // stride_x + 1,
        )
        bands, strips = (all_rows + band - 1) // band, (all_columns + STRIP - 1) // STRIP
        x_at, grad_out_at, grad_x_at = x.ctypes.data, grad_out.ctypes.data, grad_x.ctypes.data
        padding_at, names_at = padding.ctypes.data, names.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        tasks = planes * bands * strips
        dump_at = memory[share].ctypes.data
        for t in range(*share_of(tasks, share, shares)):
            plane = t // (bands * strips)
            low_i, low_j = t // strips % bands * band, t % strips * STRIP
            high_i, high_j = min(all_rows, low_i + band), min(all_columns, low_j + STRIP)
            # The last windows of a row are taken together with some that were done before, unless
            # the last cells belong to no window.
            ends = high_j <= columns and high_j * stride_x - left <= width
            final = max(low_j, high_j - lane_count) if ends else high_j
            for start in range(low_j, high_j, lane_count):
                j = min(start, final)
                z = j * stride_x - left
                end = min(width, high_j * stride_x - left)
                whole = z >= 0 and z + stride_x * lane_count <= end and j + lane_count <= columns
                i = low_i
                while i < high_i:
                    clear = first_whole <= i < last_whole
                    count = min(high_i, last_whole) - i if clear else 1
                    y = i * stride_y - top
                    at = ((plane * height + y) * width + z) * size
                    cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                    given = grad_out_at + ((plane * rows + i) * columns + j) * size
                    if whole and clear:
                        inside(
                            x_at + at,
                            width * size,
                            0,
                            0,
                            0,
                            0,
                            0,
                            count,
                            cells_i,
                            cells_j,
                            given,
                            columns * size,
                            0,
                            0,
                            grad_x_at + at,
                            0,
                        )
                    else:
                        name = max(0, -y) * 2 * lane_count + min(j, lane_count)
                        at_edge(
                            x_at + at,
                            width * size,
                            -y,
                            height - y,
                            -z,
                            end - z,
                            padding_at,
                            count,
                            cells_i,
                            cells_j,
                            given,
                            columns * size,
                            columns - j if i < rows else 0,
                            names_at + name * size,
                            grad_x_at + at,
                            dump_at,
                        )
                    i += count

    return apply
