"""What is done to each number alone on the CPU: ReLU, forward and backward, on flat arrays."""

from typing import Any

from stepconv.kernels.compile import parallel, share_of

Array = Any


@parallel
def relu(share: int, shares: int, x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    for i in range(*share_of(x.size, share, shares)):
        out[i] = x.dtype.type(0) if x[i] <= 0 else x[i]


@parallel
def relu_backward(share: int, shares: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    for i in range(*share_of(x.size, share, shares)):
        grad_x[i] = grad_out.dtype.type(0) if x[i] <= 0 else grad_out[i]
