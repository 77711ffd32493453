"""Layers without a window of weights as launches on a GPU: pools, activations, norms, sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cuda import on_card, pool
from stepconv.kernels.cuda.network import cells, norms
from stepconv.kernels.cuda.network.ends import activation
from stepconv.nn.cuda.writer import CardWriter, Found, Into, backward, forward, founds
from stepconv.nn.steps.records import (
    ActivationStep,
    AddStep,
    AvgPoolStep,
    ConcatStep,
    DropoutStep,
    MaxPoolStep,
    NormStep,
    SqueezeStep,
)
from stepconv.nn.steps.tensors import Tensor

# Pools.


@forward.register
def _(step: MaxPoolStep, p: CardWriter) -> None:
    x, out = p.planes(p.value(step.x), step.x), p.planes(p.value(step.y), step.y)
    lowest = np.float32(-np.inf)
    if p.training:
        winners = p.room(step, "winners", out.shape, np.int32)
        pool.max_pool_noting(x, out, lowest, winners, step.plan.window, step.plan.slide)
    else:
        pool.max_pool(x, out, lowest, step.plan.window, step.plan.slide)


@backward.register
def _(step: MaxPoolStep, p: CardWriter) -> None:
    if step.x.learns:
        dy, into = p.planes(p.gradient(step.y), step.y), p.into(step)
        winners = p.room(step, "winners", dy.shape, np.int32)
        dx = p.planes(into.array, step.x)
        pool.hand_back(winners, dy, dx, step.plan.window, step.plan.slide, into.end)


@forward.register
def _(step: AvgPoolStep, p: CardWriter) -> None:
    x, out = p.planes(p.value(step.x), step.x), p.planes(p.value(step.y), step.y)
    pool.avg_pool(x, out, *_counts(step), step.plan.window, step.plan.slide)


@backward.register
def _(step: AvgPoolStep, p: CardWriter) -> None:
    if step.x.learns:
        dy, into = p.planes(p.gradient(step.y), step.y), p.into(step)
        dx = p.planes(into.array, step.x)
        pool.spread(dy, dx, *_counts(step), step.plan.window, step.plan.slide, into.end)


def _counts(step: AvgPoolStep) -> tuple[Any, Any]:
    rows, columns = (on_card(np.array(counts, np.int64)) for counts in step.counts)
    return rows, columns


# Cell by cell.


@forward.register
def _(step: ActivationStep, p: CardWriter) -> None:
    x = p.value(step.x)
    cells.hand_on(x, x, p.value(step.y), x.size, step.y.slope, False)


@backward.register
def _(step: ActivationStep, p: CardWriter) -> None:
    if step.x.learns:
        _hand_on(p.gradient(step.y), p.into(step))


def _hand_on(dy: Any, into: Into) -> None:
    """Hand a gradient on to a tensor of the same size, through the tensor's activation."""
    cells.hand_on(dy, into.values, into.array, dy.size, into.slope, into.adds)


@forward.register
def _(step: SqueezeStep, p: CardWriter) -> None:
    cells.squeeze(p.value(step.x), p.value(step.y), step.kind)


@backward.register
def _(step: SqueezeStep, p: CardWriter) -> None:
    if step.x.learns:
        y, dy, into = p.value(step.y), p.gradient(step.y), p.into(step)
        cells.squeeze_back(y, dy, into.values, into.array, step.kind, into.slope, into.adds)


@forward.register
def _(step: DropoutStep, p: CardWriter) -> None:
    x = p.value(step.x)
    _silence(step, p, x, Into(p.value(step.y), x, 1.0, False))


@backward.register
def _(step: DropoutStep, p: CardWriter) -> None:
    if step.x.learns:
        _silence(step, p, p.gradient(step.y), p.into(step))


def _silence(step: DropoutStep, p: CardWriter, x: Any, into: Into) -> None:
    luck = (step.number, step.threshold, step.scale)
    cells.silence(x, into.values, into.array, p.controls, *luck, into.slope, into.adds)


# Batch normalisation.


@founds.register
def _(step: NormStep, images: int) -> list[Found]:
    names = (f"{step.place.name}.weight", f"{step.place.name}.bias")
    return [Found(name, "", 1, step.x.channels, 1) for name in names]


@forward.register
def _(step: NormStep, p: CardWriter) -> None:
    name, layer, channels = step.place.name, step.layer, step.x.channels
    x, out = _by_channels(p, p.value(step.x), step.x), _by_channels(p, p.value(step.y), step.y)
    remembered = norms.Remembered(*p.statistics(name, channels))
    line = norms.Line(p.weight(f"{name}.weight"), p.weight(f"{name}.bias"))
    end, epsilon = activation(step.y.slope), float(layer.epsilon)
    if p.training:
        momentum = float(layer.momentum)
        norms.normalise(x, out, *_sums(step, p), remembered, line, epsilon, momentum, end)
    else:
        norms.normalise_known(x, out, remembered, line, epsilon, end)


@backward.register
def _(step: NormStep, p: CardWriter) -> None:
    name = step.place.name
    x, dy = _by_channels(p, p.value(step.x), step.x), _by_channels(p, p.gradient(step.y), step.y)
    found = (p.found(f"{name}.{one}").reshape(-1) for one in ("weight", "bias"))
    weight = p.weight(f"{name}.weight")
    if step.x.learns:
        into = p.into(step)
        dx, end = _by_channels(p, into.array, step.x), into.end
    else:
        dx, end = p.room(step, "nothing", (0, 1, 1)), activation(1)
    norms.normalise_back(x, dy, dx, *_sums(step, p), weight, norms.Line(*found), end)


def _sums(step: NormStep, p: CardWriter) -> tuple[Any, Any]:
    """Return the rooms for a norm's sums and for what is known of its channels."""
    channels = step.x.channels
    parts = norms.parts_of(p.images, channels, step.cells)
    return p.room(step, "sums", (parts, channels, 2)), p.room(step, "known", (channels, 3))


def _by_channels(p: CardWriter, row: Any, t: Tensor) -> Any:
    """Return a row of a tensor's numbers as (images, channels, cells)."""
    return row.reshape(p.images, t.channels, t.cells // t.channels)


# Branches.


@forward.register
def _(step: AddStep, p: CardWriter) -> None:
    a, b = map(p.value, step.reads)
    cells.add(a, b, p.value(step.y), step.y.slope)


@backward.register
def _(step: AddStep, p: CardWriter) -> None:
    for i, branch in enumerate(step.reads):
        if branch.learns and branch.gradient_home is None:
            _hand_on(p.gradient(step.y), p.into(step, i))


# Here a tensor's images follow each other, so that only what is the whole can be made in place.


@forward.register
def _(step: ConcatStep, p: CardWriter) -> None:
    y, first = p.value(step.y), 0
    for made in step.reads:
        if made.whole is not step.y.whole:
            x = p.value(made)
            places = cells.Places(made.cells, 0, made.cells, first, step.y.cells)
            cells.hand_on(x, x, y, x.size, 1.0, False, places)
        first += made.cells


@backward.register
def _(step: ConcatStep, p: CardWriter) -> None:
    dy, first = p.gradient(step.y), 0
    for i, made in enumerate(step.reads):
        slope = step.slope(made)
        if made.whole is step.y.whole:
            if made.learns and slope != 1:
                cells.hand_on(dy, p.value(made), dy, dy.size, slope, False)
        elif made.learns:
            into = p.into(step, i)
            places = cells.Places(made.cells, first, step.y.cells, 0, made.cells)
            cells.hand_on(dy, into.values, into.array, into.array.size, slope, into.adds, places)
        first += made.cells
