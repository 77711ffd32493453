"""Pictures drawn by code, for kernels to be tried on: patterns, a gradient, a digit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A five as strokes from point to point, in cells of a 28x28 picture: (row, column).
_FIVE = (
    *((5.0, 19.0), (5.0, 10.0), (13.0, 9.0), (11.5, 13.0), (12.5, 17.0), (15.5, 19.0)),
    *((19.0, 18.5), (22.0, 15.5), (22.5, 12.0), (20.5, 8.5)),
)


def drawn() -> dict[str, Array]:
    """Return the pictures by name, gray from 0 to 255.

    >>> drawn()["checkerboard-8x8"][:2, :4]
    array([[255,   0, 255,   0],
           [  0, 255,   0, 255]])
    """
    rows, columns = np.indices((8, 8))
    return {
        "checkerboard-8x8": (rows + columns + 1) % 2 * 255,
        "gradient-8x16": np.tile(np.arange(16) * 17, (8, 1)),
        "corner-twice-12x20": _corner_twice(),
        "digit-5-28x28": _strokes(_FIVE, thickness=2.2),
    }


def _corner_twice() -> Array:
    """Draw one pattern in two places: a corner, open to the right and below."""
    picture = np.zeros((12, 20), np.int64)
    for top, left in ((1, 2), (6, 13)):
        picture[top, left : left + 4] = picture[top : top + 4, left] = 9
    return picture


def _strokes(points: tuple[tuple[float, float], ...], thickness: float) -> Array:
    """Draw a line through the points: a cell is the lighter the nearer it is to the line."""
    rows, columns = np.indices((28, 28))
    cells = np.stack([rows, columns], axis=-1)[:, :, np.newaxis]
    starts, ends = np.array(points[:-1]), np.array(points[1:])
    along = ends - starts
    share = ((cells - starts) * along).sum(-1) / (along**2).sum(-1)
    nearest = starts + np.clip(share, 0, 1)[..., None] * along
    distance = np.sqrt(((cells - nearest) ** 2).sum(-1)).min(-1)
    gray: Array = np.rint(255 * np.clip(thickness - distance, 0, 1)).astype(np.int64)
    return gray
