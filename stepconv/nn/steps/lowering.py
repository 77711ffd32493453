"""From a description to steps: which tensors there are, and what is computed on the way past.

A ReLU costs nothing where the layer before it can apply it while it writes; a concat costs nothing
where its branches can write into their part of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod

from stepconv.geometry import Shape
from stepconv.kernels.kinds import SIGMOID, TANH
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
from stepconv.nn.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    LeakyReLU,
    MaxPool,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
)
from stepconv.nn.model import Model, Place, stack
from stepconv.nn.steps.tensors import Tensor


@dataclass
class Steps:
    """A network as steps from the pictures `x` to the answers `y`."""

    x: Tensor
    y: Tensor
    steps: list[Step]


def lower(model: Model, *, training: bool, bordered: bool = True) -> Steps:
    """Return the steps of a network; without training, dropout does nothing.

    Where pictures may be `bordered`, those for a conv have its padding laid around them: with one
    channel or three there are few taps to a family, and a border makes one family of all.
    """
    x = Tensor(model.input_shape, learns=False)
    first = model.layers[0]
    if bordered and isinstance(first, Conv):
        rows, columns = first.plan(model.input_shape).axes
        x = Tensor((x.channels, rows.padded, columns.padded), learns=False, bordered=True)
    lowering = _Lowering(training)
    y = lowering.through(model.layers, x, model.input_shape)
    return Steps(x, y, lowering.steps)


@dataclass
class _Lowering:
    training: bool
    steps: list[Step] = field(default_factory=list)
    dropouts: int = 0

    def through(self, layers: Sequence[Layer], x: Tensor, shape: Shape, prefix: str = "") -> Tensor:
        """Return what a stack of layers makes of x."""
        for place in stack(layers, shape, prefix):
            x = self.apply(place.layer, place, x)
        return x

    @singledispatchmethod
    def apply(self, layer: Layer, place: Place, x: Tensor) -> Tensor:
        """Note the steps of a layer and return what it makes of x."""
        raise NotImplementedError(layer.kind)

    @apply.register
    def _(self, layer: Conv, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, learns=True, activates=True)
        x.use_up()
        self.steps.append(ConvStep(place, layer, x, y))
        return y

    @apply.register
    def _(self, layer: Dense, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, learns=True, activates=True)
        x.use_up()
        self.steps.append(DenseStep(place, layer, x, y))
        return y

    @apply.register
    def _(self, layer: MaxPool, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, x.learns)
        step = MaxPoolStep(place, layer, x, y)
        if step.writes_once:
            x.use_up()
        self.steps.append(step)
        return y

    @apply.register(AvgPool)
    @apply.register(GlobalAvgPool)
    def _(self, layer: AvgPool | GlobalAvgPool, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, x.learns)
        self.steps.append(AvgPoolStep(place, layer, x, y))
        return y

    @apply.register
    def _(self, layer: ReLU, place: Place, x: Tensor) -> Tensor:
        return self._activated(x, 0.0)

    @apply.register
    def _(self, layer: LeakyReLU, place: Place, x: Tensor) -> Tensor:
        return self._activated(x, float(layer.slope))

    @apply.register
    def _(self, layer: Tanh, place: Place, x: Tensor) -> Tensor:
        return self._squeezed(TANH, x)

    @apply.register
    def _(self, layer: Sigmoid, place: Place, x: Tensor) -> Tensor:
        return self._squeezed(SIGMOID, x)

    @apply.register
    def _(self, layer: Flatten, place: Place, x: Tensor) -> Tensor:
        return x.flat()

    @apply.register
    def _(self, layer: Dropout, place: Place, x: Tensor) -> Tensor:
        if not self.training:
            return x
        y = Tensor(x.shape, x.learns)
        x.use_up()
        self.steps.append(DropoutStep(self.dropouts, layer, x, y))
        self.dropouts += 1
        return y

    @apply.register
    def _(self, layer: BatchNorm, place: Place, x: Tensor) -> Tensor:
        y = Tensor(x.shape, learns=True, activates=True)
        x.use_up()
        self.steps.append(NormStep(place, layer, x, y))
        return y

    @apply.register
    def _(self, layer: Residual, place: Place, x: Tensor) -> Tensor:
        x.shared = True
        a, b = (self.through(inner, x, place.input, name) for name, inner in place.inside())
        y = Tensor(place.output, a.learns or b.learns, activates=True)
        self.steps.append(AddStep(a, b, y))
        for branch in (a, b):
            # A branch that nobody else reads has the gradient of the sum: no copy is needed.
            if branch.home is None and not branch.shared and branch.slope == 1 and branch.learns:
                branch.gradient_home = y
            else:
                branch.use_up()
        return y

    @apply.register
    def _(self, layer: Concat, place: Place, x: Tensor) -> Tensor:
        was_shared, x.shared = x.shared, True
        made = [self.through(inner, x, place.input, name) for name, inner in place.inside()]
        y = Tensor(place.output, any(t.learns for t in made))
        slopes = {t.slope for t in made}
        y.slope = slopes.pop() if len(slopes) == 1 else 1.0
        parts, first = [], 0
        for t in made:
            # What has no home yet, and no reader outside of this concat, is made in place.
            free = t.home is None and t.gradient_home is None and t is not y
            if free and not (was_shared if t is x else t.shared):
                t.home, t.first = y, first
                parts.append((t, t))
            else:
                part = Tensor(t.shape, t.learns, y.slope, home=y, first=first)
                parts.append((t, part))
            first += t.cells
        self.steps.append(ConcatStep(parts, y))
        return y

    def _activated(self, x: Tensor, slope: float) -> Tensor:
        """Return max(x, slope · x): on the way, if whoever makes x can and nobody else reads it."""
        if x.activates and not x.shared and x.slope == 1 and x.home is None:
            x.slope = slope
            return x
        y = Tensor(x.shape, x.learns, slope)
        x.use_up()
        self.steps.append(ActivationStep(x, y))
        return y

    def _squeezed(self, kind: int, x: Tensor) -> Tensor:
        y = Tensor(x.shape, x.learns)
        x.use_up()
        self.steps.append(SqueezeStep(kind, x, y))
        return y
