"""Put a border round an image in one of four modes, and fold its gradient back."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import (
    LARGEST_SIZE,
    MODES,
    Axis,
    Plan,
    Shape,
    integer,
    is_sequence,
    padding_plan,
    word,
)
from stepconv.ops import reuse
from stepconv.ops.arrays import (
    Array,
    check_grad_out,
    check_sums_fit,
    empty,
    laid_out,
    moving_dtype,
    numeric,
    own_dtype,
    sum_dtype,
)
from stepconv.ops.call import Operands, operands

# Up to here a tuple of Python's is made as fast.
_FEW = 10_000


def pad(
    x: ArrayLike,
    padding: Any,
    *,
    mode: str = "zeros",
    value: float = 0.0,
    backend: str | None = None,
) -> Array:
    """Put cells round the last axes of x: an int, one int per axis, or (before, after) per axis.

    By two cells, `1 2 3 4` becomes
    zeros     `0 0 1 2 3 4 0 0` (or `value` in place of 0)
    reflect   `3 2 1 2 3 4 3 2`
    replicate `1 1 1 2 3 4 4 4`
    circular  `3 4 1 2 3 4 1 2`

    >>> pad([1, 2, 3, 4], 2, mode="reflect")
    array([3, 2, 1, 2, 3, 4, 3, 2])
    """
    return PadCall(x, padding, mode, value, backend=backend).forward()


def pad_backward(
    grad_out: ArrayLike,
    shape: tuple[int, ...],
    padding: Any,
    *,
    mode: str = "zeros",
    backend: str | None = None,
) -> Array:
    """Return grad_x of a call of `pad` on an x of `shape`: every copy adds to its original.

    >>> pad_backward([1, 1, 1, 1, 1, 1, 1, 1], (4,), 2, mode="reflect")
    array([1, 3, 3, 1])
    """
    return PadCall(None, padding, mode, shape=shape, backend=backend).backward(grad_out)


class PadCall:
    """One padding whose arguments have been checked; the way back asks for no x but its shape."""

    def __init__(
        self,
        x: ArrayLike | None = None,
        padding: Any = 0,
        mode: Any = "zeros",
        value: Any = 0,
        *,
        shape: Any = None,
        backend: str | None = None,
    ) -> None:
        self.x = None if x is None else numeric("x", x)
        self.x_shape = checked_shape(shape) if self.x is None else self.x.shape
        self.plan = padding_plan(self.x_shape, padding)
        self.mode = word("mode", mode, MODES)
        self.value = 0 if self.x is None else checked_filler(value, self.mode, self.x)
        self.shape = padded_shape(self.x_shape, self.plan)
        self.backend = backend

    def forward_operands(self) -> Operands:
        """Return x in its own type, which is that of the result."""
        assert self.x is not None
        return operands({"x": self.x}, own_dtype(self.x), self.shape)

    def backward_operands(self, grad_out: ArrayLike) -> Operands:
        """Return the gradient in the type of sums of it."""
        grad = self._grad_out(grad_out)
        return operands({"grad_out": grad}, sum_dtype(grad), self.x_shape)

    def forward(self) -> Array:
        """Return x with the border round it."""
        assert self.x is not None
        return put_border(self.x, self.plan, self.mode, self.value, self.backend)

    def backward(self, grad_out: ArrayLike) -> Array:
        """Return the gradient for x."""
        grad = self._grad_out(grad_out)
        return fold_border(grad, self.x_shape, self.plan, self.mode, self.backend)

    def _grad_out(self, grad_out: ArrayLike) -> Array:
        grad = numeric("grad_out", grad_out)
        check_grad_out(grad, self.shape)
        return grad


def put_border(x: Array, plan: Plan, mode: str, value: Any, backend: str | None) -> Array:
    """Return x with the plan's border round its last axes, in its own type."""
    kernel = kernels.find("pad", backend, x)
    _check_mode(plan, mode)
    out = empty(padded_shape(x.shape, plan), moving_dtype(x), x, plan)
    if out.size:
        rows, columns = _sources(plan, mode)
        count = out.size // (rows.size * columns.size)
        planes = laid_out(x, out.dtype, (count, plan.rows.size, plan.columns.size))
        padded = out.reshape(count, rows.size, columns.size)
        kernel(planes, padded, rows, columns, out.dtype.type(value))
    return out.astype(own_dtype(x), copy=False)


def fold_border(grad: Array, shape: Shape, plan: Plan, mode: str, backend: str | None) -> Array:
    """Return the gradient for x of `shape`, given that of x with the plan's border round it."""
    kernel = kernels.find("pad_backward", backend, grad)
    _check_mode(plan, mode)
    out = (reuse.empty if grad.size else np.zeros)(shape, sum_dtype(grad), like=grad)
    if grad.size and out.size:
        rows, columns = _sources(plan, mode)
        count = out.size // (plan.rows.size * plan.columns.size)
        planes = laid_out(grad, out.dtype, (count, rows.size, columns.size))
        grad_x = out.reshape(count, plan.rows.size, plan.columns.size)
        if out.dtype.kind == "i":
            check_sums_fit(
                lambda *given: kernel(*given, rows, columns), (planes,), grad_x, grad.size
            )
        kernel(planes, grad_x, rows, columns)
    return out


def padded_shape(shape: Shape, plan: Plan) -> Shape:
    """Return the shape of an array of `shape` with the plan's border round its last axes."""
    return shape[: -len(plan.axes)] + plan.padded


def checked_shape(shape: Any) -> Shape:
    """Return `shape` as a tuple of ints."""
    if not is_sequence(shape):
        raise ArgumentTypeError(f"shape={shape!r} is not a shape: a tuple of ints fits")
    return tuple(integer("shape", size, 0, LARGEST_SIZE) for size in shape)


@lru_cache(maxsize=64)
def _sources(plan: Plan, mode: str) -> tuple[Array, Array]:
    """Return for each padded row and column the one that it copies, -1 for none."""
    return _sources_along(plan.rows, mode), _sources_along(plan.columns, mode)


def _check_mode(plan: Plan, mode: str) -> None:
    plan.rows.check_mode(mode)
    plan.columns.check_mode(mode)


def _sources_along(axis: Axis, mode: str) -> Array:
    """Return what `axis.sources(mode)` does, for any number of cells."""
    if axis.padded <= _FEW:
        return np.array(axis.sources(mode), np.int64)
    axis.check_mode(mode)
    at, last = np.arange(-axis.before, axis.size + axis.after), axis.size - 1
    if mode == "reflect":
        return last - abs(last - abs(at))
    if mode == "replicate":
        return np.clip(at, 0, last)
    if mode == "circular":
        return at % axis.size
    return np.where((at >= 0) & (at <= last), at, -1)


def checked_filler(value: Any, mode: str, x: Array) -> Any:
    """Return `value` if x's type can hold it and the mode has a use for it."""
    number = numeric("value", value)
    if number.ndim:
        raise ArgumentError(f"value={value!r} is not a single number")
    if mode != "zeros" and number != 0:
        raise ArgumentError(f"value={value!r} has no place in mode={mode!r}: it fills 'zeros'")
    with np.errstate(all="ignore"):
        filler = number.astype(own_dtype(x))
    if x.dtype.kind in "biu" and filler != number:
        raise ArgumentError(f"value={value!r} cannot be held by {x.dtype}, the type of x")
    return filler
