"""All that a network learns and remembers, behind each other in two arrays that a program updates.

Each begins at a whole line of memory, so that no vector holds numbers of two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.nn.layers import Shapes, sizes
from stepconv.nn.model import Model

Array = NDArray[Any]
Arrays = Mapping[str, Array]

LINE = 16  # numbers: 64 bytes


class Weights:
    """The parameters and statistics of a model, by name and in a row; those of `last` end it."""

    def __init__(
        self, model: Model, parameters: Arrays, statistics: Arrays, last: Collection[str] = ()
    ) -> None:
        self.shapes = model.parameter_shapes
        order = sorted(self.shapes, key=lambda name: name in last)
        self.offsets, self.size = _offsets({name: self.shapes[name] for name in order})
        self.values = np.zeros(self.size, np.float32)

        self.statistic_shapes = model.statistic_shapes
        self.statistic_offsets, size = _offsets(self.statistic_shapes)
        self.remembered = np.zeros(size, np.float32)
        self.load(parameters, statistics)

    def load(self, parameters: Arrays, statistics: Arrays) -> None:
        """Take over the values of all parameters and statistics."""
        _fill(self.values, parameters, self.offsets, self.shapes, "parameter")
        _fill(
            self.remembered, statistics, self.statistic_offsets, self.statistic_shapes, "statistic"
        )

    def parameters(self) -> dict[str, Array]:
        """Return copies of the parameters, by name."""
        return self.named(self.values)

    def views(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the parameters and the statistics by name, as they lie: nothing is copied."""
        return (
            _views(self.values, self.offsets, self.shapes),
            _views(self.remembered, self.statistic_offsets, self.statistic_shapes),
        )

    def named(self, row: Array) -> dict[str, Array]:
        """Return copies of the parts of an array that lies as the parameters do."""
        return _parts(row, self.offsets, self.shapes)

    def row(self, given: Arrays, what: str) -> Array:
        """Return arrays by name as a row that lies as the parameters do."""
        row = np.zeros(self.size, np.float32)
        _fill(row, given, self.offsets, self.shapes, what)
        return row

    def statistics(self) -> dict[str, Array]:
        """Return copies of the statistics, by name."""
        return _parts(self.remembered, self.statistic_offsets, self.statistic_shapes)


def _offsets(shapes: Shapes) -> tuple[dict[str, int], int]:
    """Return where each array begins, in numbers, and where the last one ends."""
    offsets, size = {}, 0
    for name, shape in shapes.items():
        offsets[name] = size
        size += -(-prod(shape) // LINE) * LINE
    return offsets, size


def _parts(row: Array, offsets: dict[str, int], shapes: Shapes) -> dict[str, Array]:
    return {name: part.copy() for name, part in _views(row, offsets, shapes).items()}


def _views(row: Array, offsets: dict[str, int], shapes: Shapes) -> dict[str, Array]:
    # In the order of the layers, whatever their order in the row.
    return {
        name: row[offsets[name] : offsets[name] + prod(shape)].reshape(shape)
        for name, shape in shapes.items()
    }


def _fill(row: Array, given: Arrays, offsets: dict[str, int], shapes: Shapes, what: str) -> None:
    for name, shape in shapes.items():
        if name not in given:
            raise ArgumentError(f"{what} {name} is missing: the network needs it")
        array = np.asarray(given[name], np.float32)
        if array.shape != shape:
            raise ArgumentError(
                f"{what} {name} is {sizes(array.shape)}: the network needs {sizes(shape)}"
            )
        row[offsets[name] : offsets[name] + prod(shape)] = array.reshape(-1)
    for name in given:
        if name not in shapes:
            raise ArgumentError(f"{what} {name} is not known: the network has none of that name")
