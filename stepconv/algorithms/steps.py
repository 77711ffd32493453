"""What an algorithm has to show: steps as plain data, each with arrays and the counts so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.algorithms.ledger import Counts

Array = NDArray[Any]
Cell = tuple[int, int]

# What is special about a cell: it is padding; it went round the edge, and is no cell of the result.
PADDING, WRAPPED = "padding", "wrapped"


@dataclass(frozen=True, eq=False)
class Panel:
    """An array of two axes with a name and a title; the crossings of `marked` are at work."""

    name: str
    title: str
    cells: Array
    marked: tuple[Sequence[int], Sequence[int]] = ((), ())
    special: Mapping[Cell, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of an algorithm: what is computed, in words and as a formula."""

    title: str
    words: str
    formula: str
    panels: tuple[Panel, ...]
    counts: Counts


def panel(
    name: str,
    title: str,
    cells: Array,
    marked: tuple[Sequence[int], Sequence[int]] = ((), ()),
    special: Array | None = None,
    role: str = PADDING,
) -> Panel:
    """Return a panel of an array of any axes, its cells where `special` in a role of their own."""
    plane = np.array(cells).reshape((-1, cells.shape[-1]) if cells.ndim else (1, 1))
    found = () if special is None else np.argwhere(special.reshape(plane.shape)).tolist()
    return Panel(name, title, plane, marked, {(int(y), int(z)): role for y, z in found})


def numbered(what: str, number: int, count: int) -> str:
    """Return which of several it is; nothing if there is one.

    >>> numbered("channel", 0, 3), numbered("channel", 0, 1)
    (', channel 0', '')
    """
    return f", {what} {number}" if count > 1 else ""
