"""3x3 layers by Winograd's way for a few pictures: fewer multiplications, a little less exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan
from stepconv.kernels.cpu.channels import winograd
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR
from stepconv.kernels.winograd import KERNEL
from stepconv.nn.cpu.channels.writer import At, Writer, tasks_for
from stepconv.nn.steps.folding import FoldedStep

Array = NDArray[Any]

CELLS = 36
_ONE = Axis(size=1, window=1)
# Transformed cells and their sums, in bytes, that are worked on at a time: they stay in a cache
# that all threads share.
_BAND = 12 * 2**20
# Products that take as long as a byte: of transforms in a cache, and of weights out of memory.
_TRANSFORMED, _WEIGHT = 7, 6


def tiles_of(plan: Plan) -> tuple[int, int]:
    """Return how many tiles of 4x4 results lie below and beside each other."""
    rows, columns = plan.output_plane
    return -(-rows // 4), -(-columns // 4)


def fits(plan: Plan) -> bool:
    """Return whether a layer can be summed this way: 3x3 windows that move by one pixel."""
    of_three = all((axis.window, axis.stride, axis.dilation) == (3, 1, 1) for axis in plan.axes)
    return of_three and plan.groups == 1


def is_faster(plan: Plan, pictures: int) -> bool:
    """Return whether that is faster, for so many pictures at once."""
    channels, filters = plan.in_channels, plan.out_channels
    down, across = tiles_of(plan)
    tiles = pictures * down * across
    weights = 4 * channels * filters
    fast = tiles * CELLS * channels * filters + CELLS * weights * _WEIGHT
    fast += tiles * CELLS * 4 * (2 * channels + 3 * filters // 2) * _TRANSFORMED
    return fast < pictures * plan.products + 9 * weights * _WEIGHT


def transformed(w: Array) -> Array:
    """Return weights (filters, channels, 3, 3) as those of 36 groups: (36 · filters, channels)."""
    g = np.array(KERNEL)
    made: Array = np.einsum("ik,mckl,jl->ijmc", g, w.astype(np.float64), g, optimize=True)
    return made.reshape(-1, w.shape[1]).astype(np.float32)


def sums_plan(plan: Plan) -> Plan:
    """Return the plan of the sums between the transforms, one for each cell of a tile."""
    return Plan((_ONE, _ONE), CELLS * plan.in_channels, CELLS * plan.out_channels, CELLS)


class Band:
    """Some tiles of a layer, and where their transformed cells and sums lie."""

    def __init__(self, step: FoldedStep, p: Writer, first: int, tiles: int) -> None:
        plan = step.sums.plan
        self._step, self._p, self.tiles = step, p, tiles
        down, across = tiles_of(plan)
        self.cell = -(-plan.in_channels // LANES) * VECTOR  # bytes from cell to cell
        self._common = {"first": first, "tiles": tiles, "across": across, "down": down}
        self.cells, self.sums = (
            At(p.shared(name, tiles * size), size, 1, 1)
            for name, size in zip(("cells", "sums"), _steps(plan), strict=True)
        )

    def spread(self, zeros: int) -> None:
        """Write the row that transforms the layer's input."""
        plan, x, parts = self._step.sums.plan, self._p.at(self._step.x), self._parts(self.cells)
        self._p.emit(
            winograd.spread,
            parts,
            **self._common,
            rows=x.rows,
            columns=x.columns,
            x=x.address,
            x_step=x.step,
            out=self.cells.address,
            out_step=self.cells.step,
            zeros=zeros,
            channels=plan.in_channels,
            top=plan.rows.before,
            left=plan.columns.before,
            parts=parts,
        )

    def collect(self, bias: int) -> None:
        """Write the row that transforms the sums into what the layer makes."""
        step, parts = self._step, self._parts(self.sums)
        y = self._p.at(step.y)
        other = y if step.other is None else self._p.at(step.other)
        self._p.emit(
            winograd.collect,
            parts,
            **self._common,
            rows=y.rows,
            columns=y.columns,
            nowhere=self._p.rooms(4 * step.y.channels + VECTOR, parts),
            m=self.sums.address,
            m_step=self.sums.step,
            bias=bias,
            adds=int(step.other is not None),
            other=other.address,
            other_step=other.step,
            out=y.address,
            out_step=y.step,
            channels=step.y.channels,
            slope=step.y.slope,
            limit=step.y.limit,
            parts=parts,
        )

    def _parts(self, made: At) -> int:
        return min(self.tiles, tasks_for(size=3 * self.tiles * made.step))


def bands(step: FoldedStep, p: Writer) -> Iterator[Band]:
    """Yield the tiles of a layer, so many at a time as a cache holds."""
    down, across = tiles_of(step.sums.plan)
    total = p.pictures * down * across
    count = -(-total * sum(_steps(step.sums.plan)) // _BAND)
    for band in range(count):
        first, stop = (n * total // count for n in (band, band + 1))
        yield Band(step, p, first, stop - first)


def _steps(plan: Plan) -> tuple[int, int]:
    """Return the bytes from tile to tile of transformed cells, and of their sums."""
    reads, makes = -(-plan.in_channels // LANES) * VECTOR, plan.out_channels * 4
    # Each begins with a line of the cache, and not all with those of one set.
    return CELLS * reads + VECTOR, -(-CELLS * makes // VECTOR) * VECTOR + VECTOR
