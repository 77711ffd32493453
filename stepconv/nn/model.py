"""A network as a description: a name, the shape of an image, a stack of layers, the classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, ArgumentTypeError, StepconvError
from stepconv.geometry import Plan, Shape, integer, is_sequence, word
from stepconv.nn.layers import Layer, Shapes, sizes

Parameters = dict[str, NDArray[np.float32]]

# More are a mistake, or a trap.
MOST_LAYERS, DEEPEST = 5000, 50

INITIAL = ("he", "glorot")
# How a training sums 3x3 windows: as they stand, or by Winograd's way.
ALGORITHMS = ("direct", "winograd")


@dataclass(frozen=True)
class Place:
    """A layer at its place in a network: its name, what comes in and what goes out.

    Names count the layers of a kind from 1, and go inwards: `residual2.body.conv1`.
    """

    name: str
    layer: Layer
    input: Shape
    output: Shape

    def inside(self) -> Iterator[tuple[str, tuple[Layer, ...]]]:
        """Yield the stacks inside the layer, each with what the names in it begin with."""
        for part, layers in self.layer.parts().items():
            yield f"{self.name}.{part}.", layers

    @property
    def plan(self) -> Plan | None:
        """How the layer's window slides over its input; None if it has none."""
        return self.layer.plan(self.input)

    @property
    def parameters(self) -> Shapes:
        """What the layer learns, by full names: `conv1.weight`."""
        every = self.layer.parameters(self.input)
        return {f"{self.name}.{key}": shape for key, shape in every.items()}

    @property
    def statistics(self) -> Shapes:
        """What the layer remembers of the images it saw, by full names."""
        every = self.layer.statistics(self.input)
        return {f"{self.name}.{key}": shape for key, shape in every.items()}

    @property
    def parameter_count(self) -> int:
        """Numbers that the layer learns."""
        return sum(prod(shape) for shape in self.parameters.values())

    @property
    def multiplications(self) -> int:
        """Products of weights and inputs for one image."""
        return self.layer.multiplications(self.input)


@dataclass(frozen=True)
class Model:
    """A network: what it is called, what it reads, its layers, and how many classes it tells.

    >>> from stepconv.nn.layers import Dense, Flatten
    >>> model = Model("line", (1, 2, 2), (Flatten(), Dense(3)), 3)
    >>> model.parameter_shapes
    {'dense1.weight': (3, 4), 'dense1.bias': (3,)}
    """

    name: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    classes: int
    about: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ArgumentTypeError(f"name={self.name!r} is not a name: a word fits")
        object.__setattr__(self, "input_shape", _input_shape(self.input_shape))
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ArgumentError("layers=() is empty: a network has one layer or more")
        if (count := sum(1 for _ in _every(self.layers))) > MOST_LAYERS:
            raise ArgumentError(f"{count} layers are too many: at most {MOST_LAYERS} fit")
        integer("classes", self.classes, 1)
        last = self.places[-1].output
        if last != (self.classes,):
            raise ArgumentError(
                f"the last layer gives {sizes(last)}, but there are {self.classes} classes: "
                f"a dense layer with out_features={self.classes} fits"
            )

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every layer at its place, in the order of the forward pass; inner ones come first."""
        return tuple(walk(self.layers, self.input_shape))

    @property
    def parameter_shapes(self) -> Shapes:
        """What the network learns: full names and shapes, first layer first."""
        return {key: s for place in self.places for key, s in place.parameters.items()}

    @property
    def statistic_shapes(self) -> Shapes:
        """What the network remembers beside: full names and shapes."""
        return {key: s for place in self.places for key, s in place.statistics.items()}

    @property
    def parameter_count(self) -> int:
        """Numbers that the network learns."""
        return sum(place.parameter_count for place in self.places)

    @property
    def multiplications(self) -> int:
        """Products of weights and inputs for one image."""
        return sum(place.multiplications for place in self.places)


def _every(layers: Sequence[Layer], depth: int = 1) -> Iterator[Layer]:
    """Yield all layers of a stack, those inside them too; none lies too deep."""
    if depth > DEEPEST:
        raise ArgumentError(f"layers lie deeper than {DEEPEST} levels: so many fit")
    for layer in layers:
        yield layer
        if isinstance(layer, Layer):
            for inner in layer.parts().values():
                yield from _every(inner, depth + 1)


def walk(layers: Sequence[Layer], shape: Shape, prefix: str = "") -> Iterator[Place]:
    """Yield every layer of a stack at its place; the layers inside one come before it."""
    for place in stack(layers, shape, prefix):
        for name, inner in place.inside():
            yield from walk(inner, place.input, name)
        yield place


def stack(layers: Sequence[Layer], shape: Shape, prefix: str = "") -> Iterator[Place]:
    """Yield the layers of a stack at their places, without those inside them."""
    seen: dict[str, int] = {}
    for layer in layers:
        seen[layer.kind] = seen.get(layer.kind, 0) + 1
        name = f"{prefix}{layer.kind.replace('-', '_')}{seen[layer.kind]}"
        output = _output(name, layer, shape)
        yield Place(name, layer, shape, output)
        shape = output


def _output(name: str, layer: Layer, shape: Shape) -> Shape:
    """Return the shape that a layer gives; an error says which layer, the innermost if nested."""
    try:
        return layer.output(shape)
    except StepconvError as error:
        for part, inner in layer.parts().items():
            list(walk(inner, shape, f"{name}.{part}."))
        kind = ArgumentTypeError if isinstance(error, ArgumentTypeError) else ArgumentError
        raise kind(f"layer {name}: {error}") from None


def initial_parameters(model: Model, seed: int, method: str = "he") -> Parameters:
    """Return the parameters that a training starts from; a seed always gives the same.

    Weights are drawn from a normal distribution around 0 that keeps the spread of the numbers
    from layer to layer: of variance 2 / inputs ("he", made for ReLU), or 2 / (inputs + outputs)
    ("glorot", made for tanh and sigmoid). Biases begin at 0, the scales of a batch-norm at 1.
    """
    word("method", method, INITIAL)
    made: Parameters = {}
    for place in model.places:
        for name, shape in place.parameters.items():
            if name.endswith(".bias"):
                made[name] = np.zeros(shape, np.float32)
            elif len(shape) == 1:
                made[name] = np.ones(shape, np.float32)
            else:
                # Cells of the window count: each input is read, each output fed, that many times.
                inputs, outputs = prod(shape[1:]), shape[0] * prod(shape[2:])
                spread = sqrt(2 / (inputs if method == "he" else inputs + outputs))
                draw = np.random.default_rng([integer("seed", seed, 0, 2**63 - 1), len(made)])
                made[name] = (spread * draw.standard_normal(shape)).astype(np.float32)
    return made


def initial_statistics(model: Model) -> Parameters:
    """Return what the network remembers before it has seen an image: mean 0 and variance 1."""
    return {
        name: (np.ones if name.endswith("_var") else np.zeros)(shape, np.float32)
        for name, shape in model.statistic_shapes.items()
    }


def _input_shape(shape: Any) -> Shape:
    if not is_sequence(shape) or len(shape) != 3:
        raise ArgumentTypeError(
            f"input={shape!r} is not the shape of an image: (channels, height, width) fits"
        )
    return tuple(integer("input", size, 1) for size in shape)
