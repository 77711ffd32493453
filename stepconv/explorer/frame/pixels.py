"""Planes of numbers as colours, all of a layer on one scale, two pixels in each character.

Numbers of one sign are gray from black 0 to white; of both signs blue below 0 and orange above,
black between. There are few tones, so that a terminal's styles are few and remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.text.lines import Block, Line, Piece, Spot

Array = NDArray[Any]
Mask = NDArray[np.bool_]

# Tones on either side of 0; and what cells that a mark holds are mixed with.
TONES = 15
_BELOW, _ABOVE, _WHITE = (64, 156, 255), (255, 150, 32), (255, 255, 255)
_MARK, _MIXED = (70, 150, 255), 0.45
# Among so many numbers a single one does not count, and what share of them is below the brightest.
_MANY, _BRIGHTEST = 1000, 0.995
# Codes beyond the tones of both signs: gray tones.
_GRAY = TONES + 1


def largest(numbers: Array) -> float:
    """Return the number that is shown brightest: the largest without its sign, never 0.

    Of many it is one that few exceed, for a single one would leave all others dark.
    """
    finite = np.abs(numbers[np.isfinite(numbers)]) if numbers.dtype.kind == "f" else np.abs(numbers)
    most = float(finite.max(initial=0)) or 1.0
    if finite.size < _MANY:
        return most
    kept = int(_BRIGHTEST * finite.size)
    return float(np.partition(finite.reshape(-1), kept)[kept]) or most


def resized(plane: Array, down: int, across: int) -> Array:
    """Return a plane in so many pixels: cells repeated, or the mean of those under a pixel.

    >>> resized(np.array([[1, 3], [5, 7]]), 1, 4).tolist()
    [[3.0, 3.0, 5.0, 5.0]]
    """
    cells = np.nan_to_num(plane.astype(np.float64), posinf=0, neginf=0)
    for axis, pixels in ((0, down), (1, across)):
        size = cells.shape[axis]
        edges = np.arange(pixels + 1) * size // pixels
        if pixels >= size:
            cells = np.take(cells, np.minimum(edges[:-1], size - 1), axis)
        else:
            shape = (-1, 1) if axis == 0 else (1, -1)
            cells = np.add.reduceat(cells, edges[:-1], axis) / np.diff(edges).reshape(shape)
    return cells


def fitting(shape: tuple[int, int], most: int, zoom: int = 1) -> tuple[int, int]:
    """Return the rows and columns of pixels of a picture that has at most so many on a side.

    >>> fitting((28, 28), 10), fitting((5, 5), 10), fitting((5, 5), 10, zoom=2)
    ((10, 10), (5, 5), (10, 10))
    """
    rows, columns = shape
    scale = min(most / max(rows, columns, 1), zoom)
    scale = int(scale) if scale >= 1 else scale
    return max(round(rows * scale), 1), max(round(columns * scale), 1)


def codes(pixels: Array, most: float, *, signed: bool, mark: Mask | None = None) -> Array:
    """Return a tone for each pixel, as an integer that `_colour` knows."""
    levels = np.rint(np.clip(pixels / most, -1, 1) * TONES).astype(np.int64)
    tones = levels + TONES if signed else np.maximum(levels, 0) + 2 * TONES + 1
    return tones if mark is None else tones + 1000 * mark


@lru_cache(maxsize=256)
def colour(code: int) -> str:
    """Return a tone as a colour of the terminal."""
    marked, tone = divmod(code, 1000)
    if tone <= 2 * TONES:
        level = (tone - TONES) / TONES
        full = _ABOVE if level > 0 else _BELOW
    else:
        level, full = (tone - 2 * TONES - 1) / TONES, _WHITE
    parts = [abs(level) * part for part in full]
    if marked:
        parts = [
            (1 - _MIXED) * part + _MIXED * mark for part, mark in zip(parts, _MARK, strict=True)
        ]
    return "#{:02x}{:02x}{:02x}".format(*(round(part) for part in parts))


@lru_cache(maxsize=1 << 13)
def _pair(upper: int, lower: int) -> str:
    return f"{colour(upper)} on {colour(lower)}"


def drawn(
    plane: Array,
    down: int,
    across: int,
    most: float,
    *,
    signed: bool,
    mark: Mask | None = None,
    part: str = "",
) -> Block:
    """Return a plane as lines of half blocks; a click on one means its cell of the `part`.

    `mark` says which cells are mixed with the colour of a window.
    """
    held = None if mark is None else resized(mark, down, across) > 0
    tones = codes(resized(plane, down, across), most, signed=signed, mark=held).tolist()
    rows, columns = plane.shape
    lines: list[Line] = []
    for y in range(0, down, 2):
        uppers = tones[y]
        if y + 1 < down:
            roles = [_pair(a, b) for a, b in zip(uppers, tones[y + 1], strict=True)]
        else:
            roles = [colour(a) for a in uppers]
        row = y * rows // down
        if not part:
            lines.append(tuple(Piece("▀", role) for role in roles))
        else:
            lines.append(
                tuple(
                    Piece("▀", role, Spot(part, row, x * columns // across))
                    for x, role in enumerate(roles)
                )
            )
    return Block(tuple(lines), across)


def boxed(block: Block, role: str = "result-text") -> Block:
    """Return a picture between [ and ] on every line, as what is chosen."""
    lines = tuple((Piece("[", role), *line, Piece("]", role)) for line in block.lines)
    return Block(lines, block.width + 2)


def unboxed(block: Block) -> Block:
    """Return a picture with room for brackets that it does not have."""
    return Block(tuple((Piece(" "), *line, Piece(" ")) for line in block.lines), block.width + 2)
