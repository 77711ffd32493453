"""Trace and Step: one call recorded window by window, which is all that a player ever reads.

A trace keeps the arrays of the call and, for each output cell, the sum of each channel, the result
and who computed it. What a window held is read off the arrays when a step is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.geometry import Plan, Reading
from stepconv.trace.call import Call
from stepconv.trace.gather import Gather, gather

Array = NDArray[Any]


# What a file or a lecturer may say about a trace; none of it is computed with.
@dataclass(frozen=True)
class About:
    """Words that go with a trace: what it shows, remarks, channels' names, what recorded it."""

    title: str = ""
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    recorder: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Sequence["Step"]):
    """One call, recorded: a step for every cell of its output, in the order of the output's cells.

    `arrays` holds x, w, bias and grad_out, as far as the call has them. `sums` has a row for each
    step and a column for each channel that flowed into it; `winners` says which cell of its plane
    a window chose, -1 for none; `workers` who computed a step: a thread, or a block and a thread.
    `examine` looks at a step of a file, which may come from anybody, before it is handed out.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.correlate, [1, 2, 3, 4], [1, 0, -1])
    >>> len(trace), trace[1].result, trace[1].patch
    (2, np.int64(-2), array([2, 3, 4]))
    """

    call: Call
    arrays: Mapping[str, Array]
    output: Array
    workers: Array
    sums: Array | None = None
    winners: Array | None = None
    about: About = field(default_factory=About)
    examine: Callable[[Step], None] | None = None

    @property
    def op(self) -> str:
        """Name of the operation, such as `correlate` or `max_pool_backward`."""
        return self.call.op

    @property
    def plan(self) -> Plan:
        """The integers of the call: sizes, padding, stride, dilation, groups."""
        return self.call.plan

    @cached_property
    def gather(self) -> Gather:
        """Which cells and weights flow into each output cell."""
        return gather(self.call, self.arrays)

    def __len__(self) -> int:
        return self.output.size

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"step {index} is not in this trace: 0 to {len(self) - 1} fit")
        step = Step(self, number)
        if self.examine is not None:
            self.examine(step)
        return step

    def __iter__(self) -> Iterator[Step]:
        return (self[i] for i in range(len(self)))

    def step(self, number: int) -> Step:
        """Return a step without examining it first, as `trace[number]` does."""
        return Step(self, number)

    def at(self, *place: int) -> Step:
        """Return the step that computed the output cell `place`.

        >>> import stepconv
        >>> stepconv.record(stepconv.max_pool, [[1, 2], [3, 4]], 1).at(1, 0).result
        np.int64(3)
        """
        shape = self.output.shape
        if len(place) != len(shape) or not all(
            0 <= i < size for i, size in zip(place, shape, strict=True)
        ):
            raise ArgumentError(f"output cell {place} is not in an output of shape {shape}")
        return self[int(np.ravel_multi_index(place, shape))]

    def __eq__(self, other: object) -> bool:
        """Tell whether the same call gave the same numbers, whoever computed them."""
        if not isinstance(other, Trace):
            return NotImplemented
        return (
            self.call == other.call
            and self.arrays.keys() == other.arrays.keys()
            and all(same(array, other.arrays[name]) for name, array in self.arrays.items())
            and same(self.output, other.output)
            and same(self.sums, other.sums)
            and same(self.winners, other.winners)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Trace of {self.op}: {len(self)} steps, output {sizes(self.output.shape)}>"

    def save(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write the trace to a file; an existing one only with `force`."""
        from stepconv.trace.file.write import save

        save(self, path, force=force)

    def _repr_html_(self) -> str:
        from stepconv.trace.notebook import framed

        return framed(self)


@dataclass(frozen=True)
class Step:
    """One output cell and all that flowed into it.

    Arrays have the channels first, where the call has channels, and then the spatial axes.
    """

    trace: Trace
    index: int

    @property
    def output_index(self) -> tuple[int, ...]:
        """The output cell, as an index of the output."""
        shape = self.trace.output.shape
        return tuple(int(i) for i in np.unravel_index(self.index, shape)) if shape else ()

    @cached_property
    def place(self) -> tuple[int, int, int]:
        """The output cell as (plane, row, column)."""
        return self.trace.gather.place(self.index)

    @cached_property
    def readings(self) -> tuple[Reading, Reading]:
        """What is read along the rows and along the columns."""
        _, i, j = self.place
        return self.trace.gather.row(i), self.trace.gather.column(j)

    @property
    def axis_readings(self) -> tuple[Reading, ...]:
        """What is read along each spatial axis."""
        return self.readings[-self.trace.gather.axes :]

    @cached_property
    def pairs(self) -> Array:
        """The planes that flowed in: a row (plane of the source, plane of the weights) for each."""
        pairs: Array = self.trace.gather.pairs(np.array([self.place[0]]))[0]
        return pairs

    @property
    def window(self) -> tuple[tuple[int, int], ...]:
        """[start, stop) along each spatial axis of the source, without its padding."""
        return tuple(reading.bounds for reading in self.axis_readings)

    @property
    def patch(self) -> Array:
        """The cells under the window, padding included."""
        return self._shaped(self.patch_planes)

    @property
    def kernel(self) -> Array | None:
        """The weights as they meet the patch; None where a window has none."""
        weights = self.kernel_planes
        return None if weights is None else self._shaped(weights)

    @property
    def products(self) -> Array:
        """Patch times kernel, cell by cell; where there is no kernel, what goes on of the patch.

        Of a softmax that is e^(x - the largest).
        """
        return self._shaped(self.product_planes)

    @property
    def channel_sums(self) -> Array:
        """The sum of each channel's products, as the recorder wrote it down."""
        if self.trace.sums is None:
            return self.trace.output.reshape(-1)[self.index : self.index + 1]
        sums: Array = self.trace.sums[self.index]
        return sums

    @property
    def bias(self) -> Any:
        """What was added to the sums."""
        biases = self.trace.gather.bias
        return biases[self.place[0] % biases.size]

    @property
    def result(self) -> Any:
        """The output cell's number."""
        return self.trace.output.reshape(-1)[self.index]

    @property
    def worker(self) -> int | tuple[int, int]:
        """The thread that computed the step; on a GPU the block and its thread."""
        who = self.trace.workers[self.index]
        return int(who) if who.ndim == 0 else (int(who[0]), int(who[1]))

    @property
    def divisor(self) -> int | None:
        """The number of cells that an average divides by."""
        divisors = self.trace.gather.divisors
        return None if divisors is None else int(divisors[self.place])

    @property
    def winner(self) -> tuple[int, ...] | None:
        """Where in its plane the largest cell of a window is; None where nothing won."""
        if self.trace.winners is None or self.trace.call.operation.family != "largest":
            return None
        winner = int(self.trace.winners.reshape(-1)[self.index])
        if winner < 0:
            return None
        row, column = divmod(winner, self.trace.gather.source.shape[2])
        return (row, column) if self.trace.gather.axes == 2 else (column,)

    @cached_property
    def in_padding(self) -> Array:
        """Which cells of the patch, rows by columns, lie outside the source."""
        rows, columns = self.readings
        _, height, width = self.trace.gather.source.shape
        above = np.array([not 0 <= y < height for y in rows.positions], bool)
        beside = np.array([not 0 <= z < width for z in columns.positions], bool)
        return np.asarray(above[:, None] | beside)

    @property
    def touches_padding(self) -> bool:
        """Whether the window reads a cell outside the source."""
        return bool(self.in_padding.any())

    def in_words(self) -> str:
        """Return the step as a sentence that a screen reader can read out."""
        from stepconv.trace.sentence import sentence

        return sentence(self)

    @cached_property
    def patch_planes(self) -> Array:
        """The patch as (channels, rows, columns), whatever axes the call has."""
        rows, columns = self.readings
        gather, call = self.trace.gather, self.trace.call
        outside = gather.source.dtype.type(call.value if call.op == "pad" else 0)
        y, z = np.array(rows.cells, np.int64)[:, None], np.array(columns.cells, np.int64)
        planes = self.pairs[:, 0, None, None]
        if gather.source.size == 0:
            return np.full((len(planes), y.size, z.size), outside)
        return np.where((y >= 0) & (z >= 0), gather.source[planes, y, z], outside)

    @cached_property
    def kernel_planes(self) -> Array | None:
        """The kernel as (channels, rows, columns)."""
        rows, columns = self.readings
        family = self.trace.call.operation.family
        if family == "route":
            return self._won.astype(self.patch_planes.dtype)
        if family == "gate":
            return self._open.astype(self.patch_planes.dtype)
        weights = self.trace.gather.weights
        if weights is None:
            return None
        a, b = np.array(rows.taps, np.int64)[:, None], np.array(columns.taps, np.int64)
        return weights[self.pairs[:, 1, None, None], a, b]

    @cached_property
    def product_planes(self) -> Array:
        """The products as (channels, rows, columns)."""
        family, weights = self.trace.call.operation.family, self.kernel_planes
        if family in ("route", "gate"):
            # A closed gate lets nothing through, be it infinite.
            through = self._won if family == "route" else self._open
            return np.where(through, self.patch_planes, self.patch_planes.dtype.type(0))
        if family == "share":
            with np.errstate(all="ignore"):
                largest = np.fmax.reduce(self.patch_planes, axis=None)
                return np.asarray(np.exp(self.patch_planes - largest))
        if weights is None:
            return self.patch_planes
        with np.errstate(all="ignore"):
            return self.patch_planes * weights

    @property
    def _won(self) -> Array:
        """Which of the windows that read this cell chose it."""
        plane, y, z = self.place
        rows, columns = self.readings
        gather = self.trace.gather
        assert self.trace.winners is not None  # every route has them
        winners = self.trace.winners.reshape(gather.source.shape)[plane]
        i, j = np.array(rows.cells, np.int64)[:, None], np.array(columns.cells, np.int64)
        return np.asarray(winners[i, j] == y * gather.shape[2] + z)[None]

    @property
    def _open(self) -> Array:
        x = self.trace.arrays["x"].reshape(-1)[self.index]
        return np.full((1, 1, 1), not x <= 0)

    def _shaped(self, cells: Array) -> Array:
        """Drop the axes that the call does not have."""
        gather = self.trace.gather
        plane = cells if gather.axes == 2 else cells[:, 0] if cells.shape[1] else cells[:, :0]
        return plane if gather.channels else plane[0]


def same(one: Array | None, other: Array | None) -> bool:
    """Tell whether two arrays are of one type and hold the same numbers; NaN equals itself."""
    if one is None or other is None:
        return one is other
    inexact = one.dtype.kind == "f" and other.dtype.kind == "f"
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=inexact)


def sizes(shape: tuple[int, ...]) -> str:
    """Return a shape as one writes it: rows x columns."""
    return "x".join(map(str, shape)) or "a single number"
