"""A digit as a network knows it: bright on black, 20 of 28 cells high, its weight in the middle."""

import numpy as np
from numpy.typing import NDArray

SIDE, BOX = 28, 20

# What is fainter than this share of the brightest ink counts as paper.
FAINT = 0.15

Floats = NDArray[np.float64]


def centred(gray: Floats) -> NDArray[np.uint8]:
    """Return a picture of a digit, from black 0 to white 255, as MNIST would have it.

    Dark ink on light paper is inverted; the paper is what most cells of the edge show. An empty
    sheet gives a black picture.
    """
    return of_ink(bright_on_black(gray))


def of_ink(ink: Floats) -> NDArray[np.uint8]:
    """Return the digit that ink on a black sheet is, scaled and centred."""
    ink = np.where(ink < FAINT * ink.max(), 0, ink)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    picture = np.zeros((SIDE, SIDE))
    if not len(rows):
        return picture.astype(np.uint8)
    digit = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(digit.shape)
    digit = resized(digit, *(max(1, round(size * scale)) for size in digit.shape))
    digit *= 255 / digit.max()
    top, left = (_start(digit.sum(axis=1 - axis), size) for axis, size in enumerate(digit.shape))
    picture[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return np.rint(picture).astype(np.uint8)


def bright_on_black(gray: Floats) -> Floats:
    """Return how far each cell is from the paper, on the side on which the ink is."""
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    paper = float(np.median(edge))
    away = gray - paper
    return np.maximum(-away if -away.min() > away.max() else away, 0)


def resized(picture: Floats, rows: int, columns: int) -> Floats:
    """Return the picture in so many cells; each is the mean of the area that it covers."""
    high, wide = picture.shape
    return np.asarray(_shares(high, rows) @ picture @ _shares(wide, columns).T)


def _shares(many: int, few: int) -> Floats:
    """Return the part that each of `many` cells has in each of `few`: rows add up to 1.

    >>> _shares(3, 2).round(2).tolist()
    [[0.67, 0.33, 0.0], [0.0, 0.33, 0.67]]
    """
    edges = np.arange(few + 1) * many / few
    start, stop = edges[:-1, np.newaxis], edges[1:, np.newaxis]
    cell = np.arange(many)
    overlap = np.minimum(stop, cell + 1) - np.maximum(start, cell)
    return np.asarray(np.maximum(overlap, 0) * few / many)


def _start(weight: Floats, size: int) -> int:
    """Return where to begin so that the centre of the weight is in the middle, and all fits."""
    centre = (weight * (np.arange(size) + 0.5)).sum() / weight.sum()
    return int(min(max(round(SIDE / 2 - centre), 0), SIDE - size))
