"""Panels as blocks of lines: titled grids, whole or in part, arrows, sums written out."""

from __future__ import annotations

from dataclasses import replace

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import PICTURE, Grid
from stepconv.player.frame.sums import Sum
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    beside,
    block,
    clipped,
    columns,
    filled,
    line_width,
    text_block,
    wrapped,
)
from stepconv.player.text.numbers import numbers_of, numbers_width
from stepconv.player.text.picture import bars, picture, pixels

# Below this share of its cells a grid is better seen whole, as a picture.
_ENOUGH = 0.3
# Of the planes behind the front one so many are drawn.
_BEHIND = 2
# How good a grid is that is seen as a picture: at most this; numbers are better.
PICTURED = 1.0


def part(grid: Grid, width: int, height: int) -> tuple[float, Block]:
    """Return as much of a grid as fits below its title, and how good that is."""
    rows, wide = grid.shape
    cell = grid.sheet.format.width + 1
    shown_rows, shown_columns = min(rows, height), min(wide, (width - 1) // cell)
    share = shown_rows * shown_columns / max(rows * wide, 1)
    if rows * wide == 0:
        return 3, title(grid, width)
    pictured = grid.look == PICTURE or (not grid.look and share < _ENOUGH)
    if share == 1 and not pictured:
        return 3, above(title(grid, width), numbers_of(grid))
    if not pictured:
        return PICTURED + share, _cropped(grid, shown_rows, shown_columns, width)
    if rows == 1:
        return PICTURED, above(title(grid, width), bars(grid, width))
    _, across = pixels(grid.shape, width, height)
    named = replace(grid, title=f"{grid.title}, in colour") if grid.colours else grid
    drawn = above(title(named, width), picture(grid, width, height))
    return min(across / wide, PICTURED), drawn


def _cropped(grid: Grid, height: int, width: int, room: int) -> Block:
    rows = around(grid.marked_cells[0], grid.shape[0], height)
    shown = around(grid.marked_cells[1], grid.shape[1], width)
    numbers = numbers_of(grid, rows, shown)
    where = []
    if height < grid.shape[0]:
        where.append(f"rows {rows.start - grid.sheet.top}–{rows.stop - 1 - grid.sheet.top}")
    if width < grid.shape[1]:
        left = grid.sheet.left
        where.append(f"columns {shown.start - left}–{shown.stop - 1 - left}")
    note = f" · {', '.join(where)}"
    wide = min(max(numbers.width, columns(grid.title + note)), room)
    head = Piece(clipped(grid.title, wide), "title")
    return above(block([(head, Piece(clipped(note, wide - columns(head.text)), "muted"))]), numbers)


def around(marked: frozenset[int], size: int, shown: int) -> range:
    """Return so many rows or columns with the marked ones in their midst."""
    low, high = (min(marked), max(marked)) if marked else (0, 0)
    start = min(max((low + high + 1) // 2 - shown // 2, 0), size - shown)
    return range(start, start + shown)


def title(grid: Grid, width: int | None = None) -> Block:
    """Return a grid's title, no wider than the grid."""
    return text_block(grid.title if width is None else clipped(grid.title, width), role="title")


def titled(grid: Grid) -> Block:
    """Return all numbers of a grid below its title, planes behind it peeping out."""
    return above(title(grid), stacked(numbers_of(grid), grid.depth))


def stacked(front: Block, depth: int) -> Block:
    """Return a plane in front of others of its volume, of which the edges of two at most show.

    >>> from stepconv.player.text.lines import as_text
    >>> for line in stacked(text_block(" 1 2 ", " 3 4 "), 3).lines:
    ...     print(as_text(line))
      ╭─────╮
     ╭─────╮│
     1 2   │╯
     3 4   ╯
    """
    behind = min(depth - 1, _BEHIND, front.height)
    if behind <= 0:
        return front
    tops, lines = [], []
    for k in range(behind, 0, -1):
        edges = f"{' ' * k}╭{'─' * front.width}╮{'│' * (behind - k)}"
        tops.append((Piece(edges, "muted"),))
    for number, line in enumerate(front.lines):
        left = front.height - 1 - number
        edges = "".join("╯" if left == k else "│" if left > k else "" for k in range(behind))
        lines.append((*filled(line, front.width + 1), Piece(f" {edges}", "muted")))
    return block([*tops, *lines])


def arrow(frame: Frame, line: int) -> Block:
    """Return the arrow between input and output: a gradient flows back."""
    return block([*([()] * line), [Piece("◀──" if frame.backward else "──▶", "arrow")]])


def middle(frame: Frame, *, beside_each_other: bool) -> Block:
    """Return kernel and products, or the window where there is no kernel."""
    blocks = [_steady(frame, grid) for grid in inner(frame)]
    return beside(*blocks, gap=3) if beside_each_other else above(*blocks, gap=1)


def fitted_middle(
    frame: Frame, width: int, height: int | None = None, *, zoom: bool = False
) -> Block:
    """Return window, kernel and products in the best way that fits; as large in every step.

    With `zoom` the window is among them: the source shows it as a picture.
    """
    grids = inner(frame)
    zoomed = [frame.window, *grids] if zoom and frame.window not in (None, *grids) else grids
    grids = [grid for grid in zoomed if grid]
    if height is None or all(fits(grid, width, height) for grid in grids):
        drawn = [_steady(frame, grid) for grid in grids]
        # The products can be read off the sum as well; so they go first.
        tried = [beside(*drawn, gap=3), beside(*drawn, gap=1)]
        tried += [beside(*drawn[:2], gap=1)] if zoom else []
        tried += [above(*drawn, gap=1), above(*drawn)]
        for laid in tried:
            if laid.width <= width and (height is None or laid.height <= height):
                return laid
        if height is None:
            return tried[-1]
    each = max((width - len(grids) + 1) // max(len(grids), 1), 8)
    return beside(*(part(grid, each, height - 1)[1] for grid in grids), gap=1)


def middle_width(frame: Frame, most: int) -> int:
    """Return how wide the widest panel between input and output is that `most` columns hold."""
    widths = (whole_width(grid) for grid in inner(frame))
    return max((wide for wide in widths if wide <= most), default=0)


def inner(frame: Frame) -> list[Grid]:
    """Return the grids between input and output."""
    window = frame.window if frame.kernel is None else None
    return [grid for grid in (window, frame.kernel, frame.products, frame.other) if grid]


def _steady(frame: Frame, grid: Grid) -> Block:
    """Return a grid in the room that the largest of its kind takes, so that nothing jumps."""
    drawn = titled(grid)
    if is_steady(grid):
        rows, wide = frame.largest_patch
        lines = drawn.lines + ((),) * (rows + 1 - drawn.height)
        return Block(lines, max(drawn.width, numbers_width(grid, wide)))
    return drawn


def is_steady(grid: Grid) -> bool:
    """Tell whether a grid has the size of the window, which is not the same in every step."""
    return grid.part in ("window", "products") or (
        grid.part == "kernel" and grid.marked == ((), ())
    )


def words(frame: Frame, width: int, height: int | None = None) -> Block:
    """Return the sums of the channels and their total, or what happens in words.

    In few lines the total stays, and the chosen channel if there are two.
    """
    if not frame.sums:
        return wrapped(frame.sentence, width)
    if not any(each.terms for each in frame.sums):
        return wrapped(frame.sentence, width)
    if len(frame.sums) == 1 and frame.total is None:
        return block([sum_line(frame.sums[0], 0, width)])
    named = max(columns(each.name) for each in frame.sums)
    named = min(named, max(width // 3, 6))
    lines = _channels(frame, named, width, height)
    if frame.total is None:
        return block(lines)
    total = sum_line(frame.total, 0, width)
    wide = max(line_width(line) for line in [*lines, total])
    if height is None or len(lines) + 2 <= height:
        lines.append((Piece("─" * min(wide, width), "muted"),))
    return block([*lines, total])


def _channels(frame: Frame, named: int, width: int, height: int | None) -> list[Line]:
    """Return the sums of as many channels as there is room for, round the chosen one."""
    room = len(frame.sums) if height is None else height - 1
    if len(frame.sums) == frame.channels <= room:
        shown = frame.sums
    else:
        room = min(max(room - 1, min(room, 1)), len(frame.sums))
        chosen = next((k for k, each in enumerate(frame.sums) if each.chosen), 0)
        first = min(max(chosen - room // 2, 0), len(frame.sums) - room)
        shown = frame.sums[first : first + room]
    lines = [sum_line(each, named, width) for each in shown]
    if len(shown) < frame.channels and (height is None or len(lines) + 2 <= height):
        lines.append((Piece(f"… {frame.channels - len(shown)} more channels", "muted"),))
    return lines


def sum_line(each: Sum, named: int, width: int) -> Line:
    """Return a sum on one line, its middle left out where it is too long; never its result."""
    label = clipped(each.name, named).ljust(named) + "  " if named else ""
    room = width - columns(label) - columns(each.ending) - 1
    around = columns(each.scale) + 2 if each.scale else 0
    terms = elided(each.terms, room - around)
    if each.scale and terms:
        terms = f"{each.scale}({terms})"
    *before, result = each.ending.rpartition(" ")
    role = "result-text" if not each.name or not named else "title" if each.chosen else ""
    return (
        Piece(label, "title" if each.chosen else ""),
        Piece(f"{terms} " if terms else ""),
        Piece("".join(before)),
        Piece(result, role),
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
    """Return which numbers are rounded, and the size formula."""
    formulas = [wrapped(formula, width, "muted") for formula in frame.formulas[:2]]
    rounded = wrapped(f"rounded: {', '.join(frame.rounded)}", width, "note")
    return above(rounded if frame.rounded else Block(), *formulas)


def fits(grid: Grid, width: int, height: int) -> bool:
    """Tell whether a grid is to be seen in numbers, and all fit into so many columns and lines."""
    return grid.look != PICTURE and numbers_width(grid) <= width and grid.shape[0] <= height


def whole_width(grid: Grid) -> int:
    """Return how wide all of a grid is, its title too."""
    return max(numbers_width(grid), columns(grid.title))
