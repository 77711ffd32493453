"""Lines of text as plain data: pieces with a role instead of a colour, blocks to put together.

A role says what a piece is ("window", "padding"), not how it looks; a spot says which cell of
which panel it shows, so that a click on it can be understood.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple


class Spot(NamedTuple):
    """A place that can be clicked: a part of the screen, and a cell of it."""

    part: str
    row: int = 0
    column: int = 0


class Piece(NamedTuple):
    """A bit of text and its role."""

    text: str
    role: str = ""
    spot: Spot | None = None


Line = tuple[Piece, ...]


@dataclass(frozen=True)
class Block:
    """Lines that take so many columns; shorter ones are filled up when blocks are put together."""

    lines: tuple[Line, ...] = ()
    width: int = 0

    @property
    def height(self) -> int:
        """Number of lines."""
        return len(self.lines)


@lru_cache(maxsize=4096)
def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    >>> columns("abc"), columns("畳み込み")
    (3, 8)
    """
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def clipped(text: str, width: int) -> str:
    """Return a text in at most so many columns, with … where it was cut.

    >>> clipped("cross-correlation", 8)
    'cross-c…'
    """
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _columns(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


def line_width(line: Sequence[Piece]) -> int:
    """Return how many columns a line takes."""
    return sum(columns(piece.text) for piece in line)


def clipped_line(line: Line, width: int) -> Line:
    """Return a line in at most so many columns."""
    if line_width(line) <= width:
        return line
    kept: list[Piece] = []
    room = width
    for piece in line:
        taken = columns(piece.text)
        if taken > room:
            kept.append(piece._replace(text=clipped(piece.text, room)))
            break
        kept.append(piece)
        room -= taken
    return tuple(kept)


def filled(line: Line, width: int) -> Line:
    """Return a line in exactly so many columns."""
    line = clipped_line(line, width)
    missing = width - line_width(line)
    return (*line, Piece(" " * missing)) if missing else line


def text_block(*texts: str, role: str = "") -> Block:
    """Return a block of plain lines.

    >>> text_block("a", "bc").width
    2
    """
    return block((Piece(text, role),) for text in texts)


def block(lines: Iterable[Sequence[Piece]]) -> Block:
    """Return lines as a block as wide as the longest."""
    kept = tuple(tuple(line) for line in lines)
    return Block(kept, max((line_width(line) for line in kept), default=0))


def above(*blocks: Block, gap: int = 0) -> Block:
    """Return blocks one below the other, without the empty ones."""
    shown = [each for each in blocks if each.lines]
    lines: list[Line] = []
    for number, each in enumerate(shown):
        lines.extend([()] * gap if number else ())
        lines.extend(each.lines)
    return Block(tuple(lines), max((each.width for each in shown), default=0))


def beside(*blocks: Block, gap: int = 2) -> Block:
    """Return blocks side by side, without the empty ones."""
    shown = [each for each in blocks if each.lines]
    lines = []
    for row in zip_longest(*(each.lines for each in shown), fillvalue=()):
        pieces: list[Piece] = []
        for number, (line, each) in enumerate(zip(row, shown, strict=True)):
            last = number == len(shown) - 1
            pieces.extend(line if last else filled(line, each.width + gap))
        lines.append(tuple(pieces))
    return Block(tuple(lines), sum(each.width for each in shown) + gap * max(len(shown) - 1, 0))


def indented(inner: Block, by: int) -> Block:
    """Return a block moved to the right."""
    pad = Piece(" " * by)
    return Block(tuple((pad, *line) for line in inner.lines), inner.width + by)


def cut(inner: Block, width: int, height: int) -> Block:
    """Return what of a block fits."""
    lines = tuple(clipped_line(line, width) for line in inner.lines[: max(height, 0)])
    return Block(lines, min(inner.width, width))


def wrapped(text: str, width: int, role: str = "") -> Block:
    """Return a text in lines of at most so many columns, broken between words."""
    lines, current = [], ""
    for word in text.split():
        longer = f"{current} {word}" if current else word
        if columns(longer) > width and current:
            lines.append(current)
            current = word
        else:
            current = longer
    return text_block(*(clipped(each, width) for each in [*lines, current]), role=role)


def as_text(line: Sequence[Piece]) -> str:
    """Return a line without its roles."""
    return "".join(piece.text for piece in line)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
