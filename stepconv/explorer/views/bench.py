"""The bench: the picture in work, what the network is shown of it, maps and answers that follow."""

from __future__ import annotations

import numpy as np

from stepconv.explorer.frame import pixels
from stepconv.explorer.views import answers
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import (
    Block,
    Piece,
    above,
    beside,
    block,
    clipped,
    cut,
    text_block,
    wrapped,
)

_BARS = 14
# Maps of the layers, in one row below: pixels of each, at least and at most.
_THUMB, _LARGEST_THUMB = 8, 24


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the sheet, the picture that the network is shown, and what it makes of it."""
    told = wrapped(words(visit), width, "muted")
    maps_high = _THUMB // 2 + 1 if height >= 19 else 0
    high = height - told.height - maps_high
    sheets, answered = 1 + visit.bench.is_centred, 1 + (visit.beside is not None)
    # Each sheet has a line on either side, the arrow a column, and between all of them is one.
    room = width - answered * (_BARS + 1) - 2 * sheets - 3 * (sheets - 1)
    side = max(min(2 * (high - 1), room // sheets, 56), 6)
    parts = [_sheet(visit, side)]
    if visit.bench.is_centred:
        parts += [block([(), (Piece("→", "arrow"),)]), _shown(visit, side)]
    parts.append(_answers(visit, high))
    if visit.beside is not None:
        name = visit.rival.name if visit.rival else ""
        head = text_block(clipped(name, _BARS), role="title")
        bars = answers.bars(visit.beside, _BARS, min(high - 1, 10), visit.label)
        parts.append(above(head, bars))
    laid = cut(beside(*parts, gap=1), width, high)
    maps = _maps(visit, width, height - told.height - laid.height) if maps_high else Block()
    return above(told, laid, maps)


def words(visit: Visit) -> str:
    """Return where the picture is from, what was done to it, and what the pen does."""
    pen = visit.bench.pen
    told = visit.bench.words
    if visit.bench.source == "drawn":
        tool = "rubber" if pen.erases else "pen"
        told += f" · {tool} {'down' if pen.is_down else 'up'} at row {pen.row}, column {pen.column}"
    if visit.label is not None:
        told += f" · it is a {visit.subject.classes[visit.label]}"
    return told


def _sheet(visit: Visit, side: int) -> Block:
    """Return the picture in work; a click on it draws."""
    picture = visit.bench.changed
    plane = picture.max(axis=0)
    down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side, zoom=2)
    mark = None
    if visit.bench.source == "drawn":
        mark = np.zeros(plane.shape, bool)
        mark[visit.bench.pen.row, visit.bench.pen.column] = True
    most = 255.0 if plane.dtype == np.uint8 else pixels.largest(plane)
    drawn = pixels.drawn(plane, down, across, most, signed=False, mark=mark, part="sheet")
    title = "the picture" if visit.bench.source != "drawn" else "the sheet"
    return above(text_block(title, role="title"), _framed(drawn))


def _shown(visit: Visit, side: int) -> Block:
    plane = visit.bench.picture.max(axis=0)
    down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side, zoom=2)
    most = 255.0 if plane.dtype == np.uint8 else pixels.largest(plane)
    drawn = pixels.drawn(plane, down, across, most, signed=False)
    return above(text_block("centred: what it sees", role="title"), _framed(drawn))


def _framed(drawn: Block) -> Block:
    """Return a picture between two thin lines: black paper on a black screen has no edge."""
    edge = Piece("▏", "muted"), Piece("▕", "muted")
    lines = tuple((edge[1], *line, edge[0]) for line in drawn.lines)
    return Block(lines, drawn.width + 2)


def _answers(visit: Visit, high: int) -> Block:
    name = visit.subject.name if visit.beside is not None else "it answers"
    head = text_block(clipped(name, _BARS), role="title")
    return above(head, answers.bars(visit.inside, _BARS, min(high - 1, 10), visit.label))


def _maps(visit: Visit, width: int, height: int) -> Block:
    """Return one map of each layer, the chosen ones, as many as fit; larger where there is room."""
    drawn = []
    columns = [column for column in visit.columns if len(column.output) == 3]
    side = min(2 * (height - 1), (width + 2) // max(len(columns), 1) - 2, _LARGEST_THUMB)
    for column in columns:
        numbers = visit.numbers_of(column.name)
        down, across = pixels.fitting(numbers.shape[1:], max(side, _THUMB), zoom=2)
        one = pixels.drawn(
            *(numbers[visit.plane_of(column)], down, across, pixels.largest(numbers)),
            signed=bool((numbers < 0).any()),
        )
        head = text_block(clipped(column.short, 9), role="muted")
        drawn.append(above(head, one))
        if sum(each.width + 2 for each in drawn) > width:
            drawn.pop()
            break
    return beside(*drawn, gap=2)
