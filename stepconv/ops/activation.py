"""What follows a convolution in most networks: activations, and the gradients of each."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.errors import ArgumentError
from stepconv.geometry import Plan, Shape
from stepconv.ops import reuse
from stepconv.ops.arrays import (
    Array,
    DType,
    check_grad_out,
    float_dtype,
    laid_out,
    moved,
    numeric,
    own_dtype,
    sum_dtype,
)
from stepconv.ops.call import Operands, cells_plan


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


def leaky_relu(x: ArrayLike, slope: float = 0.01, *, backend: str | None = None) -> Array:
    """Keep what is positive, and of the rest `slope` times as much; integers give float64.

    >>> leaky_relu([3, -1, 2])
    array([ 3.  , -0.01,  2.  ])
    """
    return LeakyCall(x, slope, backend=backend).forward()


def leaky_relu_backward(
    x: ArrayLike, grad_out: ArrayLike, slope: float = 0.01, *, backend: str | None = None
) -> Array:
    """Return grad_x of `leaky_relu`: the gradient passes where x is positive, else `slope` of it.

    >>> leaky_relu_backward([3, -1, 2], [5, 6, 7])
    array([5.  , 0.06, 7.  ])
    """
    return LeakyCall(x, slope, backend=backend).backward(grad_out)


def tanh(x: ArrayLike, *, backend: str | None = None) -> Array:
    """Bend each number into -1 to 1: (e^x - e^-x) / (e^x + e^-x); integers give float64.

    >>> tanh([0, 0.5, -100]).round(2)
    array([ 0.  ,  0.46, -1.  ])
    """
    return CurveCall("tanh", x, backend=backend).forward()


def tanh_backward(x: ArrayLike, grad_out: ArrayLike, *, backend: str | None = None) -> Array:
    """Return grad_x of `tanh`: tanh'(x) = 1 - tanh(x)².

    >>> tanh_backward([0, 0.5, -100], [1, 1, 1]).round(2)
    array([1.  , 0.79, 0.  ])
    """
    return CurveCall("tanh", x, backend=backend).backward(grad_out)


def sigmoid(x: ArrayLike, *, backend: str | None = None) -> Array:
    """Bend each number into 0 to 1: 1 / (1 + e^-x); integers give float64.

    >>> sigmoid([0, 2, -100]).round(2)
    array([0.5 , 0.88, 0.  ])
    """
    return CurveCall("sigmoid", x, backend=backend).forward()


def sigmoid_backward(x: ArrayLike, grad_out: ArrayLike, *, backend: str | None = None) -> Array:
    """Return grad_x of `sigmoid`: with s = sigmoid(x), sigmoid'(x) = s · (1 - s).

    >>> sigmoid_backward([0, 2, -100], [1, 1, 1]).round(2)
    array([0.25, 0.1 , 0.  ])
    """
    return CurveCall("sigmoid", x, backend=backend).backward(grad_out)


def softmax(x: ArrayLike, *, backend: str | None = None) -> Array:
    """Turn numbers into shares of 1, larger ones into more: e^x_c / Σ e^x_k.

    The sum is over the channels of an x of (N, C, H, W) or (C, H, W), and over the last axis of a
    row or a batch of rows. The largest x is taken off each before: it changes no quotient, and
    nothing overflows. Integers give float64.

    >>> softmax([1, 2, 3]).round(2)
    array([0.09, 0.24, 0.67])
    """
    return SoftmaxCall(x, backend=backend).forward()


def softmax_backward(x: ArrayLike, grad_out: ArrayLike, *, backend: str | None = None) -> Array:
    """Return grad_x of `softmax`: with y = softmax(x), grad_x_c = y_c · (g_c - Σ g_k · y_k).

    For ∂y_k / ∂x_c is y_c · (1 - y_c) where k = c, and -y_k · y_c elsewhere; each meets the
    gradient g_k of its share.

    >>> softmax_backward([1, 2, 3], [0, 0, 1]).round(2)
    array([-0.06, -0.16,  0.22])
    """
    return SoftmaxCall(x, backend=backend).backward(grad_out)


class CellCall:
    """One call, its arguments checked, of what is done to each number alone."""

    numbers: tuple[Any, ...] = ()  # what kernels are given beside the arrays

    def __init__(self, name: str, x: ArrayLike, *, backend: str | None = None) -> None:
        self.name = name
        self.x = numeric("x", x)
        self.shape = self.x.shape
        self.backend = backend
        self.layout: Shape = (self.x.size,)  # how the kernels see the arrays

    @property
    def plan(self) -> Plan:
        """Windows of one cell."""
        return cells_plan(self.shape[-2:])

    def forward_operands(self) -> Operands:
        """Return x in the type that it is computed in, which is that of the result."""
        return self._operands(x=self.x)

    def backward_operands(self, grad_out: ArrayLike) -> Operands:
        """Return x and the gradient, each in its type."""
        return self._operands(x=self.x, grad_out=self._grad_out(grad_out))

    def forward(self) -> Array:
        """Return the function of each number."""
        kernel = kernels.find(self.name, self.backend, self.x)
        (dtype,) = self._types(self.x)
        out = reuse.empty(self.shape, moved(dtype), like=self.x)
        if out.size:
            x = laid_out(self.x, out.dtype, self.layout)
            kernel(x, out.reshape(self.layout), *map(out.dtype.type, self.numbers))
        return out.astype(dtype, copy=False)

    def backward(self, grad_out: ArrayLike) -> Array:
        """Return the gradient for x."""
        given = self._grad_out(grad_out)
        kernel = kernels.find(f"{self.name}_backward", self.backend, self.x)
        x_dtype, dtype = self._types(self.x, given)
        out = reuse.empty(self.shape, dtype, like=self.x)
        if out.size:
            x = laid_out(self.x, moved(x_dtype), self.layout)
            grad = laid_out(given, dtype, self.layout)
            kernel(x, grad, out.reshape(self.layout), *map(dtype.type, self.numbers))
        return out

    def _types(self, x: Array, *grad_out: Array) -> tuple[DType, ...]:
        """Return each array's type: that of x is its own, that of a gradient is that of its sums.

        The result has that of the last.
        """
        return (own_dtype(x), *map(sum_dtype, grad_out))

    def _operands(self, **arrays: Array) -> Operands:
        types = self._types(*arrays.values())
        laid = map(laid_out, arrays.values(), types)
        return Operands(dict(zip(arrays, laid, strict=True)), self.shape, types[-1])

    def _grad_out(self, grad_out: ArrayLike) -> Array:
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        return grad


class CurveCall(CellCall):
    """A call that computes with fractions, forward and back, whatever the type of x."""

    def _types(self, x: Array, *grad_out: Array) -> tuple[DType, ...]:
        """Return for all arrays the type of the result, which has fractions."""
        return (float_dtype(x, *grad_out),) * (1 + len(grad_out))


class LeakyCall(CurveCall):
    """One leaky ReLU with the slope of its lower half."""

    def __init__(self, x: ArrayLike, slope: Any, *, backend: str | None = None) -> None:
        super().__init__("leaky_relu", x, backend=backend)
        number = numeric("slope", slope)
        if number.ndim:
            raise ArgumentError(f"slope={slope!r} is not a single number")
        if not np.isfinite(number):
            raise ArgumentError(f"slope={slope!r} is not finite: a slope such as 0.01 fits")
        self.slope = float(number)
        self.numbers = (self.slope,)


class SoftmaxCall(CurveCall):
    """One softmax; its kernels see (images, channels, cells of each channel)."""

    def __init__(self, x: ArrayLike, *, backend: str | None = None) -> None:
        super().__init__("softmax", x, backend=backend)
        if not 1 <= self.x.ndim <= 4:
            raise ArgumentError(
                f"x has {self.x.ndim} axes: (N, C, H, W), (C, H, W), a row or a batch of rows fit"
            )
        # Channels are in front of rows and columns; in rows each number is one of its own.
        axis = self.x.ndim - (3 if self.x.ndim > 2 else 1)
        leading, cells = prod(self.shape[:axis]), prod(self.shape[axis + 1 :])
        self.layout = (leading, self.shape[axis], cells)

    @property
    def plan(self) -> Plan:
        """Windows of one cell; of a row, the row."""
        if self.x.ndim < 3:
            return cells_plan(self.shape[-1:])
        channels = self.shape[-3]
        return replace(cells_plan(self.shape[-2:]), in_channels=channels, out_channels=channels)
