"""Panels as blocks of lines: titled grids, whole or in part, arrows, sums written out."""

from __future__ import annotations

from stepconv.player import draw
from stepconv.player.frames import Frame
from stepconv.player.lines import (
    Block,
    Line,
    Piece,
    above,
    beside,
    block,
    clipped,
    columns,
    line_width,
    text_block,
    wrapped,
)
from stepconv.player.picture import bars, picture, pixels
from stepconv.player.sheet import Grid
from stepconv.player.sums import Sum

# Below this share of its cells a grid is better seen whole, as a picture.
_ENOUGH = 0.4


def part(grid: Grid, width: int, height: int) -> tuple[float, Block]:
    """Return as much of a grid as fits below its title, and how good that is."""
    rows, wide = grid.shape
    cell = grid.sheet.format.width + 1
    shown_rows, shown_columns = min(rows, height), min(wide, (width - 1) // cell)
    share = shown_rows * shown_columns / max(rows * wide, 1)
    if share == 1:
        return 3, titled(grid)
    if share >= _ENOUGH or (rows * wide <= 1):
        return 1 + share, _cropped(grid, max(shown_rows, 1), max(shown_columns, 1))
    if rows == 1:
        return 1, above(title(grid), bars(grid, width))
    _, across = pixels(grid.shape, width, height)
    return min(across / wide, 1), above(title(grid, across + 2), picture(grid, width, height))


def _cropped(grid: Grid, height: int, width: int) -> Block:
    rows = _around(grid.marked_cells[0], grid.shape[0], height)
    shown = _around(grid.marked_cells[1], grid.shape[1], width)
    numbers = draw.numbers(grid, rows, shown)
    where = []
    if height < grid.shape[0]:
        where.append(f"rows {rows.start - grid.sheet.top}–{rows.stop - 1 - grid.sheet.top}")
    if width < grid.shape[1]:
        left = grid.sheet.left
        where.append(f"columns {shown.start - left}–{shown.stop - 1 - left}")
    note = f" · {', '.join(where)}"
    wide = max(numbers.width, min(columns(grid.title + note), numbers.width + 8))
    head = Piece(clipped(grid.title, wide), "title")
    return above(block([(head, Piece(clipped(note, wide - columns(head.text)), "muted"))]), numbers)


def _around(marked: frozenset[int], size: int, shown: int) -> range:
    """Return so many rows or columns with the marked ones in their midst."""
    low, high = (min(marked), max(marked)) if marked else (0, 0)
    start = min(max((low + high + 1) // 2 - shown // 2, 0), size - shown)
    return range(start, start + shown)


def title(grid: Grid, width: int | None = None) -> Block:
    """Return a grid's title, no wider than the grid."""
    return text_block(grid.title if width is None else clipped(grid.title, width), role="title")


def titled(grid: Grid) -> Block:
    """Return all numbers of a grid below its title."""
    numbers = draw.numbers(grid)
    return above(title(grid), numbers)


def arrow(frame: Frame, line: int) -> Block:
    """Return the arrow between input and output: a gradient flows back."""
    return block([*([()] * line), [Piece("◀──" if frame.backward else "──▶", "arrow")]])


def middle(frame: Frame, *, beside_each_other: bool, zoom: bool = False) -> Block:
    """Return window, kernel and products with the signs between them; as large in every step."""
    window = frame.window if zoom or frame.kernel is None else None
    grids = [grid for grid in (window, frame.kernel, frame.products, frame.other) if grid]
    blocks = [_steady(frame, grid) for grid in grids]
    return beside(*blocks, gap=3) if beside_each_other else above(*blocks, gap=1)


def fitted_middle(frame: Frame, width: int, height: int | None = None) -> Block:
    """Return kernel and products, abreast if they fit, else below each other; pictures if not."""
    abreast = middle(frame, beside_each_other=True)
    if abreast.width > width:
        grids = [grid for grid in (frame.kernel, frame.products, frame.other) if grid]
        abreast = beside(*(_steady(frame, grid) for grid in grids), gap=1)
    if abreast.width <= width and (height is None or abreast.height <= height):
        return abreast
    stacked = middle(frame, beside_each_other=False)
    if stacked.width <= width and (height is None or stacked.height <= height):
        return stacked
    if height is None:
        return stacked
    grids = [grid for grid in (frame.window, frame.kernel, frame.products) if grid]
    each = max((width - len(grids) + 1) // max(len(grids), 1), 8)
    return beside(*(part(grid, each, height - 1)[1] for grid in grids), gap=1)


def _steady(frame: Frame, grid: Grid) -> Block:
    """Return a grid in the room that the largest of its kind takes, so that nothing jumps."""
    drawn = titled(grid)
    if grid.part in ("window", "products") or (grid.part == "kernel" and grid.marked == ((), ())):
        rows, wide = frame.largest_patch
        lines = drawn.lines + ((),) * (rows + 1 - drawn.height)
        return Block(lines, max(drawn.width, draw.numbers_width(grid, wide)))
    return drawn


def words(frame: Frame, width: int) -> Block:
    """Return the sums of the channels and their total, or what happens in words."""
    if not frame.sums:
        return wrapped(frame.sentence, width)
    if len(frame.sums) == 1 and frame.total is None:
        return block([sum_line(frame.sums[0], 0, width)])
    named = max(columns(each.name) for each in frame.sums)
    named = min(named, max(width // 3, 6))
    lines: list[Line] = [sum_line(each, named, width) for each in frame.sums]
    if len(frame.sums) < frame.channels:
        lines.append((Piece(f"… {frame.channels - len(frame.sums)} more channels", "muted"),))
    if frame.total is not None:
        wide = max(line_width(line) for line in lines)
        total = sum_line(frame.total, 0, width)
        lines += [(Piece("─" * min(max(wide, line_width(total)), width), "muted"),), total]
    return block(lines)


def sum_line(each: Sum, named: int, width: int) -> Line:
    """Return a sum on one line, its middle left out where it is too long; never its result."""
    label = clipped(each.name, named).ljust(named) + "  " if named else ""
    room = width - columns(label) - columns(each.ending) - 1
    terms = elided(each.terms, room)
    result = each.ending.rpartition("= ")
    role = "result-text" if not each.name or not named else "title" if each.chosen else ""
    return (
        Piece(label, "title" if each.chosen else ""),
        Piece(f"{terms} " if terms else ""),
        Piece(result[0] + result[1]),
        Piece(result[2], role),
    )


def elided(terms: tuple[str, ...], room: int) -> str:
    """Return as many terms of a sum as fit.

    >>> elided(("25·1", "25·0", "0·(-1)"), 24), elided(("25·1", "25·0", "0·(-1)"), 14)
    ('25·1 + 25·0 + 0·(-1)', '25·1 + …')
    """
    whole = " + ".join(terms)
    if columns(whole) <= room:
        return whole
    for count in range(len(terms) - 1, 0, -1):
        shown = " + ".join([*terms[:count], "…"])
        if columns(shown) <= room:
            return shown
    return "…" if room > 0 else ""


def below(frame: Frame, width: int) -> Block:
    """Return the size formula, and which numbers are rounded."""
    formulas = [wrapped(formula, width, "muted") for formula in frame.formulas[:2]]
    rounded = wrapped(f"rounded: {', '.join(frame.rounded)}", width, "note")
    return above(*formulas, rounded if frame.rounded else Block())


def whole_width(grid: Grid) -> int:
    """Return how wide all of a grid is, its title too."""
    return max(draw.numbers_width(grid), columns(grid.title))
