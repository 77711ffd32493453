"""The table of all ways as lines: what each costs for an output cell, and what the call takes."""

from __future__ import annotations

from collections.abc import Sequence

from stepconv.algorithms import Row
from stepconv.player.frame.formats import duration
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    block,
    clipped_line,
    columns,
    wrapped,
)

# What stands in the table, the most telling first: a narrow screen leaves out the last.
_HEADS = ("algorithm", "·", "+", "read", "written", "hits", "error", "call", "reuse")
_MEANT = (
    "For an output cell: multiplications, additions, bytes read and written; touches that hit the "
    "cache; the largest error; what the whole call takes here; lines between two uses of one."
)


def table(rows: Sequence[Row], width: int) -> Block:
    """Return the table of all ways, a line for each."""
    every = cells(rows)
    widths = [max(map(columns, column)) for column in zip(*every, strict=True)]
    shown = len(widths)
    while shown > 2 and sum(widths[:shown]) + 2 * (shown - 1) > width:
        shown -= 1

    def line(number: int, texts: Sequence[str]) -> Line:
        name, *told = texts[:shown]
        right = (text.rjust(wide) for text, wide in zip(told, widths[1:shown], strict=True))
        joined = "  ".join([name.ljust(widths[0]), *right])
        return clipped_line((Piece(joined, "" if number else "title"),), width)

    lines = block(line(number, texts) for number, texts in enumerate(every))
    return above(lines, *(wrapped(note, width, "muted") for note in notes(rows)), gap=1)


def cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the table as texts: its head, and a line for each algorithm, its name in front."""
    return [_HEADS, *map(_texts, rows)]


def notes(rows: Sequence[Row]) -> list[str]:
    """Return what the columns mean, and what was measured, where the names say too little."""
    by = [f"{row.algorithm} by {row.measured.by}" for row in rows if row.measured is not None]
    return [_MEANT, *([f"Measured: {'; '.join(by)}."] if by else [])]


def _texts(row: Row) -> tuple[str, ...]:
    counts = row.counts
    again = counts.reuse_distance
    return (
        row.algorithm,
        *(f"{row.a_cell(n):.1f}" for n in (counts.multiplications, counts.additions)),
        *(f"{row.a_cell(n):.0f}" for n in (counts.bytes_read, counts.bytes_written)),
        f"{row.hits:.0%}",
        f"{row.error:.0e}" if row.error else "0",
        "-" if row.measured is None else duration(row.measured.seconds),
        "-" if again is None else f"{again:.1f}",
    )


def row_in_words(row: Row) -> str:
    """Return a row of the table as a sentence."""
    counts = row.counts
    took = (
        ""
        if row.measured is None
        else f"; the whole call takes {duration(row.measured.seconds)} by {row.measured.by}"
    )
    again = counts.reuse_distance
    reused = "" if again is None else f", {again:.1f} other lines between two uses of one"
    off = f"off by at most {row.error:.2g}" if row.error else "exact"
    return (
        f"{row.algorithm}, for each of {row.cells} cells: "
        f"{row.a_cell(counts.multiplications):.1f} multiplications, "
        f"{row.a_cell(counts.additions):.1f} additions, "
        f"{row.a_cell(counts.bytes_read):.0f} bytes read, "
        f"{row.a_cell(counts.bytes_written):.0f} written, {row.hits:.0%} hits{reused}; "
        f"{off}{took}."
    )
