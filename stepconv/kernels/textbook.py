"""Every operation as a slide writes it, one window at a time: the oracle the fast kernels obey.

Plain Python on NumPy arrays, slow and easy to step through with a debugger. Arrays come as
(batch, channels, rows, columns); a signal has one row. A `Slide` says which cell a window reads,
which may lie outside the image: there x is 0.
"""

from typing import Any

import numpy as np

from stepconv.geometry import Slide, Window

Array = Any

# NumPy warns where IEEE arithmetic overflows or meets a NaN; an oracle does what IEEE says.
ieee = np.errstate(all="ignore")


def value_at(plane: Array, i: int, j: int) -> Any:
    """Return the cell (i, j) of an image, 0 in the padding around it."""
    if 0 <= i < plane.shape[0] and 0 <= j < plane.shape[1]:
        return plane[i, j]
    return plane.dtype.type(0)


def cell_read(slide: Slide, i: int, j: int, a: int, b: int) -> tuple[int, int]:
    """Return the row and column of the image that cell (a, b) of window (i, j) lies on."""
    y = i * slide.stride_y - slide.top + a * slide.dilation_y
    x = j * slide.stride_x - slide.left + b * slide.dilation_x
    return y, x


def window_sum(plane: Array, kernel: Array, slide: Slide, i: int, j: int) -> Any:
    """Return Σ plane[y, x] · kernel[a, b] over window (i, j) of one channel."""
    total = plane.dtype.type(0)
    for a, b in np.ndindex(kernel.shape):
        total += value_at(plane, *cell_read(slide, i, j, a, b)) * kernel[a, b]
    return total


@ieee
def correlate(x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int) -> None:
    """out[n, o, i, j] = bias[o] + Σ over the group's channels of the window's sum."""
    in_group = w.shape[1]
    out_group = w.shape[0] // groups
    for n, o, i, j in np.ndindex(out.shape):
        total = bias[o]
        for k in range(in_group):
            c = o // out_group * in_group + k
            total += window_sum(x[n, c], w[o, k], slide, i, j)
        out[n, o, i, j] = total


@ieee
def correlate_grad_x(
    grad_out: Array, w: Array, bias: Array, grad_x: Array, slide: Slide, groups: int
) -> None:
    """Hand grad_out · w back to the cells each window read; a transposed correlation adds bias."""
    in_group = w.shape[1]
    out_group = w.shape[0] // groups
    for n, c, y, x in np.ndindex(grad_x.shape):
        grad_x[n, c, y, x] = bias[c]
    for n, o, i, j in np.ndindex(grad_out.shape):
        for k, a, b in np.ndindex(w.shape[1:]):
            c = o // out_group * in_group + k
            y, x = cell_read(slide, i, j, a, b)
            if 0 <= y < grad_x.shape[2] and 0 <= x < grad_x.shape[3]:
                grad_x[n, c, y, x] += grad_out[n, o, i, j] * w[o, k, a, b]


@ieee
def correlate_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> None:
    """grad_w[o, k, a, b] = Σ over all windows of the cell that met the weight · grad_out."""
    in_group = grad_w.shape[1]
    out_group = grad_w.shape[0] // groups
    for o, k, a, b in np.ndindex(grad_w.shape):
        c = o // out_group * in_group + k
        total = grad_w.dtype.type(0)
        for n, i, j in np.ndindex(x.shape[0], *grad_out.shape[2:]):
            cell = value_at(x[n, c], *cell_read(slide, i, j, a, b))
            total += cell * grad_out[n, o, i, j]
        grad_w[o, k, a, b] = total


@ieee
def channel_sums(grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]: the bias went into every output cell."""
    for o in range(grad_bias.shape[0]):
        total = grad_bias.dtype.type(0)
        for n, i, j in np.ndindex(grad_out.shape[0], *grad_out.shape[2:]):
            total += grad_out[n, o, i, j]
        grad_bias[o] = total


def pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    """out[b, i, j] = x[b, rows[i], columns[j]], or `value` where an index is -1."""
    for b, i, j in np.ndindex(out.shape):
        y, z = rows[i], columns[j]
        out[b, i, j] = x[b, y, z] if y >= 0 and z >= 0 else value


@ieee
def pad_backward(grad_out: Array, grad_x: Array, rows: Array, columns: Array) -> None:
    """Add the gradient of every padded cell to the cell that it is a copy of."""
    grad_x[...] = 0
    for b, i, j in np.ndindex(grad_out.shape):
        y, z = rows[i], columns[j]
        if y >= 0 and z >= 0:
            grad_x[b, y, z] += grad_out[b, i, j]


def beats(cell: Any, best: Any) -> Any:
    """Tell whether a later cell takes the place of the best so far: larger, or the first NaN."""
    return cell > best or (cell != cell and best == best)


def window_winner(plane: Array, i: int, j: int, window: Window, slide: Slide) -> tuple[int, int]:
    """Return where the largest cell of window (i, j) is: the first of equals; a NaN beats all.

    Padding never wins; (-1, -1) says that the window holds nothing else.
    """
    best_y, best_z = -1, -1
    for a, b in np.ndindex(window):
        y = i * slide.stride_y - slide.top + a * slide.dilation_y
        z = j * slide.stride_x - slide.left + b * slide.dilation_x
        if 0 <= y < plane.shape[0] and 0 <= z < plane.shape[1]:
            if best_y < 0 or beats(plane[y, z], plane[best_y, best_z]):
                best_y, best_z = y, z
    return best_y, best_z


def max_pool(x: Array, out: Array, lowest: Any, window: Window, slide: Slide) -> None:
    """out[b, i, j] = the largest cell of the window, `lowest` where it holds padding alone."""
    for b, i, j in np.ndindex(out.shape):
        y, z = window_winner(x[b], i, j, window, slide)
        out[b, i, j] = x[b, y, z] if y >= 0 else lowest


@ieee
def max_pool_backward(
    x: Array, grad_out: Array, grad_x: Array, window: Window, slide: Slide
) -> None:
    """Hand each window's gradient to its winner; a cell that wins twice gets both."""
    grad_x[...] = 0
    for b, i, j in np.ndindex(grad_out.shape):
        y, z = window_winner(x[b], i, j, window, slide)
        if y >= 0:
            grad_x[b, y, z] += grad_out[b, i, j]


@ieee
def avg_pool(
    x: Array, out: Array, row_counts: Array, column_counts: Array, window: Window, slide: Slide
) -> None:
    """out[b, i, j] = Σ of the window / the cells it counts, row_counts[i] · column_counts[j]."""
    for b, i, j in np.ndindex(out.shape):
        total = out.dtype.type(0)
        for a, c in np.ndindex(window):
            y, z = i * slide.stride_y - slide.top + a, j * slide.stride_x - slide.left + c
            total += value_at(x[b], y, z)
        out[b, i, j] = total / out.dtype.type(row_counts[i] * column_counts[j])


@ieee
def avg_pool_backward(
    grad_out: Array,
    grad_x: Array,
    row_counts: Array,
    column_counts: Array,
    window: Window,
    slide: Slide,
) -> None:
    """Spread each window's gradient evenly over its cells; windows that overlap add."""
    grad_x[...] = 0
    for b, i, j in np.ndindex(grad_out.shape):
        share = grad_out[b, i, j] / grad_out.dtype.type(row_counts[i] * column_counts[j])
        for a, c in np.ndindex(window):
            y, z = i * slide.stride_y - slide.top + a, j * slide.stride_x - slide.left + c
            if 0 <= y < grad_x.shape[1] and 0 <= z < grad_x.shape[2]:
                grad_x[b, y, z] += share


def relu(x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    for index in np.ndindex(x.shape):
        out[index] = x.dtype.type(0) if x[index] <= 0 else x[index]


def relu_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    for index in np.ndindex(x.shape):
        grad_x[index] = grad_out.dtype.type(0) if x[index] <= 0 else grad_out[index]


@ieee
def leaky_relu(x: Array, out: Array, slope: Any) -> None:
    """out = x where x is positive, slope · x elsewhere; a NaN stays one."""
    for index in np.ndindex(x.shape):
        out[index] = slope * x[index] if x[index] <= 0 else x[index]


@ieee
def leaky_relu_backward(x: Array, grad_out: Array, grad_x: Array, slope: Any) -> None:
    """grad_x = grad_out where x is positive, slope · grad_out elsewhere."""
    for index in np.ndindex(x.shape):
        grad_x[index] = slope * grad_out[index] if x[index] <= 0 else grad_out[index]


@ieee
def tanh(x: Array, out: Array) -> None:
    """out = (e^x - e^-x) / (e^x + e^-x)."""
    for index in np.ndindex(x.shape):
        out[index] = np.tanh(x[index])


@ieee
def tanh_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · (1 - tanh(x)²)."""
    for index in np.ndindex(x.shape):
        grad_x[index] = grad_out[index] * (1 - np.tanh(x[index]) ** 2)


def sigmoid_of(x: Any) -> Any:
    """Return 1 / (1 + e^-x), for negative x as e^x / (e^x + 1): so no power overflows."""
    power = np.exp(-abs(x))
    return (1 if x >= 0 else power) / (1 + power)


@ieee
def sigmoid(x: Array, out: Array) -> None:
    """out = 1 / (1 + e^-x)."""
    for index in np.ndindex(x.shape):
        out[index] = sigmoid_of(x[index])


@ieee
def sigmoid_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · s · (1 - s), where s = sigmoid(x)."""
    for index in np.ndindex(x.shape):
        s = sigmoid_of(x[index])
        grad_x[index] = grad_out[index] * (s * (1 - s))


@ieee
def shares(x: Array) -> list[Any]:
    """Return e^x_c / Σ e^x_k for every channel c of one cell.

    With the largest x taken off each, which changes no quotient, nothing overflows.
    """
    largest = x[0]
    for number in x:
        largest = number if number > largest else largest
    powers = [np.exp(number - largest) for number in x]
    total = x.dtype.type(0)
    for power in powers:
        total += power
    return [power / total for power in powers]


@ieee
def softmax(x: Array, out: Array) -> None:
    """out[n, :, j] = the shares of e^x[n, :, j] in their sum over the channels."""
    for n, j in np.ndindex(len(x), x.shape[2]):
        out[n, :, j] = shares(x[n, :, j])


@ieee
def softmax_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x_c = y_c · (grad_out_c - Σ grad_out_k · y_k) over a cell's channels, y = softmax(x)."""
    for n, j in np.ndindex(len(x), x.shape[2]):
        y = shares(x[n, :, j])
        mean = grad_x.dtype.type(0)
        for k in range(x.shape[1]):
            mean += grad_out[n, k, j] * y[k]
        for c in range(x.shape[1]):
            grad_x[n, c, j] = y[c] * (grad_out[n, c, j] - mean)
