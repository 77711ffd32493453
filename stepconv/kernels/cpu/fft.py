"""Filters by the Fourier transform, for large kernels: a named choice, as it rounds otherwise.

The result is cut into blocks. Each is a circular correlation of a piece of the image with the
kernel, from which the cells that went round the edge are left out (overlap-save):

    block = irfft2(rfft2(piece) · conj(rfft2(w)))[: rows, : columns]

The pieces fit into the cache, where one transform of the whole image would not.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np

from stepconv.kernels.compile import thread_count
from stepconv.kernels.cpu.filter import filter_planes

Array = Any
Pair = tuple[int, int]

# The side of a piece is at least this and, for a wide kernel, a few times the kernel's side.
_SIDE = 512
_KERNELS = 4


def fft_planes(
    x: Array,
    w: Array,
    bias: Array,
    out: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """Compute what filter_planes does, with an error that does not shrink where x is small.

    It is at most 8·e·log2(P)·|piece|·|w| + e·|bias|, where e is the unit roundoff, P the number
    of cells of a piece, and |·| the root of the sum of squares. A piece has at most twice as many
    cells in each direction as the larger of 512 and four kernels.

    A piece with a NaN or Inf in it is summed directly, for a transform would spread it.
    """
    if out.size == 0:
        return
    stride, dilation = (stride_y, stride_x), (dilation_y, dilation_x)
    spread = _spread(w, dilation)
    kernel: Pair = spread.shape[1:]
    # In these cells every output is computed, those between the strides as well.
    full: Pair = tuple((n - 1) * s + 1 for n, s in zip(out.shape[2:], stride, strict=True))
    rfft2, irfft2, fast = _transforms()
    side: Pair = tuple(
        fast(min(n + k - 1, max(_SIDE, _KERNELS * k))) for n, k in zip(full, kernel, strict=True)
    )
    # A whole number of strides, so that every block begins with a window that is wanted.
    step: Pair = tuple(  # type: ignore[assignment]
        max(1, (p - k + 1) // s) for p, k, s in zip(side, kernel, stride, strict=True)
    )
    filters = np.conj(rfft2(spread, side))
    direct = ~np.isfinite(w).all(axis=(1, 2, 3))

    def compute(task: tuple[int, int, int, int]) -> None:
        n, c, i, j = task
        target = out[n, c, i : i + step[0], j : j + step[1]]
        first = i * stride_y - top, j * stride_x - left
        piece = _piece(x[n, c], first, side)
        if direct[c] or not np.isfinite(piece.sum()):
            result = np.empty((1, 1, *target.shape), out.dtype)
            part = np.ascontiguousarray(piece)[None, None]
            one = slice(c, c + 1)
            filter_planes(part, w[one], bias[one], result, *stride, *dilation, 0, 0)
            target[...] = result[0, 0]
            return
        dense = irfft2(rfft2(piece, side) * filters[c], side)
        rows, columns = ((size - 1) * s + 1 for size, s in zip(target.shape, stride, strict=True))
        np.add(dense[:rows:stride_y, :columns:stride_x], bias[c], out=target)

    with np.errstate(all="ignore"):
        _run(compute, list(_tasks(out.shape, step)))


def _tasks(shape: tuple[int, ...], step: Pair) -> Iterator[tuple[int, int, int, int]]:
    rows, columns = range(0, shape[2], step[0]), range(0, shape[3], step[1])
    yield from product(range(shape[0]), range(shape[1]), rows, columns)


def _run(compute: Any, tasks: list[Any]) -> None:
    """Compute every task, on as many threads as kernels use; a transform lets go of the GIL."""
    threads = min(thread_count(), len(tasks))
    if threads == 1:
        for task in tasks:
            compute(task)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda k: [compute(task) for task in tasks[k::threads]], range(threads)):
            pass


def _spread(w: Array, dilation: Pair) -> Array:
    """Return the kernels with zeros in between: 1 2 3 with dilation 2 is 1 0 2 0 3."""
    height, width = ((k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation, strict=True))
    spread = np.zeros((len(w), height, width), w.dtype)
    spread[:, :: dilation[0], :: dilation[1]] = w[:, 0]
    return spread


def _piece(plane: Array, first: Pair, side: Pair) -> Array:
    """Return side x side cells of an image from `first` on, zeros outside of it."""
    inside = [
        slice(max(0, start), max(0, min(size, start + length)))
        for start, length, size in zip(first, side, plane.shape, strict=True)
    ]
    found = plane[inside[0], inside[1]]
    if found.shape == side:
        return found
    piece = np.zeros(side, plane.dtype)
    y, z = (max(0, -start) for start in first)
    piece[y : y + found.shape[0], z : z + found.shape[1]] = found
    return piece


@functools.cache
def _transforms() -> tuple[Any, Any, Any]:
    """Return rfft2, irfft2 and what finds a fast length: SciPy's where installed, else NumPy's."""
    try:
        fft = import_module("scipy.fft")
    except ImportError:
        return np.fft.rfft2, np.fft.irfft2, _fast_length
    fast = functools.partial(fft.next_fast_len, real=True)
    return fft.rfft2, fft.irfft2, fast


def _fast_length(size: int) -> int:
    """Return the next number without a prime factor above 5."""
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
