"""The view "who reads this pixel?": how many windows use each cell, and which use a chosen one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from stepconv.player.frame import words
from stepconv.player.frame.film import Film
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.grid import UNREAD, Cell, Grid, Sheet, sheet_of
from stepconv.player.frame.who_reads import counts, readers_of
from stepconv.player.text import panels
from stepconv.player.text.lines import Block, above, beside, wrapped

Array = NDArray[Any]

# Shades from "hardly ever read" to "read most".
HEATS = 5
_MOST_ROLES = 1 << 14


def view(film: Film, cell: Cell, plane: int, width: int, height: int) -> Block:
    """Return the map of readers, and the cells of the result that read the chosen one."""
    rows, columns = counts(film)
    if rows.size == 0 or columns.size == 0:
        return wrapped("There is no cell to read.", width)
    readers = readers_of(film, cell)
    source, result = _map(film, cell), _readers(film, readers, plane)
    half = (width - 2) // 2
    many = int(rows[cell[0]]), int(columns[cell[1]])
    most = int(rows.max()) * int(columns.max())
    told = above(
        wrapped(words.readers_sentence(film, cell, many), width),
        wrapped(words.rim_sentence(int(rows[0] * columns[0]), most), width),
    )
    room = height - told.height - 2
    if film.gather.axes == 1:
        parts = [panels.part(grid, width, 1)[1] for grid in (source, result)]
        return above(*parts, told, gap=1)
    needed = panels.whole_width(source)
    left = panels.part(source, max(min(needed, width - 18), half), room)[1]
    right = panels.part(result, width - left.width - 3, room)[1]
    return above(beside(left, right, gap=3), told, gap=1)


def _map(film: Film, cell: Cell) -> Grid:
    """Return the counts as a grid, the warmer the more; cells that nothing reads struck out."""
    sheet = _counted(film)
    title = f"{film.source_name}: read how often?"
    marked = (cell[0],), (cell[1],)
    return Grid("source", title, sheet, marked, special=_heat(sheet.plane, cell))


@lru_cache(maxsize=2)
def _counted(film: Film) -> Sheet:
    rows, columns = counts(film)
    counted = rows[:, None] * columns
    return sheet_of(counted, format_of(counted))


def _heat(counted: Array, cell: Cell) -> dict[Cell, str]:
    """Return the roles of the cells, that of the chosen one left out."""
    if counted.size > _MOST_ROLES:
        return {}  # this is shown as a picture, whose pixels have their own colours
    steps = counted * (HEATS - 1) // max(int(counted.max()), 1)
    roles = {
        (i, j): f"heat {heat}" if counted[i, j] else UNREAD
        for i, row in enumerate(steps.tolist())
        for j, heat in enumerate(row)
    }
    del roles[cell]
    return roles


def _readers(film: Film, readers: tuple[tuple[int, ...], tuple[int, ...]], plane: int) -> Grid:
    name = film.trace.call.operation.result
    return Grid("result", f"read by these of {name}", film.result_sheet(plane), readers)
