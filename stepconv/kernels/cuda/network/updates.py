"""How parameters follow their gradients on a GPU: one launch for all that a network learns.

A thread has a parameter. It adds up the parts in which its gradient was found, always in the same
order, and moves the parameter by the optimiser's formula (nn/optim.py).
"""

import math
from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import kernel, launch_each
from stepconv.kernels.cuda.machine.sums import sum_parts
from stepconv.kernels.cuda.network.batches import NUMBERS
from stepconv.kernels.kinds import (
    AHEAD,
    BETA1,
    BETA2,
    DECAY,
    EPSILON,
    MOMENTUM,
    PACE,
    RATE,
    ROOT,
    SHRINK,
)

Array = Any

# Of each parameter: where the first part of its gradient is, how far it is to the next, how many.
FIRST, APART, PARTS = range(3)


def update(formula: Any, p: Array, *rows: Any) -> None:
    """Move all parameters by a kernel of this file, with all that it is given."""
    launch_each(formula, p.size, p, *rows)


@kernel
def sgd(
    p: Array, gradients: Array, found: Array, places: Array, velocity: Array, controls: Array
) -> None:
    """velocity = momentum · velocity + g;  p -= rate · velocity."""
    i = cuda.grid(1)
    if i < p.size:
        number = p.dtype.type
        rate, decay = number(controls[NUMBERS + RATE]), number(controls[NUMBERS + DECAY])
        momentum, ahead = number(controls[NUMBERS + MOMENTUM]), number(controls[NUMBERS + AHEAD])
        gradients[i] = sum_parts(found, places[FIRST, i], places[APART, i], places[PARTS, i])
        g = gradients[i] + decay * p[i]
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
        one, decay = number(1), number(controls[NUMBERS + DECAY])
        beta1, beta2 = number(controls[NUMBERS + BETA1]), number(controls[NUMBERS + BETA2])
        epsilon, root = number(controls[NUMBERS + EPSILON]), number(controls[NUMBERS + ROOT])
        pace, shrink = number(controls[NUMBERS + PACE]), number(controls[NUMBERS + SHRINK])
        gradients[i] = sum_parts(found, places[FIRST, i], places[APART, i], places[PARTS, i])
        g = gradients[i] + decay * p[i]
        mean[i] += (one - beta1) * (g - mean[i])
        square[i] += (one - beta2) * (g * g - square[i])
        # root = 1 / √(1 - beta2^step), pace = rate / (1 - beta1^step), shrink = 1 - rate · decay
        way = mean[i] / (math.sqrt(square[i]) * root + epsilon)
        p[i] = shrink * p[i] - pace * way
