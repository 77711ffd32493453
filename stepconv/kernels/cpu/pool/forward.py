"""Pools in vectors, forward, for small windows of float32 and float64.

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
from stepconv.kernels.cpu.machine.vector import address, lanes
from stepconv.kernels.cpu.pool.forward_tiles import Image, pooled
from stepconv.kernels.cpu.pool.windows import (
    CELLS,
    NO_COUNTS,
    STRIP,
    Array,
    Counts,
    Rows,
    Windows,
    as_type,
    band_rows,
)


def forward(
    x: Array,
    out: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] = NO_COUNTS,
) -> None:
    """out[b, i, j] = the largest cell of the window, or with counts its average."""
    dtype, average = x.dtype, counts is not NO_COUNTS
    band = band_rows(x.shape[0], out.shape[1], x.shape[2] * windows.stride_y, CELLS)
    padding = row_of_padding(dtype, windows, 0.0 if average else -np.inf)
    kernel = _forward(dtype, windows, average)
    kernel(x, out, as_type(counts, dtype), padding, top, left, band)


@functools.lru_cache(maxsize=64)
def row_of_padding(dtype: Any, windows: Windows, value: float) -> Array:
    """Return what a vector of windows reads where their row is padding.

    The caller holds it, for a kernel that knows an array by its address alone would free it.
    """
    return np.full(windows.stride_x * lanes(dtype) + windows.width, value, dtype)


@inner
def whole_windows(size: int, window: int, stride: int, before: int) -> tuple[int, int]:
    """Return [first, last) of the windows that meet no padding along an axis."""
    return (before + stride - 1) // stride, (size - window + before) // stride + 1


@functools.cache
def _forward(dtype: Any, windows: Windows, average: bool) -> Any:
    inside, at_edge = (pooled(dtype, windows, average, edges) for edges in (False, True))
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    window_y, window_x, stride_y, stride_x = windows
    row_by_row = windows.shared_rows == 0

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        out: Array,
        counts: tuple[Array, Array],
        padding: Array,
        top: int,
        left: int,
        band: int,
    ) -> None:
        planes, height, width = x.shape
        rows, columns = out.shape[1:]
        pitch, out_pitch = width * size, columns * size
        first_whole, last_whole = whole_windows(height, window_y, stride_y, top)
        bands, strips = (rows + band - 1) // band, (columns + STRIP - 1) // STRIP
        for t in range(*share_of(planes * bands * strips, share)):
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
                    source = address(x) + ((plane * height + y) * width + z) * size
                    cells = address(counts[0]) + i * size, address(counts[1]) + j * size
                    to = address(out) + ((plane * rows + i) * columns + j) * size
                    if whole and clear:
                        image = Image(Rows(source, pitch, 0, 0, 0), 0, 0)
                        inside(image, Counts(*cells), count, to, out_pitch, 0, vectors, last)
                    else:
                        for k in range(vectors):
                            along = min(k * lane_count, last)
                            w = z + along * stride_x
                            at_edge(
                                Image(
                                    Rows(
                                        source + along * stride_x * size,
                                        pitch,
                                        -y,
                                        height - y,
                                        address(padding),
                                    ),
                                    -w,
                                    width - w,
                                ),
                                Counts(cells[0], cells[1] + along * size),
                                count,
                                to + along * size,
                                out_pitch,
                                high_j - j - along,
                                1,
                                0,
                            )
                    i += count
                start = j + last + lane_count

    return apply
