"""Changes to a made picture: shifted, turned, scaled, bent, dimmed, covered, in another hand.

A lesson writes them as words, `right:2 turn:20`, in a drawing and in an expression alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, closest
from stepconv.trace import pictures

Picture = NDArray[np.float64]

# The perfect 5, and how a seed is drawn for what is shuffled.
FIVE = "digit-5-28x28"
_SHUFFLE = 5
# Hands that may be asked for.
_HANDS = 100


def five(words: str = "") -> Picture:
    """Return the perfect 5 of the gallery, changed by words.

    >>> int((five() != five("right:1")).sum()) > 0, bool((five("right:2 left:2") == five()).all())
    (True, True)
    """
    return changed(pictures()[FIVE].astype(np.float64), words)


def changed(picture: Picture, words: str) -> Picture:
    """Return a picture changed by words such as `turn:20 dim:0.5`, one after the other.

    >>> changed(np.array([[1.0, 2.0, 3.0]]), "right:1")
    array([[0., 1., 2.]])
    """
    for word in words.split():
        name, _, amount = word.partition(":")
        if name not in CHANGES:
            raise ArgumentError(f"change {word!r} is not known: {closest(name, CHANGES, '')}")
        try:
            number = float(amount or 0)
        except ValueError:
            raise ArgumentError(f"change {word!r} needs a number: {name}:2 fits") from None
        picture = CHANGES[name](picture, number)
    return picture


def _moved(picture: Picture, rows: float, columns: float) -> Picture:
    return _read(picture, lambda i, j: (i - rows, j - columns))


def _turned(picture: Picture, degrees: float) -> Picture:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return _about(picture, lambda i, j: (c * i + s * j, c * j - s * i))


def _scaled(picture: Picture, factor: float) -> Picture:
    if factor <= 0:
        raise ArgumentError(f"scale:{factor:g} does not fit: 0.8 does")
    return _about(picture, lambda i, j: (i / factor, j / factor))


def _bent(picture: Picture, by: float) -> Picture:
    """Push rows sideways along a wave, by up to so many cells."""
    return _read(picture, lambda i, j: (i, j - by * np.sin(i / 4)))


def _dimmed(picture: Picture, to: float) -> Picture:
    return picture * to


def _covered(picture: Picture, side: float) -> Picture:
    """Put a gray square in the middle, a hand before the lens."""
    hidden = picture.copy()
    first = [(n - int(side)) // 2 for n in picture.shape]
    hidden[first[0] : first[0] + int(side), first[1] : first[1] + int(side)] = 128.0
    return hidden


def _shuffled(picture: Picture, _: float) -> Picture:
    """Give every pixel another place, always the same."""
    order = np.random.default_rng(_SHUFFLE).permutation(picture.size)
    return picture.ravel()[order].reshape(picture.shape)


def _by_hand(picture: Picture, number: float) -> Picture:
    """Put a made 5 in the picture's place: that of the hand of this number, from 1."""
    from stepconv.train.data.digits import make

    if number not in range(1, _HANDS + 1):
        raise ArgumentError(f"hand:{number:g} does not fit: 1 to {_HANDS} do")
    # About every tenth is a 5.
    some = make(20 * int(number))
    hand: Picture = some.pictures[some.labels == 5][int(number) - 1, 0].astype(np.float64)
    return hand


def _about(
    picture: Picture, origin: Callable[[Picture, Picture], tuple[Picture, Picture]]
) -> Picture:
    """Return a picture read at an origin that is told about its middle."""
    middle = [(n - 1) / 2 for n in picture.shape]

    def shifted(i: Picture, j: Picture) -> tuple[Picture, Picture]:
        row, column = origin(i - middle[0], j - middle[1])
        return row + middle[0], column + middle[1]

    return _read(picture, shifted)


def _read(
    picture: Picture, origin: Callable[[Picture, Picture], tuple[Picture, Picture]]
) -> Picture:
    """Return the picture whose cell (i, j) is what lies at its origin, between four cells.

    With i = n + a and j = m + b, a and b below 1: (1-a)(1-b) x[n, m] + (1-a) b x[n, m+1]
    + a (1-b) x[n+1, m] + a b x[n+1, m+1]. Outside of the picture all is 0.
    """
    rows: Picture = np.arange(picture.shape[0], dtype=np.float64)[:, np.newaxis]
    columns: Picture = np.arange(picture.shape[1], dtype=np.float64)[np.newaxis]
    row, column = np.broadcast_arrays(*origin(rows, columns))
    n, m = np.floor(row).astype(int), np.floor(column).astype(int)
    a, b = row - n, column - m
    framed = np.pad(picture, 1)

    def at(i: NDArray[Any], j: NDArray[Any]) -> Picture:
        last = np.array(framed.shape) - 1
        cells: Picture = framed[np.clip(i + 1, 0, last[0]), np.clip(j + 1, 0, last[1])]
        return cells

    upper = (1 - b) * at(n, m) + b * at(n, m + 1)
    lower = (1 - b) * at(n + 1, m) + b * at(n + 1, m + 1)
    read: Picture = np.rint((1 - a) * upper + a * lower)
    return read


CHANGES: Mapping[str, Callable[[Picture, float], Picture]] = {
    "right": lambda picture, by: _moved(picture, 0, by),
    "left": lambda picture, by: _moved(picture, 0, -by),
    "down": lambda picture, by: _moved(picture, by, 0),
    "up": lambda picture, by: _moved(picture, -by, 0),
    "turn": _turned,
    "scale": _scaled,
    "bend": _bent,
    "dim": _dimmed,
    "cover": _covered,
    "shuffle": _shuffled,
    "hand": _by_hand,
}


def differing(one: Picture, other: Picture) -> int:
    """Return how many cells differ by more than half of the range from black to white."""
    return int((np.abs(one - other) > 127.5).sum())


def distance(one: Picture, other: Picture) -> float:
    """Return how far apart two pictures are as points, with an axis for every pixel, white as 1."""
    return float(np.sqrt(((one - other) ** 2).sum()) / 255)
