"""Correlation on arrays laid out for the kernels: allocate, fill, and refuse what overflows.

Images are (batch, channels, rows, columns) and filters (filters, channels / groups, rows,
columns) here, whatever the caller's arrays look like.
"""

from math import prod

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.errors import ArgumentError
from stepconv.geometry import Plan, Shape
from stepconv.ops.arrays import (
    Array,
    DType,
    check_grad_out,
    check_sums_fit,
    empty,
    laid_out,
    numeric,
    sum_dtype,
)
from stepconv.ops.call import Operands, operands


def slide(
    x: Array, w: Array, bias: Array | None, shape: Shape, plan: Plan, backend: str | None
) -> Array:
    """Return the correlation of x with w as an array of `shape`."""
    out = empty(shape, x.dtype, x, plan)
    planes = out.reshape(x.shape[0], plan.out_channels, *plan.output_plane)
    arrays = (x, w, _filled(bias, plan.out_channels, x.dtype))
    _fill("correlate", arrays, planes, prod(w.shape[1:]), plan, backend)
    return out


def slide_back(
    grad_out: Array, w: Array, bias: Array | None, shape: Shape, plan: Plan, backend: str | None
) -> Array:
    """Return the gradient for x, or the transposed correlation of `grad_out`, of `shape`."""
    out = empty(shape, w.dtype, grad_out, plan)
    planes = out.reshape(grad_out.shape[0], plan.in_channels, plan.rows.size, plan.columns.size)
    arrays = (grad_out, w, _filled(bias, plan.in_channels, w.dtype))
    painted = (w.shape[0], *w.shape[2:])
    _fill("correlate_grad_x", arrays, planes, prod(painted) // plan.groups, plan, backend)
    return out


def weigh(x: Array, grad_out: Array, shape: Shape, plan: Plan, backend: str | None) -> Array:
    """Return the gradient for weights of `shape`."""
    out = empty(shape, x.dtype, x, plan)
    group = plan.in_channels // plan.groups
    filters = out.reshape(plan.out_channels, group, *plan.window)
    windows = prod((grad_out.shape[0], *grad_out.shape[2:]))
    _fill("correlate_grad_w", (x, grad_out), filters, windows, plan, backend)
    return out


def sum_channels(grad_out: Array, shape: Shape, backend: str | None) -> Array:
    """Return the gradient for the bias as an array of `shape`."""
    kernel = kernels.find("channel_sums", backend, grad_out)
    out = np.empty(shape, grad_out.dtype, like=grad_out)
    sums = out.reshape(grad_out.shape[1])
    if out.dtype.kind == "i":
        terms = prod((grad_out.shape[0], *grad_out.shape[2:]))
        check_sums_fit(kernel, (grad_out,), sums, terms)
    kernel(grad_out, sums)
    return out


def as_images(x: Array, w: Array, dtype: DType) -> Array:
    """Return x as (batch, channels, rows, columns); the rank of w says which axes it has."""
    axes = spatial_axes(w)
    plane = x.shape[-axes:] if axes == 2 else (1, x.shape[-1])
    if w.ndim < 3:
        return laid_out(x, dtype, (1, 1, *plane))
    batch = x.shape[0] if x.ndim == w.ndim else 1
    return laid_out(x, dtype, (batch, x.shape[-axes - 1], *plane))


def as_filters(w: Array, dtype: DType) -> Array:
    """Return w as (filters, channels / groups, rows, columns)."""
    plane = w.shape[-2:] if spatial_axes(w) == 2 else (1, w.shape[-1])
    return laid_out(w, dtype, (*(w.shape[:2] if w.ndim > 2 else (1, 1)), *plane))


def spatial_axes(w: Array) -> int:
    """Return how many axes the kernel slides along."""
    return 1 if w.ndim in (1, 3) else 2


def result_shape(x: Array, w: Array, channels: int, plane: Shape) -> Shape:
    """Return the caller's shape of a result: the leading axes of x, then channels, then cells."""
    if w.ndim < 3:
        return plane
    return (*x.shape[: x.ndim - len(plane) - 1], channels, *plane)


def bias_shape(w: Array, images: Array) -> Shape:
    """Return the caller's shape of a bias: one per channel, or a plain kernel's single number."""
    return () if w.ndim < 3 else (images.shape[1],)


def checked_bias(
    bias: ArrayLike | None, w: Array, channels: int, beside: Array | None = None
) -> Array | None:
    """Return the bias as an array: one number per filter, a single one for a plain kernel."""
    if bias is None:
        return None
    array = numeric("bias", bias, beside)
    if array.shape == (channels,) or (w.ndim < 3 and array.size == 1):
        return array
    fits = "a number fits" if w.ndim < 3 else f"({channels},) fits, one number for each filter"
    raise ArgumentError(f"bias of shape {array.shape} does not fit: {fits}")


def dtype_with_bias(x: Array, w: Array, bias: ArrayLike | None) -> DType:
    """Return the type to sum in; a bias that is a Python number does not widen it (NEP 50)."""
    if bias is None:
        return sum_dtype(x, w)
    return sum_dtype(x, w, bias if isinstance(bias, int | float) else numeric("bias", bias))


class SlidingCall:
    """What correlations and transposed ones have in common: x and w, and what a pass makes of them.

    `shape` is that of the result.
    """

    x: Array
    w: Array
    plan: Plan
    shape: Shape

    def forward_operands(self, bias: ArrayLike | None = None) -> Operands:
        """Return x, w and the bias, if there is one, in the type of their sums."""
        offset = checked_bias(bias, self.w, prod(self._channels))
        arrays = {"x": self.x, "w": self.w} | ({} if offset is None else {"bias": offset})
        return operands(arrays, dtype_with_bias(self.x, self.w, bias), self.shape)

    def backward_operands(self, grad_out: ArrayLike, gradient: str = "x") -> Operands:
        """Return what the gradient for x, w or bias is made of, in the type of its sums."""
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        shapes = {"x": self.x.shape, "w": self.w.shape, "bias": self._channels}
        arrays = {"x": self.x, "w": self.w, "grad_out": grad}
        return operands(arrays, sum_dtype(*arrays.values()), shapes[gradient])

    @property
    def _channels(self) -> Shape:
        """The shape of a bias: the channels of the result, or a plain kernel's single number."""
        return self.shape[-spatial_axes(self.w) - 1 :][:1] if self.w.ndim > 2 else ()


def _filled(bias: Array | None, channels: int, dtype: DType) -> Array:
    if bias is None:
        return np.zeros(channels, dtype)
    return laid_out(bias, dtype, (channels,))


def _fill(
    operation: str,
    arrays: tuple[Array, ...],
    out: Array,
    terms: int,
    plan: Plan,
    backend: str | None,
) -> None:
    """Let the kernel fill `out`; integers are shown to fit first."""
    kernel = kernels.find(operation, backend, out)
    if out.size == 0:
        return
    if out.dtype.kind == "i":
        check_sums_fit(lambda *given: kernel(*given, plan.slide, plan.groups), arrays, out, terms)
    kernel(*arrays, out, plan.slide, plan.groups)
