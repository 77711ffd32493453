"""Pools with channels in the lanes: the largest number or the mean of each window."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.channels.pixels import Row, Size, each_pixel, share
from stepconv.kernels.cpu.lanes.rows import LANES, operands
from stepconv.kernels.cpu.machine.addresses import named_rows
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, tile


class Side(NamedTuple):
    """A row of a table, of a window along one axis: the first cell that it reads, and how many."""

    first: Any
    count: Any


class Block(NamedTuple):
    """A window's pixels: how many rows and columns, and how many bytes lie between them."""

    rows: Any
    columns: Any
    row: Any
    column: Any


_side_at = named_rows(Side)


@tile(np.float32)
def _largest(v: Vectors, x: Int, block: Block, out: Int, size: Size) -> None:
    def larger(best: Vector, a: Vector) -> Vector:
        # A NaN takes the place and keeps it.
        wins = v.above_or_nan(a, best) & ~v.either_nan(best, best)
        return v.select(wins, a, best)

    def found(_: Int, at: Int) -> Vector:
        def row(y: Int, best: list[Vector]) -> list[Vector]:
            first = x + at + y * block.row
            return v.loop(
                block.columns, best, lambda k, b: [larger(b[0], v.load(first + k * block.column))]
            )

        return v.loop(block.rows, [v.constant(float("-inf"))], row)[0]

    each_pixel(v, Row(out, size.pixels - size.pixels), size, found)


@tile(np.float32)
def _mean(v: Vectors, x: Int, block: Block, part: Int, out: Int, size: Size) -> None:
    shares = v.splat(part)

    def found(_: Int, at: Int) -> Vector:
        def row(y: Int, total: list[Vector]) -> list[Vector]:
            first = x + at + y * block.row
            return v.loop(
                block.columns, total, lambda k, t: [t[0] + v.load(first + k * block.column)]
            )

        return v.loop(block.rows, [v.zero()], row)[0] * shares

    each_pixel(v, Row(out, size.pixels - size.pixels), size, found)


@inner
def _some(o: Any) -> tuple[int, int, int, Size]:
    """Return a task's pixels, where its channels begin in bytes, and how many these are."""
    vectors = (o.channels + LANES - 1) // LANES
    first, stop = share(o.task // o.channel_parts, o.pixel_parts, o.pictures * o.rows * o.columns)
    low, high = share(o.task % o.channel_parts, o.channel_parts, vectors)
    count = min(high * LANES, o.channels) - low * LANES
    return first, stop, low * LANES * 4, Size(1, count // LANES, count % LANES)


@inner
def _window(o: Any, p: int) -> tuple[int, Block]:
    """Return where the window of a pixel of the output begins in x, and its size."""
    cells = o.rows * o.columns
    n, y, x = p // cells, p % cells // o.columns, p % o.columns
    down, across = _side_at(o.down, y), _side_at(o.across, x)
    first = n * o.x_plane + down.first * o.x_row + across.first * o.x_step
    return first, Block(
        down.count, across.count, o.row_dilation * o.x_row, o.column_dilation * o.x_step
    )


_POOL = (
    "x x_step x_row x_plane out out_step pictures rows columns channels down across row_dilation "
    "column_dilation pixel_parts channel_parts"
)


@operands(integers=_POOL)
def max_pool(o: Any) -> None:
    """out[p] = the largest of the window of p."""
    first, stop, channel, size = _some(o)
    for p in range(first, stop):
        at, block = _window(o, p)
        _largest(o.x + at + channel, block, o.out + p * o.out_step + channel, size)


@operands(integers=_POOL + " shares")
def avg_pool(o: Any) -> None:
    """out[p] = shares[p] · the sum of the window of p."""
    first, stop, channel, size = _some(o)
    for p in range(first, stop):
        at, block = _window(o, p)
        part = o.shares + p % (o.rows * o.columns) * 4
        _mean(o.x + at + channel, block, part, o.out + p * o.out_step + channel, size)
