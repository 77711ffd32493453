"""Writes a program: rows that say which kernel does what with which numbers, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import singledispatch
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry.budget import check
from stepconv.kernels.cpu.lanes.rows import CONTROLS, LANES, VECTOR, WIDTH, Spot, row
from stepconv.nn.cpu.memory import Memory
from stepconv.nn.cpu.windows import Family, Taps
from stepconv.nn.layers import Dense
from stepconv.nn.model import Model
from stepconv.nn.steps.records import Step
from stepconv.nn.steps.tensors import Tensor
from stepconv.nn.steps.weights import Arrays, Weights

Code = Callable[[Any], None]
Row = list[int]

# What a row of weighted sums says where there are no groups, and no tasks that share its rows.
ONE_GROUP = {"groups": 1, "x_group": 0, "w_group": 0, "out_group": 0, "rows_task": 0}

_LINE = 64  # bytes: no two tasks write into one line of the cache


class Into(NamedTuple):
    """Where numbers go, through which activation at which cells, and whether they are added."""

    out: Spot
    sign: Spot
    adds: int
    slope: float


class LaneWeights(Weights):
    """Parameters in the order in which their gradients are summed.

    First stand those that each chunk of images sums for itself, then those that are summed over all
    images `at_once`: the weights of dense layers. All programs of them lie in their `memory`.
    """

    def __init__(
        self,
        model: Model,
        parameters: Arrays,
        statistics: Arrays,
        memory: Memory | None = None,
    ) -> None:
        self.memory = Memory() if memory is None else memory
        self.at_once = {
            f"{place.name}.weight"
            for place in model.places
            if isinstance(place.layer, Dense) and place.input[0] >= LANES
        }
        super().__init__(model, parameters, statistics, last=self.at_once)
        self.chunked = min((self.offsets[name] for name in self.at_once), default=self.size)

    def moving(self, begin: int, stop: int, frozen: Collection[str]) -> list[tuple[int, int]]:
        """Return the pieces of a stretch of numbers between which frozen parameters lie."""
        pieces, first = [], begin
        for name, offset in sorted(self.offsets.items(), key=lambda item: item[1]):
            if name in frozen and begin <= offset < stop:
                pieces.append((first, offset))
                first = offset + -(-prod(self.shapes[name]) // LANES) * LANES
        return [(a, b) for a, b in [*pieces, (first, stop)] if a < b]


@singledispatch
def forward(step: Step, p: Writer) -> None:
    """Write the rows that make a step's values: layers.py and cells.py know each kind's."""
    raise NotImplementedError(type(step).__name__)


@singledispatch
def backward(step: Step, p: Writer) -> None:
    """Write the rows that turn the gradient of a step's values into those of all it reads."""
    raise NotImplementedError(type(step).__name__)


class Writer:
    """Collects the rows of a program, and the memory and tables that they work on.

    A task of most rows is a chunk of the batch: as many images as a vector has lanes. The rows for
    the end run when all chunks are through, each task on a share of the weights.
    """

    def __init__(
        self,
        weights: LaneWeights,
        batch_size: int,
        *,
        training: bool,
        slices: int,
        winograd: bool = False,
    ) -> None:
        self.chunks = -(-batch_size // LANES)
        self.training = training
        self.winograd = winograd  # whether 3x3 layers may go that way
        self.slices = slices  # tasks of the rows at the end
        self.controls = np.zeros(CONTROLS, np.int64)
        self.gradients = np.zeros(weights.size if training else 0, np.float32)
        self.weights = weights
        self.zeros = self.keep(np.zeros(LANES, np.float32))
        self._image_tables: list[NDArray[np.int64]] = []
        # In the order in which they run; the chunks' are stages, each after the one before.
        self._first: list[Row] = []
        self._stages: list[list[Row]] = [[]]
        self._at_once: list[Row] = []
        self._updates: list[Row] = []
        self._most_at_once = 0
        self._rooms: dict[str, Spot] = {}
        self._places: dict[tuple[str, Tensor], Spot] = {}
        self.mask = self.room(VECTOR)  # 1 in the lanes that hold an image
        if training:
            # Where each chunk puts its gradients.
            self.found_all = self.room(max(1, weights.chunked) * 4)

    def keep(self, array: NDArray[Any]) -> int:
        """Return the address of an array, which lives from now on as long as the program."""
        return self.weights.memory.place(array)

    def table(self, array: Any) -> int:
        """Return the address of a table of integers."""
        return self.keep(np.ascontiguousarray(array, np.int64))

    def families(self, made: Sequence[Family], *, images: bool = False) -> dict[str, int]:
        """Return a table of families and its length, as operands.

        With `images` the taps are the images of the batch, of which there may be fewer.
        """
        table = np.array(
            [(self.table(f.taps), len(f.taps), self.table(f.cells), len(f.cells)) for f in made],
            np.int64,
        ).reshape(-1, 4)
        if images:
            self._image_tables.append(table)
        return {"families": self.keep(table), "family_count": len(table)}

    def tap_families(self, made: Sequence[Taps]) -> dict[str, int]:
        """Return a table of families of taps and its length, as operands."""
        rows = [(self.table(f.taps), len(f.taps), *f.rows, *f.columns) for f in made]
        return {"families": self.table(rows), "family_count": len(rows)}

    def room(self, size: int) -> Spot:
        """Return room for so many bytes in each chunk."""
        stride = -(-size // _LINE) * _LINE
        check("network's working memory", (stride // 4, self.chunks), 4)
        memory = np.zeros(stride * self.chunks + _LINE, np.uint8)
        return Spot(-(-self.keep(memory) // _LINE) * _LINE, stride)

    def shared(self, name: str, size: int) -> Spot:
        """Return the room of a name, the same to all that ask for it."""
        if name not in self._rooms:
            self._rooms[name] = self.room(size)
        return self._rooms[name]

    def read(self, spot: Spot, chunk: int, count: int) -> NDArray[np.float32]:
        """Return a copy of the first numbers that a chunk has at a spot."""
        return self.weights.memory.read(spot.address + chunk * spot.task, count)

    def value(self, t: Tensor) -> Spot:
        """Return where the values of a tensor lie."""
        return self._numbers("value", t)

    def gradient(self, t: Tensor) -> Spot:
        """Return where the gradient of a tensor lies."""
        root = t.root
        if root.gradient_home is not None:
            return self.gradient(root.gradient_home)
        return self._numbers("value" if root.in_place else "gradient", t)

    def _numbers(self, what: str, t: Tensor) -> Spot:
        key = (what, t.root)
        if key not in self._places:
            self._places[key] = self.room(t.root.cells * VECTOR)
        return self._places[key].moved(t.offset * VECTOR)

    def into(self, step: Step, branch: int = 0) -> Into:
        """Return where a step's gradient for what it reads goes."""
        t = step.reads[branch]
        return Into(self.gradient(t), self.value(t), int(step.adds[branch]), t.slope)

    def weight(self, name: str) -> int:
        """Return the address of a parameter."""
        return self.keep(self.weights.values) + 4 * self.weights.offsets[name]

    def found(self, name: str) -> Spot:
        """Return where each chunk puts its part of a parameter's gradient."""
        return self.found_all.moved(4 * self.weights.offsets[name])

    def whole(self, name: str) -> int:
        """Return where a gradient that is summed over all images at once lies."""
        return self.keep(self.gradients) + 4 * self.weights.offsets[name]

    def statistic(self, name: str) -> int:
        """Return the address of what is remembered under a name."""
        return self.keep(self.weights.remembered) + 4 * self.weights.statistic_offsets[name]

    @property
    def control(self) -> int:
        """The address of the controls."""
        return self.keep(self.controls)

    def emit(self, kernel: Code, **operands: Any) -> None:
        """Write a row for each chunk."""
        self._stages[-1].append(self._row(kernel, operands))

    def emit_first(self, kernel: Code, **operands: Any) -> None:
        """Write a row for the very beginning; its tasks share the weights."""
        self._first.append(self._row(kernel, operands))

    def emit_at_once(self, kernel: Code, tasks: int, **operands: Any) -> None:
        """Write a row for when all chunks are through; its tasks share the weights."""
        self._most_at_once = max(tasks, self._most_at_once)
        self._at_once.append(self._row(kernel, operands))

    def emit_update(self, kernel: Code, **operands: Any) -> None:
        """Write a row for the end, when all gradients are there."""
        self._updates.append(self._row(kernel, operands))

    def _row(self, kernel: Code, operands: dict[str, Any]) -> Row:
        return row(kernel, operands, self.weights.memory.code)

    def barrier(self) -> None:
        """End the stage: what follows begins when all chunks have come this far."""
        self._stages.append([])

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64], slice]:
        """Return the program, its stages, and which of them run chunk by chunk."""
        every = [
            (self._first, self.slices),
            *((rows, 0) for rows in self._stages),
            (self._at_once, self._most_at_once),
            (self._updates, self.slices),
        ]
        program: list[Row] = []
        stages = []
        for rows, tasks in every:
            if rows:
                stages.append((len(program), len(program) + len(rows), tasks))
                program += rows
        ahead = int(bool(self._first))
        by_chunks = slice(ahead, ahead + len(self._stages))
        return np.array(program, np.int64).reshape(-1, WIDTH), np.array(stages, np.int64), by_chunks

    def image_tables(self) -> list[tuple[int, int]]:
        """Return the tables that list the images of a batch: address, and number of rows."""
        return [(self.keep(table), len(table)) for table in self._image_tables]

    def set_images(self, images: int) -> int:
        """Tell the tables how many images the batch has; return the number of its chunks."""
        chunks = -(-images // LANES)
        for table in self._image_tables:
            table[:, 1] = chunks * LANES
        return chunks
