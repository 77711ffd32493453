"""Pools in vectors, forward and backward: windows of 2 or 3 columns, side by side or one apart.

A task takes a band of rows of one plane, and of a long row a strip. Forward it writes the windows
of its rows. Backward it owns rows of the input: first it finds for every window that meets them
what the window sends back, in memory of its own, then every cell gathers from the windows over it.
So no two tasks write the same cell, and each cell is summed in the textbook's order.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import prange

from stepconv.kernels.compile import inner, parallel
from stepconv.kernels.cpu.pool_tiles import averages, gathered, largest, shares, winners
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.vector import lanes

Array = Any

_STRIP = 4096  # columns of a task
_CELLS = 1 << 16  # of a task, about


def fits(dtype: Any, window_y: int, window_x: int, stride_x: int) -> bool:
    """Return whether these kernels know such windows."""
    known = window_y <= 8 and window_x in (2, 3) and stride_x in (1, 2)
    return known and dtype in (np.float32, np.float64)


def band_rows(planes: int, rows: int, columns: int) -> int:
    """Return how many rows a task takes: about _CELLS cells, fewer where tasks would be few."""
    band = min(rows, max(1, _CELLS // min(columns, _STRIP)))
    wanted = 4 * numba.get_num_threads()
    return max(1, min(band, planes * rows // wanted))


@inner
def whole_windows(size: int, window: int, stride: int, before: int, count: int) -> tuple[int, int]:
    """Return [first, last) of the windows that lie on real cells alone."""
    first = (before + stride - 1) // stride
    return first, min(count, (size - window + before) // stride + 1)


@functools.cache
def max_forward(dtype: Any, window: int, stride: int) -> Any:
    inside, at_edge = (largest(dtype, window, stride, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def apply(
        x: Array, out: Array, window_y: int, stride_y: int, top: int, left: int, band: int
    ) -> None:
        planes, height, width = x.shape
        rows, columns = out.shape[1:]
        first, last = whole_windows(width, window, stride, left, columns)
        bands, strips = (rows + band - 1) // band, (columns + _STRIP - 1) // _STRIP
        x_at, out_at = x.ctypes.data, out.ctypes.data
        for task in prange(planes * bands * strips):
            t = np.int64(task)
            b, start, strip = t // (bands * strips), t // strips % bands * band, t % strips * _STRIP
            end = min(columns, strip + _STRIP)
            for i in range(start, min(rows, start + band)):
                low, high = max(0, i * stride_y - top), min(height, i * stride_y - top + window_y)
                row = x_at + ((b * height + low) * width - left) * size
                to = out_at + (b * rows + i) * columns * size
                for place in range(strip, end, lane_count):
                    j = max(strip, min(place, end - lane_count))
                    source = row + j * stride * size
                    if first <= j and j + lane_count <= last:
                        inside(source, width * size, high - low, to + j * size, 0, 0, 0)
                    else:
                        skipped = left - j * stride
                        at_edge(
                            source,
                            width * size,
                            high - low,
                            to + j * size,
                            skipped,
                            skipped + width,
                            min(lane_count, end - j),
                        )

    return apply


@functools.cache
def avg_forward(dtype: Any, window: int, stride: int) -> Any:
    inside, at_edge = (averages(dtype, window, stride, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def apply(
        x: Array,
        out: Array,
        row_cells: Array,
        cells: Array,
        window_y: int,
        stride_y: int,
        top: int,
        left: int,
        band: int,
    ) -> None:
        planes, height, width = x.shape
        rows, columns = out.shape[1:]
        first, last = whole_windows(width, window, stride, left, columns)
        bands, strips = (rows + band - 1) // band, (columns + _STRIP - 1) // _STRIP
        x_at, out_at = x.ctypes.data, out.ctypes.data
        row_cells_at, cells_at = row_cells.ctypes.data, cells.ctypes.data
        for task in prange(planes * bands * strips):
            t = np.int64(task)
            b, start, strip = t // (bands * strips), t // strips % bands * band, t % strips * _STRIP
            end = min(columns, strip + _STRIP)
            for i in range(start, min(rows, start + band)):
                low, high = max(0, i * stride_y - top), min(height, i * stride_y - top + window_y)
                row = x_at + ((b * height + low) * width - left) * size
                to = out_at + (b * rows + i) * columns * size
                for place in range(strip, end, lane_count):
                    j = max(strip, min(place, end - lane_count))
                    source = row + j * stride * size
                    if first <= j and j + lane_count <= last:
                        inside(
                            source,
                            width * size,
                            high - low,
                            row_cells_at + i * size,
                            cells_at + j * size,
                            to + j * size,
                            0,
                            0,
                            0,
                        )
                    else:
                        skipped = left - j * stride
                        at_edge(
                            source,
                            width * size,
                            high - low,
                            row_cells_at + i * size,
                            cells_at + j * size,
                            to + j * size,
                            skipped,
                            skipped + width,
                            min(lane_count, end - j),
                        )

    return apply


@functools.cache
def max_backward(dtype: Any, window: int, stride: int) -> Any:
    inside, at_edge = (winners(dtype, window, stride, edges) for edges in (False, True))
    gather, gather_edge = (gathered(dtype, window, stride, True, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def apply(
        x: Array,
        grad_out: Array,
        grad_x: Array,
        memory: Array,
        names: Array,
        window_y: int,
        stride_y: int,
        top: int,
        left: int,
        band: int,
    ) -> None:
        planes, height, width = x.shape
        rows, columns = grad_out.shape[1:]
        whole = whole_windows(width, window, stride, left, columns)
        bands, strips = (height + band - 1) // band, (width + _STRIP - 1) // _STRIP
        x_at, grad_out_at, grad_x_at = x.ctypes.data, grad_out.ctypes.data, grad_x.ctypes.data
        names_at = names.ctypes.data
        padding = np.zeros(2 * lane_count, x.dtype)
        for j in range(min(lane_count, whole[0])):
            padding[j] = left - j * stride
        padding_at = padding.ctypes.data
        threads, tasks, pitch = memory.shape[0], planes * bands * strips, memory.shape[3]
        for thread in prange(threads):
            c = np.int64(thread)
            grads_at, winner_at = memory[c, 0].ctypes.data, memory[c, 1].ctypes.data
            memory[c, 0] = 0
            for t in range(c * tasks // threads, (c + 1) * tasks // threads):
                b = t // (bands * strips)
                y0, x0 = t // strips % bands * band, t % strips * _STRIP
                y1, x1 = min(height, y0 + band), min(width, x0 + _STRIP)
                i0, i1 = windows_over(y0, y1, window_y, stride_y, top, rows)
                j0, j1 = windows_over(x0, x1, window, stride, left, columns)
                if strips > 1:
                    memory[c, 0] = 0
                for i in range(i0, i1):
                    first_y = i * stride_y - top
                    low, high = max(0, first_y), min(height, first_y + window_y)
                    row = x_at + ((b * height + low) * width - left) * size
                    name = names_at + (low - first_y) * window * size
                    grad = grad_out_at + (b * rows + i) * columns * size
                    to = ((i - i0) * pitch + window - j0) * size
                    for place in range(j0, j1, lane_count):
                        j = max(j0, min(place, j1 - lane_count))
                        source = row + j * stride * size
                        if whole[0] <= j and j + lane_count <= whole[1]:
                            inside(
                                source,
                                width * size,
                                high - low,
                                name,
                                grad + j * size,
                                winner_at + to + j * size,
                                grads_at + to + j * size,
                                0,
                                0,
                                0,
                                0,
                            )
                        else:
                            at_edge(
                                source,
                                width * size,
                                high - low,
                                name,
                                grad + j * size,
                                winner_at + to + j * size,
                                grads_at + to + j * size,
                                padding_at + min(j, lane_count) * size,
                                left - j * stride,
                                left - j * stride + width,
                                min(lane_count, j1 - j),
                            )
                for y in range(y0, y1):
                    first, last = windows_over(y, y + 1, window_y, stride_y, top, rows)
                    name = names_at + (y + top - first * stride_y) * window * size
                    to = grad_x_at + (b * height + y) * width * size
                    aligned = x0 - (x0 + left) % stride
                    for z in range(aligned, x1, stride * lane_count):
                        at = ((first - i0) * pitch + window + (z + left) // stride - j0) * size
                        if x0 <= z and z + stride * lane_count <= x1:
                            gather(
                                grads_at + at,
                                winner_at + at,
                                pitch * size,
                                last - first,
                                name,
                                stride_y * window * size,
                                to + z * size,
                                0,
                                0,
                            )
                        else:
                            gather_edge(
                                grads_at + at,
                                winner_at + at,
                                pitch * size,
                                last - first,
                                name,
                                stride_y * window * size,
                                to + z * size,
                                x0 - z,
                                x1 - z,
                            )

    return apply


@functools.cache
def avg_backward(dtype: Any, window: int, stride: int) -> Any:
    share, share_edge = (shares(dtype, edges) for edges in (False, True))
    gather, gather_edge = (gathered(dtype, window, stride, False, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def apply(
        grad_out: Array,
        grad_x: Array,
        memory: Array,
        row_cells: Array,
        cells: Array,
        window_y: int,
        stride_y: int,
        top: int,
        left: int,
        band: int,
    ) -> None:
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        bands, strips = (height + band - 1) // band, (width + _STRIP - 1) // _STRIP
        grad_out_at, grad_x_at = grad_out.ctypes.data, grad_x.ctypes.data
        row_cells_at, cells_at = row_cells.ctypes.data, cells.ctypes.data
        threads, tasks, pitch = memory.shape[0], planes * bands * strips, memory.shape[3]
        for thread in prange(threads):
            c = np.int64(thread)
            grads_at = memory[c, 0].ctypes.data
            memory[c, 0] = 0
            for t in range(c * tasks // threads, (c + 1) * tasks // threads):
                b = t // (bands * strips)
                y0, x0 = t // strips % bands * band, t % strips * _STRIP
                y1, x1 = min(height, y0 + band), min(width, x0 + _STRIP)
                i0, i1 = windows_over(y0, y1, window_y, stride_y, top, rows)
                j0, j1 = windows_over(x0, x1, window, stride, left, columns)
                if strips > 1:
                    memory[c, 0] = 0
                for i in range(i0, i1):
                    grad = grad_out_at + (b * rows + i) * columns * size
                    to = grads_at + ((i - i0) * pitch + window - j0) * size
                    for place in range(j0, j1, lane_count):
                        j = max(j0, min(place, j1 - lane_count))
                        if j + lane_count <= j1:
                            share(
                                grad + j * size,
                                row_cells_at + i * size,
                                cells_at + j * size,
                                to + j * size,
                                0,
                            )
                        else:
                            share_edge(
                                grad + j * size,
                                row_cells_at + i * size,
                                cells_at + j * size,
                                to + j * size,
                                j1 - j,
                            )
                for y in range(y0, y1):
                    first, last = windows_over(y, y + 1, window_y, stride_y, top, rows)
                    to = grad_x_at + (b * height + y) * width * size
                    aligned = x0 - (x0 + left) % stride
                    for z in range(aligned, x1, stride * lane_count):
                        at = ((first - i0) * pitch + window + (z + left) // stride - j0) * size
                        if x0 <= z and z + stride * lane_count <= x1:
                            gather(
                                grads_at + at,
                                0,
                                pitch * size,
                                last - first,
                                0,
                                0,
                                to + z * size,
                                0,
                                0,
                            )
                        else:
                            gather_edge(
                                grads_at + at,
                                0,
                                pitch * size,
                                last - first,
                                0,
                                0,
                                to + z * size,
                                x0 - z,
                                x1 - z,
                            )

    return apply


@inner
def windows_over(
    low: int, high: int, window: int, stride: int, before: int, count: int
) -> tuple[int, int]:
    """Return [first, last) of the windows that meet cells low..high - 1."""
    first = max(0, (low + before - window) // stride + 1)
    return first, max(first, min(count, (high - 1 + before) // stride + 1))


def backward_memory(
    dtype: Any, arrays: int, band: int, width: int, window: tuple[int, int], stride: tuple[int, int]
) -> Array:
    """Return for each thread `arrays` arrays with room for what the windows over a task send."""
    rows = (band + window[0] - 2) // stride[0] + 2
    columns = (min(width, _STRIP) + window[1]) // stride[1] + 2
    pitch = window[1] + columns + 2 * lanes(dtype) + 2
    shape = (numba.get_num_threads(), arrays, rows, pitch)
    return scratch(dtype, int(np.prod(shape))).reshape(shape)
