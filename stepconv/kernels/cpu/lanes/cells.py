"""Kernels on lanes that take one cell after the other: sums of tensors, activations, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import LANES, STEP_KEY, operands
from stepconv.kernels.cpu.lanes.tiles import sloped
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


@operands("a a_task b b_task out out_task cells slope")
def add(row: int, task: int) -> None:
    """out = activation(a + b)."""
    r = int64s(row)
    _activated_sum(r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6], r[7], row + 8 * 8)


@tile(np.float32)
def _handed_on(v: Vectors, x: Int, sign: Int, out: Int, count: Int, adds: Int, slope: Int) -> None:
    flat = v.splat(slope)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at, goal = i * v.bytes, out + i * v.bytes
        a = sloped(v, v.load(sign + at), v.load(x + at), flat)

        def over() -> None:
            v.store(goal, a)

        def onto() -> None:
            v.store(goal, v.load(goal) + a)

        v.when(adds, onto, over)
        return []

    v.loop(count, [], cell)


@operands("x x_task sign sign_task out out_task cells adds slope")
def hand_on(row: int, task: int) -> None:
    """out = x where sign is positive, slope · x elsewhere; or added to what is there.

    With sign = x this activates, with sign = an activated tensor it is the way back through it.
    """
    r = int64s(row)
    x, sign, out = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    _handed_on(x, sign, out, r[7], r[8], row + 9 * 8)


@operands("out out_task cells")
def clear(row: int, task: int) -> None:
    """out = 0."""
    r = int64s(row)
    numbers = float32s(r[1] + task * r[2])
    for i in range(r[3] * LANES):
        numbers[i] = 0


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


@operands("x x_task out out_task cells kind")
def squeeze(row: int, task: int) -> None:
    """out = tanh(x) or 1 / (1 + e^-x)."""
    r = int64s(row)
    x, out, kind = float32s(r[1] + task * r[2]), float32s(r[3] + task * r[4]), r[6]
    scale = 2.0 if kind == TANH else 1.0
    for i in range(r[5] * LANES):
        z = scale * x[i]
        z = 40.0 if z > 40.0 else z  # from there on both are 1 in float32; a NaN stays one
        z = -40.0 if z < -40.0 else z
        share = 1 / (1 + exponential(-z))  # tanh(x) = 2 / (1 + e^-2x) - 1
        out[i] = np.float32(2 * share - 1 if kind == TANH else share)


@operands("y y_task dy dy_task sign sign_task dx dx_task cells kind adds slope")
def squeeze_back(row: int, task: int) -> None:
    """dx = dy · (1 - y²) or dy · y · (1 - y), times the slope at x; or added to what is there."""
    r = int64s(row)
    y, dy = float32s(r[1] + task * r[2]), float32s(r[3] + task * r[4])
    sign, dx = float32s(r[5] + task * r[6]), float32s(r[7] + task * r[8])
    kind, adds, slope = r[10], r[11], float32s(row + 12 * 8)[0]
    for i in range(r[9] * LANES):
        a = y[i]
        rise = 1 - a * a if kind == TANH else a * (1 - a)
        given = dy[i] * rise * (np.float32(1) if sign[i] > 0 else slope)
        dx[i] = dx[i] + given if adds else given


@inner
def mixed(word: Any) -> Any:
    """Return 32 bits that depend on all 32 bits of `word` (lowbias32, as in nn/dropout.py)."""
    word = np.uint32(word)
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D))
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(word ^ (word >> np.uint32(16)))


@operands("x x_task sign sign_task out out_task cells control layer threshold adds scale slope")
def silence(row: int, task: int) -> None:
    """out = scale · x in the cells that are kept, 0 in the others: forward and back alike."""
    r = int64s(row)
    x, sign = float32s(r[1] + task * r[2]), float32s(r[3] + task * r[4])
    out, cells = float32s(r[5] + task * r[6]), r[7]
    key = mixed(np.uint32(int64s(r[8])[STEP_KEY]) ^ mixed(np.uint32(r[9])))
    threshold, adds, scale, slope = (
        np.uint32(r[10]),
        r[11],
        float32s(row + 96)[0],
        float32s(row + 104)[0],
    )
    for cell in range(cells):
        for lane in range(LANES):
            i = cell * LANES + lane
            number = np.uint32((task * LANES + lane) * cells + cell)
            keep = mixed(mixed(number) ^ key) >= threshold
            given = x[i] * (scale if keep else np.float32(0))
            given *= np.float32(1) if sign[i] > 0 else slope
            out[i] = out[i] + given if adds else given
