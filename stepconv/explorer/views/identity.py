"""Gradients with an identity path and without: the network itself, and stacks of three depths."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    beside,
    block,
    cut,
    text_block,
    wrapped,
)

# A column of bars spans so many powers of ten.
_POWERS = 12
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the gradient at each layer of windows: to the left with the paths, else without."""
    own, stacks = visit.kept
    words = wrapped(
        "Gradients from the last layer of windows (right) back to the first (left), as powers of "
        "ten: the identity path hands them on, without it each layer takes its share. Stacks of "
        "3x3 layers, drawn by Glorot's rule, not trained, for this picture.",
        width,
    )
    half = (width - 4) // 2
    rows = [(f"depth {depth}", stacks[depth]) for depth in sorted(stacks)]
    if own is not None:
        rows.insert(0, (visit.subject.name, own))
    each = max((height - words.height - len(rows)) // max(len(rows), 1), 2)
    drawn = []
    for name, (kept, cut_off) in rows:
        left = _panel(f"{name}, with: {kept.share:.2g} of it arrives", kept.sizes, half, each - 1)
        right = _panel(f"without: {cut_off.share:.2g}", cut_off.sizes, half, each - 1)
        drawn.append(beside(left, right, gap=4))
    return cut(above(words, *drawn, gap=0 if each < 5 else 1), width, height)


def _panel(title: str, sizes: Sequence[float], width: int, height: int) -> Block:
    high = max(min(height - 1, 4), 1)
    top = max(log10(size) if size > 0 else -99.0 for size in sizes)
    levels = [max(1 + ((log10(s) if s > 0 else -99) - top) / _POWERS, 0.0) for s in sizes]
    wide = max(min(width // len(levels), 3), 1)
    lines: list[Line] = []
    for row in range(high, 0, -1):
        eighths = [min(max(round((level * high - row + 1) * 8), 0), 8) for level in levels]
        lines.append((Piece("".join(_EIGHTHS[e] * wide for e in eighths)[:width], "arrow"),))
    return Block(above(text_block(title, role="title"), block(lines)).lines, width)
