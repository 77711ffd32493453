"""The view in which a sum is unfolded: every term of every channel, to be scrolled through."""

from __future__ import annotations

import sys

from stepconv.player.frame.film import Film
from stepconv.player.frame.sums import Sum, sums_of, total_of
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    columns,
    text_block,
    wrapped,
)
from stepconv.trace.sentence import sentence


def view(film: Film, index: int, scroll: int, width: int, height: int) -> tuple[Block, int]:
    """Return as much of the step's sums as fits from line `scroll` on, and the last such line."""
    lines = _lines(film, index, width)
    room = max(height - 1, 1)
    last = max(len(lines) - room, 0) if len(lines) > height else 0
    first = min(scroll, last)
    if not last:
        return Block(tuple(lines), width), 0
    shown = lines[first : first + room]
    told = f"lines {first} to {first + len(shown) - 1} of {len(lines)}: ↑↓ scroll"
    return above(Block(tuple(shown), width), text_block(told, role="muted")), last


def _lines(film: Film, index: int, width: int) -> list[Line]:
    step = film.trace[index]
    sums = sums_of(film, step, 0, (sys.maxsize, sys.maxsize))
    if not sums:
        return list(wrapped(sentence(step, sys.maxsize).partition(": ")[2], width).lines)
    lines: list[Line] = []
    for each in sums:
        if each.name:
            lines.append((Piece(each.name, "title"),))
        lines += _written(each, width)
    total = total_of(film, step)
    if total is not None:
        lines += [(Piece("─" * min(width, 40), "muted"),), *_written(total, width)]
    return lines


def _written(each: Sum, width: int) -> list[Line]:
    """Return a sum on as many lines as it takes, broken between its terms."""
    terms = " | + ".join(each.terms)
    scaled = f"{each.scale}({terms})" if each.scale and terms else terms
    lines, current = list[Line](), ""
    for part in filter(None, [*scaled.split(" | "), each.ending]):
        longer = f"{current} {part}" if current else part
        if columns(longer) > width and current:
            lines.append((Piece(current),))
            current = part
        else:
            current = longer
    head, _, result = current.rpartition(" ")
    return [*lines, (Piece(f"{head} "), Piece(result, "result-text"))]
