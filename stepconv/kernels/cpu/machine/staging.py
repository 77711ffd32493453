"""Finds the lines that a task reads, or moves images into its own memory and out of it.

They get padding round them, or are turned round.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.machine.tiles import padded_row, transpose, transpose_some
from stepconv.kernels.cpu.machine.vector import lanes

Array = Any


@functools.cache
def copying(dtype: Any) -> Any:
    """Return the function that copies rows of images with the padding round them."""
    row, lane_count, size = padded_row(dtype), lanes(dtype), np.dtype(dtype).itemsize

    @inner
    def copy_rows(
        x: int,
        shape: tuple[int, int, int],
        first_y: int,
        first_x: int,
        rows: int,
        pitch: int,
        to: int,
    ) -> None:
        """to[c, i, j] = x[c, first_y + i, first_x + j], 0 outside of x, given the addresses.

        A vector more at the end of `to` is cleared.
        """
        channels, height, width = shape
        low = max(0, min(pitch, -first_x))
        count = max(0, min(pitch, width - first_x) - low)
        whole, rest = count // lane_count, count % lane_count
        before = (low + lane_count - 1) // lane_count
        behind = (pitch - low - whole * lane_count - 1) // lane_count
        for c in range(channels):
            for y in range(first_y, first_y + rows):
                if 0 <= y < height and count > 0:
                    source = x + ((c * height + y) * width + first_x + low) * size
                    row(source, to, before, to + low * size, whole, rest, behind)
                else:
                    row(to, to, 0, to, 0, 0, (pitch - 1) // lane_count)
                to += pitch * size

    return copy_rows


@functools.cache
def turning(dtype: Any) -> Any:
    """Return the function that turns a matrix by its diagonal, given the addresses."""
    square, part = transpose(dtype), transpose_some(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize

    @inner
    def turn(source: int, step: int, rows: int, columns: int, out: int, out_step: int) -> None:
        """out[j · out_step + i] = source[i · step + j]."""
        down, across = (
            (rows + lane_count - 1) // lane_count,
            (columns + lane_count - 1) // lane_count,
        )
        for t in range(down * across):
            # Along the longer side, where squares follow one another in memory.
            i, j = (t % down, t // down) if down > across else (t // across, t % across)
            high, wide = rows - i * lane_count, columns - j * lane_count
            place = source + (i * step + j) * lane_count * size
            to = out + (j * out_step + i) * lane_count * size
            if min(high, wide) >= lane_count:
                square(place, step * size, to, out_step * size)
            else:
                part(place, step * size, to, out_step * size, high, wide)

    return turn


@inner
def find_columns(columns: Array, width: int, slide: Slide, pitch: int, size: int) -> None:
    """columns[b] = how many bytes behind a window's first cell its cell b lies in a line.

    For each remainder of a column divided by the stride, a line has a part of `pitch` cells.
    """
    for b in range(width):
        shift = b * slide.dilation_x
        columns[b] = (shift % slide.stride_x * pitch + shift // slide.stride_x) * size


@inner
def find_lines(x: Array, plane: int, first_y: int, count: int, zeros_at: int, table: Array) -> None:
    """table[k] = the address of line first_y + k of the image, or of zeros beyond it."""
    height, size = x.shape[2], x.strides[2]
    for k in range(count):
        y = first_y + k
        line = x.ctypes.data + (plane * height + y) * size
        table[k] = line if 0 <= y < height else zeros_at
