"""What a network computes, said with the engine's public operations: slow, obvious, the twin.

Every layer is a function that returns what it makes of x, and a function that turns the gradient of
that into the gradient of x. The program that trains fast is held to these by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.geometry import Shape
from stepconv.nn import layers
from stepconv.nn.dropout import kept
from stepconv.nn.loss import Loss, function_of
from stepconv.nn.model import Model, Place, stack
from stepconv.nn.own import OwnLayer

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Back = Callable[[Array], Array]


@dataclass
class Result:
    """What a step has found out, before anything is updated."""

    loss: float
    correct: int
    logits: Array
    gradients: dict[str, Array]
    statistics: dict[str, Array]
    for_images: Array


def logits(model: Model, parameters: Arrays, statistics: Arrays, images: Array) -> Array:
    """Return the network's answers, one row per image, as after the training."""
    run = _Run(parameters, dict(statistics), training=False)
    return run.through(model.layers, images, model.input_shape)[0]


def step(
    model: Model,
    parameters: Arrays,
    statistics: Arrays,
    images: Array,
    labels: Array,
    *,
    loss: str | Loss = "cross-entropy",
    key: int = 0,
) -> Result:
    """Return loss and gradients of a batch in training; `key` is that of dropout for the step."""
    run = _Run(parameters, dict(statistics), training=True, key=key)
    answers, back = run.through(model.layers, images, model.input_shape)
    found, gradient = function_of(loss)(answers, labels)
    for_images = back(gradient)
    correct = int((answers.argmax(axis=1) == labels).sum())
    return Result(found, correct, answers, run.gradients, run.statistics, for_images)


@dataclass
class _Run:
    """One pass through a network: what it reads, and what it finds."""

    parameters: Arrays
    statistics: dict[str, Array]
    training: bool
    key: int = 0
    gradients: dict[str, Array] = field(default_factory=dict)
    dropouts: int = 0

    def through(
        self, stacked: Sequence[layers.Layer], x: Array, shape: Shape, prefix: str = ""
    ) -> tuple[Array, Back]:
        """Send x through a stack of layers."""
        backs: list[Back] = []
        for place in stack(stacked, shape, prefix):
            x, back = self.apply(place.layer, place, x)
            if self.training:  # a way back keeps what its layer has read
                backs.append(back)

        def all_back(gradient: Array) -> Array:
            for back in reversed(backs):
                gradient = back(gradient)
            return gradient

        return x, all_back

    def learn(self, place: Place, **gradients: Array) -> None:
        """Note the gradients of a layer's parameters."""
        for name in place.layer.parameters(place.input):
            self.gradients[f"{place.name}.{name}"] = gradients[name]

    @singledispatchmethod
    def apply(self, layer: layers.Layer, place: Place, x: Array) -> tuple[Array, Back]:
        """Return what a layer makes of x, and how a gradient goes back through it."""
        raise NotImplementedError(layer.kind)

    @apply.register
    def _(self, layer: layers.Conv, place: Place, x: Array) -> tuple[Array, Back]:
        w, bias = self.parameters[f"{place.name}.weight"], None
        if layer.bias:
            bias = self.parameters[f"{place.name}.bias"]

        def back(gradient: Array) -> Array:
            for_x, weight, for_bias = ops.correlate_backward(x, w, gradient, **layer.options)
            self.learn(place, weight=weight, bias=for_bias)
            return for_x

        return ops.correlate(x, w, bias, **layer.options), back

    @apply.register
    def _(self, layer: layers.Dense, place: Place, x: Array) -> tuple[Array, Back]:
        w = self.parameters[f"{place.name}.weight"]
        out = x @ w.T
        if layer.bias:
            out += self.parameters[f"{place.name}.bias"]

        def back(gradient: Array) -> Array:
            self.learn(place, weight=gradient.T @ x, bias=gradient.sum(axis=0))
            return gradient @ w

        return out, back

    @apply.register
    def _(self, layer: layers.MaxPool, place: Place, x: Array) -> tuple[Array, Back]:
        return _pooled(ops.max_pool, ops.max_pool_backward, layer, x)

    @apply.register
    def _(self, layer: layers.AvgPool, place: Place, x: Array) -> tuple[Array, Back]:
        return _pooled(ops.avg_pool, ops.avg_pool_backward, layer, x)

    @apply.register
    def _(self, layer: layers.GlobalAvgPool, place: Place, x: Array) -> tuple[Array, Back]:
        means = ops.avg_pool(x, x.shape[2:])

        def back(gradient: Array) -> Array:
            return ops.avg_pool_backward(x, gradient.reshape(means.shape), x.shape[2:])

        return means.reshape(means.shape[:2]), back

    @apply.register
    def _(self, layer: layers.ReLU, place: Place, x: Array) -> tuple[Array, Back]:
        return ops.relu(x), lambda gradient: ops.relu_backward(x, gradient)

    @apply.register
    def _(self, layer: layers.LeakyReLU, place: Place, x: Array) -> tuple[Array, Back]:
        factor = np.where(x > 0, 1, layer.slope).astype(x.dtype)
        return x * factor, lambda gradient: gradient * factor

    @apply.register
    def _(self, layer: layers.Tanh, place: Place, x: Array) -> tuple[Array, Back]:
        out = np.tanh(x)
        return out, lambda gradient: gradient * (1 - out * out)

    @apply.register
    def _(self, layer: layers.Sigmoid, place: Place, x: Array) -> tuple[Array, Back]:
        out = (1 + np.tanh(x / 2)) / 2
        return out, lambda gradient: gradient * out * (1 - out)

    @apply.register
    def _(self, layer: layers.Flatten, place: Place, x: Array) -> tuple[Array, Back]:
        return x.reshape(len(x), -1), lambda gradient: gradient.reshape(x.shape)

    @apply.register
    def _(self, layer: layers.Dropout, place: Place, x: Array) -> tuple[Array, Back]:
        if not self.training:
            return x, lambda gradient: gradient
        number, self.dropouts = self.dropouts, self.dropouts + 1
        keep = kept(self.key, number, len(x), x[0].size, layer.rate).reshape(x.shape)
        factor = (keep / (1 - layer.rate)).astype(x.dtype)
        return x * factor, lambda gradient: gradient * factor

    @apply.register
    def _(self, layer: layers.BatchNorm, place: Place, x: Array) -> tuple[Array, Back]:
        axes = (0, *range(2, x.ndim))
        wide = (1, -1, *(1,) * (x.ndim - 2))
        names = [f"{place.name}.{name}" for name in ("running_mean", "running_var")]
        mean, variance = (self.statistics[name] for name in names)
        if self.training:
            cells = x.size // x.shape[1]
            mean, variance = x.mean(axis=axes), x.var(axis=axes)
            # What is remembered is the variance that the few images let one guess for all.
            seen = (mean, variance * (cells / max(cells - 1, 1)))
            for name, new in zip(names, seen, strict=True):
                old = self.statistics[name]
                self.statistics[name] = old + layer.momentum * (new - old)
        scale = self.parameters[f"{place.name}.weight"].reshape(wide)
        shift = self.parameters[f"{place.name}.bias"].reshape(wide)
        spread = np.sqrt(variance + layer.epsilon).reshape(wide)
        normal = (x - mean.reshape(wide)) / spread

        def back(gradient: Array) -> Array:
            self.learn(
                place, weight=(gradient * normal).sum(axis=axes), bias=gradient.sum(axis=axes)
            )
            # Mean and variance depend on every cell: what pulls at both does not count.
            means = gradient.mean(axis=axes, keepdims=True)
            slants = (gradient * normal).mean(axis=axes, keepdims=True)
            for_x: Array = scale / spread * (gradient - means - normal * slants)
            return for_x

        return (scale * normal + shift).astype(x.dtype), back

    @apply.register
    def _(self, layer: OwnLayer, place: Place, x: Array) -> tuple[Array, Back]:
        learnt = [self.parameters[name] for name in place.parameters]

        def back(gradient: Array) -> Array:
            for_x, found = layer.gradients(place.input, x, learnt, gradient)
            self.learn(place, **found)
            return for_x

        return layer.output_of(x, learnt), back

    @apply.register
    def _(self, layer: layers.Residual, place: Place, x: Array) -> tuple[Array, Back]:
        body, shortcut = (
            self.through(inner, x, place.input, name) for name, inner in place.inside()
        )
        return body[0] + shortcut[0], lambda gradient: body[1](gradient) + shortcut[1](gradient)

    @apply.register
    def _(self, layer: layers.Concat, place: Place, x: Array) -> tuple[Array, Back]:
        made = [self.through(inner, x, place.input, name) for name, inner in place.inside()]
        ends = np.cumsum([out.shape[1] for out, _ in made])[:-1]

        def back(gradient: Array) -> Array:
            pieces = np.split(gradient, ends, axis=1)
            return sum(
                (back(piece) for (_, back), piece in zip(made, pieces, strict=True)),
                np.zeros_like(x),
            )

        return np.concatenate([out for out, _ in made], axis=1), back


def _pooled(pool: Any, pool_backward: Any, layer: layers.Pool, x: Array) -> tuple[Array, Back]:
    window, options = layer.window, layer.options
    return pool(x, window, **options), lambda gradient: pool_backward(
        x, gradient, window, **options
    )
