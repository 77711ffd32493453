"""Field: the pixels that can reach one cell of a layer, and what each of them counts for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.inside.graph import INPUT, Node
from stepconv.inside.network import Network
from stepconv.inside.reach import (
    hull,
    masks_back,
    spans_back,
    start_mask,
    start_spans,
    union,
)
from stepconv.nn import layers

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """The receptive field of a cell, `index` of the output of the layer `name`.

    `values` are the outputs of all layers for a batch of one picture.
    """

    network: Network
    values: Mapping[str, Array]
    name: str
    index: tuple[int, ...]

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """[start, stop) of rows and columns in pixels; not clipped, so it may begin below 0."""
        spans = start_spans(self._shape, self.index)
        found = self.network.graph.back(self.name, spans, spans_back, union)
        if INPUT not in found:
            return ((0, 0), (0, 0))
        rows, columns = hull(found[INPUT]).tolist()
        return ((0, 0), (0, 0)) if rows[0] >= rows[1] else (tuple(rows), tuple(columns))

    @property
    def cells(self) -> Mask:
        """Which pixels, (channels, rows, columns), can reach the cell."""
        return self.reach[INPUT]

    @cached_property
    def reach(self) -> Mapping[str, Mask]:
        """Which cells can reach it, of every output before it by name; "input" is the picture."""
        return self._masks(masks_back)

    @cached_property
    def path(self) -> Mapping[str, Mask]:
        """Which cells did reach it: as `reach`, but of each max pool's window only the winner."""
        return self._masks(self._winners_back)

    @cached_property
    def influence(self) -> Array:
        """How the cell follows each pixel: d cell / d pixel, (channels, rows, columns)."""
        one = start_mask(self._shape, self.index).astype(self.network.dtype)
        found = self.network.backward(self.values, self.name, one[None])
        return np.asarray(found[INPUT][0])

    @property
    def activation(self) -> Any:
        """The cell's number."""
        return self.values[self.name][0][self.index]

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.values[self.name].shape[1:]

    def _masks(self, through: Any) -> Mapping[str, Mask]:
        mask = start_mask(self._shape, self.index)
        return self.network.graph.back(self.name, mask, through, union)

    def _winners_back(self, node: Node, mask: Mask) -> list[Mask]:
        """Return what `masks_back` does, but for a max pool: a gradient goes to winners alone."""
        if not isinstance(node.layer, layers.MaxPool):
            return masks_back(node, mask)
        x, given = self.values[node.reads[0]][0], mask.astype(self.network.dtype)
        layer = node.layer
        return [ops.max_pool_backward(x, given, layer.window, **layer.options) != 0]

    def in_words(self) -> str:
        """Return the field as a sentence.

        >>> import numpy as np
        >>> from stepconv import look_inside, nn
        >>> model = nn.Model("line", (1, 4, 4), (nn.Conv(1, 3), nn.Flatten(), nn.Dense(2)), 2)
        >>> weights = nn.initial_parameters(model, 0)
        >>> looked = look_inside(model, np.ones((4, 4), np.float32), parameters=weights)
        >>> looked.field("conv1", (0, 1, 0)).in_words()
        'conv1 at channel 0, row 1, column 0 sees rows 1 to 3 and columns 0 to 2: 9 of 16 pixels'
        """
        seen = self.cells.any(axis=0)
        (top, bottom), (left, right) = self.bounds
        where = (
            f"rows {top} to {bottom - 1} and columns {left} to {right - 1}" if seen.any() else ""
        )
        count = f"{int(seen.sum())} of {seen.size} pixels"
        return f"{self.name} at {place(self.index)} sees {where or 'nothing'}: {count}"

    def __repr__(self) -> str:
        return f"<Field: {self.in_words()}>"


def place(index: tuple[int, ...]) -> str:
    """Return where a cell is, in words.

    >>> place((2, 0, 3)), place((7,))
    ('channel 2, row 0, column 3', 'number 7')
    """
    if len(index) == 1:
        return f"number {index[0]}"
    return ", ".join(f"{name} {i}" for name, i in zip(_AXES, index, strict=True))


_AXES = ("channel", "row", "column")
