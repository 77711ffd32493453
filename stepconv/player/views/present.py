"""The view for a projector: one window in large digits, its kernel, and what comes out."""

from __future__ import annotations

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import PADDING, WINDOW, WINNER, Grid
from stepconv.player.text import digits
from stepconv.player.text.lines import Block, Piece, above, beside, block, text_block

# Pixels between two numbers.
_GAP = 3
_LOOKS = {WINDOW: "large", PADDING: "muted", WINNER: "result-text"}


def view(frame: Frame, width: int, height: int) -> Block | None:
    """Return the window as large as it fits; None if not even the smallest digits do."""
    window = frame.window or frame.source
    for weights in (frame.weights, None):
        for size in (digits.LARGE, digits.SMALL):
            for equation in _equations(frame):
                laid = _laid(frame, window, weights, equation, size, width)
                if laid.width <= width and laid.height <= height:
                    return laid
    return None


def _equations(frame: Frame) -> list[str]:
    """Return what comes out: with the sums it is made of, and alone."""
    (i,), (j,) = frame.result.marked
    sheet = frame.result.sheet
    alone = f"= {sheet.format.text(sheet.plane[i, j])}"
    if frame.total is None:
        return [alone]
    terms = " + ".join(term.removesuffix(" (bias)") for term in frame.total.terms)
    return [f"{terms} {frame.total.ending}", alone]


def _laid(
    frame: Frame, window: Grid, weights: Grid | None, equation: str, size: int, width: int
) -> Block:
    grids = [_large_grid(window, size, "window")]
    if weights is not None:
        sign = block([()] * ((grids[0].height - 1) // 2) + [[Piece("×", "arrow")]])
        grids += [sign, _large_grid(weights, size, "")]
    small = digits.SMALL if digits.large_width(equation, digits.LARGE) > width else size
    answer = text_block(*digits.large(equation, small), role="result-text")
    return above(beside(*grids, gap=3), answer, gap=1)


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
