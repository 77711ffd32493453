"""Pools in vectors, forward, for small windows of float32 and float64; `pool_back` is the way back.

A task takes a band of rows of one plane; a long row is cut into strips too. Where windows meet the
edges of the image, columns are the outer loop, a vector of them at a time: what is known about the
edges stays in registers while the rows pass. So it is too where windows share rows. Elsewhere the
image is read in the order of its memory, which takes half of the time where it comes from there.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of
from stepconv.kernels.cpu.machine.vector import lanes
from stepconv.kernels.cpu.pool.forward_tiles import Windows, pooled, shared_rows

Array = Any

STRIP = 2048  # windows in a row of a task
CELLS = 1 << 13  # in the rows of a task
_TASKS = 64  # where an image is large enough, so that threads find work
_NONE = np.empty(0, np.int64)


def fits(dtype: Any, windows: Windows) -> bool:
    """Return whether these kernels know such windows."""
    height, width, stride_y, stride_x = windows
    small = 1 <= height <= 3 and 2 <= width <= 3 and stride_y <= 2 and stride_x <= 2
    return small and dtype in (np.float32, np.float64)


def forward(
    x: Array,
    out: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] | None = None,
) -> None:
    """out[b, i, j] = the largest cell of the window, or with counts its average."""
    dtype = x.dtype
    rows, columns = as_type(counts, dtype)
    band = band_rows(x.shape[0], out.shape[1], x.shape[2] * windows.stride_y, CELLS)
    kernel = _forward(dtype, windows, counts is not None)
    padding = row_of_padding(dtype, windows, -np.inf if counts is None else 0.0)
    kernel(x, out, rows, columns, padding, top, left, band)


@functools.lru_cache(maxsize=64)
def row_of_padding(dtype: Any, windows: Windows, value: float) -> Array:
    """Return what a vector of windows reads where their row is padding.

    The caller holds it, for a kernel that knows an array by its address alone would free it.
    """
    return np.full(windows.stride_x * lanes(dtype) + windows.width, value, dtype)


def as_type(counts: tuple[Array, Array] | None, dtype: Any) -> tuple[Array, Array]:
    """Return the cells that rows and columns of windows count, as numbers to divide by."""
    rows, columns = counts or (_NONE, _NONE)
    return rows.astype(dtype), columns.astype(dtype)


def band_rows(planes: int, rows: int, row_cells: int, cells: int) -> int:
    """Return how many rows of windows a task takes: few enough to have tasks for all threads."""
    wanted = -(-_TASKS // planes)
    return max(1, min(-(-rows // wanted), cells // row_cells))


@inner
def whole_windows(size: int, window: int, stride: int, before: int) -> tuple[int, int]:
    """Return [first, last) of the windows that meet no padding along an axis."""
    return (before + stride - 1) // stride, (size - window + before) // stride + 1


@functools.cache
def _forward(dtype: Any, windows: Windows, average: bool) -> Any:
    inside, at_edge = (pooled(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows
    row_by_row = shared_rows(windows) == 0

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        out: Array,
        row_cells: Array,
        column_cells: Array,
        padding: Array,
        top: int,
        left: int,
        band: int,
    ) -> None:
        planes, height, width = x.shape
        rows, columns = out.shape[1:]
        first_whole, last_whole = whole_windows(height, window_y, stride_y, top)
        bands, strips = (rows + band - 1) // band, (columns + STRIP - 1) // STRIP
        x_at, out_at, padding_at = x.ctypes.data, out.ctypes.data, padding.ctypes.data
        row_cells_at, column_cells_at = row_cells.ctypes.data, column_cells.ctypes.data
        for t in range(*share_of(planes * bands * strips, share, shares)):
            plane = t // (bands * strips)
            low_i, low_j = t // strips % bands * band, t % strips * STRIP
            high_i, high_j = min(rows, low_i + band), min(columns, low_j + STRIP)
            first_j, last_j = whole_windows(width, window_x, stride_x, left)
            last_j = min(last_j, high_j)
            start = low_j
            while start < high_j:
                # The last windows of a row are taken together with some that were done before.
                j = max(low_j, min(start, high_j - lane_count))
                z = j * stride_x - left
                whole = first_j <= j and j + lane_count <= last_j
                vectors, last = 1, 0
                if whole and row_by_row:
                    vectors = (last_j - j + lane_count - 1) // lane_count
                    last = last_j - lane_count - j
                i = low_i
                while i < high_i:
                    clear = first_whole <= i < last_whole
                    count = min(high_i, last_whole) - i if clear else 1
                    y = i * stride_y - top
                    source = x_at + ((plane * height + y) * width + z) * size
                    cells_i, cells_j = row_cells_at + i * size, column_cells_at + j * size
                    to = out_at + ((plane * rows + i) * columns + j) * size
                    if whole and clear:
                        inside(
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
                            to,
                            columns * size,
                            0,
                            vectors,
                            last,
                        )
                    else:
                        for k in range(vectors):
                            along = min(k * lane_count, last)
                            at_edge(
                                source + along * stride_x * size,
                                width * size,
                                -y,
                                height - y,
                                -z - along * stride_x,
                                width - z - along * stride_x,
                                padding_at,
                                count,
                                cells_i,
                                cells_j + along * size,
                                to + along * size,
                                columns * size,
                                high_j - j - along,
                                1,
                                0,
                            )
                    i += count
                start = j + last + lane_count

    return apply
