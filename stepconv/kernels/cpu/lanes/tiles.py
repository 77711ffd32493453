"""Tiles for lanes: each vector holds one cell of as many images as it has lanes.

What these compute reads as if there were one image: sums of a weight times a cell.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

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


def put(v: Vectors, goal: Int, a: Vector, adds: Int) -> None:
    """Write a, or add it to what is there."""
    v.when(adds, lambda: v.store(goal, v.load(goal) + a), lambda: v.store(goal, a))


def finish(
    v: Vectors, mode: Int, slope: Int, totals: list[Vector], goals: list[Int], signs: list[Int]
) -> None:
    """Make of each sum what the mode says: a value, or a gradient that is written or added.

    A value is activated; a gradient goes back through the activation whose result stands in `sign`.
    """
    flat = v.splat(slope)

    def write(gradient: bool = True, adds: bool = False) -> None:
        for goal, sign, a in zip(goals, signs, totals, strict=True):
            a = sloped(v, v.load(sign) if gradient else a, a, flat)
            v.store(goal, v.load(goal) + a if adds else a)

    def gradients() -> None:
        v.when(mode - STORE_GRADIENT, lambda: write(adds=True), write)

    v.when(mode, gradients, lambda: write(gradient=False))


class Corner(NamedTuple):
    """Where the first row of weighted sums begins: addresses."""

    x: Any
    w: Any
    bias: Any
    out: Any
    sign: Any


class Steps(NamedTuple):
    """How many bytes lie between rows of weighted sums, and how these end (see `finish`)."""

    w: Any
    bias: Any
    out: Any
    mode: Any
    slope: Any


@functools.cache
def weighted_sums(rows: int, cells: int) -> Any:
    """Return the tile that sums weights times cells.

        sum[m][p] = bias[m] + Σ_k w[m · steps.w + taps[k].w] · x[places[p].x + taps[k].x]

    Tables hold bytes.
    """

    @tile(np.float32)
    def sums(v: Vectors, at: Corner, steps: Steps, taps: Int, count: Int, places: Int) -> None:
        every = [(m, p) for m in range(rows) for p in range(cells)]
        xs = [at.x + v.integer(places + 16 * p) for p in range(cells)]
        start = [v.splat(at.bias + steps.bias * m) for m in range(rows)]

        def step(k: Int, sums: list[Vector]) -> list[Vector]:
            tap = taps + k * 16
            first, weights = v.integer(tap), at.w + v.integer(tap + 8)
            cell = [v.load(x + first) for x in xs]
            weight = [v.splat(weights + steps.w * m) for m in range(rows)]
            return [v.fma(weight[m], cell[p], sums[m * cells + p]) for m, p in every]

        totals = v.loop(count, [start[m] for m, _ in every], step)
        offsets = [v.integer(places + 16 * p + 8) for p in range(cells)]
        goals, signs = (
            [first + offsets[p] + steps.out * m for m, p in every] for first in (at.out, at.sign)
        )
        finish(v, steps.mode, steps.slope, totals, goals, signs)

    return sums


class GradientSteps(NamedTuple):
    """How many bytes lie between rows and cells of x, planes and rows of dy, and filters of dw."""

    x_row: Any
    x_column: Any
    dy_plane: Any
    dy_row: Any
    dw: Any


@functools.cache
def weight_sums(rows: int, taps: int) -> Any:
    """Return the tile that sums the gradient of some weights over cells and images.

        dw[m][taps[k].w] += Σ_y Σ_x Σ_lanes dy[m][y][x] · x[taps[k].x][y][x]

    for `rows` output channels m and `taps` taps k.
    """

    @tile(np.float32)
    def sums(
        v: Vectors,
        steps: GradientSteps,
        x: Int,
        dy: Int,
        height: Int,
        width: Int,
        dw: Int,
        table: Int,
    ) -> None:
        every = [(m, k) for m in range(rows) for k in range(taps)]
        xs = [x + v.integer(table + 16 * k) for k in range(taps)]
        dys = [dy + steps.dy_plane * m for m in range(rows)]

        def line(y: Int, sums: list[Vector]) -> list[Vector]:
            x_at, dy_at = [a + steps.x_row * y for a in xs], [a + steps.dy_row * y for a in dys]

            def cell(i: Int, sums: list[Vector]) -> list[Vector]:
                row = [v.load(a + steps.x_column * i) for a in x_at]
                column = [v.load(a + i * v.bytes) for a in dy_at]
                return [v.fma(column[m], row[k], sums[m * taps + k]) for m, k in every]

            return v.loop(width, sums, cell)

        totals = v.loop(height, [v.zero() for _ in every], line)
        goals = [dw + v.integer(table + 16 * k + 8) for k in range(taps)]
        v.add_totals([goals[k] + steps.dw * m for m, k in every], totals)

    return sums


@tile(np.float32)
def plane_totals(v: Vectors, dy: Int, count: Int, out: Int) -> None:
    """out[0] += Σ_i Σ_lanes dy[i]: the gradient of one bias."""

    def step(i: Int, sums: list[Vector]) -> list[Vector]:
        return [sums[0] + v.load(dy + i * v.bytes)]

    v.add_totals([out], v.loop(count, [v.zero()], step))


square = transpose(np.float32)
