"""Conv and dense for a few pictures: weights packed once, in the order in which they are read."""

from __future__ import annotations

from itertools import pairwise
from math import inf, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan
from stepconv.kernels.cpu.channels.depthwise import sum_own
from stepconv.kernels.cpu.channels.pixels import Bend
from stepconv.kernels.cpu.channels.sums import MOST_VECTORS, UNIT, sum_windows
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.nn.cpu.channels import winograd
from stepconv.nn.cpu.channels.windows import window_table
from stepconv.nn.cpu.channels.winograd import CELLS
from stepconv.nn.cpu.channels.writer import At, Writer, tasks_for, write
from stepconv.nn.steps.folding import FoldedStep

Array = NDArray[Any]

# Products of a pixel that are summed before the next pixel's: their weights stay in a cache.
_AT_ONCE = 576
# Channels of a tap that are gone through before the next tap, so that neighbours find their pixels
# in a cache.
_DEEP = 64
# Pictures whose windows have so few pixels share a table, so that tiles go from one to the next.
_SMALL = 64
_STRAIGHT = Bend(1.0, inf)  # no activation


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
    rounds = -(-taps * deep // _AT_ONCE)
    return Shape(plan, deep, -(-taps // rounds))


def pack(w: Array, shape: Shape, out: Array) -> None:
    """Write weights (filters, channels, taps) in the order in which the kernel reads them.

    What fills the last vector of a group's filters up is 0 already.
    """
    at = 0
    for group in w.reshape(shape.plan.groups, shape.filters, shape.channels, shape.taps):
        for first, stop in shape.blocks:
            filters = group[first * LANES : stop * LANES]
            for c in range(0, shape.channels, shape.deep):
                some = filters[:, c : c + shape.deep].transpose(2, 1, 0)
                size = (*some.shape[:2], (stop - first) * LANES)
                out[at : at + prod(size)].reshape(size)[..., : len(filters)] = some
                at += prod(size)


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
    y, other = p.at(step.y), None if step.other is None else p.at(step.other)
    if _goes_by_name(step, p, plan):
        inner = winograd.sums_plan(plan)
        w, bias = _packed(step, p, inner, winograd.transformed)
        nothing = zeros(p)
        for band in winograd.bands(step, p):
            band.spread(nothing)
            cells, sums = band.cells, band.sums
            write_sums(p, inner, cells, sums, band.tiles, w, nothing, group=band.cell)
            band.collect(bias)
        return
    w, bias = _packed(step, p, plan, turned)
    bend = Bend(step.y.slope, step.y.limit)
    write_sums(p, plan, x, y, p.pictures, w, bias, other=other, bend=bend)


def write_sums(
    p: Writer,
    plan: Plan,
    x: At,
    y: At,
    pictures: int,
    w: int,
    bias: int,
    *,
    group: int = 0,
    other: At | None = None,
    bend: Bend = _STRAIGHT,
) -> None:
    """Write the row of the sums of so many pictures.

    The channels of a group lie `group` bytes from those before, if not behind each other.
    """
    shape, sheets, sheet = shape_of(plan), pictures, y.pixels
    if sheet <= _SMALL:
        sheets, sheet = 1, sheet * sheets
    images = pictures // sheets
    added = y if other is None else other
    common = {
        "x": x.address,
        "places": p.packed.once(
            ("window", plan.axes, x.step, images),
            lambda: p.packed.keep(window_table(plan, x.step, images)),
        ),
        "zeros": zeros(p),
        "w": w,
        "bias": bias,
        "adds": int(other is not None),
        "other": added.address,
        "other_step": added.step,
        "out": y.address,
        "out_step": y.step,
        "sheets": sheets,
        "sheet": sheet,
        "x_sheet": images * x.picture,
        "taps": shape.taps,
        "slope": bend.slope,
        "limit": bend.limit,
    }
    units = -(-sheets * sheet // UNIT)
    if _is_own(plan):
        size = 4 * plan.in_channels * sheets * sheet * (shape.taps + 1)
        tasks = min(units, tasks_for(size=size))
        p.emit(sum_own, tasks, channels=plan.in_channels, pixel_parts=tasks, **common)
        return
    weights = 4 * plan.out_channels * shape.channels * shape.taps
    wanted = tasks_for(sheets * sheet * weights / 4, weights)
    blocks = len(shape.blocks) * plan.groups
    # What is larger is read once: weights by who has some of them, pictures alike.
    if weights > pictures * x.picture or blocks >= wanted:
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
        x_group=group or shape.channels * 4,
        filters=shape.filters,
        pixel_parts=pixel_parts,
        block_parts=block_parts,
        **common,
    )


def _goes_by_name(step: FoldedStep, p: Writer, plan: Plan) -> bool:
    """Return whether a layer is summed by Winograd's way: the same for any number of pictures."""
    asked = p.packed.winograd and plan is step.sums.plan and not step.x.bordered
    return asked and winograd.fits(plan) and winograd.is_faster(plan, p.packed.most)


def _is_own(plan: Plan) -> bool:
    """Return whether each channel has one filter, of its own."""
    return plan.groups == plan.in_channels == plan.out_channels


def _packed(step: FoldedStep, p: Writer, plan: Plan, turned: Any) -> tuple[int, int]:
    """Return where a layer's packed weights and biases lie; they are packed once."""

    def made() -> tuple[int, int]:
        packed, shape = p.packed, shape_of(plan)
        w, bias = step.arrays(packed.parameters, packed.statistics)
        w = turned(w).reshape(-1, shape.channels, shape.taps)
        if _is_own(plan):
            lanes = padded(w.transpose(1, 2, 0).reshape(shape.taps, -1), shape.taps)
            return packed.keep(lanes), packed.keep(padded(bias, 1))
        out = packed.room(plan.groups * shape.vectors * LANES * shape.channels * shape.taps)
        pack(w, shape, out)
        return packed.memory.place(out), packed.keep(padded(bias, step.sums.plan.groups))

    found: tuple[int, int] = p.packed.once(step.place.name, made)
    return found


def zeros(p: Writer) -> int:
    """Return the address of as many zeros as a layer may read of a pixel, or as biases."""

    def made() -> int:
        every = [t for step in p.network.steps for t in (*step.reads, step.y)]
        most = max((t.channels for t in every if len(t.shape) == 3), default=0)
        return p.packed.keep(np.zeros(CELLS * (most + LANES), np.float32))

    found: int = p.packed.once("zeros", made)
    return found
