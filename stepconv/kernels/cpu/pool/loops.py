"""Pools as plain loops, forward and backward, of any type and with any option.

Forward a task takes a row of the result; backward it owns some rows of grad_x and looks at every
window that reaches into them. Window and slide come as plain tuples, which a small call hands over
faster than named ones.
"""

from typing import Any

from stepconv.geometry import Slide, Window
from stepconv.kernels.compile import inner, parallel, share_of

Array = Any
Numbers = tuple[int, ...]


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
def _own_rows(
    n: int, band: int, height: int, window: Window, slide: Slide, count: int
) -> tuple[int, int, int, int]:
    """Return [low, high) of the rows of band n, [first, last) of the windows that reach there."""
    low = n * band
    high = min(height, low + band)
    reach = (window.rows - 1) * slide.dilation_y + 1
    first = max(0, (low + slide.top - reach) // slide.stride_y + 1)
    return low, high, first, min(count, (high - 1 + slide.top) // slide.stride_y + 1)


@inner
def _winner(plane: Array, i: int, j: int, window: Window, slide: Slide) -> tuple[int, int]:
    """Return where the first of the largest cells is, or (-1, -1) where padding is alone."""
    first_y, first_z = i * slide.stride_y - slide.top, j * slide.stride_x - slide.left
    low_a, high_a = _inside(first_y, window.rows, slide.dilation_y, plane.shape[0])
    low_b, high_b = _inside(first_z, window.columns, slide.dilation_x, plane.shape[1])
    if low_a >= high_a or low_b >= high_b:
        return -1, -1
    best_y, best_z = first_y + low_a * slide.dilation_y, first_z + low_b * slide.dilation_x
    best = plane[best_y, best_z]
    for a in range(low_a, high_a):
        y = first_y + a * slide.dilation_y
        for b in range(low_b, high_b):
            z = first_z + b * slide.dilation_x
            cell = plane[y, z]
            if cell > best or (cell != cell and best == best):
                best, best_y, best_z = cell, y, z
    return best_y, best_z


@parallel
def max_pool(
    worker: int, share: int, x: Array, out: Array, lowest: Any, cells: Numbers, numbers: Numbers
) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    window, slide = Window(*cells), Slide(*numbers)
    planes, height, width = out.shape
    for t in range(*share_of(planes * height, share)):
        b, i = t // height, t % height
        for j in range(width):
            y, z = _winner(x[b], i, j, window, slide)
            out[b, i, j] = x[b, y, z] if y >= 0 else lowest


@parallel
def max_pool_backward(
    worker: int,
    share: int,
    x: Array,
    grad_out: Array,
    grad_x: Array,
    cells: Numbers,
    numbers: Numbers,
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    window, slide = Window(*cells), Slide(*numbers)
    planes, height, width = grad_out.shape
    band, bands = _bands(grad_x.shape[1], grad_x.shape[2])
    for t in range(*share_of(planes * bands, share)):
        b, n = t // bands, t % bands
        low, high, first, last = _own_rows(n, band, grad_x.shape[1], window, slide, height)
        grad_x[b, low:high] = 0
        for i in range(first, last):
            for j in range(width):
                y, z = _winner(x[b], i, j, window, slide)
                if low <= y < high:
                    grad_x[b, y, z] += grad_out[b, i, j]


@parallel
def avg_pool(
    worker: int,
    share: int,
    x: Array,
    out: Array,
    row_counts: Array,
    column_counts: Array,
    cells: Numbers,
    numbers: Numbers,
) -> None:
    """out[b, i, j] = Σ of the window / (row_counts[i] · column_counts[j])."""
    window, slide = Window(*cells), Slide(*numbers)
    planes, height, width = out.shape
    for t in range(*share_of(planes * height, share)):
        b, i = t // height, t % height
        first_y = i * slide.stride_y - slide.top
        low_a, high_a = _inside(first_y, window.rows, 1, x.shape[1])
        for j in range(width):
            first_z = j * slide.stride_x - slide.left
            low_b, high_b = _inside(first_z, window.columns, 1, x.shape[2])
            total = out.dtype.type(0)
            for a in range(low_a, high_a):
                for c in range(low_b, high_b):
                    total += x[b, first_y + a, first_z + c]
            out[b, i, j] = total / out.dtype.type(row_counts[i] * column_counts[j])


@parallel
def avg_pool_backward(
    worker: int,
    share: int,
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    cells: Numbers,
    numbers: Numbers,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    window, slide = Window(*cells), Slide(*numbers)
    planes, height, width = grad_out.shape
    band, bands = _bands(grad_x.shape[1], grad_x.shape[2])
    for t in range(*share_of(planes * bands, share)):
        b, n = t // bands, t % bands
        low, high, first, last = _own_rows(n, band, grad_x.shape[1], window, slide, height)
        grad_x[b, low:high] = 0
        for i in range(first, last):
            first_y = i * slide.stride_y - slide.top
            low_y, high_y = max(low, first_y), min(high, first_y + window.rows)
            for j in range(width):
                first_z = j * slide.stride_x - slide.left
                low_b, high_b = _inside(first_z, window.columns, 1, grad_x.shape[2])
                counted = grad_out.dtype.type(row_counts[i] * column_counts[j])
                given = grad_out[b, i, j] / counted
                for y in range(low_y, high_y):
                    for c in range(low_b, high_b):
                        grad_x[b, y, first_z + c] += given
