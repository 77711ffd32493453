"""What is done to each number alone on a GPU: ReLU, forward and backward, on flat arrays."""

from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import kernel, launch_each
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
