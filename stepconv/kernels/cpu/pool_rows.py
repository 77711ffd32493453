"""Pools in vectors, forward and backward, for small windows of float32 and float64.

A task takes a band of rows of one plane; a long row is cut into strips too. Backward a task owns
cells of the input: first it finds what each window over them sends back, in memory of its own,
then every cell gathers from the windows over it. So no two tasks write the same cell, and each
cell is summed in the textbook's order. Columns are the outer loop, a vector of them at a time:
what is known about the edges of the image stays in registers while the rows pass.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import prange

from stepconv.kernels.compile import parallel
from stepconv.kernels.cpu.pool_tiles import Windows, gathered, pooled, returned, sent_back
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.vector import lanes

Array = Any

_STRIP = 2048  # windows in a row of a task
_CELLS = 1 << 13  # in the rows of a task
_BAND = 4 * _CELLS  # in the rows of a task that keeps something for each window
_TASKS = 64  # where an image is large enough, so that threads find work
_NONE = np.empty(0, np.int64)


def fits(dtype: Any, windows: Windows) -> bool:
    """Return whether these kernels know such windows."""
    height, width, stride_y, stride_x = windows
    small = 1 <= height <= 3 and 2 <= width <= 3 and stride_y <= 2 and stride_x <= 2
    return small and dtype in (np.float32, np.float64)


def pool(
    x: Array,
    out: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] | None = None,
) -> None:
    """out[b, i, j] = the largest cell of the window, or with counts its average."""
    dtype = x.dtype
    rows, columns = _as_type(counts, dtype)
    band = _band(x.shape[0], out.shape[1], x.shape[2] * windows.stride_y, _CELLS)
    kernel = _forward(dtype, windows, counts is not None)
    kernel(x, out, rows, columns, top, left, band)


def pool_backward(
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
    rows, columns = _as_type(counts, dtype)
    window_rows = (height + top - 1) // stride_y + 1 - top // stride_y
    threads = numba.get_num_threads()
    if (window_y, window_x) == (stride_y, stride_x):
        band = _band(planes, window_rows, width * stride_y, _CELLS)
        memory = np.empty((threads, stride_x * lanes(dtype)), dtype)
        kernel = _backward_apart(dtype, windows, average)
        kernel(x, grad_out, grad_x, rows, columns, top, left, memory, band)
    else:
        band = _band(planes, window_rows, width * stride_y, _BAND)
        strip = min(_STRIP, (width + left - 1) // stride_x + 1)
        pitch = window_x + strip + 2 * lanes(dtype)
        room = (1 if average else 2) * (band + window_y) * pitch + stride_x * lanes(dtype)
        memory = scratch(dtype, threads * room).reshape(threads, room)
        kernel = _backward(dtype, windows, average)
        kernel(x, grad_out, grad_x, rows, columns, top, left, memory, band, strip, pitch)


def _as_type(counts: tuple[Array, Array] | None, dtype: Any) -> tuple[Array, Array]:
    rows, columns = counts or (_NONE, _NONE)
    return rows.astype(dtype), columns.astype(dtype)


def _band(planes: int, rows: int, row_cells: int, cells: int) -> int:
    """Return how many rows of windows a task takes: few enough to have tasks for all threads."""
    wanted = -(-_TASKS // planes)
    return max(1, min(-(-rows // wanted), cells // row_cells))


@functools.cache
def _forward(dtype: Any, windows: Windows, average: bool) -> Any:
    inside, at_edge = (pooled(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows
    nothing = 0.0 if average else -np.inf

    @parallel
    def apply(
        x: Array, out: Array, row_cells: Array, column_cells: Array, top: int, left: int, band: int
    ) -> None:
        planes, height, width = x.shape
        rows, columns = out.shape[1:]
        bands, strips = (rows + band - 1) // band, (columns + _STRIP - 1) // _STRIP
        padding = np.full(stride_x * lane_count + window_x, nothing, x.dtype)
        x_at, out_at, padding_at = x.ctypes.data, out.ctypes.data, padding.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        for task in prange(planes * bands * strips):
            t = np.int64(task)
            plane = t // (bands * strips)
            low_i, low_j = t // strips % bands * band, t % strips * _STRIP
            high_i, high_j = min(rows, low_i + band), min(columns, low_j + _STRIP)
            for start in range(low_j, high_j, lane_count):
                # The last windows of a row are taken together with some that were done before.
                j = max(low_j, min(start, high_j - lane_count))
                z = j * stride_x - left
                whole = z >= 0 and z + stride_x * (lane_count - 1) + window_x <= width
                whole = whole and j + lane_count <= high_j
                for i in range(low_i, high_i):
                    y = i * stride_y - top
                    source = x_at + ((plane * height + y) * width + z) * size
                    cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                    to = out_at + ((plane * rows + i) * columns + j) * size
                    if whole and y >= 0 and y + window_y <= height:
                        inside(source, width * size, 0, 0, 0, 0, 0, cells_i, cells_j, to, 0)
                    else:
                        at_edge(
                            source,
                            width * size,
                            -y,
                            height - y,
                            -z,
                            width - z,
                            padding_at,
                            cells_i,
                            cells_j,
                            to,
                            high_j - j,
                        )

    return apply


@functools.cache
def _backward(dtype: Any, windows: Windows, average: bool) -> Any:
    send, send_edge = (sent_back(dtype, windows, average, edges) for edges in (False, True))
    gather, gather_edge = (gathered(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows
    before_i, before_j = (window_y - 1) // stride_y, (window_x - 1) // stride_x

    @parallel
    def apply(
        x: Array,
        grad_out: Array,
        grad_x: Array,
        row_cells: Array,
        column_cells: Array,
        top: int,
        left: int,
        memory: Array,
        band: int,
        strip: int,
        pitch: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        # Cells are counted from the padding: row i · stride_y + q starts window row i if q is 0.
        first_i, last_i = top // stride_y, (top + height - 1) // stride_y + 1
        first_j, last_j = left // stride_x, (left + width - 1) // stride_x + 1
        bands, strips = (last_i - first_i + band - 1) // band, (last_j - first_j + strip - 1) // strip
        padding = np.full(stride_x * lane_count + window_x, -np.inf, grad_x.dtype)
        names = np.empty((window_y, 2 * lane_count), grad_x.dtype)
        for a in range(window_y):
            for j in range(2 * lane_count):
                names[a, j] = a * window_x + max(0, left - j * stride_x)
        x_at, grad_out_at, grad_x_at = x.ctypes.data, grad_out.ctypes.data, grad_x.ctypes.data
        padding_at, names_at = padding.ctypes.data, names.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        threads, tasks = memory.shape[0], planes * bands * strips
        for thread in prange(threads):
            c = np.int64(thread)
            grad = memory[c, : (band + window_y) * pitch]
            grad_at, winner_at = grad.ctypes.data, grad.ctypes.data + grad.size * size
            dump_at = memory[c].ctypes.data + (memory.shape[1] - stride_x * lane_count) * size
            grad[:] = 0
            for t in range(c * tasks // threads, (c + 1) * tasks // threads):
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
                    for i in range(from_i, to_i):
                        y = i * stride_y - top
                        source = x_at + ((plane * height + y) * width + z) * size
                        cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                        given = grad_out_at + ((plane * rows + i) * columns + j) * size
                        to = ((i - origin_i) * pitch + j - origin_j) * size
                        if whole and y >= 0 and y + window_y <= height:
                            send(
                                source,
                                width * size,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                cells_i,
                                cells_j,
                                given,
                                0,
                                grad_at + to,
                                winner_at + to,
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
                                names_at + name * size,
                                cells_i,
                                cells_j,
                                given,
                                to_j - j,
                                grad_at + to,
                                winner_at + to,
                            )
                for j in range(low_j, high_j, lane_count):
                    z = j * stride_x - left
                    end = min(width, high_j * stride_x - left)
                    whole = z >= 0 and z + stride_x * lane_count <= end
                    for i in range(low_i, high_i):
                        y = i * stride_y - top
                        at = ((i - origin_i) * pitch + j - origin_j) * size
                        to = grad_x_at + ((plane * height + y) * width + z) * size
                        if whole and y >= 0 and y + stride_y <= height:
                            gather(
                                grad_at + at,
                                winner_at + at,
                                pitch * size,
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
                                to,
                                width * size,
                                -y,
                                height - y,
                                -z,
                                end - z,
                                dump_at,
                            )

    return apply


@functools.cache
def _backward_apart(dtype: Any, windows: Windows, average: bool) -> Any:
    """Return the kernel for windows side by side: each hands back its gradient on its own."""
    inside, at_edge = (returned(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows

    @parallel
    def apply(
        x: Array,
        grad_out: Array,
        grad_x: Array,
        row_cells: Array,
        column_cells: Array,
        top: int,
        left: int,
        memory: Array,
        band: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        # The grid of windows is carried on to the last cells, which may belong to no window.
        all_rows, all_columns = (height + top - 1) // stride_y + 1, (width + left - 1) // stride_x + 1
        bands, strips = (all_rows + band - 1) // band, (all_columns + _STRIP - 1) // _STRIP
        padding = np.full(stride_x * lane_count + window_x, -np.inf, grad_x.dtype)
        names = np.empty((window_y, 2 * lane_count), grad_x.dtype)
        for a in range(window_y):
            for j in range(2 * lane_count):
                names[a, j] = a * window_x + max(0, left - j * stride_x)
        x_at, grad_out_at, grad_x_at = x.ctypes.data, grad_out.ctypes.data, grad_x.ctypes.data
        padding_at, names_at = padding.ctypes.data, names.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        threads, tasks = memory.shape[0], planes * bands * strips
        for thread in prange(threads):
            c = np.int64(thread)
            dump_at = memory[c].ctypes.data
            for t in range(c * tasks // threads, (c + 1) * tasks // threads):
                plane = t // (bands * strips)
                low_i, low_j = t // strips % bands * band, t % strips * _STRIP
                high_i, high_j = min(all_rows, low_i + band), min(all_columns, low_j + _STRIP)
                for j in range(low_j, high_j, lane_count):
                    z = j * stride_x - left
                    end = min(width, high_j * stride_x - left)
                    whole = z >= 0 and z + stride_x * lane_count <= end and j + lane_count <= columns
                    for i in range(low_i, high_i):
                        y = i * stride_y - top
                        at = ((plane * height + y) * width + z) * size
                        cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                        given = grad_out_at + ((plane * rows + i) * columns + j) * size
                        if whole and y >= 0 and y + window_y <= height:
                            inside(
                                x_at + at,
                                width * size,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                cells_i,
                                cells_j,
                                given,
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
                                names_at + name * size,
                                cells_i,
                                cells_j,
                                given,
                                columns - j if i < rows else 0,
                                grad_x_at + at,
                                dump_at,
                            )

    return apply
