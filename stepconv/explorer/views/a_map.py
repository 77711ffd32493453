"""One map: its numbers round the chosen cell, and what that cell sees of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.explorer.frame import pixels
from stepconv.explorer.frame.planes import planes
from stepconv.explorer.visit import Visit
from stepconv.inside.field import Field
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.grid import RESULT, Grid, sheet_of
from stepconv.player.text.lines import (
    Block,
    Piece,
    above,
    beside,
    block,
    clipped,
    cut,
    text_block,
    wrapped,
)
from stepconv.player.text.numbers import numbers_of

Array = NDArray[Any]

# Pixels of a layer between, on its longer side: these at least, at most those.
_BETWEEN, _MOST_BETWEEN = 8, 20
_CAPTION = 3


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the map to the left, the picture with what the cell sees to the right."""
    told = wrapped(" ".join(sentences(visit)), width)
    room = height - told.height
    side = max(min(28, 2 * (room - _CAPTION), width // 2 - 4), 6)
    field = field_of(visit)
    right = _picture(visit, field, side)
    left_room = width - right.width - 3
    rows = visit.numbers_of(visit.column.name).shape[1] + 1
    between = _between(visit, field, left_room, room - rows) if room >= 14 else Block()
    high = room - between.height - 1
    return above(
        cut(beside(above(_map(visit, left_room, high), between), right, gap=3), width, room), told
    )


def field_of(visit: Visit) -> Field | None:
    """Return what the chosen cell sees; None in a gap of a flat row."""
    return None if visit.index is None else visit.inside.field(visit.column.name, visit.index)


def sentences(visit: Visit) -> Iterator[str]:
    """Yield what there is to say of the chosen cell."""
    index, field = visit.index, field_of(visit)
    if index is None or field is None:
        yield "There is no cell here: the row ends before."
        return
    where = ", ".join(map(str, index))
    if visit.backward:
        yield f"d loss / d {visit.column.name}[{where}] = {visit.layer.grad[index]:.5g}."
    else:
        yield f"{visit.column.name}[{where}] = {visit.layer.output[index]:.5g}."
    (top, bottom), (left, right) = field.bounds
    count = int(field.cells.any(axis=0).sum())
    yield (
        f"It sees rows {top} to {bottom - 1} and columns {left} to {right - 1} of the picture: "
        f"{bottom - top}x{right - left}, of which {count} pixels are there."
    )
    if visit.influence:
        yield f"Influence: d cell / d pixel, up to {np.abs(field.influence).max():.3g}."


def map_grid(visit: Visit) -> Grid:
    """Return the map as a grid of numbers, the chosen cell marked."""
    plane = visit.numbers_of(visit.column.name)[visit.plane]
    row, column = visit.cell
    what = "gradients of " if visit.backward else ""
    title = f"{what}{visit.column.short}"
    if len(visit.column.output) == 3:
        title += f" map {visit.plane}"
    sheet = sheet_of(plane, format_of(np.float32(plane).round(3)))
    return Grid("cell", title, sheet, ((row,), (column,)), RESULT)


def shown_part(size: int, chosen: int, fits: int) -> range:
    """Return as many rows or columns as fit, with the chosen one in their midst.

    >>> shown_part(28, 3, 10), shown_part(28, 20, 10), shown_part(5, 2, 10)
    (range(0, 10), range(15, 25), range(0, 5))
    """
    fits = max(min(fits, size), 1)
    start = min(max(chosen - fits // 2, 0), size - fits)
    return range(start, start + fits)


def _map(visit: Visit, width: int, height: int) -> Block:
    grid = map_grid(visit)
    rows, columns = grid.shape
    row, column = visit.cell
    if not visit.as_numbers:
        return _as_picture(visit, grid, width, height)
    down = shown_part(rows, row, height - 1)
    across = shown_part(columns, column, (width - 1) // (grid.sheet.format.width + 1))
    cropped = len(down) < rows or len(across) < columns
    where = f" · rows {down.start}–{down[-1]}, columns {across.start}–{across[-1]}"
    title = block([(Piece(grid.title, "title"), Piece(where if cropped else "", "muted"))])
    return cut(above(title, numbers_of(grid, down, across)), width, height)


def _as_picture(visit: Visit, grid: Grid, width: int, height: int) -> Block:
    """Return the map as a picture, the chosen cell mixed with a mark."""
    plane = grid.sheet.plane
    mark = np.zeros(plane.shape, bool)
    mark[visit.cell] = True
    side = min(width, 2 * (height - 1))
    down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side, zoom=4)
    drawn = pixels.drawn(
        *(plane, down, across, pixels.largest(plane)),
        signed=bool((plane < 0).any()),
        mark=mark,
        part="cell",
    )
    return cut(above(text_block(grid.title, role="title"), drawn), width, height)


def _picture(visit: Visit, field: Field | None, side: int) -> Block:
    """Return the picture with what the cell sees, or how it follows each pixel."""
    x = visit.inside.input
    plane = x.mean(axis=0) if len(x) > 1 else x[0]
    down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side)
    if field is not None and visit.influence:
        plane = field.influence.sum(axis=0)
        title, signed, mark = "influence of each pixel", True, None
    else:
        plane = plane - plane.min()
        title, signed = "what it sees of the picture", False
        mark = None if field is None else np.asarray(field.cells.any(axis=0))
    drawn = pixels.drawn(
        plane, down, across, pixels.largest(plane), signed=signed, mark=mark, part="pixel"
    )
    if field is not None:
        (top, bottom), (left, right) = field.bounds
        told = f"{bottom - top}x{right - left}"
        title = title if across >= len(title) else f"sees {told}"
    wide = max(across, 10)
    return Block(above(text_block(clipped(title, wide), role="title"), drawn).lines, wide)


def _between(visit: Visit, field: Field | None, width: int, height: int) -> Block:
    """Return the layers between picture and cell, with the cells of them that reach it.

    They are the larger, the more lines the map leaves; but all of them go before any is large.
    """
    if field is None:
        return Block()
    names = [column.name for column in visit.columns if column.name in field.reach]
    names = [name for name in names if name != visit.column.name]
    side = min(2 * (height - 4), width // max(len(names), 1) - 2, _MOST_BETWEEN)
    drawn: list[Block] = []
    for name in reversed(names):
        one = _reached(visit, name, planes(field.reach[name]), max(side, _BETWEEN))
        if sum(each.width + 2 for each in [*drawn, one]) > width + 2:
            break
        drawn.insert(0, one)
    return beside(*drawn, gap=2)


def _reached(visit: Visit, name: str, mask: Array, side: int) -> Block:
    """Return a layer between: its chosen map if that reaches the cell, and which cells do."""
    column = next(each for each in visit.columns if each.name == name)
    numbers = visit.numbers_of(name)
    plane = visit.plane_of(column)
    if not mask[plane].any():
        plane = int(mask.reshape(len(mask), -1).any(axis=1).argmax())
    down, across = pixels.fitting(numbers.shape[1:], side)
    drawn = pixels.drawn(
        *(numbers[plane], down, across, pixels.largest(numbers)),
        signed=bool((numbers < 0).any()),
        mark=mask[plane],
        part=f"layer:{name}",
    )
    rows, columns = (np.flatnonzero(mask[plane].any(axis=axis)) for axis in (1, 0))
    size = f"{len(rows)}x{len(columns)}"
    title = text_block(clipped(column.short, 9), size, role="muted")
    return above(title, drawn)
