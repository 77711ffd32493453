"""Two boxes slide over each other: the sum of samples becomes the integral as the step shrinks.

(f*g)(t) = ∫ f(τ) g(t - τ) dτ. With f and g one box of width 1 each, that is the triangle 1 - |t|. A
sum over samples at distance h, times h, is a staircase that comes nearer with every halving of h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Samples in the width of a box, frame by frame.
FINER = (2, 4, 8, 16, 32)
_WIDE, _HIGH = 64, 9
_SHADES = " ▁▂▃▄▅▆▇█"


def sampled(samples: int) -> NDArray[np.float64]:
    """Return the sum h · Σ f g of two boxes of width 1, sampled at distance h = 1 / samples.

    >>> sampled(2), sampled(4)
    (array([0.5, 1. , 0.5]), array([0.25, 0.5 , 0.75, 1.  , 0.75, 0.5 , 0.25]))
    """
    box = np.ones(samples)
    return np.convolve(box, box) / samples


def error(samples: int) -> float:
    """Return how far the staircase of the sum is from the triangle, at most.

    >>> [error(samples) for samples in (2, 4, 8)]
    [0.25, 0.125, 0.0625]
    """
    return 1 / (2 * samples)


def frames() -> list[list[str]]:
    """Return a frame for each step: the staircase of the sum under the triangle."""
    return [_frame(samples) for samples in FINER]


def _frame(samples: int) -> list[str]:
    heights = sampled(samples)
    # Where each column of the picture lies on the axis of t, from -1 to 1.
    t = (np.arange(_WIDE) + 0.5) / _WIDE * 2 - 1
    place = np.rint((t + 1) * samples).astype(int) - 1
    known = (place >= 0) & (place < len(heights))
    stairs = np.where(known, heights[np.clip(place, 0, len(heights) - 1)], 0.0)
    eighths = np.rint(stairs * _HIGH * 8).astype(int)
    rows = [
        "  " + "".join(_SHADES[min(max(cell - 8 * row, 0), 8)] for cell in eighths.tolist())
        for row in reversed(range(_HIGH))
    ]
    axis = f"  -1{'0'.center(_WIDE - 4)}1   t"
    return [
        f"  two boxes, {samples} samples each: step h = 1/{samples}",
        *rows,
        axis,
        f"  h·Σ f(τ) g(t-τ): at most {error(samples):g} from the integral, the triangle 1 - |t|",
    ]
