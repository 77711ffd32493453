"""How large a box of maps is drawn: its face by rows and columns, its depth by channels."""

from __future__ import annotations

from math import log2, sqrt
from typing import NamedTuple

from stepconv.geometry import Shape


class Face(NamedTuple):
    """Shares of the largest that is drawn: from 0 to 1."""

    height: float
    width: float
    depth: float


def face(shape: Shape, picture: Shape) -> Face:
    """Return how a box looks beside the picture that goes into its network.

    The root keeps small maps visible; channels count by their doublings, 512 being the most.
    A flat row is high and thin.

    >>> face((64, 56, 56), (3, 224, 224))
    Face(height=0.5, width=0.5, depth=0.6666666666666666)
    """
    depth = min(log2(max(shape[0], 1)) / 9, 1)
    if len(shape) == 1:
        return Face(1, 0, depth)
    most = max(*picture[1:], 1) if len(picture) == 3 else 1
    return Face(min(sqrt(shape[1] / most), 1), min(sqrt(shape[2] / most), 1), depth)
