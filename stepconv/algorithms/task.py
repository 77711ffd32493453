"""A tile of one output plane, which every algorithm computes in its own way.

the tile's cells     what their windows cover, for a 3x3 kernel: 6x6 cells for 4x4
o o o o              x x x x x x
o o o o              x x x x x x …
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.algorithms.ledger import Counted, Ledger
from stepconv.trace import Trace

Array = NDArray[Any]
Pair = tuple[int, int]

# Rows and columns of a tile.
TILE = (4, 4)


@dataclass(frozen=True, eq=False)
class Task:
    """The tile at `first` (plane, row, column) and all that its windows read.

    `x` (channels, rows, columns) are the cells that they cover, `places` where each lies in the
    input, in bytes, -1 for a zero of the padding; `padded` are those outside of the input. `w` are
    the weights as they meet the cells.
    """

    first: tuple[int, int, int]
    size: Pair
    x: Array
    places: Array
    padded: Array
    w: Array
    bias: Any
    stride: Pair
    dilation: Pair

    @property
    def channels(self) -> int:
        """Planes that are summed."""
        return len(self.x)

    @property
    def cells(self) -> int:
        """Output cells of the tile."""
        return self.size[0] * self.size[1]

    @property
    def kernel(self) -> Pair:
        """Rows and columns of the kernel."""
        return self.w.shape[1], self.w.shape[2]

    @property
    def dense(self) -> bool:
        """Whether windows move by one cell, and read cells side by side."""
        return self.stride == self.dilation == (1, 1)

    @property
    def floating(self) -> np.dtype[Any]:
        """The type of numbers that transforms compute in."""
        return np.dtype(self.x.dtype if self.x.dtype.kind == "f" else np.float64)

    @property
    def unit(self) -> float:
        """The unit roundoff of sums of products; 0 of integers."""
        return float(np.finfo(self.x.dtype).eps) / 2 if self.x.dtype.kind == "f" else 0.0

    @property
    def is_finite(self) -> bool:
        """Whether no cell and no weight is a NaN or infinite."""
        return bool(np.isfinite(self.x).all() and np.isfinite(self.w).all())

    def rows(self, i: int) -> slice:
        """Return the rows of x that row i of the tile reads."""
        return _window(i, self.stride[0], self.dilation[0], self.w.shape[1])

    def columns(self, j: int) -> slice:
        """Return the columns of x that column j of the tile reads."""
        return _window(j, self.stride[1], self.dilation[1], self.w.shape[2])

    def source(self, ledger: Ledger) -> Counted:
        """Return x as an array whose cells lie where they do in the input."""
        return ledger.array(self.x, self.places)

    @cached_property
    def exact(self) -> Array:
        """The exact sums of products, rounded once to float64; integers as they are."""
        return self._sums(self.x, self.w, self.bias)

    @cached_property
    def sizes(self) -> Array:
        """Σ |x · w| + |bias| of each cell, which bounds of errors speak of."""
        return self._sums(np.abs(self.x), np.abs(self.w), abs(self.bias)).astype(np.float64)

    def _sums(self, x: Array, w: Array, bias: Any) -> Array:
        whole = x.dtype.kind != "f"
        out = np.zeros(self.size, x.dtype if whole else np.float64)
        for i, j in np.ndindex(*self.size):
            cells = x[:, self.rows(i), self.columns(j)]
            out[i, j] = _total(cells.ravel(), w.ravel(), bias, whole)
        return out


def task_at(trace: Trace, cell: tuple[int, int, int], size: Pair = TILE) -> Task:
    """Return the tile that holds an output cell and begins there, unless the edge is nearer."""
    plan, gather = trace.plan, trace.gather
    axes = (plan.rows, plan.columns)
    shape = (min(size[0], axes[0].output), min(size[1], axes[1].output))
    first = [min(i, axis.output - n) for i, axis, n in zip(cell[1:], axes, shape, strict=True)]
    sources = []
    for at, axis, n in zip(first, axes, shape, strict=True):
        begin = at * axis.stride
        every = axis.sources(trace.call.mode)
        sources.append(np.array(every[begin : begin + (n - 1) * axis.stride + axis.span]))
    rows, columns = sources[0][:, None], sources[1]
    pairs = gather.pairs(np.array([cell[0]]))[0]
    planes = pairs[:, 0, None, None]
    _, height, width = gather.source.shape
    there = np.broadcast_to((rows >= 0) & (columns >= 0), (len(pairs), len(rows), len(columns)))
    x = np.where(there, gather.source[planes, rows, columns], gather.source.dtype.type(0))
    places = ((planes * height + rows) * width + columns) * gather.source.itemsize
    step = trace.step((cell[0] * axes[0].output + first[0]) * axes[1].output + first[1])
    weights = step.kernel_planes
    assert weights is not None
    outside = [
        (begin := at * axis.stride - axis.before) + np.arange(len(each))
        for at, axis, each in zip(first, axes, sources, strict=True)
    ]
    padded = [(each < 0) | (each >= axis.size) for each, axis in zip(outside, axes, strict=True)]
    return Task(
        first=(cell[0], first[0], first[1]),
        size=shape,
        x=x,
        places=np.where(there, places, -1),
        padded=np.broadcast_to(padded[0][:, None] | padded[1], x.shape),
        w=weights,
        bias=step.bias,
        stride=(axes[0].stride, axes[1].stride),
        dilation=(axes[0].dilation, axes[1].dilation),
    )


def _window(at: int, stride: int, dilation: int, window: int) -> slice:
    return slice(at * stride, at * stride + (window - 1) * dilation + 1, dilation)


def _total(x: Array, w: Array, bias: Any, whole: bool) -> Any:
    """Return the exact sum of products, where all are finite."""
    if whole:
        return int((x * w).sum()) + int(bias)
    products, rests = _exact_products(x.astype(np.float64), w.astype(np.float64))
    if np.isfinite(rests).all():
        return fsum([*products.tolist(), *rests.tolist(), float(bias)])
    return float(products.sum() + bias)


def _exact_products(a: Array, b: Array) -> tuple[Array, Array]:
    """Return p and q so that a·b = p + q exactly, where p = a·b rounded (Dekker, 1971)."""
    p, (a_high, b_high) = a * b, (_high(a), _high(b))
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def _high(a: Array) -> Array:
    """Return the upper 26 bits of numbers."""
    shifted = a * (2.0**27 + 1)
    return np.asarray(shifted - (shifted - a))
