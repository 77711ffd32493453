"""Each layer's launches on a GPU, forward and back: what steps.py and cell_steps.py are for a CPU.

The steps themselves are those of `lowering.py`. `founds` says in how many parts the gradients of a
step's parameters are found; `forward` makes the step's values, `backward` turns the gradient of
these into the gradients of all that it reads. Writing a launch down computes nothing.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from stepconv.geometry import Plan, Slide
from stepconv.kernels.cuda import on_card, pool
from stepconv.kernels.cuda.conv import choose
from stepconv.kernels.cuda.machine import sums
from stepconv.kernels.cuda.network import cells, matrix, norms
from stepconv.kernels.cuda.network.ends import activation
from stepconv.kernels.cuda.network.matrix import Matrix
from stepconv.nn.cpu.cells import (
    ActivationStep,
    AddStep,
    AvgPoolStep,
    ConcatStep,
    DropoutStep,
    MaxPoolStep,
    NormStep,
    SqueezeStep,
)
from stepconv.nn.cpu.layers import ConvStep, DenseStep, Step
from stepconv.nn.cuda.writer import CardWriter, Found
from stepconv.nn.dropout import threshold
from stepconv.nn.layers import AvgPool
from stepconv.nn.steps.tensors import Tensor


@singledispatch
def founds(step: Step, images: int) -> list[Found]:
    """Return how the gradients of a step's parameters are found; most steps have none."""
    return []


@singledispatch
def forward(step: Step, p: CardWriter, training: bool) -> None:
    """Write down the launches that make a step's values."""
    raise NotImplementedError(type(step).__name__)


@singledispatch
def backward(step: Step, p: CardWriter) -> None:
    """Write down the launches that lead a step's gradient back."""
    raise NotImplementedError(type(step).__name__)


# Conv.


@founds.register
def _(step: ConvStep, images: int) -> list[Found]:
    name, layer, shape = step.place.name, step.layer, _w_shape(step)
    biased = layer.bias and choose.sums_biases(shape, layer.groups)
    out = (images, *step.y.shape)
    parts, columns = choose.parts_of(shape, out, layer.groups, biased)
    made = [Found(f"{name}.weight", f"{name}.bias" if biased else "", parts, shape[0], columns)]
    if layer.bias and not biased:
        parts = sums.parts_for(shape[0], images * out[2] * out[3], sums.LEAST)
        made.append(Found(f"{name}.bias", "", parts, shape[0], 1))
    return made


@forward.register
def _(step: ConvStep, p: CardWriter, training: bool) -> None:
    name, layer = step.place.name, step.layer
    choose.forward(
        p.shaped(p.value(step.x), step.x),
        p.weight(f"{name}.weight"),
        p.bias(name, layer.bias, step.y.channels),
        p.shaped(p.value(step.y), step.y),
        _slide(step),
        layer.groups,
        activation(step.y.slope),
    )


@backward.register
def _(step: ConvStep, p: CardWriter) -> None:
    name, groups, shape = step.place.name, step.layer.groups, _w_shape(step)
    x, dy = p.shaped(p.value(step.x), step.x), p.shaped(p.gradient(step.y), step.y)
    choose.weigh_parts(x, dy, shape, p.found(f"{name}.weight"), _slide(step), groups)
    if step.layer.bias and not choose.sums_biases(shape, groups):
        sums.sum_channel_parts(dy, p.found(f"{name}.bias"))
    if step.x.learns:
        into = p.into(step.x)
        choose.backward(
            dy,
            p.weight(f"{name}.weight"),
            p.zeros(step.x.channels),
            p.shaped(into.array, step.x),
            _slide(step),
            groups,
            True,
            into.end,
        )


def _w_shape(step: ConvStep) -> tuple[int, ...]:
    return step.layer.parameters(step.place.input)["weight"]


def _slide(step: ConvStep) -> Slide:
    return step.layer.plan(step.place.input).slide


# Dense: y = x · wᵀ, dx = dy · w, dw = dyᵀ · x.


@founds.register
def _(step: DenseStep, images: int) -> list[Found]:
    name, rows, columns = step.place.name, step.y.cells, step.x.cells + step.layer.bias
    bias = f"{name}.bias" if step.layer.bias else ""
    parts = matrix.parts_of(rows, columns, images)
    return [Found(f"{name}.weight", bias, parts, rows, columns)]


@forward.register
def _(step: DenseStep, p: CardWriter, training: bool) -> None:
    name, inputs, outputs = step.place.name, step.x.cells, step.y.cells
    matrix.multiply(
        Matrix(p.value(step.x), inputs, 1),
        Matrix(p.weight(f"{name}.weight").reshape(-1), 1, inputs),
        p.bias(name, step.layer.bias, outputs),
        p.value(step.y).reshape(p.images, outputs),
        inputs,
        activation(step.y.slope),
    )


@backward.register
def _(step: DenseStep, p: CardWriter) -> None:
    name, inputs, outputs = step.place.name, step.x.cells, step.y.cells
    dy = p.gradient(step.y)
    matrix.multiply_parts(
        Matrix(dy, 1, outputs),
        Matrix(p.value(step.x), inputs, 1),
        p.found(f"{name}.weight"),
        p.images,
        outputs,
        int(step.layer.bias),
    )
    if step.x.learns:
        into = p.into(step.x)
        matrix.multiply(
            Matrix(dy, outputs, 1),
            Matrix(p.weight(f"{name}.weight").reshape(-1), inputs, 1),
            p.zeros(inputs),
            into.array.reshape(p.images, inputs),
            outputs,
            into.end,
        )


# Pools.


@forward.register
def _(step: MaxPoolStep, p: CardWriter, training: bool) -> None:
    x, out = p.planes(p.value(step.x), step.x), p.planes(p.value(step.y), step.y)
    lowest, plan = np.float32(-np.inf), step.layer.plan(step.place.input)
    if training:
        winners = p.room(step, "winners", out.shape, np.int32)
        pool.max_pool_noting(x, out, lowest, winners, plan.window, plan.slide)
    else:
        pool.max_pool(x, out, lowest, plan.window, plan.slide)


@backward.register
def _(step: MaxPoolStep, p: CardWriter) -> None:
    if step.x.learns:
        dy, into = p.planes(p.gradient(step.y), step.y), p.into(step.x)
        winners = p.room(step, "winners", dy.shape, np.int32)
        dx, plan = p.planes(into.array, step.x), step.layer.plan(step.place.input)
        pool.hand_back(winners, dy, dx, plan.window, plan.slide, into.end)


@forward.register
def _(step: AvgPoolStep, p: CardWriter, training: bool) -> None:
    x, out = p.planes(p.value(step.x), step.x), p.planes(p.value(step.y), step.y)
    plan = step.layer.plan(step.place.input)
    pool.avg_pool(x, out, *_counts(step, plan), plan.window, plan.slide)


@backward.register
def _(step: AvgPoolStep, p: CardWriter) -> None:
    if step.x.learns:
        dy, into = p.planes(p.gradient(step.y), step.y), p.into(step.x)
        dx, plan = p.planes(into.array, step.x), step.layer.plan(step.place.input)
        pool.spread(dy, dx, *_counts(step, plan), plan.window, plan.slide, into.end)


def _counts(step: AvgPoolStep, plan: Plan) -> tuple[Any, Any]:
    """Return the cells that each window counts, along the rows and along the columns."""
    include = isinstance(step.layer, AvgPool) and step.layer.count_include_pad
    rows, columns = (
        on_card(np.array(axis.counts(include_pad=include), np.int64))
        for axis in (plan.rows, plan.columns)
    )
    return rows, columns


# Cell by cell.


@forward.register
def _(step: ActivationStep, p: CardWriter, training: bool) -> None:
    x = p.value(step.x)
    cells.hand_on(x, x, p.value(step.y), x.size, step.y.slope, False)


@backward.register
def _(step: ActivationStep, p: CardWriter) -> None:
    _hand_on(p, step.y, step.x)


def _hand_on(p: CardWriter, gradient: Tensor, to: Tensor) -> None:
    """Add a gradient to that of a tensor of the same size, through the tensor's activation."""
    if to.learns:
        into = p.into(to)
        dy = p.gradient(gradient)
        cells.hand_on(dy, into.values, into.array, dy.size, into.slope, into.adds)


@forward.register
def _(step: SqueezeStep, p: CardWriter, training: bool) -> None:
    cells.squeeze(p.value(step.x), p.value(step.y), step.kind)


@backward.register
def _(step: SqueezeStep, p: CardWriter) -> None:
    if step.x.learns:
        y, dy, into = p.value(step.y), p.gradient(step.y), p.into(step.x)
        cells.squeeze_back(y, dy, into.values, into.array, step.kind, into.slope, into.adds)


@forward.register
def _(step: DropoutStep, p: CardWriter, training: bool) -> None:
    x = p.value(step.x)
    cells.silence(x, x, p.value(step.y), p.controls, *_luck(step), 1.0, False)


@backward.register
def _(step: DropoutStep, p: CardWriter) -> None:
    if step.x.learns:
        dy, into = p.gradient(step.y), p.into(step.x)
        slope, adds = into.slope, into.adds
        cells.silence(dy, into.values, into.array, p.controls, *_luck(step), slope, adds)


def _luck(step: DropoutStep) -> tuple[int, int, float]:
    return step.number, threshold(step.layer.rate), 1 / (1 - step.layer.rate)


# Batch normalisation.


@founds.register
def _(step: NormStep, images: int) -> list[Found]:
    names = (f"{step.place.name}.weight", f"{step.place.name}.bias")
    return [Found(name, "", 1, step.x.channels, 1) for name in names]


@forward.register
def _(step: NormStep, p: CardWriter, training: bool) -> None:
    name, layer, channels = step.place.name, step.layer, step.x.channels
    x, out = _by_channels(p, p.value(step.x), step.x), _by_channels(p, p.value(step.y), step.y)
    remembered = p.statistics(name, channels)
    line = (p.weight(f"{name}.weight"), p.weight(f"{name}.bias"))
    end, epsilon = activation(step.y.slope), float(layer.epsilon)
    if training:
        options = (epsilon, float(layer.momentum))
        norms.normalise(x, out, *_sums(step, p), remembered, line, options, end)
    else:
        norms.normalise_known(x, out, remembered, line, epsilon, end)


@backward.register
def _(step: NormStep, p: CardWriter) -> None:
    name = step.place.name
    x, dy = _by_channels(p, p.value(step.x), step.x), _by_channels(p, p.gradient(step.y), step.y)
    gradients = (p.found(f"{name}.weight").reshape(-1), p.found(f"{name}.bias").reshape(-1))
    weight = p.weight(f"{name}.weight")
    if step.x.learns:
        into = p.into(step.x)
        dx, end = _by_channels(p, into.array, step.x), into.end
    else:
        dx, end = p.room(step, "nothing", (0, 1, 1)), activation(1)
    norms.normalise_back(x, dy, dx, *_sums(step, p), weight, gradients, end)


def _sums(step: NormStep, p: CardWriter) -> tuple[Any, Any]:
    """Return the rooms for a norm's sums and for what is known of its channels."""
    channels = step.x.channels
    parts = norms.parts_of(p.images, channels, step.x.cells // channels)
    return p.room(step, "sums", (parts, channels, 2)), p.room(step, "known", (channels, 3))


def _by_channels(p: CardWriter, row: Any, t: Tensor) -> Any:
    """Return a row of a tensor's numbers as (images, channels, cells)."""
    return row.reshape(p.images, t.channels, t.cells // t.channels)


# Branches.


@forward.register
def _(step: AddStep, p: CardWriter, training: bool) -> None:
    cells.add(p.value(step.a), p.value(step.b), p.value(step.y), step.y.slope)


@backward.register
def _(step: AddStep, p: CardWriter) -> None:
    for branch in (step.a, step.b):
        if branch.gradient_home is None:
            _hand_on(p, step.y, branch)


@forward.register
def _(step: ConcatStep, p: CardWriter, training: bool) -> None:
    y, first = p.value(step.y), 0
    for made, _ in step.parts:
        if not p.same(made, step.y):
            x = p.value(made)
            places = (made.cells, 0, made.cells, first, step.y.cells)
            cells.hand_on(x, x, y, x.size, 1.0, False, places)
        first += made.cells


@backward.register
def _(step: ConcatStep, p: CardWriter) -> None:
    dy, first = p.gradient(step.y), 0
    for made, _ in step.parts:
        # Where all parts have one activation, what reads the whole has gone back through it.
        slope = 1.0 if made.slope == step.y.slope else made.slope
        if p.same(made, step.y):
            if made.learns and slope != 1:
                cells.hand_on(dy, p.value(made), dy, dy.size, slope, False)
        elif made.learns:
            into = p.into(made)
            places = (made.cells, first, step.y.cells, 0, made.cells)
            cells.hand_on(dy, into.values, into.array, into.array.size, slope, into.adds, places)
        first += made.cells
