"""Activations on a GPU, forward and back: of each number alone on flat arrays, and softmax."""

import math
from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import inner, kernel, launch_each
from stepconv.kernels.cuda.machine.transfers import on_gpu

Array = Any


@on_gpu("out")
def relu(x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    launch_each(_relu, x.size, x, out)


@kernel
def _relu(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x.dtype.type(0) if x[i] <= 0 else x[i]


@on_gpu("grad_x")
def relu_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    launch_each(_relu_backward, x.size, x, grad_out, grad_x)


@kernel
def _relu_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        grad_x[i] = grad_out.dtype.type(0) if x[i] <= 0 else grad_out[i]


@on_gpu("out")
def leaky_relu(x: Array, out: Array, slope: Any) -> None:
    """out = x where x is positive, slope · x elsewhere; a NaN stays one."""
    launch_each(_leaky_relu, x.size, x, out, slope)


@kernel
def _leaky_relu(x: Array, out: Array, slope: Any) -> None:
    i = cuda.grid(1)
    if i < x.size:
        out[i] = slope * x[i] if x[i] <= 0 else x[i]


@on_gpu("grad_x")
def leaky_relu_backward(x: Array, grad_out: Array, grad_x: Array, slope: Any) -> None:
    """grad_x = grad_out where x is positive, slope · grad_out elsewhere."""
    launch_each(_leaky_relu_backward, x.size, x, grad_out, grad_x, slope)


@kernel
def _leaky_relu_backward(x: Array, grad_out: Array, grad_x: Array, slope: Any) -> None:
    i = cuda.grid(1)
    if i < x.size:
        grad_x[i] = slope * grad_out[i] if x[i] <= 0 else grad_out[i]


@on_gpu("out")
def tanh(x: Array, out: Array) -> None:
    """out = (e^x - e^-x) / (e^x + e^-x)."""
    launch_each(_tanh, x.size, x, out)


@kernel
def _tanh(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        out[i] = math.tanh(x[i])


@on_gpu("grad_x")
def tanh_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · (1 - tanh(x)²)."""
    launch_each(_tanh_backward, x.size, x, grad_out, grad_x)


@kernel
def _tanh_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        t = math.tanh(x[i])
        grad_x[i] = grad_out[i] * (x.dtype.type(1) - t * t)


@inner
def _sigmoid_of(x: Any, one: Any) -> Any:
    power = math.exp(-abs(x))
    return (one if x >= 0 else power) / (one + power)


@on_gpu("out")
def sigmoid(x: Array, out: Array) -> None:
    """out = 1 / (1 + e^-x)."""
    launch_each(_sigmoid, x.size, x, out)


@kernel
def _sigmoid(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        out[i] = _sigmoid_of(x[i], x.dtype.type(1))


@on_gpu("grad_x")
def sigmoid_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x = grad_out · s · (1 - s), where s = sigmoid(x)."""
    launch_each(_sigmoid_backward, x.size, x, grad_out, grad_x)


@kernel
def _sigmoid_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    i = cuda.grid(1)
    if i < x.size:
        one = x.dtype.type(1)
        s = _sigmoid_of(x[i], one)
        grad_x[i] = grad_out[i] * (s * (one - s))


@inner
def _shares(x: Array, out: Array) -> None:
    """out_c = e^x_c / Σ e^x_k, with the largest x taken off each."""
    largest, total = x[0], x.dtype.type(0)
    for c in range(x.size):
        largest = x[c] if x[c] > largest else largest
    for c in range(x.size):
        out[c] = math.exp(x[c] - largest)
        total += out[c]
    for c in range(x.size):
        out[c] /= total


@on_gpu("out")
def softmax(x: Array, out: Array) -> None:
    """out[n, :, j] = the shares of e^x[n, :, j] in their sum over the channels."""
    launch_each(_softmax, x.shape[0] * x.shape[2], x, out)


@kernel
def _softmax(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < x.shape[0] * x.shape[2]:
        n, j = i // x.shape[2], i % x.shape[2]
        _shares(x[n, :, j], out[n, :, j])


@on_gpu("grad_x")
def softmax_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """grad_x_c = y_c · (grad_out_c - Σ grad_out_k · y_k) over a cell's channels, y = softmax(x)."""
    launch_each(_softmax_backward, x.shape[0] * x.shape[2], x, grad_out, grad_x)


@kernel
def _softmax_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    i = cuda.grid(1)
    if i < x.shape[0] * x.shape[2]:
        n, j = i // x.shape[2], i % x.shape[2]
        gradients, results = grad_out[n, :, j], grad_x[n, :, j]
        _shares(x[n, :, j], results)
        mean = x.dtype.type(0)
        for k in range(results.size):
            mean += gradients[k] * results[k]
        for c in range(results.size):
            results[c] *= gradients[c] - mean
