"""Draw the numbers of one grid as lines, with [ ] round the cells that are marked."""

from __future__ import annotations

from functools import lru_cache

from stepconv.player.frame.grid import BREAK, NOTHING, PADDING, SHADED, UNKNOWN, Grid
from stepconv.player.text.lines import Block, Line, Piece, Spot

# A sheet of more cells than these is written a line at a time, as it is looked at.
_AT_ONCE = 4096
# A cell that is not computed yet and has a breakpoint.
_STOP = "●"


def numbers_width(grid: Grid, columns: int | None = None) -> int:
    """Return how wide the numbers of so many columns are."""
    return (grid.shape[1] if columns is None else columns) * (grid.sheet.format.width + 1) + 1


def numbers_of(grid: Grid, rows: range | None = None, columns: range | None = None) -> Block:
    """Return the numbers of a part of the grid, without its title."""
    if rows is None or columns is None:
        return _whole(grid)
    return _part(grid, rows, columns)


# While the best arrangement is looked for, the same grid is drawn again and again.
@lru_cache(maxsize=32)
def _whole(grid: Grid) -> Block:
    height, width = grid.shape
    return _part(grid, range(height), range(width))


def _part(grid: Grid, rows: range, columns: range) -> Block:
    height, width = grid.shape
    every = grid.sheet.all_texts if height * width <= _AT_ONCE else None
    lines = []
    for row in rows:
        if every is None:
            (texts,) = grid.sheet.texts(slice(row, row + 1), slice(columns.start, columns.stop))
        else:
            texts = every[row][columns.start : columns.stop]
        lines.append(_number_line(grid, row, columns, texts))
    return Block(tuple(lines), numbers_width(grid, len(columns)))


def _number_line(grid: Grid, row: int, columns: range, texts: list[str]) -> Line:
    marked_rows, marked_columns = grid.marked_cells
    marked = marked_columns if row in marked_rows else frozenset()
    nothing = NOTHING.rjust(grid.sheet.format.width)
    pieces = []
    before = False
    for column, text, tone in zip(columns, texts, _tones(grid, row, columns), strict=True):
        inside = column in marked
        role = role_of(grid, row, column, inside) or tone
        known = grid.is_known(row, column)
        shown = text if known else nothing if role != BREAK else _STOP.rjust(len(nothing))
        edge = " " if inside == before else "[" if inside else "]"
        spot = Spot(grid.part, row, column)
        if inside != before:
            pieces.append(Piece(edge, grid.role))
            edge = ""
        pieces.append(Piece(edge + shown, role, spot))
        before = inside
    pieces.append(Piece("]", grid.role) if before else Piece(" "))
    return tuple(pieces)


def _tones(grid: Grid, row: int, columns: range) -> list[str]:
    """Return the tone behind each number; none where numbers are not shaded."""
    if grid.look != SHADED:
        return [""] * len(columns)
    values = grid.sheet.values(slice(row, row + 1), slice(columns.start, columns.stop))[0]
    return [grid.sheet.tone(value) for value in values.tolist()]


def role_of(grid: Grid, row: int, column: int, inside: bool) -> str:
    special = grid.special.get((row - grid.sheet.top, column - grid.sheet.left))
    if not grid.is_known(row, column):
        return BREAK if special == BREAK else UNKNOWN
    if special is not None:
        return special
    padded = grid.sheet.has_ring and grid.sheet.in_ring(row, column)
    if inside:
        return f"{grid.role} {PADDING}" if padded else grid.role
    return PADDING if padded else ""
