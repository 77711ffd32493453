"""3x3 layers on lanes with fewer multiplications: Winograd's F(4x4, 3x3), a named choice.

What lies between the transforms of kernels/winograd.py are 36 sums over channels, the same sums as
those of any layer: the rows of a program do them (see layers.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import VECTOR, operands
from stepconv.kernels.cpu.lanes.tiles import finish
from stepconv.kernels.cpu.machine.addresses import float32s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
from stepconv.kernels.winograd import both_sides

SIXTH = np.float32(1 / 6)


def times_input(v: Vectors, d: list[Vector]) -> list[Vector]:
    """Return B' d: INPUT · d, where rows that differ in signs share their sums."""
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


def times_output(v: Vectors, m: list[Vector]) -> list[Vector]:
    """Return A' m: OUTPUT · m."""
    p, q, r, s = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [
        m[0] + (p + r),
        v.fma(v.constant(2), s, q),
        v.fma(v.constant(4), r, p),
        v.fma(v.constant(8), s, q + m[5]),
    ]


class Square(NamedTuple):
    """Cells of a plane from a corner on; the square may reach beyond the plane's edges."""

    plane: Any
    rows: Any
    columns: Any
    top: Any
    left: Any

    def place(self, v: Vectors, i: int, j: int, outside: Int) -> Int:
        """Return the address of a cell, or `outside` of what there is not."""
        y, x = self.top + i, self.left + j
        at = self.plane + y * (self.columns * v.bytes) + x * v.bytes
        inside = v.within(x, 0, self.columns, at, outside)
        return v.within(y, 0, self.rows, inside, outside)

    def cells(self, v: Vectors, side: int, zero: Int) -> list[list[Vector]]:
        """Return side · side of its cells, those at `zero` for what there is not."""
        every = range(side)
        return [[v.load(self.place(v, i, j, zero)) for j in every] for i in every]


@inner
def square_of(o: Any, plane: int, left: int, t: int) -> Square:
    """Return the square of tile t, of which there are `across` in a row, all four cells apart."""
    y, x = o.top + t // o.across * 4, left + t % o.across * 4
    return Square(plane, o.rows, o.columns, y, x)


@tile(np.float32)
def spread_tile(v: Vectors, square: Square, zero: Int, out: Int, out_step: Int) -> None:
    """out[6 i + j] = (B' d B)[i][j], d being the 6x6 cells of a square."""
    for i, row in enumerate(both_sides(lambda d: times_input(v, d), square.cells(v, 6, zero))):
        for j, cell in enumerate(row):
            v.store(out + out_step * (6 * i + j), cell)


@tile(np.float32)
def _collect(
    v: Vectors,
    m: Int,
    m_step: Int,
    bias: Int,
    square: Square,
    sign: Int,
    nowhere: Int,
    mode: Int,
    slope: Int,
) -> None:
    """Write (A' m A)[i][j] + bias into a square, as tiles.weighted_sums writes its sums.

    What lies outside is written to nowhere. `sign` is another plane like the square's.
    """
    start = v.splat(bias)
    found = [[v.load(m + m_step * (6 * i + j)) for j in range(6)] for i in range(6)]
    rows = both_sides(lambda m: times_output(v, m), found)
    totals = [total + start for row in rows for total in row]
    goals, signs = (
        [other.place(v, i, j, nowhere) for i in range(4) for j in range(4)]
        for other in (square, square._replace(plane=sign))
    )
    finish(v, mode, slope, totals, goals, signs)


@operands(
    spots="x out",
    integers="zero channels rows columns top left tiles across tile_step tile_plane",
)
def spread(o: Any) -> None:
    """Transform some tiles of all channels: out[36][channel][tile]."""
    for channel in range(o.channels):
        plane = o.x + channel * o.rows * o.columns * VECTOR
        goal = o.out + channel * o.tile_step
        for t in range(o.tiles):
            square = square_of(o, plane, o.left, t)
            spread_tile(square, o.zero, goal + t * VECTOR, o.tile_plane)


@operands(
    spots="m out sign nowhere",
    integers="bias bias_step channels rows columns top tiles across tile_step tile_plane mode",
    floats="slope",
)
def collect(o: Any) -> None:
    """Transform sums back into cells of the output: m[36][channel][tile]."""
    for channel in range(o.channels):
        plane = channel * o.rows * o.columns * VECTOR
        bias, sums = o.bias + channel * o.bias_step, o.m + channel * o.tile_step
        for t in range(o.tiles):
            square, at = square_of(o, o.out + plane, 0, t), sums + t * VECTOR
            sign = o.sign + plane
            _collect(at, o.tile_plane, bias, square, sign, o.nowhere, o.mode, o.slope)


@inner
def times_kernel(a: float, b: float, c: float) -> tuple[Any, ...]:
    """Return G (a, b, c): KERNEL · (a, b, c)."""
    p, q = SIXTH * (a + c), SIXTH * b
    r, s = SIXTH * (a / 4 + c), SIXTH * (b / 2)
    return a / 4, -p - q, q - p, r + s, r - s, c


@inner
def _put(u: int, plane: int, a: float, b: float, c: float) -> None:
    """Write G (a, b, c), each number into a plane of its own."""
    p, q, r, s, t, w = times_kernel(a, b, c)
    float32s(u)[0] = p
    float32s(u + plane)[0] = q
    float32s(u + 2 * plane)[0] = r
    float32s(u + 3 * plane)[0] = s
    float32s(u + 4 * plane)[0] = t
    float32s(u + 5 * plane)[0] = w


@operands(integers="w u outputs inputs plane back share")
def transform_weights(o: Any) -> None:
    """u[36][m][k] = G w[m][k] G'; on the way back w[k][m] turned by half a turn."""
    plane, inputs = o.plane * 4, o.inputs
    rows, columns = (inputs, o.outputs) if o.back else (o.outputs, inputs)
    for m in range(o.task * o.share, min(rows, (o.task + 1) * o.share)):
        for k in range(columns):
            w = float32s(o.w + ((k * inputs + m) if o.back else (m * inputs + k)) * 36)
            i, way = (8, -1) if o.back else (0, 1)
            a0, a1, a2, a3, a4, a5 = times_kernel(w[i], w[i + 3 * way], w[i + 6 * way])
            i += way
            b0, b1, b2, b3, b4, b5 = times_kernel(w[i], w[i + 3 * way], w[i + 6 * way])
            i += way
            c0, c1, c2, c3, c4, c5 = times_kernel(w[i], w[i + 3 * way], w[i + 6 * way])
            at = o.u + (m * columns + k) * 4
            _put(at, plane, a0, b0, c0)
            _put(at + 6 * plane, plane, a1, b1, c1)
            _put(at + 12 * plane, plane, a2, b2, c2)
            _put(at + 18 * plane, plane, a3, b3, c3)
            _put(at + 24 * plane, plane, a4, b4, c4)
            _put(at + 30 * plane, plane, a5, b5, c5)
