"""Padding on the CPU: two tables say which cell each padded row and column copies."""

from typing import Any

import numpy as np
from numba import prange

from stepconv.kernels.compile import parallel

Array = Any


@parallel
def pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    """out[b, i, j] = x[b, rows[i], columns[j]], or `value` where an index is -1."""
    planes, height, width = out.shape
    for task in prange(planes * height):
        t = np.int64(task)
        b, i = t // height, t % height
        y = rows[i]
        if y < 0:
            out[b, i, :] = value
        else:
            for j in range(width):
                z = columns[j]
                out[b, i, j] = x[b, y, z] if z >= 0 else value


@parallel
def pad_backward(grad_out: Array, grad_x: Array, rows: Array, columns: Array) -> None:
    """Add the gradient of every padded cell to the cell that it is a copy of."""
    planes, height, width = grad_out.shape
    for task in prange(planes):
        b = np.int64(task)
        grad_x[b] = 0
        for i in range(height):
            y = rows[i]
            if y >= 0:
                for j in range(width):
                    z = columns[j]
                    if z >= 0:
                        grad_x[b, y, z] += grad_out[b, i, j]


def zero_border(x: Array, top: int, left: int, height: int, width: int) -> Array:
    """Return (batch, channels, height, width) with x at row `top`, column `left`, zeros around.

    What lies beyond the height and width asked for is left out; x itself is returned where it
    reaches as far as asked.
    """
    if top == 0 and left == 0 and height <= x.shape[2] and width <= x.shape[3]:
        return x
    padded = np.empty((*x.shape[:2], height, width), x.dtype)
    _zero_border(x, padded, top, left)
    return padded


@parallel
def _zero_border(x: Array, padded: Array, top: int, left: int) -> None:
    channels, height, width = padded.shape[1:]
    first, last = min(left, width), min(width, left + x.shape[3])
    for task in prange(padded.shape[0] * channels * height):
        t = np.int64(task)
        n, c, i = t // (channels * height), t // height % channels, t % height
        row = padded[n, c, i]
        y = i - top
        if 0 <= y < x.shape[2]:
            row[:first] = 0
            row[last:] = 0
            for j in range(first, last):
                row[j] = x[n, c, y, j - left]
        else:
            row[:] = 0
