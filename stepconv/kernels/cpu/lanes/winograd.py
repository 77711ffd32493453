"""3x3 layers on lanes with fewer multiplications: Winograd's F(4x4, 3x3), a named choice.

Sixteen cells of the output need 16 · 9 products, or 36 of transformed numbers:

    output tile = A' [ (G w G') · (B' d B) ] A        · meaning cell by cell

with d the 6x6 cells that the tile's windows cover. What lies between the transforms are 36 sums
over channels, the same sums as those of any layer: the rows of a program do them (see lanes.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import VECTOR, operands
from stepconv.kernels.cpu.lanes.tiles import sloped
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
from stepconv.kernels.kinds import STORE_GRADIENT

SIXTH = np.float32(1 / 6)


def _b(v: Vectors, d: list[Vector]) -> list[Vector]:
    """Return B' d: 4 0 -5 0 1 0 | 0 -4 -4 1 1 0 | 0 4 -4 -1 1 0 | 0 -2 -1 2 1 0 | 0 2 -1 -2 1 0 |
    0 4 0 -5 0 1."""
    p, q = v.fma(v.constant(-4), d[2], d[4]), v.fma(v.constant(-4), d[1], d[3])
    r, s = d[4] - d[2], d[3] - d[1]
    return [
        v.fma(v.constant(4), d[0], v.fma(v.constant(-5), d[2], d[4])),
        p + q,
        p - q,
        v.fma(v.constant(2), s, r),
        v.fma(v.constant(-2), s, r),
        v.fma(v.constant(4), d[1], v.fma(v.constant(-5), d[3], d[5])),
    ]


def _a(v: Vectors, m: list[Vector]) -> list[Vector]:
    """Return A' m: 1 1 1 1 1 0 | 0 1 -1 2 -2 0 | 0 1 1 4 4 0 | 0 1 -1 8 -8 1."""
    p, q, r, s = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [
        m[0] + (p + r),
        v.fma(v.constant(2), s, q),
        v.fma(v.constant(4), r, p),
        v.fma(v.constant(8), s, q + m[5]),
    ]


@tile(np.float32)
def spread_tile(
    v: Vectors,
    x: Int,
    rows: Int,
    columns: Int,
    top: Int,
    left: Int,
    zero: Int,
    out: Int,
    out_step: Int,
) -> None:
    """out[6 i + j] = (B' d B)[i][j], d being 6x6 cells of x from (top, left) on, 0 outside."""
    pitch = columns * v.bytes
    square = []
    for i in range(6):
        line = []
        for j in range(6):
            at = x + (top + i) * pitch + (left + j) * v.bytes
            inside = v.within(left + j, 0, columns, at, zero)
            line.append(v.load(v.within(top + i, 0, rows, inside, zero)))
        square.append(line)
    columns_done = [_b(v, [square[i][j] for i in range(6)]) for j in range(6)]
    for i in range(6):
        for j, cell in enumerate(_b(v, [columns_done[k][i] for k in range(6)])):
            v.store(out + out_step * (6 * i + j), cell)


@tile(np.float32)
def _collect(
    v: Vectors,
    m: Int,
    m_step: Int,
    bias: Int,
    out: Int,
    sign: Int,
    rows: Int,
    columns: Int,
    top: Int,
    left: Int,
    nowhere: Int,
    mode: Int,
    slope: Int,
) -> None:
    """out[top + i][left + j] = (A' m A)[i][j] + bias, as lane_tiles.weighted_sums writes it."""
    pitch, flat, start = columns * v.bytes, v.splat(slope), v.splat(bias)
    square = [[v.load(m + m_step * (6 * i + j)) for j in range(6)] for i in range(6)]
    columns_done = [_a(v, [square[i][j] for i in range(6)]) for j in range(6)]
    totals: list[Vector] = []
    goals: list[Int] = []
    signs: list[Int] = []
    for i in range(4):
        for j, total in enumerate(_a(v, [columns_done[k][i] for k in range(6)])):
            at = (top + i) * pitch + (left + j) * v.bytes
            totals.append(total + start)
            for places, base in ((goals, out), (signs, sign)):
                # What lies outside is written to nowhere.
                inside = v.within(left + j, 0, columns, base + at, nowhere)
                places.append(v.within(top + i, 0, rows, inside, nowhere))

    def activate() -> None:
        for goal, a in zip(goals, totals, strict=True):
            v.store(goal, sloped(v, a, a, flat))

    def store() -> None:
        for goal, s, a in zip(goals, signs, totals, strict=True):
            v.store(goal, sloped(v, v.load(s), a, flat))

    def add() -> None:
        for goal, s, a in zip(goals, signs, totals, strict=True):
            v.store(goal, v.load(goal) + sloped(v, v.load(s), a, flat))

    v.when(mode, lambda: v.when(mode - STORE_GRADIENT, add, store), activate)


@operands(
    "x x_task out out_task zero channels rows columns top left tiles across tile_step tile_plane"
)
def spread(row: int, task: int) -> None:
    """Transform some tiles of all channels: out[36][channel][tile]."""
    r = int64s(row)
    x, out, zero = r[1] + task * r[2], r[3] + task * r[4], r[5]
    rows, columns, top, left, tiles, across = r[7], r[8], r[9], r[10], r[11], r[12]
    for channel in range(r[6]):
        plane = x + channel * rows * columns * VECTOR
        goal = out + channel * r[13]
        for t in range(tiles):
            y, x_ = top + t // across * 4, left + t % across * 4
            spread_tile(plane, rows, columns, y, x_, zero, goal + t * VECTOR, r[14])


@operands(
    "m m_task out out_task sign sign_task nowhere nowhere_task bias bias_step channels rows "
    "columns top tiles across tile_step tile_plane mode slope"
)
def collect(row: int, task: int) -> None:
    """Transform sums back into cells of the output: m[36][channel][tile]."""
    r = int64s(row)
    m, out, sign = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    nowhere, rows, columns = r[7] + task * r[8], r[12], r[13]
    for channel in range(r[11]):
        plane = channel * rows * columns * VECTOR
        bias = r[9] + channel * r[10]
        for t in range(r[15]):
            y, x = r[14] + t // r[16] * 4, t % r[16] * 4
            at = m + channel * r[17] + t * VECTOR
            _collect(
                *(at, r[18], bias, out + plane, sign + plane, rows, columns, y, x, nowhere),
                *(r[19], row + 20 * 8),
            )


@inner
def _g(a: float, b: float, c: float) -> tuple[Any, ...]:
    """Return G (a, b, c): 1/4 0 0 | -1/6 (1 1 1), (1 -1 1) | 1/24 (1 2 4), (1 -2 4) | 0 0 1."""
    p, q = SIXTH * (a + c), SIXTH * b
    r, s = SIXTH * (a / 4 + c), SIXTH * (b / 2)
    return a / 4, -p - q, q - p, r + s, r - s, c


@inner
def _put(u: int, plane: int, a: float, b: float, c: float) -> None:
    """Write G (a, b, c), each number into a plane of its own."""
    p, q, r, s, t, w = _g(a, b, c)
    float32s(u)[0] = p
    float32s(u + plane)[0] = q
    float32s(u + 2 * plane)[0] = r
    float32s(u + 3 * plane)[0] = s
    float32s(u + 4 * plane)[0] = t
    float32s(u + 5 * plane)[0] = w


@operands("w u outputs inputs plane back share")
def transform_weights(row: int, task: int) -> None:
    """u[36][m][k] = G w[m][k] G'; on the way back w[k][m] turned by half a turn."""
    r = int64s(row)
    outputs, inputs, plane, back = r[3], r[4], r[5] * 4, r[6]
    rows, columns = (inputs, outputs) if back else (outputs, inputs)
    for m in range(task * r[7], min(rows, (task + 1) * r[7])):
        for k in range(columns):
            w = float32s(r[1] + ((k * inputs + m) if back else (m * inputs + k)) * 36)
            i, way = (8, -1) if back else (0, 1)
            a0, a1, a2, a3, a4, a5 = _g(w[i], w[i + 3 * way], w[i + 6 * way])
            i += way
            b0, b1, b2, b3, b4, b5 = _g(w[i], w[i + 3 * way], w[i + 6 * way])
            i += way
            c0, c1, c2, c3, c4, c5 = _g(w[i], w[i + 3 * way], w[i + 6 * way])
            at = r[2] + (m * columns + k) * 4
            _put(at, plane, a0, b0, c0)
            _put(at + 6 * plane, plane, a1, b1, c1)
            _put(at + 12 * plane, plane, a2, b2, c2)
            _put(at + 18 * plane, plane, a3, b3, c3)
            _put(at + 24 * plane, plane, a4, b4, c4)
            _put(at + 30 * plane, plane, a5, b5, c5)
