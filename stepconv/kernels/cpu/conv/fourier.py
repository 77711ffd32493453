"""Filters by the Fourier transform, for large kernels: its work hardly grows with the kernel.

The result is cut into blocks. Each is a circular correlation of a piece of the image with the
kernel, from which the cells that went round the edge are left out (overlap-save):

    block = irfft2(rfft2(piece) · conj(rfft2(w)))[: rows, : columns]

The pieces fit into the cache, where one transform of the whole image would not.

A transform's error is the same for all cells of a block, also where x is small. By name that is
accepted. Else float32 is transformed in float64, and fft_proof.py tells for which cells the result
is then certain to be as good as a sum of the products; the others are summed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import thread_count
from stepconv.kernels.cpu.conv.filter import filter_planes
from stepconv.kernels.cpu.conv.fourier_proof import Proof

Array = Any
Pair = tuple[int, int]
Task = tuple[int, int, slice, slice]

# A piece is as high and wide as so many kernels, as long as it fits into the caches.
_KERNELS, _FEWEST_KERNELS = 8, 4
_SIDE, _LONGEST = 288, 512
# A transform takes as long as this many products of a sum per cell and doubling of the cells.
_COST = 40
# And what is done once per piece as long as so many.
_START = 5_000_000


def fft_planes(x: Array, w: Array, bias: Array, out: Array, slide: Slide) -> None:
    """Compute what filter_planes does, with an error that does not shrink where x is small.

    It is at most 8·e·log2(P)·|piece|·|w| + e·|bias|, where e is the unit roundoff, P the number
    of cells of a piece, and |·| the root of the sum of squares.

    A piece with a NaN or Inf in it is summed directly, for a transform would spread it.
    """
    _transform(x, w, bias, out, slide, w.dtype, None)


def proven_planes(x: Array, w: Array, bias: Array, out: Array, slide: Slide) -> None:
    """Compute what filter_planes does in steps of 1, within the bound of a sum of products."""
    _transform(x, w, bias, out, slide, np.float64, Proof(w, out.dtype))


def cost(w: Array, out: Array, slide: Slide) -> float:
    """Return how many products of a sum take about as long as proven_planes, for each plane.

    It is infinite where these do not serve.
    """
    if out.dtype != np.float32 or out.size == 0 or max(*slide.stride, *slide.dilation) > 1:
        return math.inf
    side, step = _cut(out.shape[2:], w.shape[2:], (1, 1))
    pieces = math.prod(-(-n // s) for n, s in zip(out.shape[2:], step, strict=True))
    cells = math.prod(side)
    return pieces * (cells * math.log2(cells) * _COST + _START)


def _transform(
    x: Array, w: Array, bias: Array, out: Array, slide: Slide, dtype: Any, proof: Proof | None
) -> None:
    """Compute the blocks in `dtype`, then sum what had to be left out."""
    if out.size == 0:
        return
    stride, dilation = slide.stride, slide.dilation
    kernel: Pair = tuple((k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation, strict=True))
    side, step = _cut(out.shape[2:], kernel, stride)
    finite = np.isfinite(w).all(axis=(1, 2, 3))

    def compute(room: _Room, task: Task) -> list[Task]:
        """Compute a block, and return which parts of the result have to be summed."""
        n, c, rows, columns = task
        if not finite[c]:
            return [task]
        room.set_kernel(c, w[c, 0], dilation)
        piece = room.cut(x[n, c], _first(task, slide))
        if not np.isfinite(piece.sum()):
            return [task]
        target = out[n, c, rows, columns]
        rest = [] if proof is None else proof.missing(piece, c, target.shape)
        if rest is None:
            return [task]
        height, width = _reach(target.shape, stride)
        dense = room.correlate(height)[:: stride[0], : width : stride[1]]
        np.add(dense, bias[c], out=target, casting="same_kind")
        return [(n, c, _moved(i, rows.start), _moved(j, columns.start)) for i, j in rest]

    left_out = _run(compute, list(_tasks(out.shape, step)), lambda: _Room(side, dtype))
    for task in left_out:
        n, c, rows, columns = task
        target, one = out[n, c, rows, columns], slice(c, c + 1)
        reach = _reach(target.shape, stride)
        piece = np.zeros((1, 1, reach[0] + kernel[0] - 1, reach[1] + kernel[1] - 1), x.dtype)
        _fill(piece[0, 0], x[n, c], _first(task, slide))
        sums = np.empty((1, 1, *target.shape), out.dtype)
        filter_planes(piece, w[one], bias[one], sums, slide._replace(top=0, left=0))
        target[...] = sums[0, 0]


class _Room:
    """What one thread needs: memory for a piece and its spectrum, and the kernel's spectrum."""

    def __init__(self, side: Pair, dtype: Any) -> None:
        self._piece = np.empty(side, dtype)
        self._waves = np.empty((side[0], side[1] // 2 + 1), np.result_type(dtype, np.complex64))
        self._filter = np.empty_like(self._waves)
        self._channel = -1

    def set_kernel(self, channel: int, kernel: Array, dilation: Pair) -> None:
        """Transform a channel's kernel, with zeros in between: 1 2 with dilation 3 is 1 0 0 2."""
        if channel == self._channel:
            return
        self._piece[...] = 0
        height, width = ((k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=True))
        self._piece[: height : dilation[0], : width : dilation[1]] = kernel
        np.conj(self._spectrum(self._filter), out=self._filter)
        self._channel = channel

    def cut(self, plane: Array, first: Pair) -> Array:
        """Copy the cells of an image from `first` on, zeros outside of it."""
        self._piece[...] = 0
        _fill(self._piece, plane, first)
        return self._piece

    def correlate(self, rows: int) -> Array:
        """Return the first rows of irfft2(rfft2(piece) · conj(rfft2(w))), in place of the piece."""
        waves = self._spectrum(self._waves)
        np.multiply(waves, self._filter, out=waves)
        np.fft.ifft(waves, axis=0, out=waves)
        width = self._piece.shape[1]
        return np.fft.irfft(waves[:rows], width, axis=1, out=self._piece[:rows])

    def _spectrum(self, out: Array) -> Array:
        """Return rfft2(piece). NumPy's own takes fresh memory for each step, and twice the time."""
        np.fft.rfft(self._piece, axis=1, out=out)
        return np.fft.fft(out, axis=0, out=out)


def _cut(grid: Pair, kernel: Pair, stride: Pair) -> tuple[Pair, Pair]:
    """Return the size of a piece, and how many outputs it gives in each direction."""
    sides: list[int] = []
    steps: list[int] = []
    for n, k, s in zip(grid, kernel, stride, strict=True):
        # A piece of few rows is the longer.
        least = _SIDE * _SIDE // sides[0] if sides else _SIDE
        side = max(_FEWEST_KERNELS * k, least, min(_KERNELS * k, _LONGEST))
        count = max(1, round(n * s / (side - k + 1)))
        steps.append(-(-n // count))
        # Every output between the first window and the last is computed, also between the strides.
        sides.append(_fast_length((steps[-1] - 1) * s + k))
    return (sides[0], sides[1]), (steps[0], steps[1])


def _tasks(shape: tuple[int, ...], step: Pair) -> Iterator[Task]:
    """Yield every block of a result, those of a channel one after another."""
    rows, columns = (
        [slice(i, min(i + m, size)) for i in range(0, size, m)]
        for size, m in zip(shape[2:], step, strict=True)
    )
    for c, n, i, j in product(range(shape[1]), range(shape[0]), rows, columns):
        yield n, c, i, j


def _run(
    compute: Callable[[_Room, Task], list[Task]], tasks: list[Task], new_room: Callable[[], _Room]
) -> list[Task]:
    """Compute every task, on as many threads as kernels use; a transform lets go of the GIL."""
    threads = min(thread_count(), len(tasks))

    def compute_share(k: int) -> list[Task]:
        room = new_room()
        mine = tasks[len(tasks) * k // threads : len(tasks) * (k + 1) // threads]
        with np.errstate(all="ignore"):
            return [more for task in mine for more in compute(room, task)]

    if threads == 1:
        return compute_share(0)
    with ThreadPoolExecutor(threads) as pool:
        return [task for found in pool.map(compute_share, range(threads)) for task in found]


def _first(task: Task, slide: Slide) -> Pair:
    """Return the cell of the image with which the first window of a task begins."""
    rows, columns = task[2:]
    return rows.start * slide.stride_y - slide.top, columns.start * slide.stride_x - slide.left


def _reach(shape: tuple[int, ...], stride: Pair) -> Pair:
    """Return how many windows in steps of 1 there are from the first of a block to the last."""
    return (shape[0] - 1) * stride[0] + 1, (shape[1] - 1) * stride[1] + 1


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _fill(piece: Array, plane: Array, first: Pair) -> None:
    """Copy the cells of an image from `first` on, as far as there are any."""
    inside = tuple(
        slice(max(0, start), max(0, min(size, start + length)))
        for start, length, size in zip(first, piece.shape, plane.shape, strict=True)
    )
    found = plane[inside]
    y, z = (max(0, -start) for start in first)
    piece[y : y + found.shape[0], z : z + found.shape[1]] = found


@functools.cache
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
