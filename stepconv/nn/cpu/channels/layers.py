"""Conv and dense for a few pictures: weights packed once, in the order in which they are read."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan
from stepconv.kernels.cpu.channels.depthwise import sum_own
from stepconv.kernels.cpu.channels.sums import MOST_VECTORS, UNIT, sum_windows
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.nn.cpu.channels.windows import window_table
from stepconv.nn.cpu.channels.writer import At, Packed, Writer, tasks_for, write
from stepconv.nn.steps.folding import FoldedStep

Array = NDArray[Any]

# Products of a pixel that are summed before the next pixel's: their weights stay in a cache.
_AT_ONCE = 256
# Channels of a tap that are gone through before the next tap.
_DEEP = 64
# Pictures whose windows have so few pixels share a table, so that tiles go from one to the next.
_SMALL = 64


class Shape(NamedTuple):
    """A layer as the kernels see it: how a window slides, and how much is summed at once."""

    plan: Plan
    deep: int
    reach: int

    @property
    def taps(self) -> int:
        """Taps of a window."""
        return prod(self.plan.window)

    @property
    def channels(self) -> int:
        """Channels that a filter reads."""
        return self.plan.in_channels // self.plan.groups

    @property
    def filters(self) -> int:
        """Filters of a group."""
        return self.plan.out_channels // self.plan.groups

    @property
    def vectors(self) -> int:
        """Vectors that the filters of a group take."""
        return -(-self.filters // LANES)

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """The first vector of each block of a group, and the one after its last."""
        count = -(-self.vectors // MOST_VECTORS)
        ends = [n * self.vectors // count for n in range(count + 1)]
        return list(pairwise(ends))


def shape_of(plan: Plan) -> Shape:
    """Return how a layer is summed: the same for any number of pictures, so that bits are too."""
    channels, taps = plan.in_channels // plan.groups, prod(plan.window)
    deep = min(channels, _AT_ONCE if taps == 1 else _DEEP)
    return Shape(plan, deep, max(1, min(taps, _AT_ONCE // deep)))


def pack(w: Array, shape: Shape) -> Array:
    """Return weights (filters, channels, taps) in the order in which the kernel reads them."""
    groups = w.reshape(shape.plan.groups, shape.filters, shape.channels, shape.taps)
    parts = []
    for group in groups:
        for first, stop in shape.blocks:
            filters = group[first * LANES : stop * LANES]
            block = np.zeros(((stop - first) * LANES, *w.shape[1:]), np.float32)
            block[: len(filters)] = filters
            for c in range(0, shape.channels, shape.deep):
                some = block[:, c : c + shape.deep]
                parts.append(np.ascontiguousarray(some.transpose(2, 1, 0)).reshape(-1))
    return np.concatenate(parts)


def padded(numbers: Array, groups: int) -> Array:
    """Return a number for each filter with room behind each group, to the end of a vector."""
    each = numbers.reshape(groups, -1)
    behind = -each.shape[1] % LANES
    return np.pad(each, ((0, 0), (0, behind))).astype(np.float32)


def seen(step: FoldedStep, p: Writer) -> tuple[At, Plan, Any]:
    """Return where a layer's input lies, how a window slides there, and how weights are turned.

    A flat row that is the view of a plane is a window over all of it. Around pictures lies their
    padding, and their pixels follow without a gap: a row of a window is one tap of many channels.
    """
    x, plan = p.at(step.x), step.sums.plan
    if step.x.bordered and plan.groups == 1 and plan.columns.dilation == 1:
        colours, columns = plan.in_channels, plan.columns.window
        rows, wide = plan.rows, plan.columns
        width = Axis(size=wide.size, window=1, stride=wide.stride, after=1 - columns)
        made = Plan((rows, width), colours * columns, plan.out_channels)
        return x, made, lambda w: w.transpose(0, 3, 1, 2)
    if x.pixels > 1 and len(step.x.shape) == 1:
        axes = tuple(Axis(size=size, window=size) for size in (x.rows, x.columns))
        channels = step.x.cells // x.pixels
        made = Plan(axes, channels, plan.out_channels)
        return x, made, lambda w: w.reshape(len(w), channels, x.pixels)
    return x, plan, lambda w: w


@write.register
def _(step: FoldedStep, p: Writer) -> None:
    x, plan, turned = seen(step, p)
    y = p.at(step.y)
    other = p.at(step.other) if step.other is not None else y
    sheets, sheet = p.pictures, y.pixels
    if sheet <= _SMALL:
        sheets, sheet = 1, sheet * sheets
    images = p.pictures // sheets
    places = p.packed.once(
        ("window", plan.axes, x.step, images),
        lambda: p.packed.keep(window_table(plan, x.step, images)),
    )
    own = plan.groups == plan.in_channels == plan.out_channels
    shape = shape_of(plan)
    w, bias = p.packed.once(step.place.name, lambda: _packed(step, p.packed, shape, turned, own))
    common = {
        "x": x.address,
        "places": places,
        "zeros": p.packed.once("zeros", lambda: p.packed.keep(np.zeros(_most_channels(p), "f4"))),
        "w": w,
        "bias": bias,
        "adds": int(step.other is not None),
        "other": other.address,
        "other_step": other.step,
        "out": y.address,
        "out_step": y.step,
        "sheets": sheets,
        "sheet": sheet,
        "x_sheet": images * x.picture,
        "taps": shape.taps,
        "slope": step.y.slope,
        "limit": step.y.limit,
    }
    units = -(-sheets * sheet // UNIT)
    if own:
        size = 4 * plan.in_channels * sheets * sheet * (shape.taps + 1)
        tasks = min(units, tasks_for(size=size))
        p.emit(sum_own, tasks, channels=plan.in_channels, pixel_parts=tasks, **common)
        return
    products = sheets * sheet * plan.out_channels * shape.channels * shape.taps
    weights = 4 * plan.out_channels * shape.channels * shape.taps
    wanted = tasks_for(products, weights)
    blocks = len(shape.blocks) * plan.groups
    # What is larger is read once: weights by who has some of them, pictures alike.
    if weights > p.pictures * x.picture:
        block_parts = min(blocks, wanted)
        pixel_parts = min(units, -(-wanted // block_parts))
    else:
        pixel_parts = min(units, wanted)
        block_parts = min(blocks, -(-wanted // pixel_parts))
    p.emit(
        sum_windows,
        pixel_parts * block_parts,
        channels=shape.channels,
        deep=shape.deep,
        reach=shape.reach,
        groups=plan.groups,
        x_group=shape.channels * 4,
        filters=shape.filters,
        pixel_parts=pixel_parts,
        block_parts=block_parts,
        **common,
    )


def _packed(
    step: FoldedStep, packed: Packed, shape: Shape, turned: Any, own: bool
) -> tuple[int, int]:
    """Return where a layer's packed weights and biases lie."""
    w, bias = step.arrays(packed.parameters, packed.statistics)
    w = turned(w).reshape(len(w), shape.channels, shape.taps)
    if own:
        lanes = padded(w.transpose(1, 2, 0).reshape(shape.taps, -1), shape.taps)
        return packed.keep(lanes), packed.keep(padded(bias, 1))
    return packed.keep(pack(w, shape)), packed.keep(padded(bias, shape.plan.groups))


def _most_channels(p: Writer) -> int:
    """Return how many zeros a pixel outside of any picture has."""
    every = [t.channels for step in p.network.steps for t in step.reads if len(t.shape) == 3]
    return max(every, default=0) + LANES * MOST_VECTORS
