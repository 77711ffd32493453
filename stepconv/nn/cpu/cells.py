"""Layers without a window of weights as rows of a program: pools, activations, norms, sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes import cells, norms, pools
from stepconv.kernels.cpu.lanes.rows import VECTOR, Spot
from stepconv.nn.cpu.windows import Family, families, forward_lines
from stepconv.nn.cpu.writer import Into, Writer, backward, forward
from stepconv.nn.steps.records import (
    ActivationStep,
    AddStep,
    AvgPoolStep,
    ConcatStep,
    DropoutStep,
    MaxPoolStep,
    NormStep,
    PoolStep,
    SqueezeStep,
)
from stepconv.nn.steps.tensors import Tensor

# Pools.


@forward.register
def _(step: MaxPoolStep, p: Writer) -> None:
    out, plane = p.value(step.y), _plane(step.y)
    p.emit(pools.max_pool, out=out, out_plane=plane, **p.families(_families(step)), **_x(step, p))


@backward.register
def _(step: MaxPoolStep, p: Writer) -> None:
    if step.x.learns:
        into = p.into(step) if step.writes_once else _summing(step, p)
        p.emit(
            pools.max_pool_back,
            y=p.value(step.y),
            dy=p.gradient(step.y),
            y_plane=_plane(step.y),
            dx=into.out,
            adds=into.adds,
            slope=into.slope,
            **p.families(_families(step)),
            **_x(step, p),
        )


@forward.register
def _(step: AvgPoolStep, p: Writer) -> None:
    out, plane = p.value(step.y), _plane(step.y)
    p.emit(pools.avg_pool, out=out, out_plane=plane, **_shares(step, p), **_x(step, p))


@backward.register
def _(step: AvgPoolStep, p: Writer) -> None:
    if step.x.learns:
        into = _summing(step, p)
        p.emit(
            pools.avg_pool_back,
            dy=p.gradient(step.y),
            dy_plane=_plane(step.y),
            dx=into.out,
            slope=into.slope,
            **_shares(step, p),
            **_x(step, p),
        )


def _x(step: PoolStep, p: Writer) -> dict[str, Any]:
    return {"x": p.value(step.x), "x_plane": _plane(step.x), "channels": step.x.channels}


def _summing(step: PoolStep, p: Writer) -> Into:
    """Return where windows that overlap add up their gradients, beginning with 0."""
    into = p.into(step)
    if not into.adds:
        p.emit(cells.clear, out=into.out, cells=step.x.cells)
    return into._replace(adds=1)


def _shares(step: AvgPoolStep, p: Writer) -> dict[str, int]:
    made = _families(step, step.counts)
    shares = np.array([1 / family.count for family in made], np.float32)
    return {**p.families(made), "shares": p.keep(shares)}


def _families(step: PoolStep, counts: Any = (None, None)) -> list[Family]:
    lines = [forward_lines(*both) for both in zip(step.plan.axes, counts, strict=True)]
    return families(lines, step.x.plane, step.y.plane[1], vector=VECTOR)


def _plane(t: Tensor) -> int:
    return t.plane[0] * t.plane[1] * VECTOR


# Cell by cell.


def hand_on(p: Writer, x: Spot, into: Into, count: int) -> None:
    """Write the row that hands so many cells on, through an activation."""
    p.emit(cells.hand_on, x=x, cells=count, **into._asdict())


@forward.register
def _(step: ActivationStep, p: Writer) -> None:
    x = p.value(step.x)
    hand_on(p, x, Into(p.value(step.y), x, 0, step.y.slope), step.x.cells)


@backward.register
def _(step: ActivationStep, p: Writer) -> None:
    if step.x.learns:
        hand_on(p, p.gradient(step.y), p.into(step), step.x.cells)


@forward.register
def _(step: SqueezeStep, p: Writer) -> None:
    x, out = p.value(step.x), p.value(step.y)
    p.emit(cells.squeeze, x=x, out=out, cells=step.x.cells, kind=step.kind)


@backward.register
def _(step: SqueezeStep, p: Writer) -> None:
    if step.x.learns:
        into = p.into(step)
        p.emit(
            cells.squeeze_back,
            y=p.value(step.y),
            dy=p.gradient(step.y),
            sign=into.sign,
            dx=into.out,
            cells=step.x.cells,
            kind=step.kind,
            adds=into.adds,
            slope=into.slope,
        )


@forward.register
def _(step: DropoutStep, p: Writer) -> None:
    x = p.value(step.x)
    _silence(step, p, x, Into(p.value(step.y), x, 0, 1.0))


@backward.register
def _(step: DropoutStep, p: Writer) -> None:
    if step.x.learns:
        _silence(step, p, p.gradient(step.y), p.into(step))


def _silence(step: DropoutStep, p: Writer, x: Spot, into: Into) -> None:
    p.emit(
        cells.silence,
        x=x,
        cells=step.x.cells,
        control=p.control,
        layer=step.number,
        threshold=step.threshold,
        scale=step.scale,
        **into._asdict(),
    )


# Batch normalisation: sums of each chunk, a barrier, then what they tell all.


@forward.register
def _(step: NormStep, p: Writer) -> None:
    name, common = step.place.name, _norm(step, p)
    means, variances = (p.statistic(f"{name}.running_{w}") for w in ("mean", "var"))
    line = {
        "out": p.value(step.y),
        "weight": p.weight(f"{name}.weight"),
        "bias": p.weight(f"{name}.bias"),
        "epsilon": float(step.layer.epsilon),
        "slope": step.y.slope,
    }
    if not p.training:
        p.emit(norms.norm_known, means=means, variances=variances, **line, **common)
        return
    p.emit(norms.norm_sums, mask=p.mask, remembered=means, **common)
    p.barrier()
    p.emit(norms.norm, remembered=means, control=p.control, **line, **common)
    del common["x"]
    p.emit_update(
        norms.remember,
        means=means,
        variances=variances,
        control=p.control,
        momentum=float(step.layer.momentum),
        **common,
    )


@backward.register
def _(step: NormStep, p: Writer) -> None:
    name, common = step.place.name, {**_norm(step, p), "dy": p.gradient(step.y)}
    weight, bias = p.found(f"{name}.weight"), p.found(f"{name}.bias")
    p.emit(norms.norm_back_sums, dweight=weight, dbias=bias, **common)
    if step.x.learns:
        p.barrier()
        into = p.into(step)
        p.emit(
            norms.norm_back,
            dx=into.out,
            mask=p.mask,
            control=p.control,
            weight=p.weight(f"{name}.weight"),
            adds=into.adds,
            slope=into.slope,
            **common,
        )


def _norm(step: NormStep, p: Writer) -> dict[str, Any]:
    """Return what all kernels of a norm are given."""
    return {
        "x": p.value(step.x),
        "sums": p.shared(f"{step.place.name} sums", step.x.channels * norms.CHANNEL),
        "channels": step.x.channels,
        "cells": step.cells,
    }


# Branches.


@forward.register
def _(step: AddStep, p: Writer) -> None:
    a, b = map(p.value, step.reads)
    p.emit(cells.add, a=a, b=b, out=p.value(step.y), cells=step.y.cells, slope=step.y.slope)


@backward.register
def _(step: AddStep, p: Writer) -> None:
    for i, branch in enumerate(step.reads):
        if branch.learns and branch.gradient_home is None:
            hand_on(p, p.gradient(step.y), p.into(step, i), branch.cells)


@forward.register
def _(step: ConcatStep, p: Writer) -> None:
    for made, part in zip(step.reads, step.parts, strict=True):
        if made is not part:
            x = p.value(made)
            hand_on(p, x, Into(p.value(part), x, 0, 1.0), made.cells)


@backward.register
def _(step: ConcatStep, p: Writer) -> None:
    for i, (made, part) in enumerate(zip(step.reads, step.parts, strict=True)):
        slope = step.slope(made)
        if made is not part:
            if made.learns:
                into = p.into(step, i)._replace(slope=slope)
                hand_on(p, p.gradient(part), into, made.cells)
        elif made.learns and slope != 1:
            at = p.gradient(made)
            hand_on(p, at, Into(at, p.value(made), 0, slope), made.cells)
