"""Conv and dense with channels in the lanes: each vector sums one pixel of as many filters.

A table says for each pixel of the output where the pixels of its window lie, so that stride,
dilation and padding are nothing but another table; a place outside the picture is a pixel of zeros.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.channels.pixels import Bend, Row, bent, share
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    registers,
    tile,
)

# Vectors of filters that are summed at once: so many that a number read off the picture is used
# often, and so few that sums of several pixels stay in registers.
MOST_VECTORS = 4 if registers() >= 32 else 2
# Pixels that a task has are a multiple of this, as what every tile has at once divides it.
UNIT = 24
OUTSIDE = -1  # in a table: no pixel of the picture


class Window(NamedTuple):
    """Some taps of the windows of pixels: where they lie, and how many channels of each."""

    x: Any
    zeros: Any
    places: Any  # of the first pixel and tap
    pixel: Any  # bytes of the table for a pixel
    taps: Any
    channels: Any


class Goal(NamedTuple):
    """Where sums start and go, and what is done to them when they are `whole`."""

    start: Row
    out: Row
    rest: Any  # numbers of the last vector
    whole: Any
    adds: Any  # whether something else is added then
    other: Row
    bend: Bend


def taps_at(v: Vectors, window: Window, t: Int, pixels: int) -> list[Int]:
    """Return where tap t of the window of each pixel lies."""
    offsets = [v.integer(window.places + window.pixel * p + t * 8) for p in range(pixels)]
    most = window.x  # no offset is larger than an address
    return [v.within(o, 0, most, window.x + o, window.zeros) for o in offsets]


def finish(v: Vectors, goal: Goal, totals: Sequence[Vector], vectors: int) -> None:
    """Write the sums of some pixels, so many vectors of each; if they are whole, activated."""

    def place(row: Row, i: int) -> Int:
        return row.at + row.step * (i // vectors) + i % vectors * v.bytes

    def store(totals: Sequence[Vector]) -> None:
        for i, total in enumerate(totals):
            if (i + 1) % vectors:
                v.store(place(goal.out, i), total)
            else:
                v.store_some(place(goal.out, i), total, goal.rest)

    def end(totals: Sequence[Vector]) -> None:
        store([bent(v, goal.bend, total) for total in totals])

    def with_other() -> None:
        end([total + v.load(place(goal.other, i)) for i, total in enumerate(totals)])

    v.when(
        goal.whole,
        lambda: v.when(goal.adds, with_other, lambda: end(totals)),
        lambda: store(totals),
    )


def pixels_beside(vectors: int) -> int:
    """Return how many pixels fit beside so many vectors: sums, weights and a number in registers.

    More than eight have no registers for their addresses.
    """
    return min(8, (registers() - 1 - vectors) // vectors)


@functools.cache
def window_sums(pixels: int, vectors: int) -> Any:
    """Return the tile that sums products of numbers and vectors of weights.

    sums[p][u] = start[p][u] + Σ_t Σ_c x[places[p][t] + c] · w[t][c][u]
    """

    @tile(np.float32)
    def sums(v: Vectors, window: Window, w: Int, goal: Goal) -> None:
        size = vectors * v.bytes

        def tap(t: Int, sums: list[Vector]) -> list[Vector]:
            xs = taps_at(v, window, t, pixels)
            weights = w + t * window.channels * size

            def channel(c: Int, sums: list[Vector]) -> list[Vector]:
                row = [v.load(weights + c * size + u * v.bytes) for u in range(vectors)]
                numbers = (v.splat(x + c * 4) for x in xs)
                old = iter(sums)
                return [v.fma(number, w, next(old)) for number in numbers for w in row]

            return v.loop(window.channels, sums, channel)

        starts = [
            v.load(goal.start.at + goal.start.step * p + u * v.bytes)
            for p in range(pixels)
            for u in range(vectors)
        ]
        finish(v, goal, v.loop(window.taps, starts, tap), vectors)

    return sums


@inner
def moved(row: Row, pixels: int) -> Row:
    """Return a row from so many pixels further on."""
    return Row(row.at + pixels * row.step, row.step)


def strip_of(sums: Any, vectors: int, widths: Sequence[int]) -> Any:
    """Return the function that runs the tiles sums(pixels, vectors) along a row of pixels."""
    wide, half = widths
    many, some, one = (sums(pixels, vectors) for pixels in (wide, half, 1))

    @inner
    def strip(window: Window, w: int, goal: Goal, pixels: int) -> None:
        start, out, other, places = goal.start, goal.out, goal.other, window.places
        while pixels > 0:
            seen = Window(
                window.x, window.zeros, places, window.pixel, window.taps, window.channels
            )
            to = Goal(start, out, goal.rest, goal.whole, goal.adds, other, goal.bend)
            if pixels >= wide:
                many(seen, w, to)
                done = wide
            elif pixels >= half:
                some(seen, w, to)
                done = half
            else:
                one(seen, w, to)
                done = 1
            pixels -= done
            places += done * window.pixel
            start, out, other = moved(start, done), moved(out, done), moved(other, done)

    return strip


def _strip(vectors: int) -> Any:
    vectors = min(vectors, MOST_VECTORS)
    wide = pixels_beside(vectors)
    return strip_of(window_sums, vectors, (wide, wide // 2))


_strip1, _strip2, _strip3, _strip4 = (_strip(vectors) for vectors in (1, 2, 3, 4))


@inner
def pixels_of(o: Any, part: int) -> tuple[int, int]:
    """Return the first pixel that a part has, and the one after its last."""
    total = o.sheets * o.sheet
    first, stop = share(part, o.pixel_parts, (total + UNIT - 1) // UNIT)
    return first * UNIT, min(stop * UNIT, total)


@operands(
    integers="x places zeros w bias adds other other_step out out_step sheets sheet x_sheet taps "
    "channels deep reach groups x_group filters pixel_parts block_parts",
    floats="slope limit",
)
def sum_windows(o: Any) -> None:
    """out[p][m] = activation(bias[m] + Σ_k w[m][k] · x[window of p][k] + other[p][m]).

    There are `sheets` of pixels that share a table. A task has some pixels, and some blocks of the
    `filters` of each group. Of each sum `deep` channels of `reach` taps are summed at a time, so
    that their weights stay in a cache for all pixels; what there is so far waits in `out`.
    """
    vectors = (o.filters + LANES - 1) // LANES
    in_group = (vectors + MOST_VECTORS - 1) // MOST_VECTORS
    begin, end = pixels_of(o, o.task // o.block_parts)
    for block in range(*share(o.task % o.block_parts, o.block_parts, in_group * o.groups)):
        group, number = block // in_group, block % in_group
        first, stop = share(number, in_group, vectors)
        at = group * vectors + first
        w, bias = o.w + at * o.taps * o.channels * VECTOR, Row(o.bias + at * VECTOR, 0)
        channel = (group * o.filters + first * LANES) * 4
        rest = min(LANES, o.filters - (stop - 1) * LANES)
        for c in range(0, o.channels, o.deep):
            deep = min(o.deep, o.channels - c)
            for t in range(0, o.taps, o.reach):
                reach = min(o.reach, o.taps - t)
                whole = c + deep == o.channels and t + reach == o.taps
                p = begin
                while p < end:
                    on = p // o.sheet
                    until = min(end, (on + 1) * o.sheet)
                    x = o.x + on * o.x_sheet + group * o.x_group + c * 4
                    places = o.places + ((p - on * o.sheet) * o.taps + t) * 8
                    window = Window(x, o.zeros, places, o.taps * 8, reach, deep)
                    out = Row(o.out + p * o.out_step + channel, o.out_step)
                    other = Row(o.other + p * o.other_step + channel, o.other_step)
                    start = bias if c == 0 and t == 0 else out
                    bend = Bend(o.slope, o.limit)
                    goal = Goal(start, out, rest, 1 if whole else 0, o.adds, other, bend)
                    if stop - first == 1:
                        _strip1(window, w, goal, until - p)
                    elif stop - first == 2:
                        _strip2(window, w, goal, until - p)
                    elif stop - first == 3:
                        _strip3(window, w, goal, until - p)
                    else:
                        _strip4(window, w, goal, until - p)
                    p = until
                w += reach * deep * (stop - first) * VECTOR
