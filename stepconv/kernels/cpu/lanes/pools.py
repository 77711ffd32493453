"""Pools on lanes: the largest cell or the mean of each window, and the way back."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes.rows import Family, family_at, operands
from stepconv.kernels.cpu.lanes.tiles import sloped
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
    def largest(v: Vectors, x: Int, out: Int, family: Family) -> None:
        known = [v.integer(family.taps + 16 * k) for k in range(taps)]

        def larger(best: Vector, a: Vector) -> Vector:
            # A NaN takes the place and keeps it.
            wins = v.above_or_nan(a, best) & ~v.either_nan(best, best)
            return v.select(wins, a, best)

        def cell(p: Int, _: list[Vector]) -> list[Vector]:
            at, place = x + _source(v, family, p), out + _goal(v, family, p)
            best = v.load(at + v.integer(family.taps))
            for offset in known[1:]:
                best = larger(best, v.load(at + offset))
            if not known:
                [best] = v.loop(
                    family.tap_count,
                    [best],
                    lambda k, state: [larger(state[0], v.load(at + _tap(v, family, k)))],
                )
            v.store(place, best)
            return []

        v.loop(family.cell_count, [], cell)

    return largest


def _source(v: Vectors, family: Family, p: Int) -> Int:
    """Return where in x the window of a cell begins, in bytes."""
    return v.integer(family.cells + p * 16)


def _goal(v: Vectors, family: Family, p: Int) -> Int:
    """Return where in y a cell is."""
    return v.integer(family.cells + p * 16 + 8)


def _tap(v: Vectors, family: Family, k: Int) -> Int:
    """Return how far a tap is from where the window begins."""
    return v.integer(family.taps + k * 16)


@functools.cache
def _largest_back(taps: int, adds: bool) -> Any:
    """Return the tile that hands each window's gradient to the first of its largest cells."""

    @tile(np.float32)
    def back(v: Vectors, x: Int, y: Int, dy: Int, dx: Int, family: Family, slope: Int) -> None:
        known = [v.integer(family.taps + 16 * k) for k in range(taps)]
        flat, zero = v.splat(slope), v.zero()

        def cell(p: Int, _: list[Vector]) -> list[Vector]:
            first, place = _source(v, family, p), _goal(v, family, p)
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
                v.loop(family.tap_count, [gradient], lambda k, g: [give(_tap(v, family, k), g[0])])
            return []

        v.loop(family.cell_count, [], cell)

    return back


_largest4, _largest9, _largest_any = _largest(4), _largest(9), _largest(0)
_set4, _set_any = _largest_back(4, False), _largest_back(0, False)
_add9, _add_any = _largest_back(9, True), _largest_back(0, True)


@operands(spots="x out", integers="families family_count channels x_plane out_plane")
def max_pool(o: Any) -> None:
    """out[cell] = the largest x under its window."""
    for channel in range(o.channels):
        x, out = o.x + channel * o.x_plane, o.out + channel * o.out_plane
        for number in range(o.family_count):
            family = family_at(o.families, number)
            if family.tap_count == 4:
                _largest4(x, out, family)
            elif family.tap_count == 9:
                _largest9(x, out, family)
            else:
                _largest_any(x, out, family)


@operands(
    spots="x y dy dx",
    integers="families family_count channels x_plane y_plane adds",
    floats="slope",
)
def max_pool_back(o: Any) -> None:
    """dx[the first cell that was largest] = dy, or added to what is there where windows overlap."""
    for channel in range(o.channels):
        x, dx = o.x + channel * o.x_plane, o.dx + channel * o.x_plane
        y, dy = o.y + channel * o.y_plane, o.dy + channel * o.y_plane
        for number in range(o.family_count):
            family = family_at(o.families, number)
            if o.adds == 0:
                if family.tap_count == 4:
                    _set4(x, y, dy, dx, family, o.slope)
                else:
                    _set_any(x, y, dy, dx, family, o.slope)
            elif family.tap_count == 9:
                _add9(x, y, dy, dx, family, o.slope)
            else:
                _add_any(x, y, dy, dx, family, o.slope)


@tile(np.float32)
def _means(v: Vectors, x: Int, out: Int, family: Family, share: Int) -> None:
    """out[p] = share · Σ_k x[p + taps[k]]."""
    each = v.splat(share)

    def cell(p: Int, _: list[Vector]) -> list[Vector]:
        at = x + _source(v, family, p)
        [total] = v.loop(
            family.tap_count, [v.zero()], lambda k, s: [s[0] + v.load(at + _tap(v, family, k))]
        )
        v.store(out + _goal(v, family, p), each * total)
        return []

    v.loop(family.cell_count, [], cell)


@tile(np.float32)
def _means_back(
    v: Vectors, x: Int, dy: Int, dx: Int, family: Family, share: Int, slope: Int
) -> None:
    """dx[p + taps[k]] += share · dy[p], times the slope at x."""
    each, flat = v.splat(share), v.splat(slope)

    def cell(p: Int, _: list[Vector]) -> list[Vector]:
        first = _source(v, family, p)
        gradient = each * v.load(dy + _goal(v, family, p))

        def give(k: Int, _: list[Vector]) -> list[Vector]:
            at = first + _tap(v, family, k)
            given = sloped(v, v.load(x + at), gradient, flat)
            v.store(dx + at, v.load(dx + at) + given)
            return []

        v.loop(family.tap_count, [], give)
        return []

    v.loop(family.cell_count, [], cell)


@operands(spots="x out", integers="families family_count shares channels x_plane out_plane")
def avg_pool(o: Any) -> None:
    """out[cell] = the mean of x under its window; a family's share is 1 / the cells that count."""
    for channel in range(o.channels):
        x, out = o.x + channel * o.x_plane, o.out + channel * o.out_plane
        for number in range(o.family_count):
            _means(x, out, family_at(o.families, number), o.shares + number * 4)


@operands(
    spots="x dy dx",
    integers="families family_count shares channels x_plane dy_plane",
    floats="slope",
)
def avg_pool_back(o: Any) -> None:
    """dx[cells under the window] += dy / the cells that count."""
    for channel in range(o.channels):
        x, dx = o.x + channel * o.x_plane, o.dx + channel * o.x_plane
        dy = o.dy + channel * o.dy_plane
        for number in range(o.family_count):
            family, share = family_at(o.families, number), o.shares + number * 4
            _means_back(x, dy, dx, family, share, o.slope)
