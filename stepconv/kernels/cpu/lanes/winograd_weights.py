"""Gradients of 3x3 weights on lanes by Winograd's way: what winograd.py does, turned round.

    dw = G' [ Σ_tiles (A dy A') · (B' d B) ] G        · meaning cell by cell

The 36 sums run over all tiles and images. With the channels of d turned into the lanes, the images
are nothing but more terms of a sum, and the rows of sums in layers.py do the work once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.lanes.tiles import square
from stepconv.kernels.cpu.lanes.winograd import Square, spread_tile, square_of
from stepconv.kernels.cpu.machine.addresses import float32s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
from stepconv.kernels.winograd import both_sides


def times_output_turned(v: Vectors, d: list[Vector]) -> list[Vector]:
    """Return A d: OUTPUT' · d."""
    p, q = d[0] + d[2], d[1] + d[3]
    r = v.fma(v.constant(4), d[2], d[0])
    s = v.constant(2) * v.fma(v.constant(4), d[3], d[1])
    return [d[0], p + q, p - q, r + s, r - s, d[3]]


def times_kernel_turned(v: Vectors, u: list[Vector]) -> list[Vector]:
    """Return G' u: KERNEL' · u."""
    sixth = v.constant(1 / 6)
    p, q, r, s = u[1] + u[2], u[2] - u[1], u[3] + u[4], u[3] - u[4]
    return [
        v.fma(v.constant(1 / 4), u[0], sixth * v.fma(v.constant(1 / 4), r, v.zero() - p)),
        sixth * v.fma(v.constant(1 / 2), s, q),
        v.fma(sixth, r - p, u[5]),
    ]


@tile(np.float32)
def _spread_gradient(v: Vectors, square: Square, zero: Int, out: Int, step: Int) -> None:
    """out[6 i + j] = (A d A')[i][j], d being the 4x4 cells of a square."""
    rows = both_sides(lambda d: times_output_turned(v, d), square.cells(v, 4, zero))
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            v.store(out + step * (6 * i + j), cell)


@tile(np.float32)
def _collect_weights(v: Vectors, u: Int, plane: Int, out: Int) -> None:
    """out[3 i + j] = (G' u G)[i][j], for as many channels as there are lanes."""
    cells = [[v.load(u + plane * (6 * i + j)) for j in range(6)] for i in range(6)]
    for i, row in enumerate(both_sides(lambda u: times_kernel_turned(v, u), cells)):
        for j, cell in enumerate(row):
            v.store(out + (3 * i + j) * v.bytes, cell)


@operands(
    spots="x out room",
    integers="zero channels rows columns top left tiles across tile_plane",
)
def spread_turned(o: Any) -> None:
    """Transform some tiles of all channels: out[36][tile][image][channel]."""
    for t in range(o.tiles):
        for first in range(0, o.channels, LANES):
            for channel in range(LANES):
                plane = o.x + (first + channel) * o.rows * o.columns * VECTOR
                at = o.room + channel * 36 * VECTOR
                spread_tile(square_of(o, plane, o.left, t), o.zero, at, VECTOR)
            for q in range(36):
                goal = o.out + q * o.tile_plane + (t * LANES * o.channels + first) * 4
                square(o.room + q * VECTOR, 36 * VECTOR, goal, o.channels * 4)


@operands(
    spots="dy out",
    integers="zero channels rows columns top tiles across tile_step tile_plane",
)
def spread_gradient(o: Any) -> None:
    """Transform the gradient of some tiles: out[36][channel][tile]."""
    for channel in range(o.channels):
        plane = o.dy + channel * o.rows * o.columns * VECTOR
        goal = o.out + channel * o.tile_step
        for t in range(o.tiles):
            _spread_gradient(square_of(o, plane, 0, t), o.zero, goal + t * VECTOR, o.tile_plane)


@operands(spots="u out room", integers="outputs inputs plane")
def collect_weights(o: Any) -> None:
    """out[m][k] = G' u[m][k] G, from u[36][m][k]."""
    made, out = float32s(o.room), float32s(o.out)
    for m in range(o.outputs):
        for k in range(0, o.inputs, LANES):
            _collect_weights(o.u + (m * o.inputs + k) * 4, o.plane, o.room)
            for lane in range(LANES):
                for i in range(9):
                    out[(m * o.inputs + k + lane) * 9 + i] = made[i * LANES + lane]
