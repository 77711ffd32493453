"""How parameters follow their gradients on a GPU: one launch for all that a network learns.

A thread has a parameter. It adds up the parts in which its gradient was found, always in the same
order, and moves the parameter by the optimiser's formula (nn/optim.py), unless it is frozen.
"""

import math
from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import inner, kernel, launch_each
from stepconv.kernels.cuda.machine.sums import sum_parts
from stepconv.kernels.cuda.network.batches import NUMBERS
from stepconv.kernels.kinds import (
    AHEAD,
    BETA1,
    BETA2,
    CLIP,
    DECAY,
    EPSILON,
    L1,
    MOMENTUM,
    PACE,
    RATE,
    ROOT,
    SHRINK,
)

Array = Any

# Of each parameter: where the first part of its gradient is, how far it is to the next, how many,
# and whether it moves, or is frozen.
FIRST, APART, PARTS, MOVES = range(4)


def update(formula: Any, p: Array, *rows: Any) -> None:
    """Move all parameters by a kernel of this file, with all that it is given."""
    launch_each(formula, p.size, p, *rows)


@inner
def _pulled(g: Any, p: Array, i: Any, controls: Array) -> Any:
    """Return clip(g) + decay · p + l1 · sign(p); NaN stays NaN."""
    number = p.dtype.type
    clip, l1 = number(controls[NUMBERS + CLIP]), number(controls[NUMBERS + L1])
    if g > clip:
        g = clip
    if g < -clip:
        g = -clip
    g += number(controls[NUMBERS + DECAY]) * p[i]
    if p[i] > 0:
        g += l1
    if p[i] < 0:
        g -= l1
    return g


@kernel
def sgd(
    p: Array, gradients: Array, found: Array, places: Array, velocity: Array, controls: Array
) -> None:
    """velocity = momentum · velocity + g;  p -= rate · velocity."""
    i = cuda.grid(1)
    if i < p.size:
        number = p.dtype.type
        rate = number(controls[NUMBERS + RATE])
        momentum, ahead = number(controls[NUMBERS + MOMENTUM]), number(controls[NUMBERS + AHEAD])
        gradients[i] = sum_parts(found, places[FIRST, i], places[APART, i], places[PARTS, i])
        if places[MOVES, i] == 0:
            return
        g = _pulled(gradients[i], p, i, controls)
        velocity[i] = momentum * velocity[i] + g
        # Nesterov goes by g + momentum · velocity: `ahead` is the momentum then, and 0 otherwise.
        p[i] -= rate * (g + ahead * velocity[i] if ahead > 0 else velocity[i])


@kernel
def adam(
    p: Array,
    gradients: Array,
    found: Array,
    places: Array,
    mean: Array,
    square: Array,
    controls: Array,
) -> None:
    """p -= rate · mean of g / (√ mean of g² + epsilon)."""
    i = cuda.grid(1)
    if i < p.size:
        number = p.dtype.type
        one = number(1)
        beta1, beta2 = number(controls[NUMBERS + BETA1]), number(controls[NUMBERS + BETA2])
        epsilon, root = number(controls[NUMBERS + EPSILON]), number(controls[NUMBERS + ROOT])
        pace, shrink = number(controls[NUMBERS + PACE]), number(controls[NUMBERS + SHRINK])
        gradients[i] = sum_parts(found, places[FIRST, i], places[APART, i], places[PARTS, i])
        if places[MOVES, i] == 0:
            return
        g = _pulled(gradients[i], p, i, controls)
        mean[i] += (one - beta1) * (g - mean[i])
        square[i] += (one - beta2) * (g * g - square[i])
        # root = 1 / √(1 - beta2^step), pace = rate / (1 - beta1^step), shrink = 1 - rate · decay
        way = mean[i] / (math.sqrt(square[i]) * root + epsilon)
        p[i] = shrink * p[i] - pace * way


@kernel
def adadelta(
    p: Array,
    gradients: Array,
    found: Array,
    places: Array,
    square: Array,
    travelled: Array,
    controls: Array,
) -> None:
    """p -= rate · √(mean of the ways² + epsilon) / √(mean of g² + epsilon) · g."""
    i = cuda.grid(1)
    if i < p.size:
        number = p.dtype.type
        one, rate = number(1), number(controls[NUMBERS + RATE])
        rho, epsilon = number(controls[NUMBERS + BETA1]), number(controls[NUMBERS + EPSILON])
        gradients[i] = sum_parts(found, places[FIRST, i], places[APART, i], places[PARTS, i])
        if places[MOVES, i] == 0:
            return
        g = _pulled(gradients[i], p, i, controls)
        square[i] += (one - rho) * (g * g - square[i])
        way = math.sqrt(travelled[i] + epsilon) / math.sqrt(square[i] + epsilon) * g
        travelled[i] += (one - rho) * (way * way - travelled[i])
        p[i] -= rate * way
