"""From a description to steps: which tensors there are, and what is computed on the way past.

A ReLU costs nothing where the layer before it can apply it while it writes; a concat costs nothing
where its branches can write into their part of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from math import inf

from stepconv.geometry import Shape
from stepconv.kernels.kinds import SIGMOID, TANH
from stepconv.nn import layers
from stepconv.nn.model import Model, Place, stack
from stepconv.nn.published import fixed
from stepconv.nn.steps import records
from stepconv.nn.steps.tensors import Tensor


@dataclass
class Steps:
    """A network as steps from the pictures `x` to the answers `y`."""

    x: Tensor
    y: Tensor
    steps: list[records.Step]
    border: tuple[int, int] = (0, 0)  # rows and columns before the pictures


def lower(model: Model, *, training: bool, bordered: bool = True) -> Steps:
    """Return the steps of a network; without training, dropout does nothing.

    Layers that nothing learns with (published/fixed.py) have steps for answers alone.

    Where pictures may be `bordered`, those for a conv have its padding laid around them: with one
    channel or three there are few taps to a family, and a border makes one family of all.
    """
    x, border, first = Tensor(model.input_shape, learns=False), (0, 0), model.layers[0]
    if bordered and isinstance(first, layers.Conv):
        rows, columns = first.plan(model.input_shape).axes
        x = Tensor((x.channels, rows.padded, columns.padded), learns=False, bordered=True)
        border = (rows.before, columns.before)
    lowering = _Lowering(training)
    y = lowering.through(model.layers, x, model.input_shape)
    _note_who_adds(lowering.steps, y)
    return Steps(x, y, lowering.steps, border)


def _note_who_adds(steps: list[records.Step], y: Tensor) -> None:
    """Go back from the answers: the first step that gives a tensor a gradient stores it."""
    written = {y.whole}
    for step in reversed(steps):
        adds = []
        for t in step.reads:
            adds.append(t.whole in written)
            written.add(t.whole)
        step.adds = tuple(adds)


@dataclass
class _Lowering:
    training: bool
    steps: list[records.Step] = field(default_factory=list)
    dropouts: int = 0

    def through(
        self, stacked: Sequence[layers.Layer], x: Tensor, shape: Shape, prefix: str = ""
    ) -> Tensor:
        """Return what a stack of layers makes of x."""
        for place in stack(stacked, shape, prefix):
            x = self.apply(place.layer, place, x)
        return x

    @singledispatchmethod
    def apply(self, layer: layers.Layer, place: Place, x: Tensor) -> Tensor:
        """Note the steps of a layer and return what it makes of x."""
        raise NotImplementedError(layer.kind)

    @apply.register
    def _(self, layer: layers.Conv, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, learns=True, activates=True)
        x.use_up()
        return self._note(records.ConvStep(place, (x,), y, layer))

    @apply.register
    def _(self, layer: layers.Dense, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, learns=True, activates=True)
        x.use_up()
        return self._note(records.DenseStep(place, (x,), y, layer))

    @apply.register
    def _(self, layer: layers.MaxPool, place: Place, x: Tensor) -> Tensor:
        step = records.MaxPoolStep(place, (x,), Tensor(place.output, x.learns), layer)
        if step.writes_once:
            x.use_up()
        return self._note(step)

    @apply.register
    def _(self, layer: layers.AvgPool | layers.GlobalAvgPool, place: Place, x: Tensor) -> Tensor:
        y = Tensor(place.output, x.learns)
        return self._note(records.AvgPoolStep(place, (x,), y, layer))

    @apply.register
    def _(self, layer: layers.ReLU, place: Place, x: Tensor) -> Tensor:
        return self._activated(place, x, 0.0)

    @apply.register
    def _(self, layer: layers.LeakyReLU, place: Place, x: Tensor) -> Tensor:
        return self._activated(place, x, float(layer.slope))

    @apply.register
    def _(self, layer: fixed.ReLU6, place: Place, x: Tensor) -> Tensor:
        return self._activated(place, x, 0.0, 6.0)

    def _activated(self, place: Place, x: Tensor, slope: float, limit: float = inf) -> Tensor:
        """Return max(x, slope · x): on the way, if whoever makes x can and nobody else reads it.

        Nothing is above the limit.
        """
        if x.activates and not x.shared and x.slope == 1 and x.home is None:
            x.slope, x.limit = slope, limit
            return x
        x.use_up()
        y = Tensor(x.shape, x.learns, slope, limit)
        return self._note(records.ActivationStep(place, (x,), y))

    @apply.register
    def _(self, layer: fixed.LocalNorm, place: Place, x: Tensor) -> Tensor:
        return self._note(records.LocalNormStep(place, (x,), Tensor(x.shape, x.learns), layer))

    @apply.register
    def _(self, layer: fixed.ChannelShuffle, place: Place, x: Tensor) -> Tensor:
        return self._note(records.ShuffleStep(place, (x,), Tensor(x.shape, x.learns), layer))

    @apply.register
    def _(self, layer: layers.Tanh | layers.Sigmoid, place: Place, x: Tensor) -> Tensor:
        x.use_up()
        y, kind = Tensor(x.shape, x.learns), TANH if isinstance(layer, layers.Tanh) else SIGMOID
        return self._note(records.SqueezeStep(place, (x,), y, kind))

    @apply.register
    def _(self, layer: layers.Flatten, place: Place, x: Tensor) -> Tensor:
        return x.flat()

    @apply.register
    def _(self, layer: layers.Dropout, place: Place, x: Tensor) -> Tensor:
        if not self.training:
            return x
        x.use_up()
        number, self.dropouts = self.dropouts, self.dropouts + 1
        y = Tensor(x.shape, x.learns)
        return self._note(records.DropoutStep(place, (x,), y, layer, number))

    @apply.register
    def _(self, layer: layers.BatchNorm, place: Place, x: Tensor) -> Tensor:
        x.use_up()
        y = Tensor(x.shape, learns=True, activates=True)
        return self._note(records.NormStep(place, (x,), y, layer))

    @apply.register
    def _(self, layer: layers.Residual, place: Place, x: Tensor) -> Tensor:
        x.shared = True
        a, b = (self.through(inner, x, place.input, name) for name, inner in place.inside())
        y = Tensor(place.output, a.learns or b.learns, activates=True)
        for branch in (a, b):
            # A branch that nobody else reads has the gradient of the sum: no copy is needed.
            if branch.home is None and not branch.shared and branch.slope == 1 and branch.learns:
                branch.gradient_home = y
            else:
                branch.use_up()
        return self._note(records.AddStep(place, (a, b), y))

    @apply.register
    def _(self, layer: layers.Concat, place: Place, x: Tensor) -> Tensor:
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
                parts.append(t)
            else:
                parts.append(Tensor(t.shape, t.learns, y.slope, home=y, first=first))
            first += t.cells
        return self._note(records.ConcatStep(place, tuple(made), y, tuple(parts)))

    def _note(self, step: records.Step) -> Tensor:
        self.steps.append(step)
        return step.y
