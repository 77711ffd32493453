"""3x3 layers by Winograd's way as rows of a program: fewer multiplications, a little less exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.geometry import Plan
from stepconv.kernels.cpu.lanes import layers, winograd, winograd_weights
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR
from stepconv.kernels.kinds import ACTIVATE, ADD_GRADIENT
from stepconv.nn.cpu.windows import Family
from stepconv.nn.cpu.writer import ONE_GROUP, Spot, Writer
from stepconv.nn.steps.tensors import Tensor

# Rooms of a chunk that all layers share, in bytes: for transformed cells, as many for their sums,
# and for the sums that become the gradients of weights.
_ROOM = 2**20
_WEIGHTS = 36 * 4 * 128 * 128
# The 36 planes of a transform are written side by side. A vector more keeps them apart in a cache,
# where addresses that differ by a power of two get in each other's way.
_GAP = VECTOR
# Some tiles at a time, so that both stay in the second-level cache where they fit.
_WANTED = 2**19


def pays(plan: Plan, groups: int, channels: int, filters: int) -> bool:
    """Tell whether a layer is a 3x3 window that moves by one cell and has work enough."""
    if groups > 1 or any((a.window, a.stride, a.dilation) != (3, 1, 1) for a in plan.axes):
        return False
    if any(max(axis.before, axis.after) > 2 for axis in plan.axes):
        return False
    rows, columns = plan.output_plane
    tiles = -(-rows // 4) * -(-columns // 4)
    # Products, and what the transforms cost in all: about so many sums for a tile.
    fast = tiles * (36 * channels * filters + 200 * (channels + filters))
    most = max(channels, filters) * max(-(-n // 4) + 1 for n in (columns, plan.columns.size))
    return fast < 0.8 * plan.products and 36 * VECTOR * most <= _ROOM


def pays_for_weights(plan: Plan, groups: int, channels: int, filters: int) -> bool:
    """Tell whether the same is true of the gradient of the weights."""
    return (
        channels % LANES == 0
        and 36 * 4 * channels * filters <= _WEIGHTS
        and pays(plan, groups, channels, filters)
    )


def write_sums(
    p: Writer,
    name: str,
    source: Tensor,
    source_at: Spot,
    target: Tensor,
    *,
    before: tuple[int, int],
    back: bool,
    **end: Any,
) -> None:
    """Write the rows of a layer, or of its gradient for x: `end` is what becomes of the sums."""
    channels, filters = source.channels, target.channels
    (rows, columns), (out_rows, out_columns) = source.plane, target.plane
    across, down = -(-out_columns // 4), -(-out_rows // 4)
    fitting = max(1, _WANTED // (36 * VECTOR * max(channels, filters) * across))
    together = min(down, fitting)
    most = together * across

    spread_plane, sums_plane = channels * most * VECTOR + _GAP, filters * most * VECTOR + _GAP
    plane = -(-channels * filters // LANES) * LANES + LANES
    u = p.keep(np.zeros(36 * plane, np.float32))
    outputs, inputs = (channels, filters) if back else (filters, channels)
    p.emit_first(
        winograd.transform_weights,
        w=p.weight(f"{name}.weight"),
        u=u,
        outputs=outputs,
        inputs=inputs,
        plane=plane,
        back=int(back),
        share=-(-filters // p.slices),
    )
    room = _ROOM + 36 * _GAP
    spread_at, sums_at = p.scratch("spread", room), p.scratch("sums", room)
    nowhere = p.scratch("nowhere", VECTOR)
    every = np.arange(channels)
    taps = np.stack([every * most * VECTOR, every * 4], axis=1)
    for first in range(0, down, together):
        tiles = min(together, down - first) * across
        p.emit(
            winograd.spread,
            x=source_at,
            out=spread_at,
            zero=p.zeros,
            channels=channels,
            rows=rows,
            columns=columns,
            top=4 * first - before[0],
            left=-before[1],
            tiles=tiles,
            across=across,
            tile_step=most * VECTOR,
            tile_plane=spread_plane,
        )
        cells = np.arange(tiles) * VECTOR
        table, count = p.families([Family(taps, np.stack([cells, cells], axis=1))])
        for q in range(36):
            p.emit(
                layers.sum_weighted,
                x=Spot(spread_at.address + q * spread_plane, spread_at.task),
                w=u + 4 * q * plane,
                bias=p.zeros,
                out=Spot(sums_at.address + q * sums_plane, sums_at.task),
                sign=p.zeros,
                families=table,
                family_count=count,
                rows=filters,
                block=tiles,
                **ONE_GROUP,
                w_step=channels * 4,
                bias_step=0,
                out_step=most * VECTOR,
                mode=ACTIVATE,
                slope=1.0,
            )
        p.emit(
            winograd.collect,
            m=sums_at,
            nowhere=nowhere,
            channels=filters,
            rows=out_rows,
            columns=out_columns,
            top=4 * first,
            tiles=tiles,
            across=across,
            tile_step=most * VECTOR,
            tile_plane=sums_plane,
            **end,
        )


def write_weight_sums(
    p: Writer, name: str, x: Tensor, y: Tensor, *, before: tuple[int, int]
) -> None:
    """Write the rows of the gradient of a layer's weights."""
    channels, filters = x.channels, y.channels
    (rows, columns), (out_rows, out_columns) = x.plane, y.plane
    across, down = -(-out_columns // 4), -(-out_rows // 4)
    together = min(down, max(1, _WANTED // (36 * VECTOR * max(channels, filters) * across)))
    most = together * across
    room = _ROOM + 36 * _GAP
    spread_at, gradients_at = p.scratch("spread", room), p.scratch("sums", room)
    turning, u = (
        p.scratch("turning", 36 * VECTOR * LANES),
        p.scratch("weights", _WEIGHTS + 36 * _GAP),
    )
    spread_plane, sums_plane = channels * most * VECTOR + _GAP, filters * most * VECTOR + _GAP
    plane = channels * filters * 4 + _GAP
    vectors = np.arange(0, channels * 4, VECTOR)
    cells = np.stack([vectors, vectors], axis=1)
    for first in range(0, down, together):
        tiles = min(together, down - first) * across
        common = {"zero": p.zeros, "top": 4 * first, "tiles": tiles, "across": across}
        p.emit(
            winograd_weights.spread_turned,
            x=p.value(x),
            out=spread_at,
            room=turning,
            channels=channels,
            rows=rows,
            columns=columns,
            left=-before[1],
            tile_plane=spread_plane,
            **{**common, "top": 4 * first - before[0]},
        )
        p.emit(
            winograd_weights.spread_gradient,
            dy=p.gradient(y),
            out=gradients_at,
            channels=filters,
            rows=out_rows,
            columns=out_columns,
            tile_step=most * VECTOR,
            tile_plane=sums_plane,
            **common,
        )
        # A term for each tile and image: they follow each other in both.
        terms = np.arange(tiles * LANES)
        taps = np.stack([terms * channels * 4, terms * 4], axis=1)
        table, count = p.families([Family(taps, cells)])
        for q in range(36):
            out = Spot(u.address + q * plane, u.task)
            p.emit(
                layers.sum_weighted,
                x=Spot(spread_at.address + q * spread_plane, spread_at.task),
                w=Spot(gradients_at.address + q * sums_plane, gradients_at.task),
                bias=p.zeros,
                out=out,
                sign=out,
                families=table,
                family_count=count,
                rows=filters,
                block=len(cells),
                **ONE_GROUP,
                w_step=most * VECTOR,
                bias_step=0,
                out_step=channels * 4,
                mode=ADD_GRADIENT if first else ACTIVATE,
                slope=1.0,
            )
    p.emit(
        winograd_weights.collect_weights,
        u=u,
        out=p.found(f"{name}.weight"),
        room=turning,
        outputs=filters,
        inputs=channels,
        plane=plane,
    )
