"""Summarise each window by one number: max_pool, avg_pool, and the gradients of both."""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.geometry import Plan, Shape, flag, pooling_plan
from stepconv.ops.arrays import (
    Array,
    DType,
    check_grad_out,
    check_sums_fit,
    float_dtype,
    laid_out,
    moving_dtype,
    numeric,
    own_dtype,
    sum_dtype,
)


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
    array = numeric("x", x)
    plan = pooling_plan(
        array.shape, window, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    kernel = kernels.find("max_pool", backend, array)
    out = np.empty(_shape(array, plan), moving_dtype(array), like=array)
    if out.size:
        planes = laid_out(array, out.dtype, _planes(array, plan, plan.input))
        largest = out.reshape(_planes(array, plan, plan.output))
        numbers = (*plan.window, *plan.slide)
        kernel(planes, largest, lowest_of(out.dtype), *numbers)
    return out.astype(own_dtype(array), copy=False)


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
    array = numeric("x", x)
    grad = numeric("grad_out", grad_out, array)
    plan = pooling_plan(
        array.shape, window, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    check_grad_out(grad, _shape(array, plan))
    kernel = kernels.find("max_pool_backward", backend, array)
    out = (np.empty if grad.size else np.zeros)(array.shape, sum_dtype(grad), like=array)
    if grad.size:
        grad_x = out.reshape(_planes(array, plan, plan.input))
        planes = laid_out(array, moving_dtype(array), grad_x.shape)
        gradients = laid_out(grad, out.dtype, _planes(array, plan, plan.output))
        numbers = (*plan.window, *plan.slide)
        if out.dtype.kind == "i":
            check_sums_fit(
                lambda given, bounds: kernel(planes, given, bounds, *numbers),
                (gradients,),
                grad_x,
                prod(plan.window),
            )
        kernel(planes, gradients, grad_x, *numbers)
    return out


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
    array = numeric("x", x)
    plan = pooling_plan(array.shape, window, stride=stride, padding=padding, ceil_mode=ceil_mode)
    counts = _counts(plan, count_include_pad)
    kernel = kernels.find("avg_pool", backend, array)
    out = np.empty(_shape(array, plan), float_dtype(array), like=array)
    if out.size:
        planes = laid_out(array, out.dtype, _planes(array, plan, plan.input))
        averages = out.reshape(_planes(array, plan, plan.output))
        kernel(planes, averages, *counts, *_numbers(plan))
    return out


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
    array = numeric("x", x)
    grad = numeric("grad_out", grad_out, array)
    plan = pooling_plan(array.shape, window, stride=stride, padding=padding, ceil_mode=ceil_mode)
    counts = _counts(plan, count_include_pad)
    check_grad_out(grad, _shape(array, plan))
    kernel = kernels.find("avg_pool_backward", backend, array)
    out = (np.empty if grad.size else np.zeros)(array.shape, float_dtype(grad), like=array)
    if grad.size:
        gradients = laid_out(grad, out.dtype, _planes(array, plan, plan.output))
        grad_x = out.reshape(_planes(array, plan, plan.input))
        kernel(gradients, grad_x, *counts, *_numbers(plan))
    return out


def _planes(x: Array, plan: Plan, plane: Shape) -> Shape:
    """Return the kernels' shape of an array: all leading axes as one, rows, columns."""
    leading = prod(x.shape[: x.ndim - len(plane)])
    return (leading, *plane) if len(plane) == 2 else (leading, 1, *plane)


def _shape(x: Array, plan: Plan) -> Shape:
    """Return the caller's shape of the result."""
    return (*x.shape[: x.ndim - len(plan.axes)], *plan.output)


def _counts(plan: Plan, count_include_pad: Any) -> tuple[Array, Array]:
    """Return the cells that each window counts, along the rows and along the columns."""
    return _remembered_counts(plan, flag("count_include_pad", count_include_pad))


@lru_cache(maxsize=64)
def _remembered_counts(plan: Plan, include: bool) -> tuple[Array, Array]:
    rows, columns = (axis.counts(include_pad=include) for axis in (plan.rows, plan.columns))
    return np.array(rows, np.int64), np.array(columns, np.int64)


def _numbers(plan: Plan) -> tuple[int, ...]:
    """Return what an average needs of the plan: all but the dilation."""
    rows, columns = plan.rows, plan.columns
    return (*plan.window, rows.stride, columns.stride, rows.before, columns.before)


def lowest_of(dtype: DType) -> Any:
    """Return the number below all others of the type: what a window of padding alone gives."""
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return dtype.type(False) if dtype.kind == "b" else dtype.type(np.iinfo(dtype).min)
