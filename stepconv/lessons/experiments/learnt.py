"""A kernel that learns a worked example: nine weights, one picture, one wish, many small steps.

L = 1/2 Σ (out - wanted)², g = dL/dw, and w becomes w - lr·g, again and again, from zeros on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv.errors import ArgumentError
from stepconv.trace import worked_example
from stepconv.trace.jobs import function_of

Cells = NDArray[np.float64]

# Steps that nobody waits for.
MOST_STEPS = 10_000


def learnt(id: str, steps: int, rate: float, wanted: ArrayLike | None = None) -> Cells:
    """Return the kernel that a worked example's picture has taught after so many steps.

    >>> learnt("vertical-edge-gray", 500, 1 / 200_000).round(3) + 0.0
    array([[ 1.,  0., -1.],
           [ 1.,  0., -1.],
           [ 1.,  0., -1.]])
    """
    if steps not in range(MOST_STEPS + 1):
        raise ArgumentError(f"steps={steps!r} does not fit: 0 to {MOST_STEPS:,} do")
    return next(w for step, (w, _) in enumerate(descent(id, rate, wanted)) if step == steps)


def descent(id: str, rate: float, wanted: ArrayLike | None = None) -> Iterator[tuple[Cells, Cells]]:
    """Yield the kernel and its gradient before each step, without end."""
    example = worked_example(id)
    back, _ = function_of("correlate_grad_w")
    x, target = _data(id, wanted)
    w = np.zeros(example.inputs["w"].shape)
    while True:
        grad = back(x, w, gives(id, w) - target)[1]
        yield w, grad
        w = w - rate * grad


def gives(id: str, w: ArrayLike) -> Cells:
    """Return what a kernel makes of the example's picture."""
    correlate, _ = function_of("correlate")
    out: Cells = correlate(_data(id)[0], np.asarray(w, np.float64))
    return out


def loss(id: str, w: ArrayLike, wanted: ArrayLike | None = None) -> float:
    """Return how far a kernel is from what is wanted: half of the squares' sum."""
    return float(((gives(id, w) - _data(id, wanted)[1]) ** 2).sum() / 2)


def _data(id: str, wanted: ArrayLike | None = None) -> tuple[Cells, Cells]:
    example = worked_example(id)
    target = example.expected if wanted is None else wanted
    return np.asarray(example.inputs["x"], np.float64), np.asarray(target, np.float64)
