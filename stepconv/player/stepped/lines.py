"""A step of an algorithm as lines: words, formula, arrays side by side, what was counted."""

from __future__ import annotations

from collections.abc import Sequence

from stepconv.algorithms import Counts, Panel, Step
from stepconv.algorithms.steps import PADDING, WRAPPED
from stepconv.player.frame import grid
from stepconv.player.frame.formats import format_of
from stepconv.player.text.lines import Block, above, beside, cut, wrapped
from stepconv.player.text.numbers import numbers_of
from stepconv.player.text.panels import part, title

_ROLES = {PADDING: grid.PADDING, WRAPPED: grid.UNREAD}
_GAP = 3
# Panels of more rows than these are shown in part, where nothing else says how high they may be.
_ROWS = 24
# Arrays are cut to no fewer rows, unless it is the only one.
_FEWEST = 4
# An array of more numbers than these is not told in words.
_TOLD = 36


def grid_of(panel: Panel) -> grid.Grid:
    """Return a panel as a grid, in numbers."""
    return grid.Grid(
        panel.name,
        panel.title,
        grid.sheet_of(panel.cells, format_of(panel.cells)),
        (tuple(panel.marked[0]), tuple(panel.marked[1])),
        grid.RESULT if panel.name == "result" else grid.WINDOW,
        special={cell: _ROLES[role] for cell, role in panel.special.items()},
        look=grid.NUMBERS,
    )


def body(step: Step, width: int, height: int | None = None) -> Block:
    """Return all of a step but its title, in at most so many columns and lines."""
    told = above(wrapped(step.words, width), wrapped(step.formula, width, "title"))
    foot = counted(step.counts, width)
    room = None if height is None else height - told.height - foot.height - 2
    return above(told, panels(step, width, room), foot, gap=1)


def panels(step: Step, width: int, height: int | None) -> Block:
    """Return the arrays side by side, in as many rows of them as they need.

    Where that is too high they are cut; where they would be cut to almost nothing, the last stay.
    """
    grids = [grid_of(each) for each in step.panels]
    if height is None:
        return _flowed([_drawn(each, width, _ROWS) for each in grids], width)
    for left_out in range(len(grids)):
        named = ", ".join(each.title for each in grids[:left_out])
        note = wrapped(f"no room for: {named}", width, "note") if named else Block()
        for rows in range(height - 1, _FEWEST - 1, -1):
            drawn = _flowed([_drawn(each, width, rows) for each in grids[left_out:]], width)
            laid = above(drawn, note)
            if laid.height <= height:
                return laid
    return cut(_drawn(grids[-1], width, max(height - 1, 1)), width, height)


def _drawn(one: grid.Grid, width: int, rows: int) -> Block:
    """Return a grid in numbers, whole if it fits."""
    high = numbers_of(one) if one.shape[0] <= rows else None
    if high is not None and high.width <= width:
        return above(title(one, width), high)
    return part(one, width, rows)[1]


def _flowed(blocks: Sequence[Block], width: int) -> Block:
    """Return blocks side by side, and below each other where a line is full."""
    rows: list[list[Block]] = []
    for each in blocks:
        taken = sum(other.width + _GAP for other in rows[-1]) if rows else width
        if rows and taken + each.width <= width:
            rows[-1].append(each)
        else:
            rows.append([each])
    return above(*(beside(*row, gap=_GAP) for row in rows), gap=1)


def counted(counts: Counts, width: int) -> Block:
    """Return what has been counted so far."""
    return wrapped(in_words(counts), width, "muted")


def step_in_words(number: int, algorithm: str, step: Step) -> str:
    """Return a step as a sentence or two for a screen reader."""
    told = f"{algorithm}, step {number}, {step.title}: {step.words} {step.formula}."
    return f"{told} {'; '.join(map(_panel_in_words, step.panels))}. {in_words(step.counts)}."


def _panel_in_words(panel: Panel) -> str:
    """Return a small array in numbers, of a large one its size."""
    rows, wide = panel.cells.shape
    if panel.cells.size > _TOLD:
        return f"{panel.title} {rows}x{wide}"
    form = format_of(panel.cells)
    return f"{panel.title} " + ", ".join(
        " ".join(map(form.text, line)) for line in panel.cells.tolist()
    )


def in_words(counts: Counts) -> str:
    """Return counts as a sentence."""
    again = counts.reuse_distance
    reused = "" if again is None else f", {again:.1f} other lines between two uses of one"
    return (
        f"so far {counts.multiplications:,} multiplications, {counts.additions:,} additions, "
        f"{counts.bytes_read:,} bytes read, {counts.bytes_written:,} written; "
        f"cache: {counts.cache_hits:,} hits, {counts.cache_misses:,} misses{reused}"
    )
