"""How parameters follow their gradients: the optimisers' formulas on vectors of parameters."""

from __future__ import annotations

import numpy as np

from stepconv.kernels.cpu.lanes.rows import CHUNKS, VECTOR, operands
from stepconv.kernels.cpu.machine.addresses import int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
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


def _gradient(v: Vectors, first: Int, step: Int, chunks: Int) -> Vector:
    """Return the sum of what the chunks found, always in the same order."""
    [total] = v.loop(
        chunks - 1, [v.load(first)], lambda c, s: [s[0] + v.load(first + step * (c + 1))]
    )
    return total


@tile(np.float32)
def _sgd(
    v: Vectors, p: Int, found: Int, step: Int, chunks: Int, velocity: Int, count: Int, numbers: Int
) -> None:
    rate, decay, momentum, ahead = (
        v.splat(numbers + 4 * number) for number in (RATE, DECAY, MOMENTUM, AHEAD)
    )

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        old = v.load(p + at)
        g = v.fma(decay, old, _gradient(v, found + at, step, chunks))
        new = v.fma(momentum, v.load(velocity + at), g)
        v.store(velocity + at, new)
        # Nesterov goes by g + momentum · velocity: `ahead` is the momentum then, and 0 otherwise.
        nesterov = v.fma(ahead, new, g)
        way = v.select(v.above(ahead, v.zero()), nesterov, new)
        v.store(p + at, old - rate * way)
        return []

    v.loop(count, [], cell)


@tile(np.float32)
def _adam(
    v: Vectors,
    p: Int,
    found: Int,
    step: Int,
    chunks: Int,
    mean: Int,
    square: Int,
    count: Int,
    numbers: Int,
) -> None:
    decay, beta1, beta2, epsilon, root, pace, shrink = (
        v.splat(numbers + 4 * number)
        for number in (DECAY, BETA1, BETA2, EPSILON, ROOT, PACE, SHRINK)
    )
    one = v.constant(1)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        old = v.load(p + at)
        g = v.fma(decay, old, _gradient(v, found + at, step, chunks))
        m, s = v.load(mean + at), v.load(square + at)
        m = v.fma(one - beta1, g - m, m)
        s = v.fma(one - beta2, g * g - s, s)
        v.store(mean + at, m)
        v.store(square + at, s)
        # root = 1 / √(1 - beta2^step), pace = rate / (1 - beta1^step), shrink = 1 - rate · decay
        way = v.quotient(m, v.fma(v.sqrt(s), root, epsilon))
        v.store(p + at, shrink * old - pace * way)
        return []

    v.loop(count, [], cell)


@operands("p found found_step chunked velocity count share control numbers")
def sgd(row: int, task: int) -> None:
    """velocity = momentum · velocity + g;  p -= rate · velocity."""
    r = int64s(row)
    first, count = task * r[7], min(r[7], r[6] - task * r[7])
    chunks = int64s(r[8])[CHUNKS] if r[4] else 1
    at = first * VECTOR
    if count > 0:
        _sgd(r[1] + at, r[2] + at, r[3], chunks, r[5] + at, count, r[9])


@operands("p found found_step chunked mean square count share control numbers")
def adam(row: int, task: int) -> None:
    """p -= rate · mean of g / (√ mean of g² + epsilon)."""
    r = int64s(row)
    first, count = task * r[8], min(r[8], r[7] - task * r[8])
    chunks = int64s(r[9])[CHUNKS] if r[4] else 1
    at = first * VECTOR
    if count > 0:
        _adam(r[1] + at, r[2] + at, r[3], chunks, r[5] + at, r[6] + at, count, r[10])
