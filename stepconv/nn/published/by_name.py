"""Weights for a network that is known: by the same names, or one after the other by shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.nn.checkpoint import Network
from stepconv.nn.layers import sizes
from stepconv.nn.model import Model

Array = NDArray[Any]

# What PyTorch counts beside the statistics of a batch norm.
_COUNTED = "num_batches_tracked"


def network(model: Model, given: Mapping[str, Array]) -> Network:
    """Return a network with the arrays of a file."""
    shapes = {
        f"{place.name}.{kind}": shape
        for place in model.places
        for told in (place.layer.parameters(place.input), place.layer.statistics(place.input))
        for kind, shape in told.items()
    }
    arrays = {name: array for name, array in given.items() if not name.endswith(_COUNTED)}
    if not set(shapes) <= set(arrays):
        arrays = _in_order(model, shapes, arrays)
    for name, shape in shapes.items():
        if arrays[name].shape != tuple(shape):
            found = sizes(arrays[name].shape) or "a number"
            raise ArgumentError(f"{name} is {found} in the file, {model.name} wants {sizes(shape)}")
    made = {name: np.ascontiguousarray(arrays[name], np.float32) for name in shapes}
    return Network(
        model,
        {name: made[name] for name in model.parameter_shapes},
        {name: made[name] for name in model.statistic_shapes},
    )


def _in_order(
    model: Model, shapes: Mapping[str, Any], arrays: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the arrays under our names, in the order in which the file has them."""
    if len(arrays) != len(shapes):
        raise ArgumentError(
            f"the file holds {len(arrays)} arrays, {model.name} wants {len(shapes)}: "
            f"its names are not ours either, as {next(iter(shapes))}"
        )
    for (name, shape), (other, array) in zip(shapes.items(), arrays.items(), strict=True):
        if array.shape != tuple(shape):
            raise ArgumentError(
                f"{other} is {sizes(array.shape) or 'a number'} where {model.name} has {name} of "
                f"{sizes(shape)}: the network is another one"
            )
    return dict(zip(shapes, arrays.values(), strict=True))
