"""Gradients of 3x3 weights on lanes by Winograd's way: what lane_winograd.py does, turned round.

    dw = G' [ Σ_tiles (A dy A') · (B' d B) ] G        · meaning cell by cell

The 36 sums run over all tiles and images. With the channels of d turned into the lanes, the images
are nothing but more terms of a sum, and the rows of sums in lanes.py do the work once more.
"""

from __future__ import annotations

import numpy as np

from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.lanes.tiles import square
from stepconv.kernels.cpu.lanes.winograd import spread_tile
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)


def _a(v: Vectors, d: list[Vector]) -> list[Vector]:
    """Return A d: 1 0 0 0 | 1 1 1 1 | 1 -1 1 -1 | 1 2 4 8 | 1 -2 4 -8 | 0 0 0 1."""
    p, q = d[0] + d[2], d[1] + d[3]
    r = v.fma(v.constant(4), d[2], d[0])
    s = v.constant(2) * v.fma(v.constant(4), d[3], d[1])
    return [d[0], p + q, p - q, r + s, r - s, d[3]]


def _g(v: Vectors, u: list[Vector]) -> list[Vector]:
    """Return G' u: 1/4 -1/6 -1/6 1/24 1/24 0 | 0 -1/6 1/6 1/12 -1/12 0 | 0 -1/6 -1/6 1/6 1/6 1."""
    sixth = v.constant(1 / 6)
    p, q, r, s = u[1] + u[2], u[2] - u[1], u[3] + u[4], u[3] - u[4]
    return [
        v.fma(v.constant(1 / 4), u[0], sixth * v.fma(v.constant(1 / 4), r, v.zero() - p)),
        sixth * v.fma(v.constant(1 / 2), s, q),
        v.fma(sixth, r - p, u[5]),
    ]


@tile(np.float32)
def _spread_gradient(
    v: Vectors,
    dy: Int,
    rows: Int,
    columns: Int,
    top: Int,
    left: Int,
    zero: Int,
    out: Int,
    step: Int,
) -> None:
    """out[6 i + j] = (A d A')[i][j], d being 4x4 cells of dy from (top, left) on, 0 outside."""
    pitch = columns * v.bytes
    cells = []
    for i in range(4):
        line = []
        for j in range(4):
            at = dy + (top + i) * pitch + (left + j) * v.bytes
            inside = v.within(left + j, 0, columns, at, zero)
            line.append(v.load(v.within(top + i, 0, rows, inside, zero)))
        cells.append(line)
    columns_done = [_a(v, [cells[i][j] for i in range(4)]) for j in range(4)]
    for i in range(6):
        for j, cell in enumerate(_a(v, [columns_done[k][i] for k in range(4)])):
            v.store(out + step * (6 * i + j), cell)


@tile(np.float32)
def _collect_weights(v: Vectors, u: Int, plane: Int, out: Int) -> None:
    """out[3 i + j] = (G' u G)[i][j], for as many channels as there are lanes."""
    cells = [[v.load(u + plane * (6 * i + j)) for j in range(6)] for i in range(6)]
    columns_done = [_g(v, [cells[i][j] for i in range(6)]) for j in range(6)]
    for i in range(3):
        for j, cell in enumerate(_g(v, [columns_done[k][i] for k in range(6)])):
            v.store(out + (3 * i + j) * v.bytes, cell)


@operands(
    "x x_task out out_task room room_task zero channels rows columns top left tiles across "
    "tile_plane"
)
def spread_turned(row: int, task: int) -> None:
    """Transform some tiles of all channels: out[36][tile][image][channel]."""
    r = int64s(row)
    x, out, room, zero = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6], r[7]
    channels, rows, columns, top, left = r[8], r[9], r[10], r[11], r[12]
    tiles, across, tile_plane = r[13], r[14], r[15]
    for t in range(tiles):
        y, z = top + t // across * 4, left + t % across * 4
        for first in range(0, channels, LANES):
            for channel in range(LANES):
                plane = x + (first + channel) * rows * columns * VECTOR
                at = room + channel * 36 * VECTOR
                spread_tile(plane, rows, columns, y, z, zero, at, VECTOR)
            for q in range(36):
                goal = out + q * tile_plane + (t * LANES * channels + first) * 4
                square(room + q * VECTOR, 36 * VECTOR, goal, channels * 4)


@operands(
    "dy dy_task out out_task zero channels rows columns top tiles across tile_step tile_plane"
)
def spread_gradient(row: int, task: int) -> None:
    """Transform the gradient of some tiles: out[36][channel][tile]."""
    r = int64s(row)
    dy, out, zero, rows, columns = r[1] + task * r[2], r[3] + task * r[4], r[5], r[7], r[8]
    for channel in range(r[6]):
        plane = dy + channel * rows * columns * VECTOR
        for t in range(r[10]):
            y, x = r[9] + t // r[11] * 4, t % r[11] * 4
            goal = out + channel * r[12] + t * VECTOR
            _spread_gradient(plane, rows, columns, y, x, zero, goal, r[13])


@operands("u u_task out out_task room room_task outputs inputs plane")
def collect_weights(row: int, task: int) -> None:
    """out[m][k] = G' u[m][k] G, from u[36][m][k]."""
    r = int64s(row)
    u, room, outputs, inputs = r[1] + task * r[2], r[5] + task * r[6], r[7], r[8]
    made, out = float32s(room), float32s(r[3] + task * r[4])
    for m in range(outputs):
        for k in range(0, inputs, LANES):
            _collect_weights(u + (m * inputs + k) * 4, r[9], room)
            for lane in range(LANES):
                for i in range(9):
                    out[(m * inputs + k + lane) * 9 + i] = made[i * LANES + lane]
