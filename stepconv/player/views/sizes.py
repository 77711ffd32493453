"""The view "why this size?": the windows along each axis, the formula, and what is left over."""

from __future__ import annotations

from stepconv.geometry import Axis
from stepconv.player.frame import words
from stepconv.player.frame.film import Film
from stepconv.player.text.lines import Block, Line, Piece, above, beside, block, text_block, wrapped

# The first and the last windows tell the rule; the ones between are dots.
_FIRST, _LAST = 3, 2
_LABEL = 11


def view(film: Film, width: int, height: int) -> Block:
    """Return why the result has its size, along every axis."""
    axes = film.trace.plan.axes
    named = {"rows": axes[0], "columns": axes[1]} if len(axes) == 2 else {"cells": axes[0]}
    if len(axes) == 2 and axes[0] == axes[1]:
        named = {"rows and columns": axes[0]}
    for drawn in (True, False):  # the drawings go before the formulas do
        parts = [_axis(film, name, axis, width, drawn) for name, axis in named.items()]
        half = [_axis(film, name, axis, width // 2 - 2, drawn) for name, axis in named.items()]
        for laid in (above(*parts, gap=1), beside(*half, gap=3)):
            if laid.height <= height and laid.width <= width:
                return laid
    return above(*parts)


def _axis(film: Film, name: str, axis: Axis, width: int, drawn: bool) -> Block:
    formula, *told = words.size_sentences(film, axis)
    parts = [
        text_block(name, role="title"),
        wrapped(formula, width, "result-text"),
        *(wrapped(sentence, width) for sentence in told),
    ]
    if film.family not in ("slide", "largest", "average"):
        return above(*parts)
    if drawn:
        parts.append(ruler(axis, width))
    unread = words.unread_sentence(axis, "row or column" if " and " in name else name[:-1])
    if unread:
        parts.append(wrapped(f"× {unread}", width, "break"))
    if film.family == "slide":
        parts.append(_same(axis, width))
    return above(*parts)


def _same(axis: Axis, width: int) -> Block:
    told = [f"{same.library}: {same.words}" for same in words.same_paddings(axis)]
    together = f"padding='same' would put here · {' · '.join(told)}."
    return wrapped(f"{together} {words.same_sentence(axis)}", width, "muted")


def ruler(axis: Axis, width: int) -> Block:
    """Return the cells of an axis, its windows below them, and how many read each cell."""
    last = axis.output + axis.drops_last
    stop = max(axis.size + max(axis.after, 0), axis.bounds(last - 1)[1])
    positions = range(-axis.before, stop)
    wide = len(str(max(axis.size - 1, 0))) + 1
    if _LABEL + wide * len(positions) > width:
        wide = 1
    if _LABEL + len(positions) > width:
        return text_block("(too many cells to draw them all)", role="muted")
    lines = [_cells(axis, positions, wide)] if wide > 1 else []
    for index in _shown(last):
        lines.append(_window(axis, index, positions, wide))
    lines.append(_counts(axis, positions, wide))
    return block(lines)


def _shown(windows: int) -> list[int | None]:
    if windows <= _FIRST + _LAST + 1:
        return list(range(windows))
    return [*range(_FIRST), None, *range(windows - _LAST, windows)]


def _cells(axis: Axis, positions: range, wide: int) -> Line:
    pieces = [Piece("cell".ljust(_LABEL), "muted")]
    for position in positions:
        inside = 0 <= position < axis.size
        pieces.append(
            Piece((str(position) if inside else "·").rjust(wide), "" if inside else "padding")
        )
    return tuple(pieces)


def _window(axis: Axis, index: int | None, positions: range, wide: int) -> Line:
    if index is None:
        return (Piece("…".ljust(_LABEL), "muted"),)
    dropped = index >= axis.output
    taps = axis.taps(index)
    pieces = [Piece(("dropped" if dropped else f"window {index}").ljust(_LABEL), "muted")]
    for position in positions:
        under = taps[0] <= position <= taps[-1]
        mark = ("╳" if dropped else "■") if position in taps else "─" if under else ""
        joined = "─" if under and position != taps[0] else " "
        pieces.append(Piece(joined * (wide - 1) + (mark or " "), "break" if dropped else "arrow"))
    return tuple(pieces)


def _counts(axis: Axis, positions: range, wide: int) -> Line:
    """Return by how many windows each cell is read; a cross where by none."""
    pieces = [Piece("read by".ljust(_LABEL), "muted")]
    for position in positions:
        count = len(axis.readers(position))
        inside = 0 <= position < axis.size
        text = "×" if not count else str(count) if len(str(count)) <= max(wide - 1, 1) else "+"
        role = "break" if inside and not count else "" if inside else "padding"
        pieces.append(Piece(text.rjust(wide) if inside or count else " " * wide, role))
    return tuple(pieces)
