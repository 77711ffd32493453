"""Writes a program: rows that say which kernel does what with which numbers, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.kernels.cpu.lanes.rows import (
    CONTROLS,
    LANES,
    VECTOR,
    WIDTH,
    row,
)
from stepconv.nn.cpu.windows import Family, Taps
from stepconv.nn.steps.tensors import Tensor
from stepconv.nn.weights import Weights

Code = Callable[[int, int], None]

# What a row of weighted sums says where there are no groups, and no tasks that share its rows.
ONE_GROUP = {"groups": 1, "x_group": 0, "w_group": 0, "out_group": 0, "rows_task": 0}

_LINE = 64  # bytes: no two tasks write into one line of the cache


class Spot(NamedTuple):
    """An address, and how many bytes further it is for each next task."""

    address: int
    task: int


class Writer:
    """Collects the rows of a program, and the memory and tables that they work on.

    A task of most rows is a chunk of the batch: as many images as a vector has lanes. The rows for
    the end run when all chunks are through, each task on a share of the weights.
    """

    def __init__(
        self,
        weights: Weights,
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
        self._weights = weights
        # Every array whose address stands in a row has to live as long as the program.
        self._kept: list[NDArray[Any]] = [self.controls, self.gradients, weights.values]
        self.zeros = self.keep(np.zeros(LANES, np.float32))
        self._image_tables: list[NDArray[np.int64]] = []
        self._rows: list[list[int]] = []
        self._stages: list[list[int]] = [[0, 0, 0]]
        self._scratch: dict[str, Spot] = {}
        self._first: list[list[int]] = []
        self._shared: list[list[tuple[int, list[int]]]] = [[], []]
        self.mask = self.room(VECTOR)  # 1 in the lanes that hold an image
        if training:
            self._found = self.room(max(1, weights.chunked) * 4)

    def keep(self, array: NDArray[Any]) -> int:
        """Return the address of an array, which lives from now on as long as the program."""
        self._kept.append(array)
        return int(array.ctypes.data)

    def table(self, array: Any) -> int:
        """Return the address of a table of integers."""
        return self.keep(np.ascontiguousarray(array, np.int64))

    def families(self, made: Sequence[Family], *, images: bool = False) -> tuple[int, int]:
        """Return the address and the length of a table of families.

        With `images` the taps are the images of the batch, of which there may be fewer.
        """
        table = np.array(
            [(self.table(f.taps), len(f.taps), self.table(f.cells), len(f.cells)) for f in made],
            np.int64,
        ).reshape(-1, 4)
        if images:
            self._image_tables.append(table)
        return self.keep(table), len(table)

    def tap_families(self, made: Sequence[Taps]) -> tuple[int, int]:
        """Return the address and the length of a table of families of taps."""
        rows = [(self.table(f.taps), len(f.taps), *f.rows, *f.columns) for f in made]
        return self.table(np.array(rows, np.int64)), len(rows)

    def room(self, size: int) -> Spot:
        """Return room for so many bytes in each chunk."""
        stride = -(-size // _LINE) * _LINE
        memory = np.zeros(stride * self.chunks + _LINE, np.uint8)
        return Spot(-(-self.keep(memory) // _LINE) * _LINE, stride)

    def scratch(self, name: str, size: int) -> Spot:
        """Return room for numbers that the very next rows use up: all layers share it."""
        if name not in self._scratch:
            self._scratch[name] = self.room(size)
        return self._scratch[name]

    def read(self, spot: Spot, chunk: int, count: int) -> NDArray[np.float32]:
        """Return a copy of the first numbers that a chunk has at a spot."""
        memory = next(a for a in self._kept if 0 <= spot.address - a.ctypes.data < a.nbytes)
        start = spot.address - memory.ctypes.data + chunk * spot.task
        return memory[start : start + 4 * count].view(np.float32).copy()

    def value(self, t: Tensor) -> Spot:
        """Return where the values of a tensor lie."""
        root = t.root
        if root.value is None:
            root.value = self.room(root.cells * VECTOR)
        return Spot(root.value.address + t.offset * VECTOR, root.value.task)

    def gradient(self, t: Tensor) -> Spot:
        """Return where the gradient of a tensor lies."""
        root = t.root
        if root.gradient_home is not None:
            return self.gradient(root.gradient_home)
        if root.in_place:
            return self.value(t)
        if root.gradient is None:
            root.gradient = self.room(root.cells * VECTOR)
        return Spot(root.gradient.address + t.offset * VECTOR, root.gradient.task)

    def into(self, t: Tensor) -> tuple[Spot, int]:
        """Return where a gradient goes, and whether it is added to another that is there."""
        adds = t.write()
        return self.gradient(t), int(adds)

    def weight(self, name: str) -> int:
        """Return the address of a parameter."""
        return int(self._weights.values.ctypes.data) + 4 * self._weights.offsets[name]

    def found(self, name: str) -> Spot:
        """Return where each chunk puts its part of a parameter's gradient."""
        return Spot(self._found.address + 4 * self._weights.offsets[name], self._found.task)

    @property
    def found_all(self) -> Spot:
        """Where each chunk puts its gradients."""
        return self._found

    def whole(self, name: str) -> int:
        """Return where a gradient that is summed over all images at once lies."""
        return int(self.gradients.ctypes.data) + 4 * self._weights.offsets[name]

    def statistic(self, name: str) -> int:
        """Return the address of what is remembered under a name."""
        return self.keep(self._weights.remembered) + 4 * self._weights.statistic_offsets[name]

    @property
    def control(self) -> int:
        """The address of the controls."""
        return int(self.controls.ctypes.data)

    def emit(self, kernel: Code, **operands: Any) -> None:
        """Write a row for each chunk."""
        self._rows.append(row(kernel, _spread(kernel, operands)))

    def emit_first(self, kernel: Code, **operands: Any) -> None:
        """Write a row for the very beginning; its tasks share the weights."""
        self._first.append(row(kernel, _spread(kernel, operands)))

    def emit_at_once(self, kernel: Code, tasks: int, **operands: Any) -> None:
        """Write a row for when all chunks are through; its tasks share the weights."""
        self._shared[0].append((tasks, row(kernel, _spread(kernel, operands))))

    def emit_update(self, kernel: Code, **operands: Any) -> None:
        """Write a row for the end, when all gradients are there."""
        self._shared[1].append((self.slices, row(kernel, _spread(kernel, operands))))

    def barrier(self) -> None:
        """End the stage: what follows begins when all chunks have come this far."""
        self._stages[-1][1] = len(self._rows)
        self._stages.append([len(self._rows), 0, 0])

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64], slice]:
        """Return the program, its stages, and which of them run chunk by chunk."""
        self.barrier()
        self._stages.pop()
        ahead = len(self._first)
        if ahead:
            moved = [[first + ahead, stop + ahead, tasks] for first, stop, tasks in self._stages]
            self._stages = [[0, ahead, self.slices], *moved]
            self._rows = self._first + self._rows
        by_chunks = slice(1 if ahead else 0, len(self._stages))
        for shared in filter(None, self._shared):
            first, most = len(self._rows), max(tasks for tasks, _ in shared)
            self._rows += [last for _, last in shared]
            self._stages.append([first, len(self._rows), most])
        program = np.array(self._rows, np.int64).reshape(-1, WIDTH)
        return program, np.array(self._stages, np.int64), by_chunks

    def set_images(self, images: int) -> int:
        """Tell the tables how many images the batch has; return the number of its chunks."""
        chunks = -(-images // LANES)
        for table in self._image_tables:
            table[:, 1] = chunks * LANES
        return chunks


def _spread(kernel: Code, operands: dict[str, Any]) -> dict[str, int | float]:
    """Give each operand that shifts from task to task its second number; a plain address has 0."""
    names: list[str] = kernel.operands  # type: ignore[attr-defined]
    made: dict[str, int | float] = {}
    for name, value in operands.items():
        address, task = value if isinstance(value, tuple) else (value, 0)
        made[name] = address
        if f"{name}_task" in names and f"{name}_task" not in operands:
            made[f"{name}_task"] = task
    return made
