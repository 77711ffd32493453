"""What one output cell reads along one axis, forwards and backwards: every operation is a gather.

A result of the engine, a gradient too, is a sum of cells times weights. Along each axis the cells
and the weights that meet are worked out here, for one output cell at a time.
"""

from functools import lru_cache
from typing import NamedTuple

from stepconv.geometry.axis import Axis


class Reading(NamedTuple):
    """The cells of a source that one output cell reads along one axis, and the weights they meet.

    `positions` say where the cells lie in a picture of the source, which may be in its padding;
    `cells` where their numbers come from, -1 being the constant of the padding; `taps` count the
    weights.
    """

    positions: tuple[int, ...]
    cells: tuple[int, ...]
    taps: tuple[int, ...]

    @property
    def bounds(self) -> tuple[int, int]:
        """[start, stop) of the positions; (0, 0) if there are none."""
        return (min(self.positions), max(self.positions) + 1) if self.positions else (0, 0)


def window(axis: Axis, index: int, mode: str = "zeros") -> Reading:
    """Return what window `index` reads of the input.

    >>> window(Axis(size=4, window=3, before=1, after=1), 0, "circular")
    Reading(positions=(-1, 0, 1), cells=(3, 0, 1), taps=(0, 1, 2))
    """
    positions = tuple(axis.taps(index))
    return Reading(positions, _cells(axis, positions, mode), tuple(range(axis.window)))


def returned(axis: Axis, cell: int, mode: str = "zeros") -> Reading:
    """Return which windows hand a gradient back to an input cell: those that read it or a copy.

    >>> returned(Axis(size=4, window=3), 1)
    Reading(positions=(0, 1), cells=(0, 1), taps=(1, 0))
    """
    readers = [pair for copy in _copies(axis, mode)[cell] for pair in axis.readers(copy)]
    windows = tuple(index for index, _ in readers)
    return Reading(windows, windows, tuple(tap for _, tap in readers))


def weighed(axis: Axis, tap: int, mode: str = "zeros") -> Reading:
    """Return which input cells met one weight, and in which windows.

    >>> weighed(Axis(size=5, window=3, stride=2), 1)
    Reading(positions=(1, 3), cells=(1, 3), taps=(0, 1))
    """
    first = tap * axis.dilation - axis.before
    positions = tuple(first + index * axis.stride for index in range(axis.output))
    return Reading(positions, _cells(axis, positions, mode), tuple(range(axis.output)))


def bordered(axis: Axis, index: int, mode: str = "zeros") -> Reading:
    """Return the one cell that a padded cell is a copy of."""
    positions = (index - axis.before,)
    return Reading(positions, _cells(axis, positions, mode), (0,))


def folded(axis: Axis, cell: int, mode: str = "zeros") -> Reading:
    """Return the padded cells that are copies of an input cell, counted from the border's first.

    >>> folded(Axis(size=3, window=1, before=2, after=0), 0, "replicate").cells
    (0, 1, 2)
    """
    padded = tuple(copy + axis.before for copy in _copies(axis, mode)[cell])
    return Reading(padded, padded, (0,) * len(padded))


def mirrored(axis: Axis, index: int, mode: str = "zeros") -> Reading:
    """Return the cell on the other side of the middle."""
    cells = (axis.size - 1 - index,)
    return Reading(cells, cells, (0,))


def whole(axis: Axis) -> Reading:
    """Return all windows: a bias went into every one."""
    windows = tuple(range(axis.output))
    return Reading(windows, windows, (0,) * len(windows))


def _cells(axis: Axis, positions: tuple[int, ...], mode: str) -> tuple[int, ...]:
    """Return the cells that positions stand for; beyond the padding there are none."""
    sources, before = _sources(axis, mode), axis.before
    if positions and positions[0] >= -before and positions[-1] < len(sources) - before:
        return tuple([sources[position + before] for position in positions])
    padded = (position + before for position in positions)
    return tuple(sources[i] if 0 <= i < len(sources) else -1 for i in padded)


@lru_cache(maxsize=64)
def _sources(axis: Axis, mode: str) -> tuple[int, ...]:
    return axis.sources(mode)


@lru_cache(maxsize=64)
def _copies(axis: Axis, mode: str) -> tuple[tuple[int, ...], ...]:
    """Return for each input cell the positions that show it: itself, and copies in the border."""
    positions: list[list[int]] = [[] for _ in range(axis.size)]
    for index, cell in enumerate(_sources(axis, mode)):
        if cell >= 0:
            positions[cell].append(index - axis.before)
    return tuple(map(tuple, positions))
