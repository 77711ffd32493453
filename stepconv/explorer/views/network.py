"""The overview: the picture, a column for each layer with its maps, the answers at the end."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from stepconv.explorer.frame import pixels
from stepconv.explorer.frame.columns import Column, spans
from stepconv.explorer.views import answers
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    above,
    beside,
    block,
    clipped,
    text_block,
    wrapped,
)

_BARS = 15
# Lines of a column round its maps: name, size, what it learns, and which maps are shown.
_ROUND = 4
# Gradients are told by their powers of ten below the largest: so many fill a bar.
_POWERS = 6


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the overview; as many columns as fit, the chosen one among them."""
    side = 28 if width >= 110 and height >= 24 else 20 if width >= 100 else 14
    left = _picture(visit, side, height)
    right = Block((), _BARS) if visit.waits else _answers(visit, height)
    thumb = 12 if width >= 110 and height >= 34 else 8
    room = width - left.width - _BARS - 4
    each = thumb + 3
    count = max(room // each, 1)
    columns = visit.columns
    first = min(
        max(visit.columns.index(visit.column) - count // 2, 0), max(len(columns) - count, 0)
    )
    shown = columns[first : first + count]
    high = height - _ROUND - has_branches(columns)
    drawn = [_column(visit, column, thumb, high) for column in shown]
    middle = beside(*drawn, gap=1)
    if has_branches(columns):
        middle = above(block([_branches(shown, each)]), middle)
    return beside(left, middle, right, gap=2)


def has_branches(columns: Sequence[Column]) -> bool:
    """Tell whether a network has any branches to draw."""
    return any(column.branch or column.joins for column in columns)


def _branches(shown: Sequence[Column], each: int) -> Line:
    """Return the line over the columns that says which branch they are in, and where they meet."""
    pieces: list[Piece] = []
    for at, (label, count) in enumerate(spans(shown)):
        wide = each * count - 1
        start = sum(count for _, count in spans(shown)[:at])
        joins = shown[start].joins
        if joins:
            text = clipped(joins, wide).ljust(wide)
        elif label:
            text = f"╭{clipped(label, wide - 2):─<{max(wide - 2, 0)}}╮"
        else:
            text = "─" * wide
        pieces += [Piece(text, "arrow" if joins else "bar" if label else "muted"), Piece(" ")]
    return tuple(pieces)


def _picture(visit: Visit, side: int, height: int) -> Block:
    inside = visit.inside
    plane = inside.input.mean(axis=0) if inside.input.shape[0] > 1 else inside.input[0]
    plane = plane - plane.min()
    down, across = pixels.fitting(plane.shape, side)
    drawn = pixels.drawn(plane, down, across, pixels.largest(plane), signed=False, part="picture")
    told = wrapped(visit.bench.words, across, "muted")
    title = text_block("picture", role="title")
    laid = above(title, drawn, told)
    return Block(laid.lines[:height], max(across, 10))


def _answers(visit: Visit, height: int) -> Block:
    inside = visit.inside
    title = clipped(f"it is {inside.classes[inside.prediction]}", _BARS)
    bars = answers.bars(inside, _BARS, min(height - 1, 12), visit.label)
    return above(text_block(title, role="title"), bars)


def _column(visit: Visit, column: Column, thumb: int, high: int) -> Block:
    """Return a layer: name, size, its maps round the chosen one, what it learns."""
    chosen = column is visit.column
    spot = Spot(f"layer:{column.name}")
    wide = thumb + 2
    head: list[Line] = [
        (Piece(clipped(column.short, wide).ljust(wide), "window" if chosen else "title", spot),),
        (Piece(clipped(column.size, wide).ljust(wide), "muted", spot),),
    ]
    if visit.waits:
        return Block((*head, *[()] * (high + 1), _told(visit, column, wide)), wide)
    planes = visit.numbers_of(column.name)
    plane = visit.plane_of(column)
    most, signed = pixels.largest(planes), bool((planes < 0).any())
    down, across = pixels.fitting(planes.shape[1:], thumb)
    tall = (down + 1) // 2
    fits = max((high + 1) // (tall + 1), 1)
    first = min(max(plane - fits // 2, 0), max(len(planes) - fits, 0))
    maps: list[Line] = []
    for number in range(first, min(first + fits, len(planes))):
        part = f"map:{column.name}:{number}"
        drawn = pixels.drawn(planes[number], down, across, most, signed=signed, part=part)
        is_it = chosen and number == plane and len(planes) > 1
        maps += [*(pixels.boxed(drawn) if is_it else pixels.unboxed(drawn)).lines, ()]
    maps = maps[:high]
    maps += [()] * (high - len(maps))
    counted = f"{plane + 1} of {len(planes)}" if len(planes) > 1 else f"{column.output[0]} cells"
    foot = [(Piece(clipped(counted, wide), "muted"),), _told(visit, column, wide)]
    return Block((*head, *maps, *foot), wide)


def _told(visit: Visit, column: Column, wide: int) -> Line:
    """Return what a layer learns, or on the way back how large its gradient is."""
    if not visit.backward:
        told = f"{column.parameters:,} parameters" if column.parameters else ""
        told = told if len(told) <= wide else told.replace("parameters", "par.")
        return (Piece(clipped(told, wide), "key"),)
    sizes = visit.gradient_sizes
    return size_bar(sizes[column.name], max(sizes.values()), wide)


def size_bar(size: float, largest: float, wide: int) -> Line:
    """Return the size of a gradient as a bar of its power of ten, and in digits."""
    text = f"{size:.0e}".replace("e-0", "e-").replace("e+0", "e")
    room = max(wide - len(text) - 1, 1)
    share = 1 + log10(size / largest) / _POWERS if size > 0 else 0
    return (
        Piece(answers.bar(min(max(share, 0), 1), room).ljust(room), "arrow"),
        Piece(f" {text}", "muted"),
    )
