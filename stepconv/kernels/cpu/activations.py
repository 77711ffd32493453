"""Activations on the CPU, forward and back: of each number alone on flat arrays, and softmax."""

from math import exp
from math import tanh as tangent
from typing import Any

from stepconv.kernels.compile import inner, parallel, share_of

Array = Any

_BLOCK = 64


@inner
def _cells_of(size: int, share: int) -> tuple[int, int]:
    """Return the cells of a share, in whole blocks.

    Where Numba has a library of vector functions, cells in a vector may round unlike those left
    over: so the same ones have to be left over on any number of threads.
    """
    first, last = share_of(-(-size // _BLOCK), share)
    return first * _BLOCK, min(last * _BLOCK, size)


@parallel
def relu(worker: int, share: int, x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    first, last = share_of(x.size, share)
    # Counted from 0, so that the compiler sees that no index is negative and takes vectors.
    cells, results = x[first:last], out[first:last]
    for i in range(cells.size):
        results[i] = x.dtype.type(0) if cells[i] <= 0 else cells[i]


@parallel
def relu_backward(worker: int, share: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    first, last = share_of(x.size, share)
    cells, gradients, results = x[first:last], grad_out[first:last], grad_x[first:last]
    for i in range(cells.size):
        results[i] = grad_out.dtype.type(0) if cells[i] <= 0 else gradients[i]


@parallel
def leaky_relu(worker: int, share: int, x: Array, out: Array, slope: Any) -> None:
    """out = x where x is positive, slope · x elsewhere; a NaN stays one."""
    first, last = share_of(x.size, share)
    cells, results = x[first:last], out[first:last]
    for i in range(cells.size):
        results[i] = slope * cells[i] if cells[i] <= 0 else cells[i]


@parallel
def leaky_relu_backward(
    worker: int, share: int, x: Array, grad_out: Array, grad_x: Array, slope: Any
) -> None:
    """grad_x = grad_out where x is positive, slope · grad_out elsewhere."""
    first, last = share_of(x.size, share)
    cells, gradients, results = x[first:last], grad_out[first:last], grad_x[first:last]
    for i in range(cells.size):
        results[i] = slope * gradients[i] if cells[i] <= 0 else gradients[i]


@parallel
def tanh(worker: int, share: int, x: Array, out: Array) -> None:
    """out = (e^x - e^-x) / (e^x + e^-x)."""
    for i in range(*_cells_of(x.size, share)):
        out[i] = tangent(x[i])


@parallel
def tanh_backward(worker: int, share: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · (1 - tanh(x)²)."""
    for i in range(*_cells_of(x.size, share)):
        t = tangent(x[i])
        grad_x[i] = grad_out[i] * (x.dtype.type(1) - t * t)


@inner
def _sigmoid(x: Any, one: Any) -> Any:
    power = exp(-abs(x))
    return (one if x >= 0 else power) / (one + power)


@parallel
def sigmoid(worker: int, share: int, x: Array, out: Array) -> None:
    """out = 1 / (1 + e^-x)."""
    for i in range(*_cells_of(x.size, share)):
        out[i] = _sigmoid(x[i], x.dtype.type(1))


@parallel
def sigmoid_backward(worker: int, share: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · s · (1 - s), where s = sigmoid(x)."""
    one = x.dtype.type(1)
    for i in range(*_cells_of(x.size, share)):
        s = _sigmoid(x[i], one)
        grad_x[i] = grad_out[i] * (s * (one - s))


@inner
def _shares(x: Array, out: Array) -> None:
    """out_c = e^x_c / Σ e^x_k, with the largest x taken off each."""
    largest, total = x[0], x.dtype.type(0)
    for number in x:
        largest = max(largest, number)
    for c in range(x.size):
        out[c] = exp(x[c] - largest)
        total += out[c]
    for c in range(x.size):
        out[c] /= total


@parallel
def softmax(worker: int, share: int, x: Array, out: Array) -> None:
    """out[n, :, j] = the shares of e^x[n, :, j] in their sum over the channels."""
    cells = x.shape[2]
    for task in range(*share_of(len(x) * cells, share)):
        n, j = task // cells, task % cells
        _shares(x[n, :, j], out[n, :, j])


@parallel
def softmax_backward(worker: int, share: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x_c = y_c · (grad_out_c - Σ grad_out_k · y_k) over a cell's channels, y = softmax(x)."""
    cells = x.shape[2]
    for task in range(*share_of(len(x) * cells, share)):
        n, j = task // cells, task % cells
        gradients, results = grad_out[n, :, j], grad_x[n, :, j]
        _shares(x[n, :, j], results)
        mean = x.dtype.type(0)
        for k in range(results.size):
            mean += gradients[k] * results[k]
        for c in range(results.size):
            results[c] *= gradients[c] - mean
