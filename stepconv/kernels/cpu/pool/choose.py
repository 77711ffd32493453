"""Pooling on the CPU, forward and backward, of any type and with any option.

Small windows of floats go to `pool_rows` and `pool_back`. The loops here do the rest: forward a
task takes a row of the result, backward it owns some rows of grad_x and looks at every window that
reaches into them.
"""

from typing import Any

from stepconv.kernels.compile import inner, parallel, share_of
from stepconv.kernels.cpu.pool.backward import backward
from stepconv.kernels.cpu.pool.forward import fits, forward
from stepconv.kernels.cpu.pool.forward_tiles import Windows

Array = Any


@inner
def _inside(first: int, window: int, dilation: int, size: int) -> tuple[int, int]:
    """Return [low, high) of the cells of a window that lie inside an axis of `size` cells."""
    low = (dilation - 1 - first) // dilation if first < 0 else 0
    high = min(window, (size - 1 - first) // dilation + 1)
    return low, high


@inner
def _bands(height: int, width: int) -> tuple[int, int]:
    """Return how many rows a task owns, and how many tasks that makes of an image."""
    band = max((height + 15) // 16, 8192 // max(1, width), 1)
    return band, (height + band - 1) // band


@inner
def _windows_over(
    low: int, high: int, reach: int, stride: int, before: int, count: int
) -> tuple[int, int]:
    """Return [first, last) of the windows that reach into cells low..high - 1."""
    first = max(0, (low + before - reach) // stride + 1)
    return first, min(count, (high - 1 + before) // stride + 1)


@inner
def _winner(
    plane: Array,
    first_i: int,
    first_j: int,
    window_y: int,
    window_x: int,
    dilation_y: int,
    dilation_x: int,
) -> tuple[int, int]:
    """Return where the first of the largest cells is, or (-1, -1) where padding is alone."""
    low_a, high_a = _inside(first_i, window_y, dilation_y, plane.shape[0])
    low_b, high_b = _inside(first_j, window_x, dilation_x, plane.shape[1])
    if low_a >= high_a or low_b >= high_b:
        return -1, -1
    best_i, best_j = first_i + low_a * dilation_y, first_j + low_b * dilation_x
    best = plane[best_i, best_j]
    for a in range(low_a, high_a):
        i = first_i + a * dilation_y
        for b in range(low_b, high_b):
            j = first_j + b * dilation_x
            cell = plane[i, j]
            if cell > best or (cell != cell and best == best):
                best, best_i, best_j = cell, i, j
    return best_i, best_j


def max_pool(
    x: Array,
    out: Array,
    lowest: Any,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    windows = Windows(window_y, window_x, stride_y, stride_x)
    if x.size and dilation_y == dilation_x == 1 and fits(x.dtype, windows):
        forward(x, out, windows, top, left)
    else:
        numbers = (window_y, window_x, stride_y, stride_x, dilation_y, dilation_x, top, left)
        _max_pool(x, out, lowest, *numbers)


@parallel
def _max_pool(
    share: int,
    shares: int,
    x: Array,
    out: Array,
    lowest: Any,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    planes, height, width = out.shape
    for t in range(*share_of(planes * height, share, shares)):
        b, i = t // height, t % height
        for j in range(width):
            first_i, first_j = i * stride_y - top, j * stride_x - left
            y, z = _winner(x[b], first_i, first_j, window_y, window_x, dilation_y, dilation_x)
            out[b, i, j] = x[b, y, z] if y >= 0 else lowest


def max_pool_backward(
    x: Array,
    grad_out: Array,
    grad_x: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    windows = Windows(window_y, window_x, stride_y, stride_x)
    same_type = x.dtype == grad_x.dtype == grad_out.dtype
    numbers = (window_y, window_x, stride_y, stride_x, dilation_y, dilation_x, top, left)
    if x.size and same_type and dilation_y == dilation_x == 1 and fits(x.dtype, windows):
        doubtful = backward(x, grad_out, grad_x, windows, top, left)
        if doubtful.size:
            again = grad_x[doubtful]
            _max_pool_backward(x[doubtful], grad_out[doubtful], again, *numbers)
            grad_x[doubtful] = again
    else:
        _max_pool_backward(x, grad_out, grad_x, *numbers)


@parallel
def _max_pool_backward(
    share: int,
    shares: int,
    x: Array,
    grad_out: Array,
    grad_x: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    planes, height, width = grad_out.shape
    reach = (window_y - 1) * dilation_y + 1
    band, bands = _bands(grad_x.shape[1], grad_x.shape[2])
    for t in range(*share_of(planes * bands, share, shares)):
        b, low = t // bands, int(t % bands) * band
        high: int = min(grad_x.shape[1], low + band)
        grad_x[b, low:high] = 0
        first, last = _windows_over(low, high, reach, stride_y, top, height)
        for i in range(first, last):
            for j in range(width):
                first_i, first_j = i * stride_y - top, j * stride_x - left
                y, z = _winner(x[b], first_i, first_j, window_y, window_x, dilation_y, dilation_x)
                if low <= y < high:
                    grad_x[b, y, z] += grad_out[b, i, j]


def avg_pool(
    x: Array,
    out: Array,
    row_counts: Array,
    column_counts: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
) -> None:
    """out[b, i, j] = Σ of the window / (row_counts[i] · column_counts[j])."""
    windows = Windows(window_y, window_x, stride_y, stride_x)
    if x.size and fits(x.dtype, windows):
        forward(x, out, windows, top, left, (row_counts, column_counts))
    else:
        numbers = (window_y, window_x, stride_y, stride_x, top, left)
        _avg_pool(x, out, row_counts, column_counts, *numbers)


@parallel
def _avg_pool(
    share: int,
    shares: int,
    x: Array,
    out: Array,
    row_counts: Array,
    column_counts: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
) -> None:
    """out[b, i, j] = Σ of the window / (row_counts[i] · column_counts[j])."""
    planes, height, width = out.shape
    for t in range(*share_of(planes * height, share, shares)):
        b, i = t // height, t % height
        first_i = i * stride_y - top
        low_a, high_a = _inside(first_i, window_y, 1, x.shape[1])
        for j in range(width):
            first_j = j * stride_x - left
            low_b, high_b = _inside(first_j, window_x, 1, x.shape[2])
            total = out.dtype.type(0)
            for a in range(low_a, high_a):
                for c in range(low_b, high_b):
                    total += x[b, first_i + a, first_j + c]
            out[b, i, j] = total / out.dtype.type(row_counts[i] * column_counts[j])


def avg_pool_backward(
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    windows = Windows(window_y, window_x, stride_y, stride_x)
    if grad_x.size and fits(grad_x.dtype, windows):
        counts = row_counts, column_counts
        backward(grad_x, grad_out, grad_x, windows, top, left, counts)
    else:
        numbers = (window_y, window_x, stride_y, stride_x, top, left)
        _avg_pool_backward(grad_out, grad_x, row_counts, column_counts, *numbers)


@parallel
def _avg_pool_backward(
    share: int,
    shares: int,
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window_y: int,
    window_x: int,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    planes, height, width = grad_out.shape
    band, bands = _bands(grad_x.shape[1], grad_x.shape[2])
    for t in range(*share_of(planes * bands, share, shares)):
        b, low = t // bands, int(t % bands) * band
        high: int = min(grad_x.shape[1], low + band)
        grad_x[b, low:high] = 0
        first, last = _windows_over(low, high, window_y, stride_y, top, height)
        for i in range(first, last):
            first_y = i * stride_y - top
            low_y, high_y = max(low, first_y), min(high, first_y + window_y)
            for j in range(width):
                first_j = j * stride_x - left
                low_b, high_b = _inside(first_j, window_x, 1, grad_x.shape[2])
                cells = grad_out.dtype.type(row_counts[i] * column_counts[j])
                share = grad_out[b, i, j] / cells
                for y in range(low_y, high_y):
                    for c in range(low_b, high_b):
                        grad_x[b, y, first_j + c] += share
