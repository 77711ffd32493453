"""What follows a convolution in most networks: ReLU and its gradient."""

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.geometry import Plan
from stepconv.ops.arrays import (
    Array,
    check_grad_out,
    laid_out,
    moving_dtype,
    numeric,
    own_dtype,
    sum_dtype,
)
from stepconv.ops.call import Operands, cells_plan, operands


def relu(x: ArrayLike, *, backend: str | None = None) -> Array:
    """Keep what is positive, put 0 for the rest; a NaN stays one.

    >>> relu([3, -1, 2])
    array([3, 0, 2])
    """
    return CellCall("relu", x, backend=backend).forward()


def relu_backward(x: ArrayLike, grad_out: ArrayLike, *, backend: str | None = None) -> Array:
    """Return grad_x of `relu`: the gradient passes where x is positive.

    >>> relu_backward([3, -1, 2], [5, 6, 7])
    array([5, 0, 7])
    """
    return CellCall("relu", x, backend=backend).backward(grad_out)


class CellCall:
    """One call, its arguments checked, of what is done to each number alone."""

    def __init__(self, name: str, x: ArrayLike, *, backend: str | None = None) -> None:
        self.name = name
        self.x = numeric("x", x)
        self.shape = self.x.shape
        self.backend = backend

    @property
    def plan(self) -> Plan:
        """Windows of one cell."""
        return cells_plan(self.shape[-2:])

    def forward_operands(self) -> Operands:
        """Return x in its own type, which is that of the result."""
        return operands({"x": self.x}, own_dtype(self.x), self.shape)

    def backward_operands(self, grad_out: ArrayLike) -> Operands:
        """Return x in its own type, and the gradient in that of sums of it."""
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        dtype = sum_dtype(grad)
        x = laid_out(self.x, own_dtype(self.x))
        return Operands({"x": x, "grad_out": laid_out(grad, dtype)}, x.shape, dtype)

    def forward(self) -> Array:
        """Return the function of each number."""
        return self._run(self.name, self.forward_operands())

    def backward(self, grad_out: ArrayLike) -> Array:
        """Return the gradient for x."""
        return self._run(f"{self.name}_backward", self.backward_operands(grad_out))

    def _run(self, operation: str, given: Operands) -> Array:
        kernel = kernels.find(operation, self.backend, given.arrays["x"])
        moving = [laid_out(array, moving_dtype(array)) for array in given.arrays.values()]
        out = np.empty(given.shape, moving[-1].dtype, like=moving[-1])
        if out.size:
            kernel(*(array.reshape(-1) for array in moving), out.reshape(-1))
        return out.astype(given.dtype, copy=False)
