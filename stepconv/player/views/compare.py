"""The view that compares: correlation and convolution of the same input, and the half turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import Frame, frame
from stepconv.player.frame.grid import Grid, sheet_of
from stepconv.player.text import panels
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

_NAMES = "What deep learning calls a convolution is the cross-correlation: it mirrors no kernel."
# Below this height the numbers need every line.
_ROOMY = 16
# What is done to the kernel, one stage after the other.
STAGES = ("kernel w", "mirrored ↕", "and ↔: half turn")


def view(
    film: Film, other: Film | None, index: int, channel: int, turned: int, width: int, height: int
) -> Block:
    """Return both operations at the same step; `turned` is the stage of the half turn."""
    if other is None:
        return wrapped("recording the counterpart …", width, "muted")
    if height >= _ROOMY:
        told = wrapped(_NAMES, width, "note")
        rest = _numbers((film, other), index, channel, turned, (width, height - told.height))
        return above(rest, told)
    return _numbers((film, other), index, channel, turned, (width, height))


def _numbers(
    films: tuple[Film, Film], index: int, channel: int, turned: int, size: tuple[int, int]
) -> Block:
    """Return the input, the half turn, and products and results of both."""
    width, height = size
    frames = [frame(each, index, channel) for each in films]
    frames.sort(key=lambda each: each.operation != "cross-correlation")
    correlation, convolution = frames
    stages = _stages(films[0], correlation, turned)
    right = above(stages, _halves(correlation, convolution), gap=1)
    room = width - 2 - right.width
    below = _outputs(correlation, convolution, width, height)
    if room < 12:
        top = above(stages, _halves(correlation, convolution))
        return cut(above(top, below, gap=1), width, height)
    free = height - min(below.height, height // 2)
    top = beside(panels.part(correlation.source, room, max(free - 1, 2))[1], right)
    left = height - top.height
    return above(top, _outputs(correlation, convolution, width, max(left - 1, 1)))


def _outputs(correlation: Frame, convolution: Frame, width: int, height: int) -> Block:
    """Return both results abreast: whole if there is room, else half of it for each."""
    grids = [
        replace(each.result, title=f"{each.operation}: {each.result.title}", special={})
        for each in (correlation, convolution)
    ]
    rooms = [panels.whole_width(grid) for grid in grids]
    if sum(rooms) + 2 > width:
        rooms = [(width - 2) // 2] * 2
    parts = zip(grids, rooms, strict=True)
    return beside(*(panels.part(grid, room, height)[1] for grid, room in parts))


def _stages(film: Film, correlation: Frame, turned: int) -> Block:
    """Return the kernel, mirrored top to bottom, and then left to right as well."""
    kernel = correlation.kernel
    assert kernel is not None  # a correlation has one
    plane = kernel.sheet.plane
    every = (plane, plane[::-1], plane[::-1, ::-1])
    if plane.shape[0] == 1:
        every = (plane, plane[:, ::-1], plane[:, ::-1])
    blocks: list[Block] = []
    stages = STAGES if plane.shape[0] > 1 else ("kernel w", "mirrored ↔: half turn")
    if plane.size > 81:
        return text_block("the kernel is too large to watch it turn", role="muted")
    for stage, (name, cells) in enumerate(zip(stages, every, strict=False)):
        here = stage == min(turned, len(stages) - 1)
        height, width = cells.shape
        marked = (tuple(range(height)), tuple(range(width))) if here else ((), ())
        grid = Grid("kernel", name, sheet_of(np.array(cells), film.weights_format), marked)
        if stage:
            blocks.append(block([*([()] * (height // 2 + 1)), [Piece("→", "arrow")]]))
        blocks.append(panels.titled(grid))
    return beside(*blocks, gap=1)


def _halves(correlation: Frame, convolution: Frame) -> Block:
    """Return products and results of both, side by side."""
    halves = []
    for each in (correlation, convolution):
        if each.products is None:
            continue
        grid = Grid("products", each.operation, each.products.sheet)
        halves.append(above(panels.titled(grid), block([_answer(each)])))
    return beside(*halves)


def _answer(each: Frame) -> Line:
    if each.total is not None:
        return panels.sum_line(each.total, 0, 24)
    return (Piece(each.sums[0].ending, "result-text"),) if each.sums else ()
