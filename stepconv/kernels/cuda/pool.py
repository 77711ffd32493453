"""Pooling on a GPU, forward and backward: a thread for each cell of the result.

Backward, too, each cell of grad_x has a thread of its own, which looks at the windows that reach
over the cell: no two threads add to one number, so the bits are the same every time. Networks note
the winners on the way forward, and have an end for each gradient (`ends.py`).
"""

import functools
from math import prod
from typing import Any

from numba import cuda

from stepconv.geometry import Slide, Window
from stepconv.kernels.cuda.machine.array import allocate
from stepconv.kernels.cuda.machine.launch import inner, kernel, launch_each
from stepconv.kernels.cuda.machine.places import larger, place, smaller
from stepconv.kernels.cuda.machine.transfers import on_gpu
from stepconv.kernels.cuda.network.ends import AS_IT_IS, End

Array = Any

_INT32_CELLS = 2**31  # in a plane, so that 32 bits can count them


@on_gpu("out")
def max_pool(x: Array, out: Array, lowest: Any, window: Window, slide: Slide) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    max_pool_noting(x, out, lowest, _nothing("int32"), window, slide)


def max_pool_noting(
    x: Array, out: Array, lowest: Any, winners: Array, window: Window, slide: Slide
) -> None:
    """Pool, and note which cell of its plane each window chose, negative for none.

    An `out` or `winners` of no cells is not asked for.
    """
    grid = out.shape if out.size else winners.shape
    launch_each(_largest, prod(grid), x, out, lowest, winners, grid, window, slide)


def _nothing(dtype: Any) -> Array:
    return allocate((0, 0, 0), dtype)


@kernel
def _largest(
    x: Array,
    out: Array,
    lowest: Any,
    winners: Array,
    grid: tuple[int, int, int],
    window: Window,
    slide: Slide,
) -> None:
    cell = cuda.grid(1)
    if cell < grid[0] * grid[1] * grid[2]:
        b, i, j = place(cell, grid[1], grid[2])
        y, z = _winner(x, b, i, j, window, slide)
        if out.size:
            out[b, i, j] = x[b, y, z] if y >= 0 else lowest
        if winners.size:
            winners[b, i, j] = y * x.shape[2] + z


@inner
def _winner(x: Array, b: int, i: int, j: int, window: Window, slide: Slide) -> tuple[int, int]:
    """Return where the first of the largest cells is, or (-1, -1) where padding is alone."""
    best = x.dtype.type(0)
    best_y, best_z = -1, -1
    for a in range(window.rows):
        y = i * slide.stride_y - slide.top + a * slide.dilation_y
        if 0 <= y < x.shape[1]:
            for c in range(window.columns):
                z = j * slide.stride_x - slide.left + c * slide.dilation_x
                if 0 <= z < x.shape[2]:
                    value = x[b, y, z]
                    # The first of equals wins, and the first NaN beats all.
                    if best_y < 0 or value > best or (value != value and best == best):
                        best, best_y, best_z = value, y, z
    return best_y, best_z


@on_gpu("grad_x")
def max_pool_backward(
    x: Array, grad_out: Array, grad_x: Array, window: Window, slide: Slide
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    small = x.shape[1] * x.shape[2] < _INT32_CELLS
    winners = allocate(grad_out.shape, "int32" if small else "int64")
    max_pool_noting(x, _nothing(x.dtype), x.dtype.type(0), winners, window, slide)
    hand_back(winners, grad_out, grad_x, window, slide, AS_IT_IS)


def hand_back(
    winners: Array, grad_out: Array, grad_x: Array, window: Window, slide: Slide, end: End
) -> None:
    """Hand each window's gradient to its winner, with an end for each cell."""
    run = _way_back(_to_winner, end.finish)
    launch_each(run, grad_x.size, winners, grad_out, grad_x, window, slide, end.numbers)


@on_gpu("out")
def avg_pool(
    x: Array, out: Array, row_counts: Array, column_counts: Array, window: Window, slide: Slide
) -> None:
    """out[b, i, j] = Σ of the window / (row_counts[i] · column_counts[j])."""
    launch_each(_average, out.size, x, out, row_counts, column_counts, window, slide)


@kernel
def _average(
    x: Array, out: Array, row_counts: Array, column_counts: Array, window: Window, slide: Slide
) -> None:
    cell = cuda.grid(1)
    if cell < out.size:
        b, i, j = place(cell, out.shape[1], out.shape[2])
        first_y, first_z = i * slide.stride_y - slide.top, j * slide.stride_x - slide.left
        total = out.dtype.type(0)
        for y in range(larger(0, first_y), smaller(x.shape[1], first_y + window.rows)):
            for z in range(larger(0, first_z), smaller(x.shape[2], first_z + window.columns)):
                total += x[b, y, z]
        out[b, i, j] = total / out.dtype.type(row_counts[i] * column_counts[j])


@on_gpu("grad_x")
def avg_pool_backward(
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window: Window,
    slide: Slide,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    spread(grad_out, grad_x, row_counts, column_counts, window, slide, AS_IT_IS)


def spread(
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window: Window,
    slide: Slide,
    end: End,
) -> None:
    """Spread each window's gradient over its cells, with an end for each of them."""
    counts, run = (row_counts, column_counts), _way_back(_to_each, end.finish)
    launch_each(run, grad_x.size, counts, grad_out, grad_x, window, slide, end.numbers)


@functools.cache
def _way_back(added: Any, finish: Any) -> Any:
    @kernel
    def hand_back(
        told: Any, grad_out: Array, grad_x: Array, window: Window, slide: Slide, end: Any
    ) -> None:
        """grad_x[b, y, z] = Σ of what the windows (i, j) over the cell send there."""
        cell = cuda.grid(1)
        if cell < grad_x.size:
            b, y, z = place(cell, grad_x.shape[1], grad_x.shape[2])
            (low_i, high_i), (low_j, high_j) = windows_over(y, z, window, slide, grad_out)
            total = grad_x.dtype.type(0)
            for i in range(low_i, high_i):
                for j in range(low_j, high_j):
                    total = added(total, told, grad_out, b, i, j, y * grad_x.shape[2] + z)
            grad_x[b, y, z] = finish(total, grad_x, cell, end)

    return hand_back


@inner
def _to_winner(
    total: Any, winners: Array, grad_out: Array, b: int, i: int, j: int, cell: int
) -> Any:
    """Add the gradient of a window that chose this cell of the plane."""
    return total + grad_out[b, i, j] if winners[b, i, j] == cell else total


@inner
def _to_each(
    total: Any, counts: tuple[Array, Array], grad_out: Array, b: int, i: int, j: int, cell: int
) -> Any:
    """Add the gradient of a window / the cells that it counts."""
    return total + grad_out[b, i, j] / grad_out.dtype.type(counts[0][i] * counts[1][j])


@inner
def windows_over(
    y: int, z: int, window: Window, slide: Slide, grad_out: Array
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return [first, last) of the rows and of the columns of windows that reach over a cell."""
    height, width = (window.rows - 1) * slide.dilation_y, (window.columns - 1) * slide.dilation_x
    y, z = y + slide.top, z + slide.left
    first_i = larger(0, (y - height - 1) // slide.stride_y + 1)
    first_j = larger(0, (z - width - 1) // slide.stride_x + 1)
    last_i = smaller(grad_out.shape[1], y // slide.stride_y + 1)
    last_j = smaller(grad_out.shape[2], z // slide.stride_x + 1)
    return (first_i, last_i), (first_j, last_j)
