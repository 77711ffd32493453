"""A network of the zoo for other pictures: of any size and colour, of other classes, signals too.

Its layers stay what they are. A larger picture is halved by max pools behind the first layer until
it has no more cells than 48x48; for a smaller one the first pools are left out. A signal is a
picture of one row, so windows, strides and paddings lie along the columns.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.geometry import Shape
from stepconv.nn.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Layer,
    MaxPool,
    ReLU,
    Residual,
    through,
)

Stack = tuple[Layer, ...]

MOST_CELLS = 48 * 48


def fitted(layers: Stack, picture: Shape, classes: int) -> Stack:
    """Return the layers of a network whose last one is dense, for such pictures and classes.

    >>> from stepconv.nn.layers import Flatten
    >>> made = fitted((Conv(6, 5), ReLU(), MaxPool(2), Flatten(), Dense(10)), (3, 96, 96), 3)
    >>> [layer.kind for layer in made], made[-1].out_features
    (['conv', 'relu', 'max-pool', 'max-pool', 'flatten', 'dense'], 3)
    """
    _, rows, columns = picture
    made: Stack = (*layers[:-1], Dense(classes))
    if rows == 1 and columns > 1:
        made = tuple(map(_in_a_row, made))
    made = _halved(made, rows, columns)
    while True:
        try:
            through(made, picture)
            return made
        except ArgumentError:
            pool = next((i for i, layer in enumerate(made) if _is_pool(layer)), None)
            if pool is None:
                return made  # the network says which layer it is
            made = (*made[:pool], *made[pool + 1 :])


def _halved(layers: Stack, rows: int, columns: int) -> Stack:
    """Return the layers with pools behind the first windows and what belongs to them."""
    pools, cells = 0, rows * columns
    while cells > MOST_CELLS:
        pools, cells = pools + 1, cells // (2 if rows == 1 else 4)
    first = next((i for i, layer in enumerate(layers) if isinstance(layer, Conv)), None)
    if first is None:
        return layers
    first += 1
    while isinstance(layers[first], BatchNorm | ReLU):
        first += 1
    pool = MaxPool((1, 2) if rows == 1 else 2)
    return (*layers[:first], *[pool] * pools, *layers[first:])


def _in_a_row(layer: Layer) -> Layer:
    """Return the layer with windows of one row."""
    if isinstance(layer, Residual):
        return Residual(tuple(map(_in_a_row, layer.body)), tuple(map(_in_a_row, layer.shortcut)))
    if isinstance(layer, Concat):
        return Concat(tuple(tuple(map(_in_a_row, branch)) for branch in layer.branches))
    if not isinstance(layer, Conv | MaxPool | AvgPool):
        return layer
    flat: dict[str, Any] = {}
    for field in fields(layer):
        value, least = getattr(layer, field.name), 0 if field.name == "padding" else 1
        if field.name in ("window", "stride", "padding", "dilation") and isinstance(value, int):
            flat[field.name] = (least, value)
    return replace(layer, **flat)


def _is_pool(layer: Layer) -> bool:
    return isinstance(layer, MaxPool | AvgPool)
