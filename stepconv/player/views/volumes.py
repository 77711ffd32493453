"""All channels, all filters and their biases side by side, where a screen has room for them."""

from __future__ import annotations

from collections.abc import Iterator

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.volume import Filter, Volume
from stepconv.player.text import panels
from stepconv.player.text.lines import Block, above, beside, text_block, wrapped

# Columns between what stands side by side, and those that sums need.
_GAP, _FOR_SUMS = 3, 40


def view(frame: Frame, every: Volume, width: int, height: int) -> Block | None:
    """Return all planes with the sums and the notes below; None where there is no room."""
    grids = (*every.channels, every.filters[0].result)
    if any(not panels.fits(grid, width, height) for grid in grids):
        return None
    for laid in _arrangements(frame, every, width):
        if laid.width <= width and laid.height <= height:
            noted = above(laid, *(wrapped(note, width, "note") for note in frame.notes), gap=1)
            return noted if noted.height <= height else laid
    return None


def _arrangements(frame: Frame, every: Volume, width: int) -> Iterator[Block]:
    """Yield the input's planes, the filters' and the results in columns, and then in rows."""
    channels = [panels.titled(grid) for grid in every.channels]
    results = [panels.titled(each.result) for each in every.filters]
    filters = beside(*map(_column, every.filters), above(*results, gap=1), gap=_GAP)
    for gap in (1, 0):
        inputs = above(*channels, gap=gap)
        room = width - inputs.width - _GAP
        if room >= _FOR_SUMS:
            yield beside(inputs, above(filters, _told(frame, room), gap=1), gap=_GAP)
        yield above(beside(inputs, filters, gap=_GAP), _told(frame, width), gap=1)
    rows = [_row(each, result) for each, result in zip(every.filters, results, strict=True)]
    yield above(beside(*channels, gap=_GAP), *rows, _told(frame, width), gap=1)


def _told(frame: Frame, width: int) -> Block:
    return above(panels.words(frame, width), panels.below(frame, width), gap=1)


def _column(each: Filter) -> Block:
    """Return a filter's planes one below the other, its bias under them."""
    return above(_name(each), *map(panels.titled, each.kernels), _bias(each))


def _row(each: Filter, result: Block) -> Block:
    """Return a filter's planes side by side, its bias and its result behind them."""
    kernels = beside(*map(panels.titled, each.kernels), gap=1)
    return beside(above(_name(each), kernels, _bias(each)), result, gap=_GAP)


def _name(each: Filter) -> Block:
    return text_block(each.name, role="window" if each.chosen else "title")


def _bias(each: Filter) -> Block:
    return text_block(each.bias, role="result-text") if each.bias else Block()
