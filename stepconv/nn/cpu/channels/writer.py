"""Writes a program for a few pictures: rows that say which kernel does what, each a stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry.budget import check
from stepconv.kernels.cpu.channels.cells import flatten
from stepconv.kernels.cpu.lanes.rows import CONTROLS, LANES, VECTOR, WIDTH, Spot, row
from stepconv.nn.cpu.channels.memory import lives, places
from stepconv.nn.cpu.memory import Memory
from stepconv.nn.steps.lowering import Steps
from stepconv.nn.steps.records import Step
from stepconv.nn.steps.tensors import Tensor
from stepconv.nn.steps.weights import Arrays

Array = NDArray[Any]

# A stage is cut into so many tasks, if each has some nanoseconds to do: fewer do not pay. A long
# one is cut finer, for who has no task left waits for the others.
_TASKS, _WORTH, _LONG = 16, 4_000, 100_000
# About what one thread does in a nanosecond.
_PRODUCTS, _BYTES = 100, 10
# Pixels that are a multiple of so many bytes apart would meet in a few sets of the cache.
_SAME_SETS = 512


class At(NamedTuple):
    """Where a tensor lies: its first pixel, bytes from pixel to pixel, pixels of a picture."""

    address: int
    step: int
    rows: int
    columns: int

    @property
    def pixels(self) -> int:
        """Pixels of a picture."""
        return self.rows * self.columns

    @property
    def picture(self) -> int:
        """Bytes from picture to picture."""
        return self.pixels * self.step


@singledispatch
def write(step: Step, p: Writer) -> None:
    """Write the rows that make a step's values: layers.py and cells.py know each kind's."""
    raise NotImplementedError(type(step).__name__)


class Writer:
    """Collects the rows of a program, and the memory and tables that they work on."""

    def __init__(
        self, network: Steps, steps: Sequence[Step], pictures: int, packed: Packed
    ) -> None:
        self.network, self.pictures, self.packed = network, pictures, packed
        self.memory = packed.memory
        life = lives(steps, network.x, network.y)
        sizes = {t: pictures * prod(t.plane) * step_of(t) for t in life}
        self._places, size = places(sizes, life)
        self._first = self.room(size)
        self.controls = np.zeros(CONTROLS, np.int64)
        self.rows: list[list[int]] = []
        self.tasks: list[int] = []
        self._flat: dict[Tensor, At] = {}
        self._shared: dict[str, tuple[int, int]] = {}

    def room(self, size: int) -> int:
        """Return the address of so many bytes, with room for a vector behind."""
        check("network's working memory", (size // 4,), 4)
        kept = np.empty(size + 2 * VECTOR, np.uint8)
        return -(-self.memory.place(kept) // VECTOR) * VECTOR

    def shared(self, name: str, size: int) -> int:
        """Return the address of room that all who ask for the name use in turn."""
        address, most = self._shared.get(name, (0, 0))
        if most < size:
            self._shared[name] = address, _ = self.room(size), size
        return address

    def rooms(self, size: int, tasks: int) -> Spot:
        """Return room for so many bytes in each of some tasks."""
        step = -(-size // VECTOR) * VECTOR
        return Spot(self.room(step * tasks), step)

    def at(self, t: Tensor) -> At:
        """Return where a tensor lies; a flat one that is the view of a plane lies as the plane."""
        root = t.root
        channel = t.offset // prod(root.plane)
        first = self._first + self._places[root] + channel * 4
        return At(first, step_of(root), *root.plane)

    def flat(self, t: Tensor) -> At:
        """Return where a tensor lies; the view of a plane is laid out in a row, once."""
        x = self.at(t)
        if len(t.shape) == 3 or x.pixels == 1:
            return x
        if t not in self._flat:
            step = -(-t.cells // LANES) * VECTOR
            y = At(self.room(self.pictures * step), step, 1, 1)
            self.emit(
                flatten,
                1,
                x=x.address,
                x_step=x.step,
                out=y.address,
                out_step=y.step,
                pictures=self.pictures,
                pixels=x.pixels,
                channels=t.cells // x.pixels,
            )
            self._flat[t] = y
        return self._flat[t]

    def emit(self, kernel: Callable[[Any], None], tasks: int, **operands: Any) -> None:
        """Write a row, which is a stage of so many tasks."""
        self.rows.append(row(kernel, operands, self.memory.code))
        self.tasks.append(tasks)

    def finish(self) -> tuple[Array, Array]:
        """Return the program and its stages."""
        stages = [(k, k + 1, tasks) for k, tasks in enumerate(self.tasks)]
        return np.array(self.rows, np.int64).reshape(-1, WIDTH), np.array(stages, np.int64)


class Packed:
    """What programs for up to so many pictures share: packed weights, and tables."""

    def __init__(
        self, parameters: Arrays, statistics: Arrays, most: int, *, winograd: bool
    ) -> None:
        self.parameters, self.statistics, self.memory = parameters, statistics, Memory()
        self.most, self.winograd = most, winograd  # whether 3x3 layers may go that way
        self._kept: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what is made for a key, made once."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def room(self, count: int) -> NDArray[np.float32]:
        """Return room for so many numbers, all 0: it begins with a line of the cache."""
        kept = np.zeros(4 * count + 2 * VECTOR, np.uint8)
        first = -kept.ctypes.data % VECTOR
        room: NDArray[np.float32] = kept[first : first + 4 * count].view(np.float32)
        self.memory.place(room)
        return room

    def keep(self, array: Array) -> int:
        """Return the address of a copy of an array that begins with a line of the cache."""
        room = self.room(array.nbytes // 4)
        room.view(array.dtype)[:] = array.reshape(-1)
        return self.memory.place(room)


def step_of(t: Tensor) -> int:
    """Return how many bytes lie from pixel to pixel of a tensor that is no part of another."""
    if t.bordered:
        return t.channels * 4
    size = -(-t.channels // LANES) * VECTOR
    return size + VECTOR if size % _SAME_SETS == 0 and prod(t.plane) > 1 else size


def tasks_for(products: float = 0, size: float = 0) -> int:
    """Return into how many tasks work is cut: products of numbers, and bytes that are moved."""
    time = products / _PRODUCTS + size / _BYTES
    return max(1, min(_TASKS, int(time / _WORTH)), int(time / _LONG))
