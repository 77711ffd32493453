"""What follows a convolution in most networks: ReLU and its gradient."""

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.ops.arrays import (
    Array,
    check_grad_out,
    laid_out,
    moving_dtype,
    numeric,
    own_dtype,
    sum_dtype,
)


def relu(x: ArrayLike, *, backend: str | None = None) -> Array:
    """Keep what is positive, put 0 for the rest; a NaN stays one.

    >>> relu([3, -1, 2])
    array([3, 0, 2])
    """
    array = numeric("x", x)
    kernel = kernels.find("relu", backend, array)
    out = np.empty(array.shape, moving_dtype(array), like=array)
    if out.size:
        flat = laid_out(array, out.dtype, (out.size,))
        kernel(flat, out.reshape(-1))
    return out.astype(own_dtype(array), copy=False)


def relu_backward(x: ArrayLike, grad_out: ArrayLike, *, backend: str | None = None) -> Array:
    """Return grad_x of `relu`: the gradient passes where x is positive.

    >>> relu_backward([3, -1, 2], [5, 6, 7])
    array([5, 0, 7])
    """
    array = numeric("x", x)
    grad = numeric("grad_out", grad_out, array)
    check_grad_out(grad, array.shape)
    kernel = kernels.find("relu_backward", backend, array)
    out = np.empty(grad.shape, sum_dtype(grad), like=array)
    if out.size:
        flat = laid_out(array, moving_dtype(array), (out.size,))
        gradients = laid_out(grad, out.dtype, flat.shape)
        kernel(flat, gradients, out.reshape(-1))
    return out
