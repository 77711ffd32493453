"""A correlation and its gradient for x, told as the same thing: passes over a grid of cells.

In a pass every cell of a grid is a sum over one list of taps. A correlation is a single pass. Its
grad_x is a pass for each remainder that a row and a column leave when divided by the stride, for
those cells were read through the same cells of the kernel.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import Slide

Array = Any
Pair = tuple[int, ...]


class Walk(NamedTuple):
    """The integers of a pass, for kernels."""

    grid_y: int
    grid_x: int
    first_y: int
    first_x: int
    step_y: int
    step_x: int
    corner_y: int
    corner_x: int
    stride_y: int
    stride_x: int
    groups: int
    between_groups: int
    between_filters: int


@dataclass(frozen=True, eq=False)
class Pass:
    """Cell (q, r) of the grid is written to out[first + step·(q, r)], rows before columns.

    It is read from a window whose corner is source[corner + stride·(q, r)], which may lie outside
    of the source, and which is `reach` cells high and wide. Tap k meets cell (taps[k, 1],
    taps[k, 2]) of channel taps[k, 0] of the window with the weight at `weights[k]`, counted from
    the group's first weight for the output channel: from group to group, and from output channel to
    output channel, there are as many weights as `between` says.
    """

    grid: Pair
    first: Pair
    step: Pair
    corner: Pair
    stride: Pair
    reach: Pair
    taps: Array
    weights: Array
    groups: int
    between: Pair

    @functools.cached_property
    def walk(self) -> Walk:
        """The integers, for kernels."""
        pairs = (*self.grid, *self.first, *self.step, *self.corner, *self.stride)
        return Walk._make((*pairs, self.groups, *self.between))

    def under(self, rows: int, columns: int) -> Pair:
        """Return how high and wide the source is under so many rows and columns of the grid."""
        sizes = zip((rows, columns), self.stride, self.reach, strict=True)
        return tuple((n - 1) * stride + reach for n, stride, reach in sizes)

    def stays_inside(self, size: Pair) -> bool:
        """Tell whether no window reaches into the padding of a source of this size."""
        return all(
            corner >= 0 and corner + (grid - 1) * stride + reach <= length
            for corner, grid, stride, reach, length in zip(
                self.corner, self.grid, self.stride, self.reach, size, strict=True
            )
        )


class Part(NamedTuple):
    """What each of several passes has of its own: where its cells lie, and some of the taps."""

    first_y: int
    first_x: int
    grid_y: int
    grid_x: int
    first_tap: int
    end_tap: int


@dataclass(frozen=True, eq=False)
class Together(Pass):
    """Passes that fill one result, told by one window that holds the window of each.

    The grid is as large as the largest.
    """

    parts: tuple[Part, ...]


def tap_places(taps: Array, rows: int, pitch: int) -> Array:
    """Return where taps lie in a source of so many rows of `pitch` cells, counted in cells."""
    return (taps[:, 0] * rows + taps[:, 1]) * pitch + taps[:, 2]


@functools.lru_cache(maxsize=256)
def together(passes: tuple[Pass, ...]) -> Together:
    """Return passes of one stride and step as one."""
    corners, reaches = (
        np.array([getattr(plan, name) for plan in passes]) for name in ("corner", "reach")
    )
    corner = corners.min(0)
    ends = np.cumsum([len(plan.taps) for plan in passes])
    parts = [
        Part._make((*plan.first, *plan.grid, end - len(plan.taps), end))
        for plan, end in zip(passes, ends.tolist(), strict=True)
    ]
    taps = [
        plan.taps + np.insert(own - corner, 0, 0) for plan, own in zip(passes, corners, strict=True)
    ]
    return Together(
        grid=(max(part.grid_y for part in parts), max(part.grid_x for part in parts)),
        first=(0, 0),
        step=passes[0].step,
        corner=tuple(corner.tolist()),
        stride=passes[0].stride,
        reach=tuple(((corners + reaches).max(0) - corner).tolist()),
        taps=np.concatenate(taps),
        weights=np.concatenate([plan.weights for plan in passes]),
        groups=passes[0].groups,
        between=passes[0].between,
        parts=tuple(parts),
    )


@functools.lru_cache(maxsize=256)
def forward_pass(w_shape: tuple[int, ...], groups: int, grid: Pair, slide: Slide) -> Pass:
    """Return the pass of a correlation: every cell has the whole window for taps."""
    dilation = slide.dilation
    filters, channels, height, width = w_shape
    taps = [
        (c, a * dilation[0], b * dilation[1])
        for c in range(channels)
        for a in range(height)
        for b in range(width)
    ]
    return Pass(
        grid,
        first=(0, 0),
        step=(1, 1),
        corner=(-slide.top, -slide.left),
        stride=slide.stride,
        reach=((height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1),
        taps=np.array(taps, np.int64),
        weights=np.arange(len(taps), dtype=np.int64),
        groups=groups,
        between=(len(taps) * (filters // groups), len(taps)),
    )


@functools.lru_cache(maxsize=256)
def backward_passes(
    w_shape: tuple[int, ...], groups: int, size: Pair, slide: Slide
) -> tuple[Pass, ...]:
    """Return the passes of grad_x, whose source is grad_out.

    Row y = y0 + stride·q was read through kernel row a by window row
    i = (y + pad - a·dilation) / stride, for those a where that is a whole number.
    """
    stride, dilation = slide.stride, slide.dilation
    filters, channels, height, width = w_shape
    out_group = filters // groups
    every = []
    for y0 in range(min(stride[0], size[0])):
        rows = _readers(y0 + slide.top, height, stride[0], dilation[0])
        for x0 in range(min(stride[1], size[1])):
            columns = _readers(x0 + slide.left, width, stride[1], dilation[1])
            corner_y, reach_y = _bounds(rows)
            corner_x, reach_x = _bounds(columns)
            taps = [
                (o, i - corner_y, j - corner_x)
                for o in range(out_group)
                for _, i in rows
                for _, j in columns
            ]
            weights = [
                (o * channels * height + a) * width + b
                for o in range(out_group)
                for a, _ in rows
                for b, _ in columns
            ]
            every.append(
                Pass(
                    grid=(-(-(size[0] - y0) // stride[0]), -(-(size[1] - x0) // stride[1])),
                    first=(y0, x0),
                    step=stride,
                    corner=(corner_y, corner_x),
                    stride=(1, 1),
                    reach=(reach_y, reach_x),
                    taps=np.array(taps, np.int64).reshape(-1, 3),
                    weights=np.array(weights, np.int64),
                    groups=groups,
                    between=(channels * height * width * out_group, height * width),
                )
            )
    return tuple(every)


def _readers(position: int, window: int, stride: int, dilation: int) -> list[Pair]:
    """Return (a, i) for each kernel cell a through which window i, counted from q, reads."""
    scaled = ((a, position - a * dilation) for a in reversed(range(window)))
    return [(a, place // stride) for a, place in scaled if place % stride == 0]


def _bounds(readers: list[Pair]) -> Pair:
    """Return the first window that reads and how many there are from it to the last."""
    if not readers:
        return 0, 1
    windows = [i for _, i in readers]
    return min(windows), max(windows) - min(windows) + 1
