"""Tiles for lanes: each vector holds one cell of as many images as it has lanes.

What these compute reads as if there were one image: sums of a weight times a cell.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.cpu.machine.tiles import transpose
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    registers,
    tile,
)
from stepconv.kernels.kinds import STORE_GRADIENT


def cells_beside(rows: int) -> int:
    """Return how many cells fit beside so many rows: sums, cells and a weight in registers."""
    return min(8, (registers() - 1) // (rows + 1))


def sloped(v: Vectors, sign: Vector, a: Vector, slope: Vector) -> Vector:
    """Return a where the sign is positive, else slope · a: ReLU has slope 0, no activation 1."""
    return v.select(v.above(sign, v.zero()), a, slope * a)


@functools.cache
def weighted_sums(rows: int, cells: int) -> Any:
    """Return the tile that sums weights times cells.

        sum[m][p] = bias[m] + Σ_k w[m · w_step + taps[k].w] · x[cells[p].x + taps[k].x]

    Tables and steps are in bytes; at `steps` stand w_step, bias_step, out_step, mode and slope.
    Depending on the mode, `out` becomes the activated sum, or the gradient: the sum times the slope
    of the activation whose result stands in `sign`, stored or added to what is there.
    """

    @tile(np.float32)
    def sums(
        v: Vectors,
        steps: Int,
        x: Int,
        w: Int,
        bias: Int,
        out: Int,
        sign: Int,
        taps: Int,
        count: Int,
        places: Int,
    ) -> None:
        w_step, bias_step, out_step, mode = (v.integer(steps + 8 * i) for i in range(4))
        flat = v.splat(steps + 32)
        every = [(m, p) for m in range(rows) for p in range(cells)]
        at = [x + v.integer(places + 16 * p) for p in range(cells)]
        start = [v.splat(bias + bias_step * m) for m in range(rows)]

        def step(k: Int, sums: list[Vector]) -> list[Vector]:
            tap = taps + k * 16
            first, weights = v.integer(tap), w + v.integer(tap + 8)
            cell = [v.load(a + first) for a in at]
            weight = [v.splat(weights + w_step * m) for m in range(rows)]
            return [v.fma(weight[m], cell[p], sums[m * cells + p]) for m, p in every]

        totals = v.loop(count, [start[m] for m, _ in every], step)
        offsets = [v.integer(places + 16 * p + 8) for p in range(cells)]
        goals = [out + offsets[p] + out_step * m for m, p in every]

        def activate() -> None:
            for goal, a in zip(goals, totals, strict=True):
                v.store(goal, sloped(v, a, a, flat))

        def gradients() -> list[Vector]:
            signs = [v.load(sign + offsets[p] + out_step * m) for m, p in every]
            return [sloped(v, s, a, flat) for s, a in zip(signs, totals, strict=True)]

        def store() -> None:
            for goal, a in zip(goals, gradients(), strict=True):
                v.store(goal, a)

        def add() -> None:
            for goal, a in zip(goals, gradients(), strict=True):
                v.store(goal, v.load(goal) + a)

        v.when(mode, lambda: v.when(mode - STORE_GRADIENT, add, store), activate)

    return sums


@functools.cache
def weight_sums(rows: int, taps: int) -> Any:
    """Return the tile that sums the gradient of some weights over cells and images.

        dw[m · dw_step + taps[k].w] += Σ_y Σ_x Σ_lanes dy[m][y][x] · x[taps[k].x][y][x]

    for `rows` output channels m and `taps` taps k. At `steps` stand those of x from row to row and
    from cell to cell, of dy from channel to channel and from row to row, and dw_step.
    """

    @tile(np.float32)
    def sums(
        v: Vectors, steps: Int, x: Int, dy: Int, height: Int, width: Int, dw: Int, table: Int
    ) -> None:
        x_row, x_column, dy_step, dy_row, dw_step = (v.integer(steps + 8 * i) for i in range(5))
        every = [(m, k) for m in range(rows) for k in range(taps)]
        xs = [x + v.integer(table + 16 * k) for k in range(taps)]
        dys = [dy + dy_step * m for m in range(rows)]

        def line(y: Int, sums: list[Vector]) -> list[Vector]:
            x_at, dy_at = [a + x_row * y for a in xs], [a + dy_row * y for a in dys]

            def cell(i: Int, sums: list[Vector]) -> list[Vector]:
                row = [v.load(a + x_column * i) for a in x_at]
                column = [v.load(a + i * v.bytes) for a in dy_at]
                return [v.fma(column[m], row[k], sums[m * taps + k]) for m, k in every]

            return v.loop(width, sums, cell)

        totals = v.loop(height, [v.zero() for _ in every], line)
        goals = [dw + v.integer(table + 16 * k + 8) for k in range(taps)]
        v.add_totals([goals[k] + dw_step * m for m, k in every], totals)

    return sums


@tile(np.float32)
def plane_totals(v: Vectors, dy: Int, count: Int, out: Int) -> None:
    """out[0] += Σ_i Σ_lanes dy[i]: the gradient of one bias."""

    def step(i: Int, sums: list[Vector]) -> list[Vector]:
        return [sums[0] + v.load(dy + i * v.bytes)]

    v.add_totals([out], v.loop(count, [v.zero()], step))


square = transpose(np.float32)
