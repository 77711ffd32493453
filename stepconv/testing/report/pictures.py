"""Arrays as text, side by side, with the number marked that is spoken of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.trace.words import number

Array = NDArray[Any]
Place = tuple[int, ...] | None

# Larger arrays are told by their shape.
_MOST_CELLS = 64
_WIDTH = 78


def pictures(shown: list[tuple[str, Array, Place]]) -> list[str]:
    """Return arrays by their titles, side by side as long as there is room."""
    rows: list[list[list[str]]] = [[]]
    for title, array, place in shown:
        if array.size > _MOST_CELLS:
            wide = max(len(title), len(size(array)) + 1)
            drawn = [title.ljust(wide), f" {size(array)}".ljust(wide)]
        else:
            drawn = _drawn(title, array, place)
        if sum(len(each[0]) + 3 for each in [*rows[-1], drawn]) > _WIDTH and rows[-1]:
            rows.append([])
        rows[-1].append(drawn)
    return [line for row in rows for line in ["", *_abreast(row)]]


def _drawn(title: str, array: Array, place: Place) -> list[str]:
    """Return a title and the numbers below it, all lines of one width, with [ ] at the place.

    Planes of an array with more axes stand below each other.
    """
    wide_row = array.shape[-1] if array.ndim else 1
    cells = array.reshape(-1, wide_row) if array.size else np.zeros((0, 1))
    texts = [[number(cell) for cell in row] for row in cells]
    wide = max((len(text) for row in texts for text in row), default=1)
    marked = -1
    if place is not None and array.size:
        marked = int(np.ravel_multi_index(place, array.shape)) if array.ndim else 0
    high = array.shape[-2] if array.ndim > 1 else 1
    drawn = [title]
    for i, line in enumerate(texts):
        if i and array.ndim > 2 and i % high == 0:
            drawn.append("")
        drawn.append(
            "".join(
                f"[{text:>{wide}}]" if i * wide_row + j == marked else f" {text:>{wide}} "
                for j, text in enumerate(line)
            )
        )
    width = max(map(len, drawn))
    return [line.ljust(width) for line in drawn]


def _abreast(blocks: list[list[str]]) -> list[str]:
    high = max(map(len, blocks))
    filled = [[*each, *[" " * len(each[0])] * (high - len(each))] for each in blocks]
    return ["  " + "   ".join(parts).rstrip() for parts in zip(*filled, strict=True)]


def size(array: Array) -> str:
    """Return the size of an array in words."""
    if array.ndim < 2:
        return f"of {array.size}" if array.ndim else "a number"
    return "x".join(map(str, array.shape))
