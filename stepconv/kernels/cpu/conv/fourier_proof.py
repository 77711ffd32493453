"""A proof that a filter by transforms is as good as a sum of its products, before it is made.

A sum of n products in float32 is held to n·u·Σ|x·w|, u being the unit roundoff of float32. A
transform in float64 errs by no more than E = 64·v·log2(P)·|piece|·|w|, with v the unit roundoff of
float64, P the cells of a piece and |·| the root of the sum of squares. For each of the three
transforms adds less than 20·v·log2(P): a stage of r terms, where r is 2, 3, 4 or 5, does not add
more than (2r + 3)·√r·v to it, and its factors next to nothing (Higham, Accuracy and Stability of
Numerical Algorithms, 24.1). Rounding the result to float32 adds u of it. So the bound is kept where

    E <= (n - 1)·u·Σ|x·w| / 2,

the half being there for what is small beside these. v is a 2^-29th of u: that holds for nearly
all pictures, but not where a window sees only zeros and the piece something large elsewhere.

Σ|x·w| need not be known, only what it is not below. Windows whose first cells lie in one tile of
g x g cells read a block of g x g cells of x with weights that lie at most g - 1 cells apart from
where they lie for the first of these windows. So for all windows of tile q

    Σ|x·w| >= Σ_c (sum of |x| in block q + c) · (least |w| of 2g - 1 rows and columns around c),

which takes a few additions per block.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = Any
Pair = tuple[int, int]

_ERROR = 64.0
# A block has so many cells on a side, or an eighth of the kernel, or half of a small one.
_SIDE = 8
# More parts than this are not worth being summed one by one.
_PARTS = 8


class Proof:
    """What is known of the kernels: the side of a block, and the least weights of each block."""

    def __init__(self, w: Array, dtype: Any) -> None:
        sizes = np.abs(w[:, 0].astype(np.float64))
        height, width = sizes.shape[1:]
        sides = [max(1, min(k // 2, max(_SIDE, k // _SIDE))) for k in (height, width)]
        self._tile: Pair = sides[0], sides[1]
        self._blocks = _blocks(height, sides[0]), _blocks(width, sides[1])
        least = sizes
        for axis, (blocks, g) in enumerate(zip(self._blocks, self._tile, strict=True), start=1):
            around = [np.arange(c * g - g + 1, c * g + g) for c in blocks]
            least = np.stack([least.take(near, axis).min(axis) for near in around], axis)
        self._least = least
        self._error = _ERROR * 2.0**-53 * np.sqrt((sizes**2).sum((1, 2)))
        self._allowed = (height * width - 1) * float(np.finfo(dtype).eps) / 2 / 2

    def missing(self, piece: Array, channel: int, shape: Pair) -> list[tuple[slice, slice]] | None:
        """Return where in a block of the result the bound is not certain, or None if in most."""
        at_least, norm = self.measure(piece, channel, shape)
        error = self._error[channel] * np.log2(piece.size) * norm
        unsure = ~(error <= self._allowed * at_least)
        if not unsure.any():
            return []
        parts = _rectangles(unsure, self._tile, shape)
        return None if len(parts) > _PARTS or 2 * unsure.sum() > unsure.size else parts

    def measure(self, piece: Array, channel: int, shape: Pair) -> tuple[Array, float]:
        """Return what Σ|x·w| is not below, for each tile, and what |piece| is not above.

        The root of the sum of squares of some numbers is not above the sum of their sizes, so that
        sums of a few cells each will do.
        """
        (g, h), (rows, columns) = (
            self._tile,
            (n // k for n, k in zip(piece.shape, self._tile, strict=True)),
        )
        sizes = np.abs(piece)
        bands, rest = sizes[: rows * g].reshape(rows, g, -1).sum(1), sizes[rows * g :]
        norm = np.sqrt(np.einsum("ij,ij", bands, bands) + np.einsum("ij,ij", rest, rest))
        sums = np.add.reduceat(bands[:, : columns * h], np.arange(columns) * h, axis=1)
        high, wide = -(-shape[0] // g), -(-shape[1] // h)
        at_least = np.zeros((high, wide))
        for a, c in enumerate(self._blocks[0]):
            for b, d in enumerate(self._blocks[1]):
                at_least += sums[c : c + high, d : d + wide] * self._least[channel, a, b]
        return at_least, float(norm)


def _blocks(kernel: int, side: int) -> range:
    """Return the blocks that all windows of tile 0 read whole: c·g + (1 - g … g - 1) are inside."""
    return range(min(1, side - 1), (kernel - side) // side + 1)


def _rectangles(marked: Array, tile: Pair, shape: Pair) -> list[tuple[slice, slice]]:
    """Return rectangles that cover the marked tiles, in cells."""
    changes = np.flatnonzero((marked[1:] != marked[:-1]).any(1)) + 1
    found = []
    for first, end in itertools.pairwise([0, *changes.tolist(), len(marked)]):
        turns = np.flatnonzero(np.diff(marked[first], prepend=False, append=False)).tolist()
        for begin, stop in zip(turns[::2], turns[1::2], strict=True):
            rows = slice(first * tile[0], min(end * tile[0], shape[0]))
            found.append((rows, slice(begin * tile[1], min(stop * tile[1], shape[1]))))
    return found
