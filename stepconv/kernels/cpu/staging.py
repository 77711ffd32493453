"""Moves images into a task's own memory and out of it, with padding round them or turned round."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.tiles import padded_row, transpose
from stepconv.kernels.cpu.vector import address, lanes

Array = Any


@functools.cache
def copying(dtype: Any) -> Any:
    """Return the function that copies rows of images with the padding round them."""
    row, lane_count, size = padded_row(dtype), lanes(dtype), np.dtype(dtype).itemsize

    @inner
    def copy_rows(x: Array, first_y: int, first_x: int, rows: int, pitch: int, to: Array) -> None:
        """to[c, i, j] = x[c, first_y + i, first_x + j], 0 outside of x.

        A vector more at the end of `to` is cleared.
        """
        low = max(0, min(pitch, -first_x))
        count = max(0, min(pitch, x.shape[2] - first_x) - low)
        whole, rest = count // lane_count, count % lane_count
        before = (low + lane_count - 1) // lane_count
        behind = (pitch - low - whole * lane_count - 1) // lane_count
        to_row = address(to)
        for c in range(x.shape[0]):
            for y in range(first_y, first_y + rows):
                if 0 <= y < x.shape[1] and count > 0:
                    source = address(x) + ((c * x.shape[1] + y) * x.shape[2] + first_x + low) * size
                    row(source, to_row, before, to_row + low * size, whole, rest, behind)
                else:
                    row(to_row, to_row, 0, to_row, 0, 0, (pitch - 1) // lane_count)
                to_row += pitch * size

    return copy_rows


@functools.cache
def turning(dtype: Any) -> Any:
    """Return the function that turns a matrix given by the addresses of its parts."""
    square, lane_count, size = transpose(dtype), lanes(dtype), np.dtype(dtype).itemsize

    @inner
    def turn(source: Array, step: int, rows: int, columns: int, out: Array, out_step: int) -> None:
        """out[j · out_step + i] = source[i · step + j]."""
        whole_rows, whole_columns = rows - rows % lane_count, columns - columns % lane_count
        down, across = rows // lane_count, columns // lane_count
        for t in range(down * across):
            # Along the longer side, where squares follow one another in memory.
            i, j = (t % down, t // down) if down > across else (t // across, t % across)
            square(
                address(source) + (i * step + j) * lane_count * size,
                step * size,
                address(out) + (j * out_step + i) * lane_count * size,
                out_step * size,
            )
        for j in range(columns):
            for i in range(whole_rows if j < whole_columns else 0, rows):
                out[j * out_step + i] = source[i * step + j]

    return turn
