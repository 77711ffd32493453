"""Pools on lanes: the largest cell or the mean of each window, and the way back."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes.rows import operands
from stepconv.kernels.cpu.lanes.tiles import sloped
from stepconv.kernels.cpu.machine.addresses import int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)


@functools.cache
def _largest(taps: int) -> Any:
    """Return the tile of the largest cell of each window; with taps=0 of any number of them."""

    @tile(np.float32)
    def largest(
        v: Vectors, x: Int, table: Int, count: Int, cells: Int, cell_count: Int, out: Int
    ) -> None:
        known = [v.integer(table + 16 * k) for k in range(taps)]

        def larger(best: Vector, a: Vector) -> Vector:
            # A NaN takes the place and keeps it.
            wins = v.above_or_nan(a, best) & ~v.either_nan(best, best)
            return v.select(wins, a, best)

        def cell(p: Int, _: list[Vector]) -> list[Vector]:
            at, goal = x + v.integer(cells + p * 16), out + v.integer(cells + p * 16 + 8)
            best = v.load(at + v.integer(table))
            for offset in known[1:]:
                best = larger(best, v.load(at + offset))
            if not known:
                [best] = v.loop(
                    count,
                    [best],
                    lambda k, state: [larger(state[0], v.load(at + v.integer(table + k * 16)))],
                )
            v.store(goal, best)
            return []

        v.loop(cell_count, [], cell)

    return largest


@functools.cache
def _largest_back(taps: int, adds: bool) -> Any:
    """Return the tile that hands each window's gradient to the first of its largest cells."""

    @tile(np.float32)
    def back(
        v: Vectors,
        x: Int,
        y: Int,
        dy: Int,
        dx: Int,
        table: Int,
        count: Int,
        cells: Int,
        cell_count: Int,
        slope: Int,
    ) -> None:
        known = [v.integer(table + 16 * k) for k in range(taps)]
        flat, zero = v.splat(slope), v.zero()

        def cell(p: Int, _: list[Vector]) -> list[Vector]:
            first, place = v.integer(cells + p * 16), v.integer(cells + p * 16 + 8)
            best = v.load(y + place)
            # Lanes that have found their cell have nothing left to give.
            gradient = sloped(v, best, v.load(dy + place), flat)

            def give(offset: Int, left: Vector) -> Vector:
                hit = v.equal(v.load(x + first + offset), best)
                goal = dx + first + offset
                given = v.select(hit, left, zero)
                v.store(goal, v.load(goal) + given if adds else given)
                return v.select(hit, zero, left)

            for offset in known:
                gradient = give(offset, gradient)
            if not known:
                v.loop(count, [gradient], lambda k, g: [give(v.integer(table + k * 16), g[0])])
            return []

        v.loop(cell_count, [], cell)

    return back


_largest4, _largest9, _largest_any = _largest(4), _largest(9), _largest(0)
_set4, _set_any = _largest_back(4, False), _largest_back(0, False)
_add9, _add_any = _largest_back(9, True), _largest_back(0, True)


@operands("x x_task out out_task families family_count channels x_plane out_plane")
def max_pool(row: int, task: int) -> None:
    """out[cell] = the largest x under its window."""
    r = int64s(row)
    x, out = r[1] + task * r[2], r[3] + task * r[4]
    for channel in range(r[7]):
        for family in range(r[6]):
            f = int64s(r[5] + family * 32)
            a, b = x + channel * r[8], out + channel * r[9]
            if f[1] == 4:
                _largest4(a, f[0], f[1], f[2], f[3], b)
            elif f[1] == 9:
                _largest9(a, f[0], f[1], f[2], f[3], b)
            else:
                _largest_any(a, f[0], f[1], f[2], f[3], b)


@operands(
    "x x_task y y_task dy dy_task dx dx_task families family_count channels x_plane y_plane adds "
    "slope"
)
def max_pool_back(row: int, task: int) -> None:
    """dx[the first cell that was largest] = dy, or added to what is there where windows overlap."""
    r = int64s(row)
    x, y, dy, dx = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6], r[7] + task * r[8]
    slope = row + 15 * 8
    for channel in range(r[11]):
        a, d = x + channel * r[12], dx + channel * r[12]
        b, c = y + channel * r[13], dy + channel * r[13]
        for family in range(r[10]):
            f = int64s(r[9] + family * 32)
            if r[14] == 0:
                if f[1] == 4:
                    _set4(a, b, c, d, f[0], f[1], f[2], f[3], slope)
                else:
                    _set_any(a, b, c, d, f[0], f[1], f[2], f[3], slope)
            elif f[1] == 9:
                _add9(a, b, c, d, f[0], f[1], f[2], f[3], slope)
            else:
                _add_any(a, b, c, d, f[0], f[1], f[2], f[3], slope)


@tile(np.float32)
def _means(
    v: Vectors, x: Int, table: Int, count: Int, cells: Int, cell_count: Int, share: Int, out: Int
) -> None:
    """out[p] = share · Σ_k x[p + taps[k]]."""
    each = v.splat(share)

    def cell(p: Int, _: list[Vector]) -> list[Vector]:
        at = x + v.integer(cells + p * 16)
        [total] = v.loop(
            count, [v.zero()], lambda k, s: [s[0] + v.load(at + v.integer(table + k * 16))]
        )
        v.store(out + v.integer(cells + p * 16 + 8), each * total)
        return []

    v.loop(cell_count, [], cell)


@tile(np.float32)
def _means_back(
    v: Vectors,
    x: Int,
    dy: Int,
    dx: Int,
    table: Int,
    count: Int,
    cells: Int,
    cell_count: Int,
    share: Int,
    slope: Int,
) -> None:
    """dx[p + taps[k]] += share · dy[p], times the slope at x."""
    each, flat = v.splat(share), v.splat(slope)

    def cell(p: Int, _: list[Vector]) -> list[Vector]:
        first = v.integer(cells + p * 16)
        gradient = each * v.load(dy + v.integer(cells + p * 16 + 8))

        def give(k: Int, _: list[Vector]) -> list[Vector]:
            at: Any = first + v.integer(table + k * 16)
            given = sloped(v, v.load(x + at), gradient, flat)
            v.store(dx + at, v.load(dx + at) + given)
            return []

        v.loop(count, [], give)
        return []

    v.loop(cell_count, [], cell)


@operands("x x_task out out_task families family_count shares channels x_plane out_plane")
def avg_pool(row: int, task: int) -> None:
    """out[cell] = the mean of x under its window; a family's share is 1 / the cells that count."""
    r = int64s(row)
    x, out = r[1] + task * r[2], r[3] + task * r[4]
    for channel in range(r[8]):
        for family in range(r[6]):
            f = int64s(r[5] + family * 32)
            a, b = x + channel * r[9], out + channel * r[10]
            _means(a, f[0], f[1], f[2], f[3], r[7] + family * 4, b)


@operands(
    "x x_task dy dy_task dx dx_task families family_count shares channels x_plane dy_plane slope"
)
def avg_pool_back(row: int, task: int) -> None:
    """dx[cells under the window] += dy / the cells that count."""
    r = int64s(row)
    x, dy, dx = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    slope = row + 13 * 8
    for channel in range(r[10]):
        for family in range(r[8]):
            f = int64s(r[7] + family * 32)
            a, b, c = x + channel * r[11], dy + channel * r[12], dx + channel * r[11]
            _means_back(a, b, c, f[0], f[1], f[2], f[3], r[9] + family * 4, slope)
