"""3x3 layers by Winograd's way as rows of a program: fewer multiplications, a little less exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import Plan
from stepconv.kernels.cpu.lanes import layers, winograd, winograd_weights
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, Spot
from stepconv.kernels.kinds import ACTIVATE, ADD_GRADIENT
from stepconv.nn.cpu.windows import line_of_cells
from stepconv.nn.cpu.writer import ONE_GROUP, Writer
from stepconv.nn.steps.records import SumStep
from stepconv.nn.steps.tensors import Tensor

# The 36 planes of a transform are written side by side. A vector more keeps them apart in a cache,
# where addresses that differ by a power of two get in each other's way.
_PLANES = 36
_GAP = VECTOR
# Rooms of a chunk that all layers share, in bytes: for transformed cells, as many for their sums,
# and for the sums that become the gradients of weights.
_ROOM = 2**20
_WEIGHTS = _PLANES * 4 * 128 * 128
# Some tiles at a time, so that both stay in the second-level cache where they fit.
_WANTED = 2**19


def why_not(plan: Plan) -> str:
    """Return why a layer is not summed this way, nor its gradient for x; "" if it is."""
    if any((axis.window, axis.stride, axis.dilation) != (3, 1, 1) for axis in plan.axes):
        return "no 3x3 window that moves by one cell"
    if plan.groups > 1:
        return f"{plan.groups} groups"
    if any(max(axis.before, axis.after) > 2 for axis in plan.axes):
        return "padding wider than 2"
    channels, filters = plan.in_channels, plan.out_channels
    rows, columns = plan.output_plane
    tiles = -(-rows // 4) * -(-columns // 4)
    # Products, and what the transforms cost in all: about so many sums for a tile.
    fast = tiles * (_PLANES * channels * filters + 200 * (channels + filters))
    if fast >= 0.8 * plan.products:
        return "too little work to save any"
    most = max(channels, filters) * max(-(-n // 4) + 1 for n in (columns, plan.columns.size))
    return "" if _PLANES * VECTOR * most <= _ROOM else "too much to transform at once"


def why_not_weights(plan: Plan) -> str:
    """Return why the gradient of a layer's weights is not summed this way; "" if it is."""
    if reason := why_not(plan):
        return reason
    if plan.in_channels % LANES:
        return f"{plan.in_channels} channels, no multiple of {LANES}"
    fits = _PLANES * 4 * plan.in_channels * plan.out_channels <= _WEIGHTS
    return "" if fits else "too many weights to transform at once"


class _Tiles(NamedTuple):
    """Tiles of 4x4 results, some rows of tiles at a time, and the planes of what they become."""

    across: int
    down: int
    together: int
    spread_plane: int
    sums_plane: int

    @classmethod
    def between(cls, source: Tensor, target: Tensor) -> _Tiles:
        """Return the tiles of a layer from its source to its target."""
        rows, columns = target.plane
        across, down = -(-columns // 4), -(-rows // 4)
        widest = max(source.channels, target.channels)
        together = min(down, max(1, _WANTED // (_PLANES * VECTOR * widest * across)))
        planes = (t.channels * together * across * VECTOR + _GAP for t in (source, target))
        return cls(across, down, together, *planes)

    @property
    def step(self) -> int:
        """Bytes from the tiles of one channel to those of the next."""
        return self.together * self.across * VECTOR

    def bands(self) -> Iterator[tuple[int, int]]:
        """Yield the first row of results and the number of tiles that are worked on at a time."""
        for first in range(0, self.down, self.together):
            yield 4 * first, min(self.together, self.down - first) * self.across


def write_sums(p: Writer, step: SumStep, end: dict[str, Any], *, back: bool) -> None:
    """Write the rows of a layer, or of its gradient for x: `end` is what becomes of the sums."""
    source, target = (step.y, step.x) if back else (step.x, step.y)
    at = p.gradient(source) if back else p.value(source)
    before = [2 - axis.before if back else axis.before for axis in step.plan.axes]
    channels, filters = source.channels, target.channels
    tiles = _Tiles.between(source, target)
    plane = -(-channels * filters // LANES) * LANES + LANES
    u = p.keep(np.zeros(_PLANES * plane, np.float32))
    p.emit_first(
        winograd.transform_weights,
        w=p.weight(f"{step.place.name}.weight"),
        u=u,
        outputs=step.y.channels,
        inputs=step.x.channels,
        plane=plane,
        back=int(back),
        share=-(-filters // p.slices),
    )
    spread, sums = (_room(p, name) for name in ("spread", "sums"))
    every = np.arange(channels)
    for top, count in tiles.bands():
        common = {"tiles": count, "across": tiles.across, "tile_step": tiles.step}
        p.emit(
            winograd.spread,
            x=at,
            out=spread,
            zero=p.zeros,
            channels=channels,
            **_plane(source),
            top=top - before[0],
            left=-before[1],
            tile_plane=tiles.spread_plane,
            **common,
        )
        cells = np.arange(count) * VECTOR
        table = p.families([line_of_cells(every * tiles.step, every * 4, cells)])
        for q in range(_PLANES):
            _multiply(
                p,
                spread.moved(q * tiles.spread_plane),
                Spot(u + 4 * q * plane, 0),
                sums.moved(q * tiles.sums_plane),
                rows=filters,
                block=count,
                w_step=channels * 4,
                out_step=tiles.step,
                mode=ACTIVATE,
                **table,
            )
        p.emit(
            winograd.collect,
            m=sums,
            nowhere=p.shared("nowhere", VECTOR),
            channels=filters,
            **_plane(target),
            top=top,
            tile_plane=tiles.sums_plane,
            **common,
            **end,
        )


def write_weight_sums(p: Writer, step: SumStep) -> None:
    """Write the rows of the gradient of a layer's weights."""
    channels, filters = step.x.channels, step.y.channels
    tiles = _Tiles.between(step.x, step.y)
    plane = channels * filters * 4 + _GAP
    spread, gradients = (_room(p, name) for name in ("spread", "sums"))
    turning = p.shared("turning", _PLANES * VECTOR * LANES)
    u = p.shared("weights", _WEIGHTS + _PLANES * _GAP)
    cells = np.arange(0, channels * 4, VECTOR)
    for top, count in tiles.bands():
        common = {"zero": p.zeros, "tiles": count, "across": tiles.across}
        p.emit(
            winograd_weights.spread_turned,
            x=p.value(step.x),
            out=spread,
            room=turning,
            channels=channels,
            **_plane(step.x),
            top=top - step.plan.rows.before,
            left=-step.plan.columns.before,
            tile_plane=tiles.spread_plane,
            **common,
        )
        p.emit(
            winograd_weights.spread_gradient,
            dy=p.gradient(step.y),
            out=gradients,
            channels=filters,
            **_plane(step.y),
            top=top,
            tile_step=tiles.step,
            tile_plane=tiles.sums_plane,
            **common,
        )
        # A term for each tile and image: they follow each other in both.
        terms = np.arange(count * LANES)
        table = p.families([line_of_cells(terms * channels * 4, terms * 4, cells)])
        for q in range(_PLANES):
            _multiply(
                p,
                spread.moved(q * tiles.spread_plane),
                gradients.moved(q * tiles.sums_plane),
                u.moved(q * plane),
                rows=filters,
                block=len(cells),
                w_step=tiles.step,
                out_step=channels * 4,
                mode=ADD_GRADIENT if top else ACTIVATE,
                **table,
            )
    p.emit(
        winograd_weights.collect_weights,
        u=u,
        out=p.found(f"{step.place.name}.weight"),
        room=turning,
        outputs=filters,
        inputs=channels,
        plane=plane,
    )


def _multiply(p: Writer, x: Spot, w: Spot, out: Spot, **sizes: int) -> None:
    """Write the row of one plane's products."""
    p.emit(
        layers.sum_weighted,
        x=x,
        w=w,
        bias=p.zeros,
        out=out,
        sign=out,
        **ONE_GROUP,
        bias_step=0,
        slope=1.0,
        **sizes,
    )


def _room(p: Writer, name: str) -> Spot:
    return p.shared(name, _ROOM + _PLANES * _GAP)


def _plane(t: Tensor) -> dict[str, int]:
    return {"rows": t.plane[0], "columns": t.plane[1]}
