"""A signal for a projector: its cells over the kernel in large digits, and the flip that moves."""

from __future__ import annotations

from collections.abc import Iterable

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import NOTHING, Grid
from stepconv.player.text import digits, panels
from stepconv.player.text.lines import Block, Piece, above, block, text_block

# Columns between two cells.
_GAP = 2
# A cell that is put down: its text, the column where it begins, the lane and the role.
_Put = tuple[str, int, int, str]


def view(frame: Frame, turned: float, width: int, height: int) -> Block | None:
    """Return the signal over its kernel and the result, as large as fits; None if nothing does.

    `turned` says how far the kernel is turned from how it is applied: 0 is not at all, 1 mirrored.
    """
    if not frame.one_row or frame.family != "slide" or frame.kernel is None:
        return None
    if len(frame.source.marked[1]) != frame.kernel.shape[1]:
        return None
    for size in (digits.LARGE, digits.SMALL):
        laid = _laid(frame, turned, size, width)
        if laid is not None and laid.width <= width and laid.height <= height:
            return laid
    return None


def _laid(frame: Frame, turned: float, size: int, width: int) -> Block | None:
    source, kernel = frame.source, frame.kernel
    assert kernel is not None
    texts = [grid.sheet.all_texts[0] for grid in (source, kernel, frame.result)]
    widest = max(digits.large_width(text.strip(), size) for each in texts for text in each)
    pitch = widest + _GAP * size
    shown = width // pitch
    marks = sorted(source.marked_cells[1])
    # A few huge digits say less than the whole signal in smaller ones.
    if marks[-1] - marks[0] >= shown or (size == digits.LARGE and shown < source.shape[1]):
        return None
    cells = panels.around(source.marked_cells[1], source.shape[1], min(shown, source.shape[1]))
    first = marks[0] - cells.start
    above_it = _grid(source, cells, pitch, size)
    under = _kernel(texts[1], turned, first, (marks[1] - marks[0]) if marks[1:] else 1, pitch, size)
    results = frame.result
    known = panels.around(results.marked_cells[1], results.shape[1], min(shown, results.shape[1]))
    return above(
        panels.title(source),
        above_it,
        _named(frame, turned),
        under,
        panels.words(frame, width),
        panels.title(results),
        _grid(results, known, pitch, size),
    )


def _named(frame: Frame, turned: float) -> Block:
    """Return what the kernel under the signal is called: as it is applied, or mirrored."""
    if frame.operation == "convolution":
        names = (": so convolution applies it", " back: as it is written")
    else:
        names = (" as it is: cross-correlation", " mirrored: as in a convolution")
    assert frame.kernel is not None
    told = names[0] if turned == 0 else names[1] if turned == 1 else " turns …"
    return text_block(f"{frame.kernel.title}{told} · h turns it", role="title")


def _grid(grid: Grid, cells: range, pitch: int, size: int) -> Block:
    puts: list[_Put] = []
    marked = grid.marked_cells[1]
    for place, cell in enumerate(cells):
        text = grid.sheet.all_texts[0][cell].strip() if grid.is_known(0, cell) else NOTHING
        role = ("result-text" if grid.part == "result" else "large") if cell in marked else "muted"
        puts.append((text, place * pitch, 0, role))
    return _lanes(puts, 1, pitch, size)


def _kernel(
    texts: list[str], turned: float, first: int, dilation: int, pitch: int, size: int
) -> Block:
    """Return the kernel's cells; pair by pair, two that change places pass below the others."""
    count = len(texts)
    puts: list[_Put] = []
    for index, text in enumerate(texts):
        pair = min(index, count - 1 - index)
        done = min(max(turned * (count // 2) - pair, 0.0), 1.0)
        place = index + done * (count - 1 - 2 * index)
        lane = 0 if done in (0, 1) else 1 if index < count - 1 - index else 2
        column = round((first + place * dilation) * pitch)
        puts.append((text.strip(), column, lane, "large"))
    return _lanes(puts, 3, pitch, size)


def _lanes(puts: Iterable[_Put], lanes: int, pitch: int, size: int) -> Block:
    """Return cells in large digits, each in its lane and flush right in its place."""
    lines: list[list[Piece]] = []
    every = sorted(puts, key=lambda put: put[1])
    for lane in range(lanes):
        here = [put for put in every if put[2] == lane]
        for row in range(digits.large_height(size)):
            pieces, at = list[Piece](), 0
            for text, column, _, role in here:
                drawn = digits.large(text, size)[row]
                start = column + pitch - len(drawn)
                pieces += [Piece(" " * (start - at)), Piece(drawn, role)]
                at = start + len(drawn)
            lines.append(pieces)
    return block(lines)
