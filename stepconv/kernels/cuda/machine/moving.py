"""The kernels that make new arrays of old ones on a GPU: filled, of another type, mirrored."""

from __future__ import annotations

from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import kernel

Array = Any


@kernel
def fill(out: Array, value: Any) -> None:
    """out = value."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = value


@kernel
def convert(x: Array, out: Array) -> None:
    """out = x, in whatever order that lies, in C order and as another type."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = x.flat[i]


@kernel
def take_magnitudes(x: Array, out: Array) -> None:
    """out = |x|."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = abs(x[i])


@kernel
def find_extremes(x: Array, lows: Array, highs: Array) -> None:
    """Write what each thread finds to be the smallest and the largest among its share of x."""
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


@kernel
def flip(w: Array, out: Array, area: int) -> None:
    """out = w with the `area` cells of each kernel in the opposite order."""
    i = cuda.grid(1)
    if i < out.size:
        first = i // area * area
        out[i] = w[first + area - 1 - (i - first)]
