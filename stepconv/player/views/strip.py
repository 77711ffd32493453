"""The view of all links of a chain at once, each as large as there is room for."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from stepconv.player.frame.grid import Grid
from stepconv.player.frame.strip import Stop
from stepconv.player.text import panels
from stepconv.player.text.lines import Block, Piece, above, beside, block, columns, cut

# The least room for a link: its title, and so many columns and lines.
_WIDE, _HIGH = 16, 3
_GAP = 2


def view(stops: tuple[Stop, ...], width: int, height: int) -> Block:
    """Return the links in rows of the best length; round the one at hand if not all fit."""
    told = f"the links round this one, of {len(stops) - 1}"
    if _most(width, height) < len(stops):
        height -= 2
    most = _most(width, height)
    here = next(number for number, stop in enumerate(stops) if stop.here)
    first = min(max(here - most // 2, 0), max(len(stops) - most, 0))
    shown = stops[first : first + most]
    counts = range(1, len(shown) + 1)
    rooms = {count: _room(len(shown), count, width, height) for count in counts}
    fitting = [n for n, (wide, high) in rooms.items() if wide >= _WIDE and high >= _HIGH] or [1]
    across = max(fitting, key=lambda n: (*_quality(shown, *rooms[n]), n))
    drawn = [_stop(stop, *rooms[across]) for stop in shown]
    rows = [beside(*drawn[i : i + across], gap=_GAP) for i in range(0, len(drawn), across)]
    if len(shown) < len(stops):
        rows.append(block([[Piece(told, "muted")]]))
    return cut(above(*rows, gap=1), width, height)


def _most(width: int, height: int) -> int:
    """Return how many links there is room for at once."""
    return max((width + _GAP) // (_WIDE + _GAP), 1) * max((height + 1) // (_HIGH + 2), 1)


def _quality(shown: tuple[Stop, ...], width: int, height: int) -> tuple[float, int]:
    """Return how much of the numbers there is room for, and for how many titles."""
    titles = sum(columns(stop.grid.title) < width for stop in shown)
    return sum(_share(stop.grid, width, height) for stop in shown), titles


def _room(count: int, across: int, width: int, height: int) -> tuple[int, int]:
    """Return the columns and lines of each, without its title, if so many stand abreast."""
    rows = ceil(count / across)
    return (width + _GAP) // across - _GAP, (height + 1) // rows - 2


def _share(grid: Grid, width: int, height: int) -> float:
    """Return how much of a grid's numbers there is room for."""
    rows, wide = (max(size, 1) for size in grid.shape)
    across = (width - 1) // (grid.sheet.format.width + 1)
    return min(height / rows, 1) * min(across / wide, 1)


def _stop(stop: Stop, width: int, height: int) -> Block:
    mark = "▸" if stop.here else ""
    grid = replace(stop.grid, title=f"{mark}{stop.grid.title}")
    drawn = panels.part(grid, width, height)[1]
    return Block(drawn.lines, width)
