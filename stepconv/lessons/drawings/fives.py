"""The same digit, and what becomes of it: side by side, with how many pixels differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stepconv.lessons.experiments.changes import differing, distance, five

# A character is two cells of a column.
_SHADES = " ░▒▓█"
# Rows of cells that are drawn: digits keep away from the rim.
_ROWS = slice(3, 25)


def frames(*changes: str) -> list[list[str]]:
    """Return a frame for each change: the perfect 5, the changed one, and how far they are apart.

    `turn:20+right:2` is one change made of two.
    """
    perfect = five()
    drawn = []
    for change in changes or ("hand:1",):
        words = change.replace("+", " ")
        other = five(words)
        pairs = zip(shaded(perfect), shaded(other), strict=True)
        drawn.append(
            [
                f"  a perfect 5{' ' * 23}{words.replace(':', ' ')}",
                f"{' ' * 36}{differing(perfect, other)} of {perfect.size} pixels differ, "
                f"distance {distance(perfect, other):.1f}",
                *(f"  {left}      {right}" for left, right in pairs),
            ]
        )
    return drawn


def shaded(picture: NDArray[np.float64]) -> Sequence[str]:
    """Return a picture's rows as shades, two rows of cells in a line of text."""
    rows = picture[_ROWS]
    means = (rows[::2] + rows[1::2]) / 2
    levels = np.clip(np.ceil(means / 255 * 4 - 0.25), 0, 4).astype(int)
    return ["".join(_SHADES[level] for level in row) for row in levels.tolist()]
