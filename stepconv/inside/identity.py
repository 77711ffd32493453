"""What an identity path does for the gradient: the same stack of layers with it and without.

The stack is ResNet's for small pictures: a first layer of windows, then pairs of 3x3 layers with
16, 32 and 64 maps, a mean, a dense layer; 6n + 2 layers deep. Weights are drawn as Glorot wrote,
nothing is trained, and nothing norms a batch, so that what comes back is what the paths do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.inside.look import look_inside
from stepconv.inside.record import Inside
from stepconv.nn.layers import Concat, Conv, Dense, GlobalAvgPool, Layer, ReLU, Residual
from stepconv.nn.model import Model, initial_parameters

Array = NDArray[Any]

DEPTHS = (8, 20, 56)
_WIDTHS = (16, 32, 64)
# Larger pictures are made smaller.
_SIDE = 32


@dataclass(frozen=True)
class Kept:
    """The gradient at each layer of windows, first to last: its root mean square."""

    depth: int
    identity: bool
    sizes: tuple[float, ...]

    @property
    def share(self) -> float:
        """What of the gradient at the last layer of windows arrives at the first."""
        return self.sizes[0] / self.sizes[-1] if self.sizes[-1] else 0.0


@lru_cache(maxsize=16)
def stack(depth: int, identity: bool, picture: tuple[int, int, int], classes: int) -> Model:
    """Return the network of that depth, 6n + 2, with identity paths or without."""
    layers: list[Layer] = [Conv(_WIDTHS[0], 3, padding=1), ReLU()]
    for stage, width in enumerate(_WIDTHS):
        for block in range((depth - 2) // 6):
            halves = stage > 0 and not block
            stride = 2 if halves else 1
            body = (Conv(width, 3, stride=stride, padding=1), ReLU(), Conv(width, 3, padding=1))
            if not identity:
                layers += body
            else:
                # Where sizes change the path follows: half of the cells, and no new maps but these.
                shortcut = (Conv(width, 1, stride=stride),) if halves else ()
                layers.append(Residual(body, shortcut))
            layers.append(ReLU())
    layers += [GlobalAvgPool(), Dense(classes)]
    name = f"{'residual' if identity else 'plain'}-{depth}"
    return Model(name, picture, tuple(layers), classes)


def measured(depth: int, identity: bool, numbers: Array, label: int, classes: int) -> Kept:
    """Return the gradients of a stack for a picture, in numbers as a network reads them."""
    shape = (int(numbers.shape[0]), int(numbers.shape[1]), int(numbers.shape[2]))
    model = stack(depth, identity, shape, classes)
    inside = look_inside(
        model,
        np.asarray(numbers, np.float32),
        label=label,
        parameters=initial_parameters(model, 0, "glorot"),
    )
    return Kept(depth, identity, conv_gradients(inside))


def conv_gradients(inside: Inside) -> tuple[float, ...]:
    """Return the size of the gradient at each layer of windows on the main way, first to last."""
    names = [
        place.name
        for place in inside.model.places
        if isinstance(place.layer, Conv) and ".shortcut." not in place.name
    ]
    return tuple(float(np.sqrt((inside.grads[name].astype(float) ** 2).mean())) for name in names)


Pair = tuple[Kept, Kept]


def compared(inside: Inside) -> tuple[Pair | None, dict[int, Pair]]:
    """Return the gradients with and without: of the network, if it has such paths, and by depth.

    Where nobody said which class is right, it is the one that the network takes the picture for.
    """
    label = inside.prediction if inside.label is None else inside.label
    numbers = small(inside.input)
    judged = inside.with_picture(inside.picture, label) if inside.label is None else inside
    classes = inside.model.classes
    stacks = {
        depth: (
            measured(depth, True, numbers, label, classes),
            measured(depth, False, numbers, label, classes),
        )
        for depth in DEPTHS
    }
    without = without_identity(judged)
    if without is None:
        return None, stacks
    own = [Kept(0, each is judged, conv_gradients(each)) for each in (judged, without)]
    return (own[0], own[1]), stacks


def small(numbers: Array) -> Array:
    """Return a picture in as many cells as a stack goes through in a moment: each so manyth one.

    >>> small(np.zeros((3, 224, 200))).shape, small(np.zeros((1, 28, 28))).shape
    ((3, 32, 29), (1, 28, 28))
    """
    step = -(-max(numbers.shape[1:]) // _SIDE)
    return numbers[:, ::step, ::step]


def without_identity(inside: Inside) -> Inside | None:
    """Return the network with all its identity paths cut, its weights as they are.

    None where it has none. A path that changes sizes is cut too.
    """
    layers = tuple(_cut(inside.model.layers))
    if layers == inside.model.layers:
        return None
    model = Model(
        f"{inside.model.name} without", inside.model.input_shape, layers, inside.model.classes
    )
    network = inside.network
    parameters = _renamed(network.parameters, model.parameter_shapes)
    statistics = _renamed(network.statistics, model.statistic_shapes)
    return look_inside(
        model, inside.input, label=inside.label, parameters=parameters, statistics=statistics
    )


def _renamed(arrays: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """Return arrays in their order under other names, without those of paths that are cut."""
    kept = [array for name, array in arrays.items() if ".shortcut." not in name]
    return dict(zip(names, kept, strict=True))


def _cut(layers: tuple[Layer, ...]) -> list[Layer]:
    found: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Residual):
            found += _cut(layer.body)
        elif isinstance(layer, Concat):
            found.append(Concat(tuple(tuple(_cut(branch)) for branch in layer.branches)))
        else:
            found.append(layer)
    return found
