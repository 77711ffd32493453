"""Arrange a frame on a screen of any size: whole panels where they fit, parts of them, pictures."""

from __future__ import annotations

from dataclasses import replace

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import PICTURE, Grid
from stepconv.player.text import head_and_foot, panels
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    beside,
    block,
    clipped,
    clipped_line,
    cut,
    indented,
    wrapped,
)
from stepconv.player.text.numbers import numbers_of

_GAP = 2
# Where lines are not counted, a panel of more than these is shown in part.
_LONGEST = 64


def screen(
    frame: Frame, width: int, height: int | None = None, status: Status | None = None
) -> list[Line]:
    """Return the lines of a frame; without a height as many as it takes.

    With a status come the state, a progress bar and the keys.
    """
    width = max(width, 20)
    if status is None:
        foot: list[Line] = []
    else:
        foot = [head_and_foot.bar(frame, status, width), head_and_foot.keys(status, width)]
    body = arranged(frame, width - 2, None if height is None else height - 1 - len(foot))
    if body is None and status is not None and height is not None:
        # The last resort before anything is cut: one line for bar and keys.
        body = arranged(frame, width - 2, height - 2)
        foot = [head_and_foot.bar_and_keys(frame, status, width)] if body is not None else foot
    if body is None:
        body = _reduced(frame, width - 2, (height or _LONGEST) - 1 - len(foot))
    lines = [head_and_foot.head(frame, status, width), *(indented(body, 1).lines)]
    notes = frame.notes
    if frame.title and frame.title not in head_and_foot.heading(frame, status, width):
        notes = (frame.title, *notes)
    lines += _notes(notes, width, None if height is None else height - len(foot) - len(lines))
    if height is not None:
        lines = lines[: max(height - len(foot), 1)]
        lines += [()] * (height - len(foot) - len(lines))
    return [clipped_line(line, width) for line in [*lines, *foot]][:height]


def _notes(notes: tuple[str, ...], width: int, room: int | None) -> list[Line]:
    """Return the author's notes, as many as there is room for."""
    lines: list[Line] = []
    for note in notes:
        more = indented(wrapped(note, width - 2, "note"), 1).lines
        if room is not None and len(lines) + len(more) + 1 > room:
            break
        lines += more
    return [(), *lines] if lines else []


def arranged(frame: Frame, width: int, height: int | None) -> Block | None:
    """Return the panels of a frame, whole, in the first arrangement that fits; None if none does.

    Without a height any arrangement that is narrow enough fits.
    """
    if not all(panels.fits(grid, width, height or _LONGEST) for grid in frame.grids):
        return None
    source, result = (replace(grid, depth=1) for grid in (frame.source, frame.result))
    flat = replace(frame, source=source, result=result)
    for arrangement in (_ribbon, _abreast, _two_over_one, _two_columns, _dense):
        for each in (frame, flat):
            laid = arrangement(each, width)
            if laid is not None and laid.width <= width:
                if height is None or laid.height <= height:
                    return laid
    return None


def _ribbon(frame: Frame, width: int) -> Block | None:
    """A signal: kernel and products stand under the cells that they meet."""
    kernel, products, window = frame.kernel, frame.products, frame.window
    partly = kernel is not None and kernel.marked != ((), ())
    if not frame.one_row or window is None or partly or not frame.source.marked[1]:
        return None
    aligned = [grid for grid in (frame.source, kernel, products) if grid is not None]
    wide = max(grid.sheet.format.width for grid in aligned)
    at = [position + frame.source.sheet.left for position in frame.source.marked[1]]
    if at != sorted(at):
        return None
    blocks = [
        above(panels.title(frame.source), _spread(frame.source, range(frame.source.shape[1]), wide))
    ]
    for grid in (kernel, products):
        if grid is not None and grid.shape[1] == len(at):
            blocks.append(above(panels.title(grid), _spread(grid, at, wide)))
    blocks.append(panels.words(frame, max(width, 20)))
    blocks.append(above(panels.title(frame.result), numbers_of(frame.result)))
    blocks.append(panels.below(frame, width))
    return above(*blocks, gap=1)


def _spread(grid: Grid, at: list[int] | range, wide: int) -> Block:
    """Return a row of numbers with gaps, each at the place of the cell that it belongs to."""
    line = numbers_of(grid).lines[0]
    cells = [piece for piece in line if piece.spot is not None]
    marked = grid.marked_cells[1]
    pieces: list[Piece] = []
    column = 0
    inside = False
    for cell, place in zip(cells, at, strict=True):
        pieces.append(Piece(" " * ((place - column) * (wide + 1))))
        now = cell.spot is not None and cell.spot.column in marked
        edge = " " if now == inside else "[" if now else "]"
        pieces.append(Piece(edge, grid.role if now or inside else ""))
        pieces.append(cell._replace(text=cell.text.strip().rjust(wide)))
        inside, column = now, place + 1
    pieces.append(Piece("]", grid.role) if inside else Piece(" "))
    return block([pieces])


def _abreast(frame: Frame, width: int) -> Block | None:
    """Input, kernel and output side by side, the sums below."""
    if frame.one_row:
        return None
    left, right = map(panels.titled, frame.sides)
    middle = panels.middle(frame, beside_each_other=False)
    inner = (right, middle) if frame.backward else (middle, right)
    top = beside(left, panels.arrow(frame, 3), *inner, gap=2)
    return above(top, panels.words(frame, width), panels.below(frame, width), gap=1)


def _two_over_one(frame: Frame, width: int) -> Block | None:
    """Input and output side by side, below them how one becomes the other."""
    left, right = map(panels.titled, frame.sides)
    top = beside(left, panels.arrow(frame, 3), right, gap=1)
    middle = panels.middle(frame, beside_each_other=True)
    room = width - middle.width - (3 if middle.lines else 0)
    if room < 24:
        return None
    told = above(panels.words(frame, room), panels.below(frame, room))
    return above(top, beside(middle, told, gap=3), gap=1)


def _two_columns(frame: Frame, width: int) -> Block | None:
    """Input over output on the left, kernel, products and sums on the right."""
    left = above(*map(panels.titled, frame.sides), gap=1)
    room = width - left.width - _GAP
    if room < 22:
        return None
    told = panels.words(frame, room), panels.below(frame, room)
    return beside(left, above(panels.fitted_middle(frame, room), *told, gap=1))


def _dense(frame: Frame, width: int) -> Block | None:
    """The same without a line to spare: the titles stand beside the numbers."""
    upper, lower = frame.sides
    numbers = numbers_of(upper), numbers_of(lower)
    room = width - max(each.width for each in numbers) - _GAP
    if room < 14:
        return None
    wide = width - numbers[0].width - _GAP
    told = above(
        Block((_pointer(upper, wide),), wide),
        panels.fitted_middle(frame, wide),
        panels.words(frame, wide),
    )
    first = cut(told, wide, numbers[0].height)
    rest = cut(panels.below(frame, width - numbers[1].width - _GAP), wide, numbers[1].height - 1)
    second = above(Block((_pointer(lower, width - numbers[1].width - _GAP),), room), rest)
    both = above(beside(numbers[0], first), beside(numbers[1], second))
    return both if told.height <= numbers[0].height else None


def _pointer(grid: Grid, width: int) -> Line:
    return (Piece("◂ ", "muted"), Piece(clipped(grid.title, width - 2), "title"))


def _reduced(frame: Frame, width: int, height: int) -> Block:
    """Show as much of input and output as fits, and all of the window."""
    if frame.one_row:
        return _reduced_signal(frame, width, height)
    beneath = _reduced_rows(frame, width, height)
    if frame.other is not None:
        return beneath[1]
    aside = _reduced_columns(frame, width, height)
    return max((beneath, aside), key=lambda pair: pair[0])[1]


def _reduced_signal(frame: Frame, width: int, height: int) -> Block:
    """A long signal over the whole width, what comes of it below."""
    first, last = (panels.part(grid, width, 1)[1] for grid in frame.sides)
    room = height - first.height - last.height
    below = _close_up(frame, width, max(room - 2, 1), zoom=True)
    return above(first, below, last, gap=1 if room - below.height >= 2 else 0)


def _reduced_rows(
    frame: Frame, width: int, height: int, *, zoom: bool = False
) -> tuple[float, Block]:
    """Input and output abreast, the window below; with `zoom` its numbers as well."""
    # What decides about a gradient is x, and x lies where the gradient arrives.
    grids = [grid for grid in (frame.other, *frame.sides) if grid is not None]
    each = (width - 5 - 2 * (len(grids) - 2)) // len(grids)
    most = max(height * 2 // 5, min(frame.largest_patch[0] + 4, height // 2), 5)
    below = _close_up(frame, width, most, zoom=zoom)
    room = height - below.height - 2
    drawn = _alike(grids, [(each, room)] * len(grids))
    quality = drawn[grids.index(frame.source)][0]
    if quality <= panels.PICTURED and not zoom:
        return _reduced_rows(frame, width, height, zoom=True)
    score = min(quality for quality, _ in drawn) if room >= 3 else 0
    *before, last = (block for _, block in drawn)
    top = beside(*before, panels.arrow(frame, 3), last, gap=1)
    return score, above(top, below, gap=1 if top.height + below.height < height else 0)


def _reduced_columns(
    frame: Frame, width: int, height: int, *, zoom: bool = False
) -> tuple[float, Block]:
    """Input over output, the window at their right; with `zoom` its numbers as well."""
    # A kernel's numbers are worth some of the picture's room.
    right_wide = min(max(28, width * 2 // 5, panels.middle_width(frame, width * 3 // 5)), width)
    right = _close_up(frame, right_wide, height, zoom=zoom)
    room = width - right.width - _GAP
    if room < 16:
        return -1, right
    rows = [min(grid.shape[0], 2 * height) for grid in (frame.source, frame.result)]
    free = height - 2
    upper = min(max(free * rows[0] // max(sum(rows), 1), 2), free - 2)
    if frame.source.shape[0] + frame.result.shape[0] <= free:
        upper = frame.source.shape[0]
    source, result = _alike([frame.source, frame.result], [(room, upper), (room, free - upper)])
    if source[0] <= panels.PICTURED and not zoom:
        return _reduced_columns(frame, width, height, zoom=True)
    first, second = (result, source) if frame.backward else (source, result)
    return min(source[0], result[0]), beside(above(first[1], second[1]), right)


def _alike(grids: list[Grid], rooms: list[tuple[int, int]]) -> list[tuple[float, Block]]:
    """Return as much of each grid as fits its room: all in numbers, or all as pictures."""
    parts = [panels.part(grid, *room) for grid, room in zip(grids, rooms, strict=True)]
    pictured = [quality <= panels.PICTURED for quality, _ in parts]
    if any(pictured) and not all(pictured):
        looks = [replace(grid, look=PICTURE) for grid in grids]
        parts = [panels.part(grid, *room) for grid, room in zip(looks, rooms, strict=True)]
    return parts


def _close_up(frame: Frame, width: int, height: int, *, zoom: bool) -> Block:
    """The window's own numbers, kernel, products and sums, cut down to what fits."""
    middle = panels.fitted_middle(frame, width, max(height - 3, 3), zoom=zoom)
    beside_it = width - middle.width - 3
    if beside_it >= 27:
        told = above(panels.words(frame, beside_it, height), panels.below(frame, beside_it))
        return cut(beside(middle, told, gap=3), width, height)
    told = panels.words(frame, width, max(height - middle.height, 1))
    return cut(above(middle, told, panels.below(frame, width)), width, height)
