"""Layers of weights as launches on a GPU: conv and dense, forward and back.

Writing a launch down computes nothing. The plain semantics are in twin.py.
"""

from __future__ import annotations

from stepconv.kernels.cuda.conv import choose
from stepconv.kernels.cuda.machine import sums
from stepconv.kernels.cuda.network import matrix
from stepconv.kernels.cuda.network.ends import activation
from stepconv.kernels.cuda.network.matrix import Matrix
from stepconv.nn.cuda.writer import CardWriter, Found, backward, forward, founds
from stepconv.nn.steps.records import ConvStep, DenseStep

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
def _(step: ConvStep, p: CardWriter) -> None:
    name, layer = step.place.name, step.layer
    choose.forward(
        p.shaped(p.value(step.x), step.x),
        p.weight(f"{name}.weight"),
        p.bias(name, layer.bias, step.y.channels),
        p.shaped(p.value(step.y), step.y),
        step.plan.slide,
        layer.groups,
        activation(step.y.slope),
    )


@backward.register
def _(step: ConvStep, p: CardWriter) -> None:
    name, groups, shape = step.place.name, step.layer.groups, _w_shape(step)
    x, dy = p.shaped(p.value(step.x), step.x), p.shaped(p.gradient(step.y), step.y)
    choose.weigh_parts(x, dy, shape, p.found(f"{name}.weight"), step.plan.slide, groups)
    if step.layer.bias and not choose.sums_biases(shape, groups):
        sums.sum_channel_parts(dy, p.found(f"{name}.bias"))
    if step.x.learns:
        into = p.into(step)
        choose.backward(
            dy,
            p.weight(f"{name}.weight"),
            p.zeros(step.x.channels),
            p.shaped(into.array, step.x),
            step.plan.slide,
            groups,
            True,
            into.end,
        )


def _w_shape(step: ConvStep) -> tuple[int, ...]:
    return step.layer.parameters(step.place.input)["weight"]


# Dense: y = x · wᵀ, dx = dy · w, dw = dyᵀ · x.


@founds.register
def _(step: DenseStep, images: int) -> list[Found]:
    name, rows, columns = step.place.name, step.y.cells, step.x.cells + step.layer.bias
    bias = f"{name}.bias" if step.layer.bias else ""
    parts = matrix.parts_of(rows, columns, images)
    return [Found(f"{name}.weight", bias, parts, rows, columns)]


@forward.register
def _(step: DenseStep, p: CardWriter) -> None:
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
        into = p.into(step)
        matrix.multiply(
            Matrix(dy, outputs, 1),
            Matrix(p.weight(f"{name}.weight").reshape(-1), inputs, 1),
            p.zeros(inputs),
            into.array.reshape(p.images, inputs),
            outputs,
            into.end,
        )
