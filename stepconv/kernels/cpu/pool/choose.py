"""Which kernel computes a pool on the CPU, forward and backward:

numbers            window       strides   dilation   computed by
float32, float64   1..3 x 2,3   1, 2      1          vectors: forward.py, backward.py
all that is left                                     loops.py
"""

from typing import Any

from stepconv.geometry import Slide, Window
from stepconv.kernels.choice import Choice
from stepconv.kernels.cpu.pool import loops
from stepconv.kernels.cpu.pool.backward import backward
from stepconv.kernels.cpu.pool.forward import forward
from stepconv.kernels.cpu.pool.windows import Windows

Array = Any


def in_vectors(x: Array, window: Window, slide: Slide) -> Windows | None:
    """Return the windows as the kernels of vectors know them, or None where these do not serve."""
    rows, columns = window
    stride_y, stride_x, dilation_y, dilation_x, _, _ = slide
    small = 1 <= rows <= 3 and 2 <= columns <= 3 and stride_y <= 2 and stride_x <= 2
    if small and dilation_y == dilation_x == 1 and x.size and x.dtype.char in "fd":
        return Windows(rows, columns, stride_y, stride_x)
    return None


def choice(x: Array, window: Window, slide: Slide) -> Choice:
    """Return which kernels pool, and why; `x` is what the windows are on."""
    if in_vectors(x, window, slide):
        rule = "vectors hold neighbouring windows of {}x{} cells, {} and {} cells apart"
        return Choice("vectors", rule, (*window, *slide.stride))
    served = "floats under windows of 2 or 3 columns, up to 3 rows, 1 or 2 cells apart, no gaps"
    return Choice("loops", f"vectors serve {served}: these are not such")


def max_pool(x: Array, out: Array, lowest: Any, window: Window, slide: Slide) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    windows = in_vectors(x, window, slide)
    if windows:
        forward(x, out, windows, slide.top, slide.left)
    else:
        loops.max_pool(x, out, lowest, window[:], slide[:])


def max_pool_backward(
    x: Array, grad_out: Array, grad_x: Array, window: Window, slide: Slide
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    windows = in_vectors(x, window, slide)
    if not windows or not x.dtype == grad_x.dtype == grad_out.dtype:
        loops.max_pool_backward(x, grad_out, grad_x, window[:], slide[:])
        return
    doubtful = backward(x, grad_out, grad_x, windows, slide.top, slide.left)
    if doubtful.size:
        again = grad_x[doubtful]
        given = x[doubtful], grad_out[doubtful]
        loops.max_pool_backward(*given, again, window[:], slide[:])
        grad_x[doubtful] = again


def avg_pool(
    x: Array, out: Array, row_counts: Array, column_counts: Array, window: Window, slide: Slide
) -> None:
    """out[b, i, j] = Σ of the window / (row_counts[i] · column_counts[j])."""
    windows = in_vectors(x, window, slide)
    if windows:
        forward(x, out, windows, slide.top, slide.left, (row_counts, column_counts))
    else:
        loops.avg_pool(x, out, row_counts, column_counts, window[:], slide[:])


def avg_pool_backward(
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window: Window,
    slide: Slide,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    windows = in_vectors(grad_x, window, slide)
    if windows:
        counts = row_counts, column_counts
        backward(grad_x, grad_out, grad_x, windows, slide.top, slide.left, counts)
    else:
        loops.avg_pool_backward(grad_out, grad_x, row_counts, column_counts, window[:], slide[:])
