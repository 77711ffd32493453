"""What is done to each number alone on the CPU: ReLU, forward and backward, on flat arrays."""

from typing import Any

from stepconv.kernels.compile import parallel, share_of

Array = Any


@parallel
def relu(share: int, shares: int, x: Array, out: Array) -> None:
    """out = x where x is positive, 0 elsewhere; a NaN stays one."""
    first, last = share_of(x.size, share, shares)
    # Counted from 0, so that the compiler sees that no index is negative and takes vectors.
    cells, results = x[first:last], out[first:last]
    for i in range(cells.size):
        results[i] = x.dtype.type(0) if cells[i] <= 0 else cells[i]


@parallel
def relu_backward(share: int, shares: int, x: Array, grad_out: Array, grad_x: Array) -> None:
    """Let the gradient through where x is positive."""
    first, last = share_of(x.size, share, shares)
    cells, gradients, results = x[first:last], grad_out[first:last], grad_x[first:last]
    for i in range(cells.size):
        results[i] = grad_out.dtype.type(0) if cells[i] <= 0 else gradients[i]
