"""A gradient written by hand, held against differences of what it is the gradient of."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# In double precision a step of this size is wrong by some 1e-10 of the slope.
STEP = 1e-5


def gradient_error(
    forward: Callable[..., Any], backward: Callable[..., Any], *inputs: ArrayLike, seed: int = 0
) -> float:
    """Return how far a gradient is from the slope, as a part of it: 1e-7 or less if it is right.

    `forward(*inputs)` gives y; `backward(*inputs, grad_y)` gives the gradient of Σ y · grad_y for
    each input, as a tuple, or for the only one. Each input is moved both ways along a direction d
    drawn by chance: (f(x + h·d) - f(x - h·d)) / 2h has to be Σ gradient · d.

    >>> gradient_error(lambda x: x**3, lambda x, grad: 3 * x**2 * grad, [1.0, -2.0]) < 1e-7
    True
    >>> gradient_error(lambda x: x**3, lambda x, grad: 2 * x**2 * grad, [1.0, -2.0]) > 0.1
    True
    """
    return max(gradient_errors(forward, backward, *inputs, seed=seed))


def gradient_errors(
    forward: Callable[..., Any], backward: Callable[..., Any], *inputs: ArrayLike, seed: int = 0
) -> list[float]:
    """Return how far the gradient for each input is from the slope."""
    draw = np.random.default_rng(seed)
    given = [np.array(x, float) for x in inputs]
    grad_y = draw.standard_normal(np.shape(forward(*given)))
    found = backward(*given, grad_y)
    gradients = found if isinstance(found, tuple) else (found,)
    if len(gradients) != len(given):
        raise ValueError(f"backward gives {len(gradients)} gradients for {len(given)} inputs")
    errors = []
    for place, gradient in enumerate(gradients):
        direction = draw.standard_normal(given[place].shape)
        ends = [_along(forward, given, place, sign * STEP * direction, grad_y) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * STEP)
        told = float((np.asarray(gradient, float) * direction).sum())
        errors.append(abs(told - slope) / max(abs(slope), abs(told), 1e-3))
    return errors


def _along(
    forward: Callable[..., Any],
    given: list[NDArray[np.float64]],
    place: int,
    move: NDArray[np.float64],
    grad_y: NDArray[np.float64],
) -> float:
    """Return Σ y · grad_y where one input is moved."""
    moved = [x + move if i == place else x for i, x in enumerate(given)]
    return float((np.asarray(forward(*moved), float) * grad_y).sum())
