"""Standing: where one is inside a network, at which layer, map, cell and weight, and moving about.

A picture is in the network; what it makes of it is looked at at one of five levels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.frame.columns import Column, columns
from stepconv.explorer.frame.planes import index_of, plane_shape, planes
from stepconv.explorer.subject import Subject
from stepconv.inside.record import Inside, LayerInside
from stepconv.player.playback import Playback

Array = NDArray[Any]

NETWORK, LAYER, MAP, FILTER, WINDOW = "network", "layer", "map", "filter", "window"
# What can be looked at beside the levels.
BENCH, OCCLUSION, EXCITING, STEP, IDENTITY, HELP = (
    *("bench", "occlusion", "exciting", "step", "identity", "help"),
)


class Standing:
    """Where one is, with which picture, at which moment of the training."""

    def __init__(self, subject: Subject, bench: Bench, rival: Subject | None = None) -> None:
        self.subject, self.bench, self.rival = subject, bench, rival
        self.moment = len(subject.moments) - 1
        self.level = NETWORK
        self.view = self.behind = ""
        # Of each layer the chosen map, cell and weight, so that one finds them again.
        self._planes: dict[str, int] = {}
        self._cells: dict[str, tuple[int, int]] = {}
        self._weights: dict[str, tuple[int, int, int]] = {}
        self._layer = 0
        self.backward = False
        self.as_numbers = True
        self.influence = False
        self.rate = 0.1
        self.chosen_label: int | None = None
        self.playback: Playback | None = None
        self.message = ""
        # Whether the first screen is shown before the network is worked out.
        self.waits = False
        # How many maps the screen shows abreast, for ↑ and ↓ among them.
        self.abreast = 1
        # What took long to work out: of this picture, and of any.
        self._of_picture: dict[tuple[Any, ...], Any] = {}
        self._memory: dict[tuple[Any, ...], Any] = {}
        self._from = MAP
        self.inside: Inside
        self.beside: Inside | None = None
        self.look_again()

    def look_again(self) -> None:
        """Look into the network with the picture as it is now."""
        picture, label = self.bench.picture, self.label
        self.inside = self.subject.moments[self.moment].look(picture, label)
        self._of_picture = {}
        self.beside = None
        if self.rival is not None and self.view == BENCH:
            self.beside = self.rival.moments[-1].look(picture, label)
        if label is None and self.backward:
            self.backward = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The layers of the network."""
        return columns(self.inside.model)

    @property
    def column(self) -> Column:
        """The layer one is at."""
        return self.columns[self._layer]

    @property
    def layer(self) -> LayerInside:
        """What the picture makes of the layer one is at."""
        return self.inside[self.column.name]

    @property
    def label(self) -> int | None:
        """The right class, if it is known: of the picture, or as somebody said."""
        return self.bench.label if self.chosen_label is None else self.chosen_label

    def numbers_of(self, name: str) -> Array:
        """Return the planes of a layer: what goes out, or on the way back its gradient."""
        look = self.inside[name]
        return planes(look.grad if self.backward else look.output)

    def plane_of(self, column: Column) -> int:
        """Return the chosen map of a layer."""
        return min(self._planes.get(column.name, 0), plane_shape(column.output)[0] - 1)

    @property
    def plane(self) -> int:
        """The chosen map of the layer one is at."""
        return self.plane_of(self.column)

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the chosen cell: without a choice the one in the middle."""
        _, rows, wide = plane_shape(self.column.output)
        return self._cells.get(self.column.name, (rows // 2, wide // 2))

    @property
    def index(self) -> tuple[int, ...] | None:
        """The chosen cell as an index of the layer's output."""
        return index_of(self.column.output, self.plane, *self.cell)

    @property
    def weights(self) -> Array | None:
        """The filters of the layer, (filters, channels, rows, columns), or their gradients."""
        name = f"{self.column.name}.weight"
        arrays: Any = self.inside.gradients if self.backward else self.inside.network.parameters
        if name not in self.inside.model.parameter_shapes:
            return None
        found = np.asarray(arrays[name])
        if found.ndim == 4:
            return found
        # A dense layer weighs a flat row, a batch-norm one number: both laid out as one plane.
        rows = [planes(row.reshape(-1)) for row in found.reshape(len(found), -1)]
        return np.stack(rows)

    @property
    def weight(self) -> tuple[int, int, int]:
        """Channel, row and column of the chosen weight of the filter."""
        return self._weights.get(self.column.name, (0, 0, 0))

    @property
    def weight_index(self) -> tuple[int, ...] | None:
        """The chosen weight as an index of the layer's weights; None in a gap."""
        shape = self.inside.model.parameter_shapes[f"{self.column.name}.weight"]
        if len(shape) == 4:
            return (self.plane, *self.weight)
        if len(shape) == 1:
            return (self.plane,)
        inner = index_of(shape[1:], 0, *self.weight[1:])
        return None if inner is None else (self.filter, *inner)

    @property
    def filter(self) -> int:
        """The filter that made the chosen map, or of a flat row the chosen cell."""
        if len(self.column.output) == 3:
            return self.plane
        index = self.index
        return index[0] if index else 0

    def move(self, rows: int, across: int) -> None:
        """Go to the next layer, map, cell or weight in that direction."""
        self.message = ""
        if self.view == EXCITING or (self.level == NETWORK and rows):
            self.change_plane(rows + across)
        elif self.level == NETWORK:
            self.change_layer(across)
        elif self.level == LAYER and len(self.column.output) == 3:
            self.change_plane(across + rows * self.abreast)
        elif self.level == FILTER:
            self._move_weight(rows, across)
        else:
            self._move_cell(rows, across)

    def change_layer(self, by: int) -> None:
        """Go to a layer further on or back."""
        self._layer = min(max(self._layer + by, 0), len(self.columns) - 1)
        if self.level == FILTER and self.weights is None:
            self.level = LAYER
        self.message = ""

    def to_end(self, end: int) -> None:
        """Go to the first layer (0) or to the last (1), or to such a cell."""
        if self.level in (NETWORK, LAYER):
            self.change_layer(len(self.columns) * (2 * end - 1))
        else:
            self.move(10**6 * (2 * end - 1), 10**6 * (2 * end - 1))

    def change_plane(self, by: int) -> None:
        """Choose a map further on or back."""
        count = plane_shape(self.column.output)[0]
        self._planes[self.column.name] = min(max(self.plane + by, 0), count - 1)
        self.message = ""

    def _move_cell(self, rows: int, across: int) -> None:
        _, high, wide = plane_shape(self.column.output)
        row, column = self.cell
        to = min(max(row + rows, 0), high - 1), min(max(column + across, 0), wide - 1)
        if index_of(self.column.output, 0, *to) is not None:
            self._cells[self.column.name] = to

    def choose_cell(self, row: int, column: int) -> None:
        """Choose a cell of the map."""
        old = self.cell
        self._move_cell(row - old[0], column - old[1])

    def _move_weight(self, rows: int, across: int) -> None:
        weights = self.weights
        if weights is not None:
            channel, row, column = self.weight
            _, _, high, wide = weights.shape
            row, column = min(max(row + rows, 0), high - 1), min(max(column + across, 0), wide - 1)
            self._weights[self.column.name] = channel, row, column

    def change_channel(self, by: int) -> None:
        """Show the filter's next channel, or the one before."""
        weights = self.weights
        if weights is None or weights.shape[1] == 1:
            self.message = "one channel alone flows in"
            return
        channel, row, column = self.weight
        self._weights[self.column.name] = (channel + by) % weights.shape[1], row, column

    def choose_weight(self, row: int, column: int) -> None:
        """Choose a weight of the filter's channel."""
        _, old_row, old_column = self.weight
        self._move_weight(row - old_row, column - old_column)
