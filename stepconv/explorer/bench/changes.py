"""What can be done to a picture before a network looks: shift, turn, scale, thicken, blot.

A change is told by numbers and made from the original each time. So ten small turns are one large
turn, and what is taken back leaves no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Further than these nothing is left to see.
_FURTHEST, _SMALLEST, _LARGEST, _THICKEST, _MOST_BLOTS = 14, 40, 250, 4, 12
_BLOT = 2.2


@dataclass(frozen=True)
class Change:
    """How far a picture is moved, turned and scaled, how much thicker, how many blots fell on it.

    >>> Change().moved(0, 2).turned(15).words
    '2 right, turned 15°'
    """

    rows: int = 0
    columns: int = 0
    degrees: int = 0
    percent: int = 100
    thicker: int = 0
    blots: int = 0

    def moved(self, rows: int, columns: int) -> Change:
        """Return the change with the picture moved down and to the right."""
        return self._with(
            rows=_within(self.rows + rows, -_FURTHEST, _FURTHEST),
            columns=_within(self.columns + columns, -_FURTHEST, _FURTHEST),
        )

    def turned(self, degrees: int) -> Change:
        """Return the change with the picture turned clockwise."""
        return self._with(degrees=(self.degrees + degrees + 180) % 360 - 180)

    def scaled(self, percent: int) -> Change:
        """Return the change with the picture larger, or smaller."""
        return self._with(percent=_within(self.percent + percent, _SMALLEST, _LARGEST))

    def thickened(self, by: int) -> Change:
        """Return the change with thicker strokes, or thinner ones."""
        return self._with(thicker=_within(self.thicker + by, -_THICKEST, _THICKEST))

    def blotted(self) -> Change:
        """Return the change with one more blot."""
        return self._with(blots=min(self.blots + 1, _MOST_BLOTS))

    @property
    def words(self) -> str:
        """What was done, in words; "" for nothing."""
        told = []
        if self.rows:
            told.append(f"{abs(self.rows)} {'down' if self.rows > 0 else 'up'}")
        if self.columns:
            told.append(f"{abs(self.columns)} {'right' if self.columns > 0 else 'left'}")
        if self.degrees:
            told.append(f"turned {self.degrees}°")
        if self.percent != 100:
            told.append(f"{self.percent} %")
        if self.thicker:
            told.append(f"{'thicker' if self.thicker > 0 else 'thinner'} by {abs(self.thicker)}")
        if self.blots:
            told.append(f"{self.blots} blot{'s' * (self.blots > 1)}")
        return ", ".join(told)

    def _with(self, **fields: int) -> Change:
        return Change(**{**vars(self), **fields})


def changed(picture: Array, change: Change) -> Array:
    """Return a picture of (channels, rows, columns), changed, in its own type."""
    made = np.array(picture)
    if change.rows or change.columns or change.degrees or change.percent != 100:
        made = _warped(made, change)
    for _ in range(abs(change.thicker)):
        made = _spread(made) if change.thicker > 0 else -_spread(-made.astype(float))
        made = made.astype(picture.dtype)
    for number in range(change.blots):
        _blot(made, number)
    return made


def _warped(picture: Array, change: Change) -> Array:
    """Return a picture moved, turned round its middle and scaled, between cells as their mean.

    Cell p of the result shows turn(-degrees) · (p - middle - shift) / scale + middle of the
    picture; beyond its edge the picture is 0.
    """
    rows, columns = picture.shape[1:]
    middle_y, middle_x = (rows - 1) / 2, (columns - 1) / 2
    angle, scale = radians(change.degrees), change.percent / 100
    grid_y, grid_x = np.mgrid[:rows, :columns].astype(float)
    y, x = grid_y - middle_y - change.rows, grid_x - middle_x - change.columns
    from_y = (cos(angle) * y - sin(angle) * x) / scale + middle_y
    from_x = (sin(angle) * y + cos(angle) * x) / scale + middle_x
    padded = np.pad(picture.astype(float), ((0, 0), (1, 2), (1, 2)))
    from_y, from_x = np.clip(from_y + 1, 0, rows + 1), np.clip(from_x + 1, 0, columns + 1)
    top, left = np.floor(from_y).astype(int), np.floor(from_x).astype(int)
    down, right = from_y - top, from_x - left
    made = (
        padded[:, top, left] * (1 - down) * (1 - right)
        + padded[:, top, left + 1] * (1 - down) * right
        + padded[:, top + 1, left] * down * (1 - right)
        + padded[:, top + 1, left + 1] * down * right
    )
    return _of_type(made, picture)


def _spread(picture: Array) -> Array:
    """Return the largest of each cell and of its four neighbours."""
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = np.maximum(padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    along = np.maximum(padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])
    return np.asarray(np.maximum(np.maximum(across, along), picture))


def _blot(picture: Array, number: int) -> None:
    """Let a blot of full ink fall on a picture; the same number always falls on the same place."""
    rows, columns = picture.shape[1:]
    y, x = np.random.default_rng(number).uniform(0.2, 0.8, 2) * (rows, columns)
    grid_y, grid_x = np.mgrid[:rows, :columns]
    full = np.iinfo(picture.dtype).max if picture.dtype.kind in "iu" else picture.max(initial=1)
    picture[:, (grid_y - y) ** 2 + (grid_x - x) ** 2 < _BLOT**2] = full


def _of_type(made: Array, picture: Array) -> Array:
    whole = picture.dtype.kind in "iu"
    return (np.rint(made) if whole else made).astype(picture.dtype)


def _within(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)
