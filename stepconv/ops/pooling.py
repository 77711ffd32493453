"""Summarise each window by one number: max_pool, avg_pool, and the gradients of both."""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.geometry import Plan, Shape, flag, pooling_plan
from stepconv.ops import reuse
from stepconv.ops.arrays import (
    Array,
    DType,
    check_grad_out,
    check_sums_fit,
    empty,
    float_dtype,
    laid_out,
    moving_dtype,
    numeric,
    own_dtype,
    sum_dtype,
)
from stepconv.ops.call import Operands, operands


def max_pool(
    x: ArrayLike,
    window: Any,
    *,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    backend: str | None = None,
) -> Array:
    """Keep the largest cell of each window of the last axes of x; a NaN passes on.

    An int window is square where x has two axes or more. The windows lie side by side unless
    `stride` says otherwise. Padded cells never win.

    >>> max_pool([[2, 3, 1, 9], [4, 7, 3, 5], [8, 2, 2, 2], [1, 3, 4, 5]], 2)
    array([[7, 9],
           [8, 5]])
    """
    call = MaxPoolCall(x, window, stride, padding, dilation, ceil_mode, backend)
    return call.forward()


def max_pool_backward(
    x: ArrayLike,
    grad_out: ArrayLike,
    window: Any,
    *,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    backend: str | None = None,
) -> Array:
    """Return grad_x of `max_pool`: each window's gradient goes to the first of its largest cells.

    >>> max_pool_backward([[0, 55], [20, 0]], [[7]], 2)
    array([[0, 7],
           [0, 0]])
    """
    call = MaxPoolCall(x, window, stride, padding, dilation, ceil_mode, backend)
    return call.backward(grad_out)


def avg_pool(
    x: ArrayLike,
    window: Any,
    *,
    stride: Any = None,
    padding: Any = "valid",
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str | None = None,
) -> Array:
    """Average each window of the last axes of x; integers give float64.

    A window that reaches into the padding divides by its real cells alone, or by the padded
    ones too with `count_include_pad`.

    >>> avg_pool([[2, 3, 1, 9], [4, 7, 3, 5], [8, 2, 2, 2], [1, 3, 4, 5]], 2)
    array([[4.  , 4.5 ],
           [3.5 , 3.25]])
    """
    call = AvgPoolCall(x, window, stride, padding, ceil_mode, count_include_pad, backend)
    return call.forward()


def avg_pool_backward(
    x: ArrayLike,
    grad_out: ArrayLike,
    window: Any,
    *,
    stride: Any = None,
    padding: Any = "valid",
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str | None = None,
) -> Array:
    """Return grad_x of `avg_pool`: each window's gradient is spread evenly over its cells.

    Of x only the shape matters.

    >>> avg_pool_backward([[0, 55], [20, 0]], [[8]], 2)
    array([[2., 2.],
           [2., 2.]])
    """
    call = AvgPoolCall(x, window, stride, padding, ceil_mode, count_include_pad, backend)
    return call.backward(grad_out)


class PoolCall:
    """One pooling whose arguments have been checked."""

    def __init__(
        self,
        x: ArrayLike,
        window: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: Any,
        backend: str | None = None,
    ) -> None:
        self.x = numeric("x", x)
        self.plan = pooling_plan(self.x.shape, window, stride, padding, dilation, ceil_mode)
        self.leading = self.x.shape[: -len(self.plan.axes)]
        self.shape = self.leading + self.plan.output
        self.backend = backend

    def _grad_out(self, grad_out: ArrayLike) -> Array:
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        return grad

    def _planes(self, plane: Shape) -> Shape:
        """Return the kernels' shape of an array: all leading axes as one, rows, columns."""
        leading = prod(self.leading)
        return (leading, *plane) if len(plane) == 2 else (leading, 1, *plane)


class MaxPoolCall(PoolCall):
    """One max pooling; on the way back x says which cells have won."""

    def forward_operands(self) -> Operands:
        """Return x in its own type, which is that of the result."""
        return operands({"x": self.x}, own_dtype(self.x), self.shape)

    def backward_operands(self, grad_out: ArrayLike) -> Operands:
        """Return x in its own type, and the gradient in that of sums of it."""
        grad = self._grad_out(grad_out)
        x = laid_out(self.x, own_dtype(self.x))
        dtype = sum_dtype(grad)
        return Operands({"x": x, "grad_out": laid_out(grad, dtype)}, x.shape, dtype)

    def forward(self) -> Array:
        """Return the largest cell of each window."""
        kernel = kernels.find("max_pool", self.backend, self.x)
        out = empty(self.shape, moving_dtype(self.x), self.x, self.plan)
        if out.size:
            planes = laid_out(self.x, out.dtype, self._planes(self.plan.input))
            largest = out.reshape(self._planes(self.plan.output))
            kernel(planes, largest, lowest_of(out.dtype), self.plan.window, self.plan.slide)
        return out.astype(own_dtype(self.x), copy=False)

    def backward(self, grad_out: ArrayLike) -> Array:
        """Return the gradient for x."""
        grad = self._grad_out(grad_out)
        kernel = kernels.find("max_pool_backward", self.backend, self.x)
        out = (reuse.empty if grad.size else np.zeros)(self.x.shape, sum_dtype(grad), like=self.x)
        if grad.size:
            grad_x = out.reshape(self._planes(self.plan.input))
            planes = laid_out(self.x, moving_dtype(self.x), grad_x.shape)
            gradients = laid_out(grad, out.dtype, self._planes(self.plan.output))
            window, slide = self.plan.window, self.plan.slide
            if out.dtype.kind == "i":
                check_sums_fit(
                    lambda given, bounds: kernel(planes, given, bounds, window, slide),
                    (gradients,),
                    grad_x,
                    prod(window),
                )
            kernel(planes, gradients, grad_x, window, slide)
        return out


class AvgPoolCall(PoolCall):
    """One average pooling; on the way back only the shape of x matters."""

    def __init__(
        self,
        x: ArrayLike,
        window: Any,
        stride: Any,
        padding: Any,
        ceil_mode: Any,
        count_include_pad: Any,
        backend: str | None = None,
    ) -> None:
        super().__init__(x, window, stride, padding, 1, ceil_mode, backend)
        self.count_include_pad = flag("count_include_pad", count_include_pad)

    def forward_operands(self) -> Operands:
        """Return x in the type in which averages are taken."""
        return operands({"x": self.x}, float_dtype(self.x), self.shape)

    def backward_operands(self, grad_out: ArrayLike) -> Operands:
        """Return the gradient in the type in which averages are taken."""
        grad = self._grad_out(grad_out)
        return operands({"grad_out": grad}, float_dtype(grad), self.x.shape)

    def forward(self) -> Array:
        """Return the average of each window."""
        planes = self.plan.input, self.plan.output
        return self._averaged("avg_pool", self.x, self.shape, *planes)

    def backward(self, grad_out: ArrayLike) -> Array:
        """Return the gradient for x."""
        planes = self.plan.output, self.plan.input
        return self._averaged("avg_pool_backward", self._grad_out(grad_out), self.x.shape, *planes)

    def _averaged(
        self, operation: str, given: Array, shape: Shape, plane: Shape, out_plane: Shape
    ) -> Array:
        kernel = kernels.find(operation, self.backend, given)
        out = (reuse.empty if given.size else np.zeros)(shape, float_dtype(given), like=given)
        if given.size:
            counts = _counts(self.plan, self.count_include_pad)
            planes = laid_out(given, out.dtype, self._planes(plane))
            result = out.reshape(self._planes(out_plane))
            kernel(planes, result, *counts, self.plan.window, self.plan.slide)
        return out


@lru_cache(maxsize=64)
def _counts(plan: Plan, include: bool) -> tuple[Array, Array]:
    """Return the cells that each window counts, along the rows and along the columns."""
    rows, columns = (axis.counts(include_pad=include) for axis in (plan.rows, plan.columns))
    return np.array(rows, np.int64), np.array(columns, np.int64)


def lowest_of(dtype: DType) -> Any:
    """Return the number below all others of the type: what a window of padding alone gives."""
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return dtype.type(False) if dtype.kind == "b" else dtype.type(np.iinfo(dtype).min)
