"""Padding on the CPU: two tables say which cell each padded row and column copies."""

from typing import Any

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of
from stepconv.kernels.cpu.vector import Int, Vectors, tile

Array = Any

_CELLS = 1 << 13  # in the rows of a task, about


def pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    """out[b, i, j] = x[b, rows[i], columns[j]], or `value` where an index is -1."""
    # Numbers of one size are moved in one way, whatever they mean.
    bits = np.dtype(f"u{out.dtype.itemsize}")
    filler = np.asarray(value, out.dtype).view(bits)[()]
    _pad(x.view(bits).reshape(-1), out.view(bits), rows, columns, filler, *x.shape[1:])


@parallel
def _pad(
    share: int,
    shares: int,
    x: Array,
    out: Array,
    rows: Array,
    columns: Array,
    value: Any,
    height: int,
    width: int,
) -> None:
    planes, out_height, out_width = out.shape
    size = out.itemsize
    first, last = rising(columns)
    x_at, out_at = x.ctypes.data, out.ctypes.data
    flat = out.reshape(-1)
    band = max(1, _CELLS // out_width)
    bands = (out_height + band - 1) // band
    for t in range(*share_of(planes * bands, share, shares)):
        b, low = t // bands, t % bands * band
        for i in range(low, min(out_height, low + band)):
            to = (b * out_height + i) * out_width
            if rows[i] < 0:
                for j in range(to, to + out_width):
                    flat[j] = value
            else:
                source = (b * height + rows[i]) * width
                if first < last:
                    # out[b, i, j] = x[b, rows[i], columns[j]] for first <= j < last
                    start = x_at + (source + columns[first]) * size
                    copy_bytes(start, out_at + (to + first) * size, (last - first) * size)
                for j in range(first):
                    flat[to + j] = x[source + columns[j]] if columns[j] >= 0 else value
                for j in range(last, out_width):
                    flat[to + j] = x[source + columns[j]] if columns[j] >= 0 else value


@tile(np.float32)
def copy_bytes(v: Vectors, source: Int, out: Int, count: Int) -> None:
    """out[i] = source[i]."""
    v.copy(source, out, count)


@inner
def rising(columns: Array) -> tuple[int, int]:
    """Return [first, last) of the longest run of columns that copies neighbours in their order.

    Where reflect has `2 1 0 1 2 3 2 1`, that is `0 1 2 3`.
    """
    first, last, start = 0, 0, 0
    for j in range(columns.size):
        if columns[j] < 0:
            start = j + 1
        elif j > start and columns[j] != columns[j - 1] + 1:
            start = j
        if j + 1 - start > last - first:
            first, last = start, j + 1
    return first, last


@parallel
def pad_backward(
    share: int, shares: int, grad_out: Array, grad_x: Array, rows: Array, columns: Array
) -> None:
    """Add the gradient of every padded cell to the cell that it is a copy of."""
    planes, out_height, out_width = grad_out.shape
    height, width = grad_x.shape[1:]
    first, last = rising(columns)
    grad, to = grad_out.reshape(-1), grad_x.reshape(-1)
    # A task owns some rows of grad_x, and looks through all of grad_out for what is theirs.
    band = max((height + 15) // 16, _CELLS // max(1, width), 1)
    bands = (height + band - 1) // band
    for t in range(*share_of(planes * bands, share, shares)):
        b, low = t // bands, t % bands * band
        high = min(height, low + band)
        to[(b * height + low) * width : (b * height + high) * width] = 0
        for i in range(out_height):
            if low <= rows[i] < high:
                source, row = (b * out_height + i) * out_width, (b * height + rows[i]) * width
                for j in range(first):
                    if columns[j] >= 0:
                        to[row + columns[j]] += grad[source + j]
                if first < last:
                    start = row + columns[first]
                    middle = to[start : start + last - first]
                    given = grad[source + first : source + last]
                    for j in range(middle.size):
                        middle[j] += given[j]
                for j in range(last, out_width):
                    if columns[j] >= 0:
                        to[row + columns[j]] += grad[source + j]


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
def _zero_border(share: int, shares: int, x: Array, padded: Array, top: int, left: int) -> None:
    channels, height, width = padded.shape[1:]
    first, last = min(left, width), min(width, left + x.shape[3])
    size = padded.itemsize
    x_at, padded_at = x.ctypes.data, padded.ctypes.data
    flat = padded.reshape(-1)
    for t in range(*share_of(padded.shape[0] * channels, share, shares)):
        for i in range(height):
            to, y = (t * height + i) * width, i - top
            if 0 <= y < x.shape[2] and first < last:
                for j in range(to, to + first):
                    flat[j] = 0
                for j in range(to + last, to + width):
                    flat[j] = 0
                # padded[n, c, i, j] = x[n, c, i - top, j - left] for first <= j < last
                source = ((t * x.shape[2] + y) * x.shape[3] + first - left) * size
                copy_bytes(x_at + source, padded_at + (to + first) * size, (last - first) * size)
            else:
                for j in range(to, to + width):
                    flat[j] = 0
