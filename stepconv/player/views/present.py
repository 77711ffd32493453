"""The view for a projector: what one window holds and meets in large digits, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stepconv.player.frame.film import SINGLE
from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import PADDING, WINDOW, WINNER, Grid, sheet_of
from stepconv.player.text import digits, panels
from stepconv.player.text.lines import Block, Piece, above, beside, block, cut, text_block, wrapped
from stepconv.player.views import signal

# Pixels between two numbers.
_GAP = 3
_LOOKS = {WINDOW: "large", PADDING: "muted", WINNER: "result-text"}
# Families whose window is not summed: an arrow leads from it to the result.
_CHOSEN = (*SINGLE, "largest", "share", "balance")


def view(frame: Frame, width: int, height: int, turned: float = 0) -> Block:
    """Return the step as large as it fits; what is too large for any digits is said.

    A signal stands over its kernel, which is `turned` so far from how it is applied.
    """
    laid = signal.view(frame, turned, width, height)
    if laid is not None:
        return laid
    for size in (digits.LARGE, digits.SMALL):
        for operands in _operands(frame, size):
            for answer in _answers(frame, size, width):
                laid = above(operands, answer, gap=1)
                if laid.width <= width and laid.height <= height:
                    return laid
    sizes = " and ".join(each.title.partition(":")[0] for each in _grids(frame))
    told = wrapped(f"Too large for large digits on this screen: {sizes}.", width, "message")
    answers = [above(told, answer, gap=1) for answer in _answers(frame, digits.SMALL, width)]
    fitting = (each for each in answers if each.width <= width and each.height <= height)
    return next(fitting, cut(answers[-1], width, height))


def _grids(frame: Frame) -> list[Grid]:
    """Return what comes together in the step: a window and its weights, or single cells."""
    if frame.family in SINGLE:
        return [_cell(grid) for grid in (frame.source, frame.other) if grid is not None]
    window = frame.window or frame.source
    if len(frame.sums) > 1:
        name = next((each.name for each in frame.sums if each.chosen), "")
        if name not in window.title:
            window = replace(window, title=f"{window.title} · {name}")
    weights = frame.weights or (frame.kernel if frame.window is not None else None)
    if weights is None:
        return [window]
    return [window, replace(weights, title=frame.kernel.title if frame.kernel else weights.title)]


def _cell(grid: Grid) -> Grid:
    """Return the marked cell of a grid as a grid of its own."""
    rows, columns = (sorted(each) for each in grid.marked_cells)
    values = grid.sheet.values(np.array(rows[:1], int), np.array(columns[:1], int))
    return Grid(grid.part, grid.title.partition(" ")[0], sheet_of(values, grid.sheet.format))


def _operands(frame: Frame, size: int) -> Iterator[Block]:
    """Yield the grids abreast, and one below the other."""
    grids = _grids(frame)
    drawn = [
        above(panels.title(grid), _large_grid(grid, size, "" if number else "window"))
        for number, grid in enumerate(grids)
    ]
    sign = "×" if frame.family not in SINGLE else "at"
    middle = block([()] * (drawn[0].height // 2) + [[Piece(sign, "arrow")]])
    if len(drawn) == 1:
        yield drawn[0]
    else:
        yield beside(drawn[0], middle, drawn[1], gap=3)
        yield above(drawn[0], text_block(sign, role="arrow"), drawn[1])


def _answers(frame: Frame, size: int, width: int) -> Iterator[Block]:
    """Yield what comes out: the sums in large digits if they fit, and the result alone."""
    if frame.family in _CHOSEN or not frame.sums:
        (i,), (j,) = frame.result.marked
        result = frame.result.sheet.format.text(frame.result.sheet.plane[i, j])
        arrow = block([(), [Piece("▶", "arrow")]])
        for each in (size, digits.SMALL):
            yield above(beside(arrow, _large(result, each)), wrapped(frame.sentence, width))
        return
    total, told = frame.total or frame.sums[0], panels.words(frame, width)
    named = " · ".join(f"{each.name} {each.ending}".strip() for each in frame.sums)
    terms = " + ".join(term.removesuffix(" (bias)") for term in total.terms)
    # What the window and its weights make is told below them: its terms need no large digits.
    equations = [f"{terms} {total.ending}"] if frame.total is not None else []
    for equation in (*equations, " ".join(total.ending.split()[-2:])):
        for each in (size, digits.SMALL):
            if digits.large_width(equation, each) <= width:
                yield above(_large(equation, each), told)
                yield above(_large(equation, each), wrapped(named, width))
    yield told


def _large(text: str, size: int) -> Block:
    return text_block(*digits.large(text, size), role="result-text")


def _large_grid(grid: Grid, size: int, role: str) -> Block:
    """Return the numbers of a grid in large digits, between large brackets."""
    rows, columns = grid.shape
    texts = [[text.strip() for text in row] for row in grid.sheet.all_texts]
    wide = max((digits.large_width(text, size) for row in texts for text in row), default=1)
    lines = []
    for i in range(rows):
        drawn = [digits.large(text, size) for text in texts[i]]
        for line in range(digits.large_height(size)):
            pieces = [Piece("▌ " if role else "  ", role and "bar")]
            for j in range(columns):
                looks = _LOOKS.get(grid.special.get((i, j), role), "")
                pieces.append(Piece(drawn[j][line].rjust(wide + _GAP * size), looks))
            pieces.append(Piece(" ▐" if role else "  ", role and "bar"))
            lines.append(pieces)
        if i < rows - 1:
            lines.append([Piece("▌ " if role else "", role and "bar")])
            if role:
                inner = columns * (wide + _GAP * size)
                lines[-1] += [Piece(" " * inner), Piece(" ▐", "bar")]
    return block(lines)
