"""3x3 layers with channels in the lanes by Winograd's way: the transforms round the sums.

What lies between them are sums over channels for each of the 36 cells of a tile, which are groups
to sums.sum_windows: a tile is a pixel of 36 times as many channels, [tile][cell][channel].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.channels.pixels import Bend, bent, share
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.lanes.winograd import times_input, times_output
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, tile
from stepconv.kernels.winograd import both_sides


class Square(NamedTuple):
    """Pixels of a picture from a corner on; the square may reach beyond the picture's edges."""

    at: Any
    rows: Any
    columns: Any
    row: Any  # bytes from row to row, and from pixel to pixel
    step: Any
    top: Any
    left: Any

    def places(self, v: Vectors, side: int, outside: Int) -> list[Int]:
        """Return the addresses of side · side pixels, `outside` for what there is not."""
        found = []
        for i in range(side):
            for j in range(side):
                y, x = self.top + i, self.left + j
                at = self.at + y * self.row + x * self.step
                inside = v.within(x, 0, self.columns, at, outside)
                found.append(v.within(y, 0, self.rows, inside, outside))
        return found


@inner
def _square(o: Any, at: int, step: int, t: int, before: int, left: int) -> Square:
    """Return the square of a tile, of which there are `across` in a row, all four pixels apart."""
    t += o.first
    in_picture = o.across * o.down
    n, t = t // in_picture, t % in_picture
    row = o.columns * step
    y, x = t // o.across * 4 - before, t % o.across * 4 - left
    return Square(at + n * o.rows * row, o.rows, o.columns, row, step, y, x)


@tile(np.float32)
def _spread(v: Vectors, square: Square, zeros: Int, out: Int, cell: Int, vectors: Int) -> None:
    """out[6 i + j] = (B' d B)[i][j], d being the 6x6 pixels of a square."""
    places = square.places(v, 6, zeros)

    def channels(u: Int, _: list[Vector]) -> list[Vector]:
        at = u * v.bytes
        pixels = [v.load(place + at) for place in places]
        rows = both_sides(lambda d: times_input(v, d), [pixels[k : k + 6] for k in range(0, 36, 6)])
        for k, made in enumerate(number for row in rows for number in row):
            v.store(out + cell * k + at, made)
        return []

    v.loop(vectors, [], channels)


class _End(NamedTuple):
    """What becomes of a tile: a bias, another tensor's pixels, an activation."""

    bias: Any
    adds: Any
    other: Square
    bend: Bend
    nowhere: Any
    whole: Any
    rest: Any


@tile(np.float32)
def _collect(v: Vectors, m: Int, cell: Int, square: Square, end: _End) -> None:
    """Write activation((A' m A)[i][j] + bias + other) into a square, 4x4 pixels.

    What lies outside is written to nowhere.
    """
    goals = square.places(v, 4, end.nowhere)
    others = end.other.places(v, 4, end.nowhere)

    def made(at: Int) -> list[Vector]:
        cells = [v.load(m + cell * k + at) for k in range(36)]
        rows = both_sides(lambda m: times_output(v, m), [cells[k : k + 6] for k in range(0, 36, 6)])
        bias = v.load(end.bias + at)
        return [number + bias for row in rows for number in row]

    def write(at: Int, store: Any) -> None:
        totals = made(at)

        def with_other() -> None:
            for goal, place, total in zip(goals, others, totals, strict=True):
                store(goal + at, bent(v, end.bend, total + v.load(place + at)))

        def alone() -> None:
            for goal, total in zip(goals, totals, strict=True):
                store(goal + at, bent(v, end.bend, total))

        v.when(end.adds, with_other, alone)

    def channels(u: Int, _: list[Vector]) -> list[Vector]:
        write(u * v.bytes, v.store)
        return []

    v.loop(end.whole, [], channels)

    def rest() -> None:
        write(end.whole * v.bytes, lambda goal, a: v.store_some(goal, a, end.rest))

    v.when(end.rest, rest, lambda: None)


_TILES = "first tiles across down rows columns"


@operands(integers=_TILES + " x x_step out out_step zeros channels top left parts")
def spread(o: Any) -> None:
    """Transform some tiles: out[tile][36][channel]."""
    vectors = (o.channels + LANES - 1) // LANES
    for t in range(*share(o.task, o.parts, o.tiles)):
        square = _square(o, o.x, o.x_step, t, o.top, o.left)
        _spread(square, o.zeros, o.out + t * o.out_step, vectors * VECTOR, vectors)


@operands(
    spots="nowhere",
    integers=_TILES + " m m_step bias adds other other_step out out_step channels parts",
    floats="slope limit",
)
def collect(o: Any) -> None:
    """Transform sums back into pixels: out[pixel][channel] from m[tile][36][channel]."""
    for t in range(*share(o.task, o.parts, o.tiles)):
        square = _square(o, o.out, o.out_step, t, 0, 0)
        other = _square(o, o.other, o.other_step, t, 0, 0)
        end = _End(
            o.bias,
            o.adds,
            other,
            Bend(o.slope, o.limit),
            o.nowhere,
            o.channels // LANES,
            o.channels % LANES,
        )
        _collect(o.m + t * o.m_step, o.channels * 4, square, end)
