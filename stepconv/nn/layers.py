"""What a network is made of: each layer says its output's shape, its parameters and its work.

A layer is a description of a few numbers; it holds no weights and computes nothing. Shapes are
those of one image, (channels, height, width), or of a flat row of numbers, (features,). Parameters
have PyTorch's names and shapes, so that files of weights can be exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any, ClassVar

from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import (
    Plan,
    Shape,
    correlation_plan,
    dense_parameter_count,
    flag,
    integer,
    is_sequence,
    pooling_plan,
)

Shapes = dict[str, Shape]


def sizes(shape: Shape) -> str:
    """Return a shape as one says it: `16x28x28`."""
    return "x".join(map(str, shape))


@dataclass(frozen=True)
class Layer:
    """The parent of all layers: one that keeps the shape and has nothing to learn."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _frozen(getattr(self, field.name)))
        self.check()

    def check(self) -> None:
        """Raise if an option of the layer makes no sense for any input."""

    def plan(self, shape: Shape) -> Plan | None:
        """Return how a window slides over an input of this shape; None if none does."""
        return None

    def output(self, shape: Shape) -> Shape:
        """Return the shape of what the layer makes of an input of this shape."""
        return shape

    def parameters(self, shape: Shape) -> Shapes:
        """Return the names and shapes of what the layer learns."""
        return {}

    def statistics(self, shape: Shape) -> Shapes:
        """Return the names and shapes of what the layer remembers of the images it saw."""
        return {}

    def multiplications(self, shape: Shape) -> int:
        """Return the products of weights and inputs for one image."""
        return 0

    def parts(self) -> dict[str, tuple[Layer, ...]]:
        """Return the stacks of layers inside this one, by name."""
        return {}


@dataclass(frozen=True)
class Conv(Layer):
    """Filters that slide over all channels of the image."""

    out_channels: int
    window: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    bias: bool = True
    kind: ClassVar[str] = "conv"

    def check(self) -> None:
        integer("out_channels", self.out_channels, 1)
        integer("groups", self.groups, 1)
        flag("bias", self.bias)

    def plan(self, shape: Shape) -> Plan:
        if shape[0] % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"groups={self.groups} does not divide the {shape[0]} channels of the input "
                f"and out_channels={self.out_channels}"
            )
        return correlation_plan(shape, self.parameters(shape)["weight"], **self.options)

    @property
    def options(self) -> dict[str, Any]:
        """How the window slides, as the operation takes it."""
        return {name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups")}

    def output(self, shape: Shape) -> Shape:
        return (self.out_channels, *self.plan(_image(shape)).output)

    def parameters(self, shape: Shape) -> Shapes:
        weight = (self.out_channels, shape[0] // self.groups, *_pair("window", self.window))
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def multiplications(self, shape: Shape) -> int:
        return self.plan(shape).products


@dataclass(frozen=True)
class Dense(Layer):
    """Every output sums every input, each with a weight of its own: a fully connected layer."""

    out_features: int
    bias: bool = True
    kind: ClassVar[str] = "dense"

    def check(self) -> None:
        integer("out_features", self.out_features, 1)
        flag("bias", self.bias)

    def output(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ArgumentError(f"the input is {sizes(shape)}, not flat: put a flatten before it")
        return (self.out_features,)

    def parameters(self, shape: Shape) -> Shapes:
        weight = {"weight": (self.out_features, shape[0])}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})

    def multiplications(self, shape: Shape) -> int:
        return dense_parameter_count(shape[0], self.out_features, bias=False)


@dataclass(frozen=True)
class Pool(Layer):
    """One number for each window; windows lie side by side unless `stride` is given."""

    window: Any
    stride: Any = None
    padding: Any = 0

    @property
    def options(self) -> dict[str, Any]:
        """All but the window, as the operation takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}

    def plan(self, shape: Shape) -> Plan:
        options = {key: value for key, value in self.options.items() if key in _OF_A_PLAN}
        return pooling_plan(shape, _pair("window", self.window), **options)

    def output(self, shape: Shape) -> Shape:
        return (shape[0], *self.plan(_image(shape)).output)


_OF_A_PLAN = ("stride", "padding", "dilation", "ceil_mode")


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest number of each window."""

    dilation: Any = 1
    ceil_mode: bool = False
    kind: ClassVar[str] = "max-pool"


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window; padded cells count only where `count_include_pad` says so."""

    ceil_mode: bool = False
    count_include_pad: bool = False
    kind: ClassVar[str] = "avg-pool"

    def check(self) -> None:
        flag("count_include_pad", self.count_include_pad)


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """The mean of each channel, as a flat row: one number per channel is left."""

    kind: ClassVar[str] = "global-avg-pool"

    def plan(self, shape: Shape) -> Plan:
        return pooling_plan(shape, shape[1:])

    def output(self, shape: Shape) -> Shape:
        return _image(shape)[:1]


@dataclass(frozen=True)
class ReLU(Layer):
    """Keeps what is positive, puts 0 for the rest."""

    kind: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """Keeps what is positive, shrinks the rest by `slope`: no cell ever falls silent."""

    slope: float = 0.01
    kind: ClassVar[str] = "leaky-relu"

    def check(self) -> None:
        number("slope", self.slope, 0, 1)


@dataclass(frozen=True)
class Tanh(Layer):
    """Squeezes every number between -1 and 1."""

    kind: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Sigmoid(Layer):
    """Squeezes every number between 0 and 1."""

    kind: ClassVar[str] = "sigmoid"


@dataclass(frozen=True)
class Flatten(Layer):
    """Lays all channels, rows and columns out in one row, as a fully connected layer wants it."""

    kind: ClassVar[str] = "flatten"

    def output(self, shape: Shape) -> Shape:
        return (prod(shape),)


@dataclass(frozen=True)
class Dropout(Layer):
    """Silences a share of the cells at random while training, and scales the others up for it."""

    rate: float = 0.5
    kind: ClassVar[str] = "dropout"

    def check(self) -> None:
        if number("rate", self.rate, 0, 1) == 1:
            raise ArgumentError("rate=1 leaves nothing to learn from: below 1 fits")


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Shifts and scales each channel to mean 0 and variance 1 over the batch, then learns both."""

    momentum: float = 0.1
    epsilon: float = 1e-5
    kind: ClassVar[str] = "batch-norm"

    def check(self) -> None:
        number("momentum", self.momentum, 0, 1)
        if number("epsilon", self.epsilon, 0, 1) == 0:
            raise ArgumentError("epsilon=0 divides by 0 where a channel is constant: 1e-5 fits")

    def parameters(self, shape: Shape) -> Shapes:
        return {"weight": shape[:1], "bias": shape[:1]}

    def statistics(self, shape: Shape) -> Shapes:
        return {"running_mean": shape[:1], "running_var": shape[:1]}


@dataclass(frozen=True)
class Residual(Layer):
    """Adds what a stack of layers makes of the input to the input itself, or to a shortcut's."""

    body: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()
    kind: ClassVar[str] = "residual"

    def check(self) -> None:
        _check_stack("body", self.body)
        _check_stack("shortcut", self.shortcut)

    def output(self, shape: Shape) -> Shape:
        body, shortcut = through(self.body, shape), through(self.shortcut, shape)
        if body != shortcut:
            raise ArgumentError(
                f"the body gives {sizes(body)} and the shortcut {sizes(shortcut)}, which cannot "
                f"be added: a shortcut with a 1x1 conv of the same stride fits"
            )
        return body

    def parts(self) -> dict[str, tuple[Layer, ...]]:
        return {"body": self.body, "shortcut": self.shortcut}


@dataclass(frozen=True)
class Concat(Layer):
    """Puts the channels of several stacks of layers on top of each other; () hands the input on."""

    branches: tuple[tuple[Layer, ...], ...]
    kind: ClassVar[str] = "concat"

    def check(self) -> None:
        if not is_sequence(self.branches) or not self.branches:
            raise ArgumentTypeError(
                f"branches={self.branches!r} is no list of stacks of layers: one or more fit"
            )
        for i, branch in enumerate(self.branches, 1):
            _check_stack(f"branch{i}", branch)

    def output(self, shape: Shape) -> Shape:
        shapes = [through(branch, shape) for branch in self.branches]
        if len({made[1:] for made in shapes}) > 1 or len({len(made) for made in shapes}) > 1:
            every = ", ".join(map(sizes, shapes))
            raise ArgumentError(f"the branches give {every}: one height and width fits")
        return (sum(made[0] for made in shapes), *shapes[0][1:])

    def parts(self) -> dict[str, tuple[Layer, ...]]:
        return {f"branch{i}": branch for i, branch in enumerate(self.branches, 1)}


LAYERS: dict[str, type[Layer]] = {
    made.kind: made
    for made in (
        *(Conv, Dense, MaxPool, AvgPool, GlobalAvgPool, ReLU, LeakyReLU, Tanh, Sigmoid),
        *(Flatten, Dropout, BatchNorm, Residual, Concat),
    )
}


def through(layers: Sequence[Layer], shape: Shape) -> Shape:
    """Return the shape that comes out of a stack of layers."""
    for layer in layers:
        shape = layer.output(shape)
    return shape


def number(name: str, value: Any, least: float, most: float) -> float:
    """Return `value` if it is a number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(
            f"{name}={value!r} is not a number: one from {least} to {most} fits"
        )
    if not least <= value <= most:
        raise ArgumentError(f"{name}={value!r} is out of range: from {least} to {most} fits")
    return float(value)


def _image(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ArgumentError(
            f"the input is {sizes(shape)}, not an image: channels x height x width fits"
        )
    return shape


def _pair(name: str, value: Any) -> tuple[int, ...]:
    both = tuple(value) if is_sequence(value) else (value, value)
    if len(both) != 2:
        raise ArgumentError(f"{name}={value!r} has {len(both)} numbers: one or two fit")
    return tuple(integer(name, size, 1) for size in both)


def _check_stack(name: str, layers: Any) -> None:
    if not isinstance(layers, tuple) or not all(isinstance(layer, Layer) for layer in layers):
        raise ArgumentTypeError(f"{name}={layers!r} is no list of layers")


def _frozen(value: Any) -> Any:
    """Return a list, and the lists in it, as tuples."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
