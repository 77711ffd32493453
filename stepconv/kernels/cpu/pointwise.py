"""What is done to each number alone on the CPU: ReLU, forward and backward, on flat arrays."""

from typing import Any

from numba import prange

from stepconv.kernels.compile import parallel

Array = Any


@parallel
def relu(x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    for i in prange(x.size):
        out[i] = x.dtype.type(0) if x[i] <= 0 else x[i]


@parallel
def relu_backward(x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    for i in prange(x.size):
        grad_x[i] = grad_out.dtype.type(0) if x[i] <= 0 else grad_out[i]
