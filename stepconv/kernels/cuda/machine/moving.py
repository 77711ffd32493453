"""What the operations ask of arrays on a GPU before and after the kernels: new ones, other types.

Each function is what NumPy's of the like name does; all give arrays in C order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.array import CardArray
from stepconv.kernels.cuda.machine.launch import (
    THREADS,
    allocate,
    kernel,
    launch,
    launch_each,
    plain_errors,
)

Array = Any
Shape = tuple[int, ...]

_PARTS = 3 * THREADS  # threads that look for an extreme, each among its share of the cells


def empty(shape: int | Shape, dtype: Any = np.float64) -> CardArray:
    """Return an array of any content."""
    sizes = (shape,) if isinstance(shape, int) else shape
    with plain_errors(f"a result of {np.dtype(dtype)}{list(sizes)}"):
        return allocate(sizes, dtype)


def zeros(shape: int | Shape, dtype: Any = np.float64) -> CardArray:
    """Return an array of zeros."""
    out = empty(shape, dtype)
    if out.size:
        launch_each(_fill, out.size, out.reshape(out.size), out.dtype.type(0))
    return out


@kernel
def _fill(out: Array, value: Any) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = value


def converted(x: CardArray, dtype: np.dtype[Any]) -> CardArray:
    """Return the numbers of x, in whatever order they lie, in C order and as another type."""
    out = empty(x.shape, dtype)
    if out.size:
        launch_each(_convert, out.size, x, out.reshape(out.size))
    return out


@kernel
def _convert(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = x.flat[i]


def magnitudes(x: CardArray) -> CardArray:
    """Return |x|."""
    out = empty(x.shape, x.dtype)
    if out.size:
        launch_each(_magnitude, out.size, x.reshape(x.size), out.reshape(x.size))
    return out


@kernel
def _magnitude(x: Array, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = abs(x[i])


def extreme(x: CardArray, function: Callable[..., Any], initial: Any) -> Any:
    """Return np.max or np.min of x: the card looks at all of it, the host at what each found."""
    lows, highs = (empty((min(_PARTS, x.size),), x.dtype) for _ in range(2))
    if x.size:
        flat = converted(x, x.dtype).reshape(x.size)
        launch(_extremes, -(-lows.size // THREADS), THREADS, flat, lows, highs)
    found = highs if function is np.max else lows
    given = {} if initial is None else {"initial": initial}
    return function(found.copy_to_host(), **given)


@kernel
def _extremes(x: Array, lows: Array, highs: Array) -> None:
    part = cuda.grid(1)
    if part < lows.size:
        low, high = x[part], x[part]
        for i in range(part + lows.size, x.size, lows.size):
            # A NaN is larger than all, so that no bound hides it.
            if x[i] < low:
                low = x[i]
            if x[i] > high or x[i] != x[i]:
                high = x[i]
        lows[part], highs[part] = low, high


def flipped(w: CardArray, axis: tuple[int, ...]) -> CardArray:
    """Return w mirrored on its last axes: the cells of each kernel in the opposite order."""
    out = empty(w.shape, w.dtype)
    if out.size:
        flat = converted(w, w.dtype).reshape(w.size)
        area = math.prod(w.shape[place] for place in axis)
        launch_each(_flip, out.size, flat, out.reshape(out.size), area)
    return out


@kernel
def _flip(w: Array, out: Array, area: int) -> None:
    i = cuda.grid(1)
    if i < out.size:
        first = i // area * area
        out[i] = w[first + area - 1 - (i - first)]
