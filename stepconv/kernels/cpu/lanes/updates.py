"""How parameters follow their gradients: the optimisers' formulas on vectors of parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
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


class Found(NamedTuple):
    """Where a gradient lies in parts: the first, the bytes to the next, and how many there are."""

    first: Any
    apart: Any
    parts: Any


def _gradient(v: Vectors, found: Found, at: Int) -> Vector:
    """Return the sum of what the chunks found, always in the same order."""

    def add(part: Int, total: list[Vector]) -> list[Vector]:
        return [total[0] + v.load(first + found.apart * (part + 1))]

    first = found.first + at
    [total] = v.loop(found.parts - 1, [v.load(first)], add)
    return total


class Pulls(NamedTuple):
    """What is done to every gradient: cut to ±clip, then both pulls towards 0 added."""

    decay: Vector
    l1: Vector
    clip: Vector


def _pulls(v: Vectors, numbers: Int) -> Pulls:
    return Pulls(*(v.splat(numbers + 4 * number) for number in (DECAY, L1, CLIP)))


def _pulled(v: Vectors, pulls: Pulls, old: Vector, g: Vector) -> Vector:
    """Return clip(g) + decay · p + l1 · sign(p); NaN stays NaN."""
    zero = v.zero()
    g = v.select(v.above(g, pulls.clip), pulls.clip, g)
    g = v.select(v.above(zero - pulls.clip, g), zero - pulls.clip, g)
    sign = v.select(v.above(zero, old), zero - pulls.l1, zero)
    sign = v.select(v.above(old, zero), pulls.l1, sign)
    return v.fma(pulls.decay, old, g) + sign


@tile(np.float32)
def _sgd(v: Vectors, p: Int, found: Found, velocity: Int, count: Int, numbers: Int) -> None:
    rate, momentum, ahead = (v.splat(numbers + 4 * number) for number in (RATE, MOMENTUM, AHEAD))
    pulls = _pulls(v, numbers)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        old = v.load(p + at)
        g = _pulled(v, pulls, old, _gradient(v, found, at))
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
    v: Vectors, p: Int, found: Found, mean: Int, square: Int, count: Int, numbers: Int
) -> None:
    beta1, beta2, epsilon, root, pace, shrink = (
        v.splat(numbers + 4 * number) for number in (BETA1, BETA2, EPSILON, ROOT, PACE, SHRINK)
    )
    one, pulls = v.constant(1), _pulls(v, numbers)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        old = v.load(p + at)
        g = _pulled(v, pulls, old, _gradient(v, found, at))
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


@tile(np.float32)
def _adadelta(
    v: Vectors, p: Int, found: Found, square: Int, travelled: Int, count: Int, numbers: Int
) -> None:
    rate, rho, epsilon = (v.splat(numbers + 4 * number) for number in (RATE, BETA1, EPSILON))
    one, pulls = v.constant(1), _pulls(v, numbers)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        old = v.load(p + at)
        g = _pulled(v, pulls, old, _gradient(v, found, at))
        s, t = v.load(square + at), v.load(travelled + at)
        s = v.fma(one - rho, g * g - s, s)
        way = v.quotient(v.sqrt(t + epsilon), v.sqrt(s + epsilon)) * g
        v.store(square + at, s)
        v.store(travelled + at, v.fma(one - rho, way * way - t, t))
        v.store(p + at, old - rate * way)
        return []

    v.loop(count, [], cell)


@operands(integers="p found found_step chunked velocity count share control numbers")
def sgd(o: Any) -> None:
    """velocity = momentum · velocity + g;  p -= rate · velocity."""
    first, count = _share(o)
    if count > 0:
        _sgd(o.p + first, _found(o, first), o.velocity + first, count, o.numbers)


@operands(integers="p found found_step chunked mean square count share control numbers")
def adam(o: Any) -> None:
    """p -= rate · mean of g / (√ mean of g² + epsilon)."""
    first, count = _share(o)
    if count > 0:
        mean, square = o.mean + first, o.square + first
        _adam(o.p + first, _found(o, first), mean, square, count, o.numbers)


@operands(integers="p found found_step chunked square travelled count share control numbers")
def adadelta(o: Any) -> None:
    """p -= rate · √(mean of the ways² + epsilon) / √(mean of g² + epsilon) · g."""
    first, count = _share(o)
    if count > 0:
        square, travelled = o.square + first, o.travelled + first
        _adadelta(o.p + first, _found(o, first), square, travelled, count, o.numbers)


@inner
def _share(o: Any) -> tuple[int, int]:
    """Return where a task's share of the vectors begins, in bytes, and how many it has."""
    return o.task * o.share * VECTOR, min(o.share, o.count - o.task * o.share)


@inner
def _found(o: Any, first: int) -> Found:
    """Return where the gradients of a share lie."""
    return Found(o.found + first, o.found_step, int64s(o.control)[CHUNKS] if o.chunked else 1)
