"""How much of a gradient comes back through many layers, with identity paths and without."""

from __future__ import annotations

from functools import cache

import numpy as np

from stepconv.errors import ArgumentError
from stepconv.inside.identity import DEPTHS, Kept, measured
from stepconv.lessons.experiments.changes import five

__all__ = ["DEPTHS", "arrives", "kept"]

_FIVE, _CLASSES = 5, 10


@cache
def kept(depth: int, path: bool) -> Kept:
    """Return the gradients at the layers of a network that is shown the perfect 5."""
    if depth not in DEPTHS:
        raise ArgumentError(f"depth={depth!r} is not measured: {', '.join(map(str, DEPTHS))} are")
    numbers = (five() / 255).astype(np.float32)[np.newaxis]
    return measured(depth, path, numbers, _FIVE, _CLASSES)


def arrives(depth: int, path: bool) -> float:
    """Return what of the gradient at the last layer of windows arrives at the first.

    >>> arrives(56, path=False) < 1e-6, arrives(56, path=True) > 0.1
    (True, True)
    """
    return kept(depth, path).share
