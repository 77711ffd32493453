"""A picture as what a computer has of it: its numbers, as many as fit beside a text."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.trace import pictures

WIDE, HIGH = 78, 14


def frames(name: str) -> list[list[str]]:
    """Return the numbers of a picture of the gallery, in frames of 14 rows from top to bottom.

    >>> frames("checkerboard-8x8")[0][0]
    '255   0 255   0 255   0 255   0'
    """
    known = pictures()
    if name not in known:
        raise ArgumentError(f"picture {name!r} is not known: {', '.join(known)} fit")
    rows = lines(known[name])
    return [rows[start : start + HIGH] for start in range(0, len(rows), HIGH)]


def lines(picture: NDArray[Any]) -> list[str]:
    """Return the rows of a grey picture as text; what is too wide for a screen is refused."""
    plane = picture.tolist()
    texts = [[_text(cell) for cell in row] for row in plane]
    wide = max(len(text) for row in texts for text in row)
    told = [" ".join(text.rjust(wide) for text in row) for row in texts]
    if len(told[0]) > WIDE:
        raise ArgumentError(f"a row of {len(plane[0])} numbers takes more than {WIDE} columns")
    return told


def _text(number: float) -> str:
    """Return a number as short as it goes: .5 for a half, as slides write it."""
    if number == int(number):
        return str(int(number))
    return f"{number:.1f}".replace("0.", ".", 1)
