"""Layers without a window of weights as rows of a program: pools, activations, norms, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes import cells, norms, pools
from stepconv.kernels.cpu.lanes.rows import VECTOR
from stepconv.nn.cpu.windows import Family, families, forward_lines
from stepconv.nn.cpu.writer import Writer
from stepconv.nn.dropout import threshold
from stepconv.nn.layers import AvgPool, BatchNorm, Dropout, GlobalAvgPool, MaxPool
from stepconv.nn.model import Place
from stepconv.nn.steps.tensors import Tensor


def hand_on(p: Writer, gradient: Tensor, to: Tensor, slope: float) -> None:
    """Write the row that adds a gradient to that of a tensor, through an activation's slope."""
    if to.learns:
        out, adds = p.into(to)
        p.emit(
            cells.hand_on,
            x=p.gradient(gradient),
            sign=p.value(to),
            out=out,
            cells=to.cells,
            adds=adds,
            slope=slope,
        )


@dataclass
class MaxPoolStep:
    """The largest cell of each window."""

    place: Place
    layer: MaxPool
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        table, count = p.families(self._families())
        p.emit(
            pools.max_pool,
            x=p.value(self.x),
            out=p.value(self.y),
            families=table,
            family_count=count,
            **_planes(self.x, self.y),
        )

    def backward(self, p: Writer) -> None:
        if not self.x.learns:
            return
        if not self.writes_once and not self.x.is_written():
            p.emit(cells.clear, out=p.into(self.x)[0], cells=self.x.cells)
        table, count = p.families(self._families())
        out, adds = p.into(self.x)
        p.emit(
            pools.max_pool_back,
            x=p.value(self.x),
            y=p.value(self.y),
            dy=p.gradient(self.y),
            dx=out,
            families=table,
            family_count=count,
            channels=self.x.channels,
            x_plane=_plane(self.x),
            y_plane=_plane(self.y),
            adds=adds,
            slope=self.x.slope,
        )

    @property
    def writes_once(self) -> bool:
        """Whether the windows lie side by side and leave no cell out."""
        axes = self.layer.plan(self.place.input).axes
        return all(axis.stride >= axis.span and not axis.unread() for axis in axes)

    def _families(self) -> list[Family]:
        plan = self.layer.plan(self.place.input)
        lines = (forward_lines(plan.rows), forward_lines(plan.columns))
        return families(lines, self.x.plane, self.y.plane[1], vector=VECTOR)


@dataclass
class AvgPoolStep:
    """The mean of each window, or of the whole plane."""

    place: Place
    layer: AvgPool | GlobalAvgPool
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        p.emit(
            pools.avg_pool,
            x=p.value(self.x),
            out=p.value(self.y),
            **self._tables(p),
            **_planes(self.x, self.y),
        )

    def backward(self, p: Writer) -> None:
        if not self.x.learns:
            return
        if not self.x.is_written():
            p.emit(cells.clear, out=p.into(self.x)[0], cells=self.x.cells)
        p.emit(
            pools.avg_pool_back,
            x=p.value(self.x),
            dy=p.gradient(self.y),
            dx=p.gradient(self.x),
            **self._tables(p),
            channels=self.x.channels,
            x_plane=_plane(self.x),
            dy_plane=_plane(self.y),
            slope=self.x.slope,
        )

    def _tables(self, p: Writer) -> dict[str, Any]:
        plan = self.layer.plan(self.place.input)
        include = isinstance(self.layer, AvgPool) and self.layer.count_include_pad
        counts = [axis.counts(include_pad=include) for axis in (plan.rows, plan.columns)]
        lines = (forward_lines(plan.rows, counts[0]), forward_lines(plan.columns, counts[1]))
        made = families(lines, self.x.plane, self.y.plane[1], vector=VECTOR)
        table, count = p.families(made)
        shares = p.keep(np.array([1 / family.count for family in made], np.float32))
        return {"families": table, "family_count": count, "shares": shares}


@dataclass
class ActivationStep:
    """An activation by slope that nobody could apply on the way: ReLU of a sum of branches."""

    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        at = p.value(self.x)
        p.emit(
            cells.hand_on,
            x=at,
            sign=at,
            out=p.value(self.y),
            cells=self.x.cells,
            adds=0,
            slope=self.y.slope,
        )

    def backward(self, p: Writer) -> None:
        hand_on(p, self.y, self.x, self.x.slope)


@dataclass
class SqueezeStep:
    """Tanh or sigmoid."""

    kind: int
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        p.emit(
            cells.squeeze,
            x=p.value(self.x),
            out=p.value(self.y),
            cells=self.x.cells,
            kind=self.kind,
        )

    def backward(self, p: Writer) -> None:
        if self.x.learns:
            out, adds = p.into(self.x)
            p.emit(
                cells.squeeze_back,
                y=p.value(self.y),
                dy=p.gradient(self.y),
                sign=p.value(self.x),
                dx=out,
                cells=self.x.cells,
                kind=self.kind,
                adds=adds,
                slope=self.x.slope,
            )


@dataclass
class DropoutStep:
    """Silences a share of the cells; the way back silences the same ones."""

    number: int
    layer: Dropout
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        at = p.value(self.x)
        p.emit(
            cells.silence,
            x=at,
            sign=at,
            out=p.value(self.y),
            adds=0,
            slope=1.0,
            **self._numbers(p),
        )

    def backward(self, p: Writer) -> None:
        if self.x.learns:
            out, adds = p.into(self.x)
            p.emit(
                cells.silence,
                x=p.gradient(self.y),
                sign=p.value(self.x),
                out=out,
                adds=adds,
                slope=self.x.slope,
                **self._numbers(p),
            )

    def _numbers(self, p: Writer) -> dict[str, Any]:
        return {
            "cells": self.x.cells,
            "control": p.control,
            "layer": self.number,
            "threshold": threshold(self.layer.rate),
            "scale": 1 / (1 - self.layer.rate),
        }


@dataclass
class NormStep:
    """Batch normalisation: sums of each chunk, a barrier, then what they tell all."""

    place: Place
    layer: BatchNorm
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        name, x = self.place.name, p.value(self.x)
        self._sums = p.room(self.x.channels * norms.CHANNEL)
        means, variances = (p.statistic(f"{name}.running_{w}") for w in ("mean", "var"))
        shape = {"channels": self.x.channels, "cells": self._cells}
        common = {
            "x": x,
            "out": p.value(self.y),
            "sums": self._sums,
            "weight": p.weight(f"{name}.weight"),
            "bias": p.weight(f"{name}.bias"),
            "epsilon": float(self.layer.epsilon),
            "slope": self.y.slope,
            **shape,
        }
        if not p.training:
            p.emit(norms.norm_known, means=means, variances=variances, **common)
            return
        p.emit(norms.norm_sums, x=x, sums=self._sums, mask=p.mask, remembered=means, **shape)
        p.barrier()
        p.emit(norms.norm, remembered=means, control=p.control, **common)
        p.emit_update(
            norms.remember,
            sums=self._sums,
            means=means,
            variances=variances,
            control=p.control,
            momentum=float(self.layer.momentum),
            **shape,
        )

    def backward(self, p: Writer) -> None:
        name, x, dy = self.place.name, p.value(self.x), p.gradient(self.y)
        shape = {"channels": self.x.channels, "cells": self._cells}
        weight, bias = p.found(f"{name}.weight"), p.found(f"{name}.bias")
        p.emit(
            norms.norm_back_sums,
            x=x,
            dy=dy,
            sums=self._sums,
            dweight=weight.address,
            dbias=bias.address,
            d_task=weight.task,
            **shape,
        )
        if self.x.learns:
            p.barrier()
            out, adds = p.into(self.x)
            p.emit(
                norms.norm_back,
                x=x,
                dy=dy,
                dx=out,
                sums=self._sums,
                mask=p.mask,
                control=p.control,
                weight=p.weight(f"{name}.weight"),
                adds=adds,
                slope=self.x.slope,
                **shape,
            )

    @property
    def _cells(self) -> int:
        return self.x.cells // self.x.channels


@dataclass
class AddStep:
    """The sum of two branches."""

    a: Tensor
    b: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        p.emit(
            cells.add,
            a=p.value(self.a),
            b=p.value(self.b),
            out=p.value(self.y),
            cells=self.y.cells,
            slope=self.y.slope,
        )

    def backward(self, p: Writer) -> None:
        for branch in (self.a, self.b):
            if branch.gradient_home is None:
                hand_on(p, self.y, branch, branch.slope)


@dataclass
class ConcatStep:
    """Branches on top of each other: most were made in place, the others are copied there.

    A part is (what a branch gave, the part of the result); they are the same if made in place.
    """

    parts: list[tuple[Tensor, Tensor]]
    y: Tensor

    def forward(self, p: Writer) -> None:
        for made, part in self.parts:
            if made is not part:
                at = p.value(made)
                p.emit(
                    cells.hand_on,
                    x=at,
                    sign=at,
                    out=p.value(part),
                    cells=made.cells,
                    adds=0,
                    slope=1.0,
                )

    def backward(self, p: Writer) -> None:
        for made, part in self.parts:
            # Where all parts have one activation, what reads the whole has gone back through it.
            slope = 1.0 if made.slope == self.y.slope else made.slope
            if made is not part:
                hand_on(p, part, made, slope)
            elif made.learns and slope != 1:
                at = p.gradient(made)
                p.emit(
                    cells.hand_on,
                    x=at,
                    sign=p.value(made),
                    out=at,
                    cells=made.cells,
                    adds=0,
                    slope=slope,
                )


def _plane(t: Tensor) -> int:
    return t.plane[0] * t.plane[1] * VECTOR


def _planes(x: Tensor, y: Tensor) -> dict[str, int]:
    return {"channels": x.channels, "x_plane": _plane(x), "out_plane": _plane(y)}
