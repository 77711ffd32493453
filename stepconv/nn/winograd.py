"""3x3 layers by Winograd's way as rows of a program: fewer multiplications, a little less exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.geometry import Plan
from stepconv.kernels.cpu import lane_winograd, lanes
from stepconv.kernels.cpu.lane_rows import LANES, VECTOR
from stepconv.kernels.cpu.lane_tiles import ACTIVATE
from stepconv.nn.tables import Family
from stepconv.nn.tensors import Tensor
from stepconv.nn.writer import Spot, Writer

# Bytes for the transformed cells of a chunk, and as many for its sums.
_ROOM = 2**20
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

    plane = -(-channels * filters // LANES) * LANES
    u = p.keep(np.zeros(36 * plane, np.float32))
    outputs, inputs = (channels, filters) if back else (filters, channels)
    p.emit_first(
        lane_winograd.transform_weights,
        w=p.weight(f"{name}.weight"),
        u=u,
        outputs=outputs,
        inputs=inputs,
        plane=plane,
        back=int(back),
        share=-(-filters // p.slices),
    )
    spread_at, sums_at = p.scratch("spread", _ROOM), p.scratch("sums", _ROOM)
    nowhere = p.scratch("nowhere", VECTOR)
    every = np.arange(channels)
    taps = np.stack([every * most * VECTOR, every * 4], axis=1)
    for first in range(0, down, together):
        tiles = min(together, down - first) * across
        p.emit(
            lane_winograd.spread,
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
            tile_plane=channels * most * VECTOR,
        )
        cells = np.arange(tiles) * VECTOR
        table, count = p.families([Family(taps, np.stack([cells, cells], axis=1))])
        for q in range(36):
            p.emit(
                lanes.sum_weighted,
                x=Spot(spread_at.address + q * channels * most * VECTOR, spread_at.task),
                w=u + 4 * q * plane,
                bias=p.zeros,
                out=Spot(sums_at.address + q * filters * most * VECTOR, sums_at.task),
                sign=p.zeros,
                families=table,
                family_count=count,
                rows=filters,
                rows_task=0,
                block=tiles,
                groups=1,
                x_group=0,
                w_group=0,
                out_group=0,
                w_step=channels * 4,
                bias_step=0,
                out_step=most * VECTOR,
                mode=ACTIVATE,
                slope=1.0,
            )
        p.emit(
            lane_winograd.collect,
            m=sums_at,
            nowhere=nowhere,
            channels=filters,
            rows=out_rows,
            columns=out_columns,
            top=4 * first,
            tiles=tiles,
            across=across,
            tile_step=most * VECTOR,
            tile_plane=filters * most * VECTOR,
            **end,
        )
