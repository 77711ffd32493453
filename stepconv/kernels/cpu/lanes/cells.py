"""Kernels on lanes that take one cell after the other: sums of tensors, activations, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import LANES, STEP_KEY, operands
from stepconv.kernels.cpu.lanes.tiles import put, sloped
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
from stepconv.kernels.kinds import TANH


@tile(np.float32)
def _activated_sum(v: Vectors, a: Int, b: Int, out: Int, count: Int, slope: Int) -> None:
    flat = v.splat(slope)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        total = v.load(a + i * v.bytes) + v.load(b + i * v.bytes)
        v.store(out + i * v.bytes, sloped(v, total, total, flat))
        return []

    v.loop(count, [], cell)


@operands(spots="a b out", integers="cells", floats="slope")
def add(o: Any) -> None:
    """out = activation(a + b)."""
    _activated_sum(o.a, o.b, o.out, o.cells, o.slope)


@tile(np.float32)
def _handed_on(v: Vectors, x: Int, sign: Int, out: Int, count: Int, adds: Int, slope: Int) -> None:
    flat = v.splat(slope)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        put(v, out + at, sloped(v, v.load(sign + at), v.load(x + at), flat), adds)
        return []

    v.loop(count, [], cell)


@operands(spots="x sign out", integers="cells adds", floats="slope")
def hand_on(o: Any) -> None:
    """out = x where sign is positive, slope · x elsewhere; or added to what is there.

    With sign = x this activates, with sign = an activated tensor it is the way back through it.
    """
    _handed_on(o.x, o.sign, o.out, o.cells, o.adds, o.slope)


@inner
def put_zeros(out: int, count: int) -> None:
    """Put 0 into `count` numbers."""
    numbers = float32s(out)
    for i in range(count):
        numbers[i] = 0


@operands(spots="out", integers="cells")
def clear(o: Any) -> None:
    """out = 0."""
    put_zeros(o.out, o.cells * LANES)


@inner
def exponential(x: float) -> float:
    """e^x for |x| <= 64 in a way that becomes vectors: a series for e^(x/64), then six squares."""
    t = x / 64
    y = 1.0
    for n in range(11, 0, -1):
        y = 1 + t * (1 / n) * y
    for _ in range(6):
        y *= y
    return y


@operands(spots="x out", integers="cells kind")
def squeeze(o: Any) -> None:
    """out = tanh(x) or 1 / (1 + e^-x)."""
    x, out = float32s(o.x), float32s(o.out)
    scale = 2.0 if o.kind == TANH else 1.0
    for i in range(o.cells * LANES):
        z = scale * x[i]
        z = 40.0 if z > 40.0 else z  # from there on both are 1 in float32; a NaN stays one
        z = -40.0 if z < -40.0 else z
        share = 1 / (1 + exponential(-z))  # tanh(x) = 2 / (1 + e^-2x) - 1
        out[i] = np.float32(2 * share - 1 if o.kind == TANH else share)


@operands(spots="y dy sign dx", integers="cells kind adds", floats="slope")
def squeeze_back(o: Any) -> None:
    """dx = dy · (1 - y²) or dy · y · (1 - y), times the slope at x; or added to what is there."""
    y, dy, sign, dx = float32s(o.y), float32s(o.dy), float32s(o.sign), float32s(o.dx)
    slope = float32s(o.slope)[0]
    for i in range(o.cells * LANES):
        a = y[i]
        rise = 1 - a * a if o.kind == TANH else a * (1 - a)
        given = dy[i] * rise * (np.float32(1) if sign[i] > 0 else slope)
        dx[i] = dx[i] + given if o.adds else given


@inner
def mixed(word: Any) -> Any:
    """Return 32 bits that depend on all 32 bits of `word` (lowbias32, as in nn/dropout.py)."""
    word = np.uint32(word)
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D))
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(word ^ (word >> np.uint32(16)))


@operands(spots="x sign out", integers="cells control layer threshold adds", floats="scale slope")
def silence(o: Any) -> None:
    """out = scale · x in the cells that are kept, 0 in the others: forward and back alike."""
    x, sign, out = float32s(o.x), float32s(o.sign), float32s(o.out)
    scale, slope = float32s(o.scale)[0], float32s(o.slope)[0]
    key = mixed(np.uint32(int64s(o.control)[STEP_KEY]) ^ mixed(np.uint32(o.layer)))
    for cell in range(o.cells):
        for lane in range(LANES):
            i = cell * LANES + lane
            number = np.uint32((o.task * LANES + lane) * o.cells + cell)
            keep = mixed(mixed(number) ^ key) >= np.uint32(o.threshold)
            given = x[i] * (scale if keep else np.float32(0))
            given *= np.float32(1) if sign[i] > 0 else slope
            out[i] = out[i] + given if o.adds else given
