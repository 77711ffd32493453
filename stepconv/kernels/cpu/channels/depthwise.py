"""A conv whose channels have a filter each of their own, with channels in the lanes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.cpu.channels.pixels import Bend, Row
from stepconv.kernels.cpu.channels.sums import (
    MOST_VECTORS,
    Goal,
    Window,
    finish,
    pixels_of,
    strip_of,
    taps_at,
)
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, tile


@functools.cache
def _own_sums(pixels: int, vectors: int) -> Any:
    """Return the tile that sums products of vectors: sums[p] = start + Σ_t x[places[p][t]] · w[t].

    From tap to tap the weights are `window.channels` numbers apart.
    """

    @tile(np.float32)
    def sums(v: Vectors, window: Window, w: Int, goal: Goal) -> None:
        def tap(t: Int, sums: list[Vector]) -> list[Vector]:
            row = [w + t * window.channels * 4 + u * v.bytes for u in range(vectors)]
            weights = [v.load(at) for at in row]
            old = iter(sums)
            return [
                v.fma(v.load(x + u * v.bytes), weights[u], next(old))
                for x in taps_at(v, window, t, pixels)
                for u in range(vectors)
            ]

        starts = [v.load(goal.start.at + u * v.bytes) for u in range(vectors)] * pixels
        finish(v, goal, v.loop(window.taps, starts, tap), vectors)

    return sums


_many, _one = (strip_of(_own_sums, vectors, (4, 2)) for vectors in (MOST_VECTORS, 1))


@operands(
    integers="x places zeros w bias adds other other_step out out_step sheets sheet x_sheet taps "
    "channels pixel_parts",
    floats="slope limit",
)
def sum_own(o: Any) -> None:
    """out[p][c] = activation(bias[c] + Σ_t w[t][c] · x[window of p][t][c] + other[p][c])."""
    begin, end = pixels_of(o, o.task)
    vectors = (o.channels + LANES - 1) // LANES
    first = 0
    while first < vectors:
        many = first + MOST_VECTORS <= vectors
        stop = first + (MOST_VECTORS if many else 1)
        channel, rest = first * VECTOR, min(LANES, o.channels - (stop - 1) * LANES)
        p = begin
        while p < end:
            on = p // o.sheet
            until = min(end, (on + 1) * o.sheet)
            x, places = o.x + on * o.x_sheet + channel, o.places + (p - on * o.sheet) * o.taps * 8
            window = Window(x, o.zeros, places, o.taps * 8, o.taps, vectors * LANES)
            out = Row(o.out + p * o.out_step + channel, o.out_step)
            other = Row(o.other + p * o.other_step + channel, o.other_step)
            bias, bend = Row(o.bias + channel, 0), Bend(o.slope, o.limit)
            goal = Goal(bias, out, rest, 1, o.adds, other, bend)
            if many:
                _many(window, o.w + channel, goal, until - p)
            else:
                _one(window, o.w + channel, goal, until - p)
            p = until
        first = stop
