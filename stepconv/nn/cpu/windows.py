"""Which cells a window reads, as tables: what a kernel on lanes needs to know of a layer.

Output cells whose windows meet the image in the same way form a family: they share one list of
taps. A 3x3 window with padding 1 has nine families, one of them for all cells but the border's. So
no cell beyond the image is ever stored, read or multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan

Table = NDArray[np.int64]
Reads = tuple[tuple[int, int], ...]  # (place in the window, cell it reads, from the first one on)


@dataclass(frozen=True)
class Line:
    """A family along one axis: its taps, its cells, and the first cell that each of them reads."""

    taps: Reads
    cells: tuple[int, ...]
    sources: tuple[int, ...]
    count: int = 1  # what an average divides by


@dataclass(frozen=True)
class Family:
    """A family in two dimensions, in bytes: taps (in x, in w) and cells (in x, in the output)."""

    taps: Table
    cells: Table
    count: int = 1


def forward_lines(axis: Axis, counts: Sequence[int] | None = None) -> list[Line]:
    """Return the families of the windows along an axis.

    >>> [line.taps for line in forward_lines(Axis(size=4, window=3, before=1, after=1))]
    [((1, 0), (2, 1)), ((0, 0), (1, 1), (2, 2)), ((0, 0), (1, 1))]
    """
    read = []
    for index in range(axis.output):
        taps = enumerate(axis.taps(index))
        read.append([(k, cell) for k, cell in taps if 0 <= cell < axis.size])
    return _lines(read, counts or [1] * axis.output)


def backward_lines(axis: Axis) -> list[Line]:
    """Return the families of the input's cells: which windows read them, and at which place.

    >>> [line.taps for line in backward_lines(Axis(size=5, window=3, stride=2))]
    [((0, 0),), ((1, 0),), ((2, 0), (0, 1)), ((2, 0),)]
    """
    read = []
    for cell in range(axis.size):
        taps = []
        for k in reversed(range(axis.window)):
            start = cell + axis.before - k * axis.dilation
            if start % axis.stride == 0 and 0 <= start // axis.stride < axis.output:
                taps.append((k, start // axis.stride))
        read.append(taps)
    return _lines(read, [1] * axis.size)


def _lines(read: list[list[tuple[int, int]]], counts: Sequence[int]) -> list[Line]:
    found: dict[tuple[Reads, int], list[int]] = {}
    for index, taps in enumerate(read):
        relative = tuple((k, cell - taps[0][1]) for k, cell in taps)
        found.setdefault((relative, counts[index]), []).append(index)
    return [
        Line(taps, tuple(cells), tuple(read[i][0][1] if taps else 0 for i in cells), count)
        for (taps, count), cells in found.items()
    ]


def families(
    lines: Sequence[list[Line]],
    source: tuple[int, int],
    out_columns: int,
    *,
    vector: int,
    channels: int = 1,
    w_channel: int = 0,
    w_columns: int = 0,
    origin: tuple[int, int] = (0, 0),
) -> list[Family]:
    """Return the families of a plane: each of the rows with each of the columns.

    `source` is the plane that is read, where the image begins at `origin`; its channels follow each
    other, as do those of the weights, `w_channel` bytes apart.
    """
    rows_read, columns_read = source
    made = []
    every = np.arange(channels)
    for rows in lines[0]:
        for columns in lines[1]:
            both = [(ky, y, kx, x) for ky, y in rows.taps for kx, x in columns.taps]
            ky, y, kx, x = np.array(both, np.int64).reshape(-1, 4).T
            in_x = _outer(every * (rows_read * columns_read), y * columns_read + x) * vector
            in_w = _outer(every * w_channel, (ky * w_columns + kx) * 4)
            first_rows = (np.array(rows.sources) + origin[0]) * columns_read
            from_x = _outer(first_rows, np.array(columns.sources) + origin[1])
            to = _outer(np.array(rows.cells) * out_columns, np.array(columns.cells))
            cells = np.stack([from_x * vector, to * vector], axis=1)
            made.append(Family(np.stack([in_x, in_w], axis=1), cells, rows.count * columns.count))
    return made


def line_of_cells(in_x: Table, in_w: Table, cells: Table) -> Family:
    """Return a family whose cells stand in x as they do in the output."""
    return Family(np.stack([in_x, in_w], axis=1), np.stack([cells, cells], axis=1))


@dataclass(frozen=True)
class Taps:
    """Taps that fall on the image under the same output cells: offsets in x and in w, in bytes."""

    taps: Table
    rows: tuple[int, int]
    columns: tuple[int, int]


def tap_families(plan: Plan, channels: int, vector: int) -> list[Taps]:
    """Return the families of the taps of a window over so many channels.

    Offsets in x are those of output cell (0, 0). Without padding there is one family of all taps.
    """
    rows, columns = plan.rows, plan.columns
    plane, window = rows.size * columns.size, rows.window * columns.window
    found: dict[tuple[tuple[int, int], tuple[int, int]], list[tuple[int, int]]] = {}
    for ky in range(rows.window):
        for kx in range(columns.window):
            y, x = ky * rows.dilation - rows.before, kx * columns.dilation - columns.before
            place = (y * columns.size + x, ky * columns.window + kx)
            found.setdefault((_inside(rows, y), _inside(columns, x)), []).append(place)
    made = []
    for (high, wide), places in found.items():
        in_x, in_w = np.array(places, np.int64).T
        every = np.arange(channels)
        taps = [_outer(every * plane, in_x) * vector, _outer(every * window, in_w) * 4]
        made.append(Taps(np.stack(taps, axis=1), high, wide))
    return made


def _inside(axis: Axis, first: int) -> tuple[int, int]:
    """Return the windows [start, stop) that read a cell of the image, the first reading `first`."""
    reads = [i for i in range(axis.output) if 0 <= first + i * axis.stride < axis.size]
    return (reads[0], reads[-1] + 1) if reads else (0, 0)


def _outer(a: Any, b: Any) -> Any:
    return np.add.outer(a, b).reshape(-1)
