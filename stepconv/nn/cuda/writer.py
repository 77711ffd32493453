"""Where a network's numbers lie on a GPU, and where each layer finds its own.

A tensor is one array, an image behind the other, of values and one of their gradient; what is a
view of another shares its arrays. Gradients of parameters are found in parts (`Found`), all in one
array, from which one launch updates everything.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import singledispatch
from math import prod
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cuda import on_card
from stepconv.kernels.cuda.machine.array import allocate
from stepconv.kernels.cuda.machine.memory import plain_errors
from stepconv.kernels.cuda.machine.transfers import part, write
from stepconv.kernels.cuda.network.ends import End, way_back
from stepconv.kernels.cuda.network.updates import APART, FIRST, MOVES, PARTS
from stepconv.nn.model import Model
from stepconv.nn.steps.records import Step
from stepconv.nn.steps.tensors import Tensor
from stepconv.nn.steps.weights import Arrays, Weights

Array = Any
Memory = dict[tuple[str, Tensor], Array]


class CardWeights(Weights):
    """Parameters and statistics that live on the card; the host has copies, made when asked."""

    def __init__(self, model: Model, parameters: Arrays, statistics: Arrays) -> None:
        self.learnt: Array = None
        self.seen: Array = None
        super().__init__(model, parameters, statistics)

    def load(self, parameters: Arrays, statistics: Arrays) -> None:
        """Take over the values of all parameters and statistics."""
        super().load(parameters, statistics)
        if self.learnt is None:
            with plain_errors("a network's parameters", self.values):
                self.learnt = allocate(self.values.shape, np.float32)
                self.seen = allocate((max(1, self.remembered.size),), np.float32)
        write(self.values, self.learnt)
        if self.remembered.size:
            write(self.remembered, self.seen)

    def parameters(self) -> dict[str, Array]:
        """Return copies of the parameters, by name."""
        self.learnt.copy_to_host(self.values)
        return super().parameters()

    def statistics(self) -> dict[str, Array]:
        """Return copies of the statistics, by name."""
        self.remembered[:] = self.seen.copy_to_host()[: self.remembered.size]
        return super().statistics()


class Found(NamedTuple):
    """The parts in which a gradient is found: rows of weights, and of a bias behind them if named.

    part 0   w w w b   filter 0        part 1   w w w b
             w w w b   filter 1                 w w w b
    """

    weight: str
    bias: str
    parts: int
    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """Numbers of a part."""
        return self.rows * self.columns


class Into(NamedTuple):
    """Where a gradient goes, through which activation, and whether it is added to another there."""

    array: Array
    values: Array
    slope: float
    adds: bool

    @property
    def end(self) -> End:
        """The same as the end of a sum."""
        return way_back(self.values, self.slope, self.adds)


@singledispatch
def founds(step: Step, images: int) -> list[Found]:
    """Return in what parts the gradients of a step's parameters are found; most steps have none."""
    return []


@singledispatch
def forward(step: Step, p: CardWriter) -> None:
    """Write down the launches of a step's values: layers.py and cells.py know each kind's."""
    raise NotImplementedError(type(step).__name__)


@singledispatch
def backward(step: Step, p: CardWriter) -> None:
    """Write down the launches that turn the gradient of a step's values into those it reads."""
    raise NotImplementedError(type(step).__name__)


class CardWriter:
    """What the steps of a network ask for while their launches are written down."""

    def __init__(
        self,
        weights: CardWeights,
        memory: Memory,
        most: int,
        images: int,
        steps: list[Step],
        controls: Array,
        *,
        training: bool,
    ) -> None:
        """`memory` is what tensors have already: room for `most` images each."""
        self.images, self.controls, self.training = images, controls, training
        self._weights, self._memory, self._most = weights, memory, most
        self._starts: dict[str, tuple[Found, int]] = {}
        self._rooms: dict[tuple[Any, str], Array] = {}
        end = 0
        for found in (found for step in steps for found in founds(step, images)):
            self._starts[found.weight] = (found, end)
            end += found.parts * found.cells
        self.found_all = allocate((max(1, end),), np.float32)

    # Tensors.

    def value(self, t: Tensor) -> Array:
        """Return the values of a tensor, as a row."""
        return self._numbers("value", t)

    def gradient(self, t: Tensor) -> Array:
        """Return the gradient of a tensor, as a row."""
        home = t.whole.gradient_home
        return self._numbers("gradient", t) if home is None else self.gradient(home)

    def into(self, step: Step, branch: int = 0) -> Into:
        """Return where a step's gradient for what it reads goes."""
        t = step.reads[branch]
        return Into(self.gradient(t), self.value(t), t.slope, step.adds[branch])

    def shaped(self, row: Array, t: Tensor) -> Array:
        """Return a row of a tensor's numbers as (images, channels, rows, columns)."""
        return row.reshape(self.images, t.channels, *t.plane)

    def planes(self, row: Array, t: Tensor) -> Array:
        """Return a row of a tensor's numbers as (images · channels, rows, columns)."""
        return row.reshape(self.images * t.channels, *t.plane)

    def room(self, step: Any, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
        """Return room of a step's own, the same on its way back."""
        key = (id(step), name)
        if key not in self._rooms:
            self._rooms[key] = allocate(shape, dtype)
        return self._rooms[key]

    def _numbers(self, what: str, t: Tensor) -> Array:
        base = t.whole
        if (what, base) not in self._memory:
            self._memory[what, base] = allocate((self._most * base.cells,), np.float32)
        return part(self._memory[what, base], 0, self.images * base.cells)

    # Parameters.

    def weight(self, name: str) -> Array:
        """Return a parameter in its shape."""
        shape = self._weights.shapes[name]
        first = self._weights.offsets[name]
        return part(self._weights.learnt, first, first + prod(shape)).reshape(shape)

    def bias(self, name: str, has_bias: bool, count: int) -> Array:
        """Return the biases of a layer; zeros if it has none."""
        return self.weight(f"{name}.bias") if has_bias else self.zeros(count)

    def zeros(self, count: int) -> Array:
        """Return zeros, to be read."""
        return on_card(np.zeros(count, np.float32))

    def statistics(self, name: str, count: int) -> tuple[Array, Array]:
        """Return the remembered means and variances of a layer."""
        firsts = [self._weights.statistic_offsets[f"{name}.running_{w}"] for w in ("mean", "var")]
        mean, variance = (part(self._weights.seen, first, first + count) for first in firsts)
        return mean, variance

    def found(self, name: str) -> Array:
        """Return where the parts of a gradient go, (parts, numbers)."""
        found, start = self._starts[name]
        cells = part(self.found_all, start, start + found.parts * found.cells)
        return cells.reshape(found.parts, found.cells)

    def places(self, frozen: Collection[str]) -> Array:
        """Return for every parameter where the parts of its gradient are, and whether it moves.

        A filler between two parameters has no parts.
        """
        made = np.zeros((4, self._weights.size), np.int64)
        for found, start in self._starts.values():
            rows = np.arange(found.rows)[:, None] * found.columns + start
            columns = np.arange(found.columns)
            wide = found.columns - bool(found.bias)
            named = {found.weight: rows + columns[:wide]}
            if found.bias:
                named[found.bias] = rows + columns[wide:]
            for name, firsts in named.items():
                first = self._weights.offsets[name]
                some = slice(first, first + firsts.size)
                made[FIRST, some], made[APART, some] = firsts.ravel(), found.cells
                made[PARTS, some], made[MOVES, some] = found.parts, name not in frozen
        return on_card(made)
