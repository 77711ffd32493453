"""Moves images into a task's own memory and out of it, with padding round them or turned round."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.tiles import transpose
from stepconv.kernels.cpu.vector import address, lanes

Array = Any


@inner
def copy_rows(x: Array, first_y: int, first_x: int, rows: int, pitch: int, to: Array) -> None:
    """to[c, i, j] = x[c, first_y + i, first_x + j], 0 outside of x."""
    low = max(0, min(pitch, -first_x))
    high = max(low, min(pitch, x.shape[2] - first_x))
    at = 0
    for c in range(x.shape[0]):
        for y in range(first_y, first_y + rows):
            if 0 <= y < x.shape[1]:
                for j in range(low):
                    to[at + j] = 0
                for j in range(low, high):
                    to[at + j] = x[c, y, first_x + j]
                for j in range(high, pitch):
                    to[at + j] = 0
            else:
                for j in range(pitch):
                    to[at + j] = 0
            at += pitch


@functools.cache
def turning(dtype: Any) -> Any:
    """Return the function that turns a matrix given by the addresses of its parts."""
    square, lane_count, size = transpose(dtype), lanes(dtype), np.dtype(dtype).itemsize

    @inner
    def turn(source: Array, step: int, rows: int, columns: int, out: Array, out_step: int) -> None:
        """out[j · out_step + i] = source[i · step + j]."""
        whole_rows, whole_columns = rows - rows % lane_count, columns - columns % lane_count
        for i in range(0, whole_rows, lane_count):
            for j in range(0, whole_columns, lane_count):
                square(
                    address(source) + (i * step + j) * size,
                    step * size,
                    address(out) + (j * out_step + i) * size,
                    out_step * size,
                )
        for j in range(columns):
            for i in range(whole_rows if j < whole_columns else 0, rows):
                out[j * out_step + i] = source[i * step + j]

    return turn
