"""Draw one grid as a picture, where its numbers do not fit: two pixels in each character."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.frame.grid import Grid, Sheet
from stepconv.player.text.lines import Block, Line, Piece, Spot

Array = NDArray[Any]
Colour = tuple[int, int, int]

# Numbers of both signs: blue below zero, orange above, black between.
_BELOW, _ABOVE = np.array([64, 156, 255.0]), np.array([255, 150, 32.0])
# What a marked pixel is mixed with.
_TINTS: dict[str, Colour] = {"window": (30, 110, 255), "result": (255, 140, 0)}
_BARS = "▁▂▃▄▅▆▇█"
_LARGEST_PIXEL = 2
# Of a photograph so many rows and columns go into a pixel: all of them would take too long.
_SAMPLES = 8


def pixels(shape: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Return the rows and columns of pixels that a picture of so many cells gets.

    >>> pixels((28, 28), 40, 20), pixels((480, 640), 42, 20)
    ((28, 28), (30, 40))
    """
    rows, columns = shape
    zoom = min((width - 2) / max(columns, 1), 2 * height / max(rows, 1))
    if zoom >= 1:
        zoom = min(int(zoom), _LARGEST_PIXEL)
    return max(int(rows * zoom), 1), max(int(columns * zoom), 1)


def picture(grid: Grid, width: int, height: int) -> Block:
    """Return the grid as large as fits, what is marked in its colour and between [ ]."""
    down, across = pixels(grid.shape, width, height)
    raster = _raster(grid.colours or (grid.sheet,), grid.part, down, across)
    top, bottom = _box(grid.marked[0], grid.sheet.top, grid.shape[0], down)
    left, right = _box(grid.marked[1], grid.sheet.left, grid.shape[1], across)
    known = known_pixels(grid, down, across)
    lines = []
    for number, line in enumerate(raster):
        upper, lower = 2 * number, 2 * number + 2
        marked = top < lower and upper < bottom and left < right
        if known < lower * across or marked:
            line = _known_line(line, number, known)
        if marked:
            line = _marked(line, grid.role, left, right, (top <= upper, bottom >= lower))
        lines.append(line)
    return Block(tuple(lines), across + 2)


def bars(grid: Grid, width: int) -> Block:
    """Return a signal as bars on one line, what is marked between [ ]."""
    columns = grid.shape[1]
    across = max(min(width - 2, columns), 1)
    levels = _levels(grid.sheet, 1, across)[0]
    left, right = _box(grid.marked[1], grid.sheet.left, columns, across)
    known = known_pixels(grid, 1, across)
    spots = [Spot(grid.part, 0, x * columns // across) for x in range(across)]
    pieces = [
        Piece(_BARS[int(level * 7.99)], "", spot) if x < known else Piece(" ", "", spot)
        for x, (level, spot) in enumerate(zip(levels, spots, strict=True))
    ]
    line = (Piece(" "), *pieces, Piece(" "))
    if left < right:
        line = tuple(
            piece._replace(role=grid.role) if left < x <= right else piece
            for x, piece in enumerate(line)
        )
        line = _bracketed(line, grid.role, left, right)
    return Block((line,), across + 2)


def _known_line(line: Line, number: int, known: int) -> Line:
    """Return a line of the picture with the pixels that are known."""
    across = len(line) - 2
    pieces = [line[0]]
    for x, piece in enumerate(line[1:-1]):
        if 2 * number * across + x >= known:
            piece = piece._replace(text=" ", role="")
        elif (2 * number + 1) * across + x >= known:
            piece = piece._replace(role=piece.role.partition(" on ")[0])
        pieces.append(piece)
    return (*pieces, line[-1])


def _marked(line: Line, role: str, left: int, right: int, halves: tuple[bool, bool]) -> Line:
    pieces = list(line)
    for x in range(left + 1, right + 1):
        top, _, low = pieces[x].role.partition(" on ")
        top = _tinted(top, role) if halves[0] or not low else top
        low = _tinted(low, role) if low and halves[1] else low
        text = "▀" if top else pieces[x].text
        pieces[x] = pieces[x]._replace(text=text, role=f"{top} on {low}" if low else top)
    return _bracketed(tuple(pieces), role, left, right)


def _bracketed(line: Line, role: str, left: int, right: int) -> Line:
    pieces = list(line)
    pieces[left] = Piece("[", role, pieces[left].spot)
    pieces[right + 1] = Piece("]", role, pieces[right + 1].spot)
    return tuple(pieces)


def _tinted(colour: str, role: str) -> str:
    tint = _TINTS.get(role, _TINTS["window"])
    if not colour:
        return _hex(tint)
    own = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return _hex([(a + 2 * b) // 3 for a, b in zip(own, tint, strict=True)])


def _box(marked: tuple[int, ...], first: int, cells: int, pixels: int) -> tuple[int, int]:
    """Return [start, stop) of the pixels that show the marked cells: one at least."""
    if not marked:
        return 0, 0
    start = (min(marked) + first) * pixels // max(cells, 1)
    stop = -(-(max(marked) + 1 + first) * pixels // max(cells, 1))
    return start, max(stop, start + 1)


def known_pixels(grid: Grid, down: int, across: int) -> int:
    """Return how many pixels, in reading order, show cells that have been computed."""
    rows, columns = grid.shape
    if grid.known is None or grid.known >= rows * columns:
        return down * across
    row, column = divmod(grid.known, columns)
    return row * down // rows * across + column * across // columns


@lru_cache(maxsize=32)
def _raster(sheets: tuple[Sheet, ...], part: str, down: int, across: int) -> tuple[Line, ...]:
    """Return the lines of a sheet, or of red, green and blue, on which nothing is marked."""
    rows, columns = sheets[0].shape
    lines = []
    for number, line in enumerate(half_blocks(colours(sheets, down, across))):
        row = 2 * number * rows // down
        spots = [Spot(part, row, x * columns // across) for x in range(across)]
        pieces = (piece._replace(spot=spot) for piece, spot in zip(line, spots, strict=True))
        lines.append((Piece(" "), *pieces, Piece(" ")))
    return tuple(lines)


def half_blocks(colours: list[list[Colour]]) -> list[Line]:
    """Return pixels as lines of characters that show two each: the upper one on the lower one."""
    uppers, lowers = colours[::2], colours[1::2]
    lines = [
        tuple(Piece("▀", f"{_hex(a)} on {_hex(b)}") for a, b in zip(*pair, strict=True))
        for pair in zip(uppers, lowers, strict=False)
    ]
    if len(uppers) > len(lowers):
        lines.append(tuple(Piece("▀", _hex(pixel)) for pixel in uppers[-1]))
    return lines


def colours(sheets: tuple[Sheet, ...], down: int, across: int) -> list[list[Colour]]:
    """Return a colour for each pixel: its own, gray, or blue and orange where both signs occur."""
    planes = np.stack([_resized(sheet, down, across) for sheet in sheets], axis=-1)
    low, high = float(planes.min()), float(planes.max())
    if len(sheets) == 1 and low < 0:
        parts = np.clip(planes / max(-low, high), -1, 1)
        coloured = np.where(parts < 0, -parts * _BELOW, parts * _ABOVE)
    else:
        shares = np.clip(planes / high if high > 0 else planes * 0, 0, 1)
        coloured = np.broadcast_to(shares * 255, (*planes.shape[:2], 3))
    return [[tuple(pixel) for pixel in row] for row in coloured.astype(int).tolist()]


def _levels(sheet: Sheet, down: int, across: int) -> list[list[float]]:
    """Return a level from 0 to 1 for each pixel."""
    cells = _resized(sheet, down, across)
    low, high = float(cells.min()), float(cells.max())
    levels: list[list[float]] = ((cells - low) / ((high - low) or 1)).tolist()
    return levels


def _resized(sheet: Sheet, down: int, across: int) -> Array:
    """Return the mean of the cells under each pixel, or of enough of them."""
    picked = _picked(sheet.shape[0], down), _picked(sheet.shape[1], across)
    with np.errstate(all="ignore"):
        cells = sheet.values(picked[0][0], picked[1][0]).astype(np.float64)
        finite = np.isfinite(cells)
        if not finite.all():
            largest = np.abs(cells[finite]).max(initial=0)
            cells = np.nan_to_num(cells, nan=0, posinf=largest, neginf=-largest)
        for axis, (_, starts) in enumerate(picked):
            counts = np.diff([*starts, cells.shape[axis]])
            sums = np.add.reduceat(cells, starts, axis)
            cells = sums / (counts[:, None] if axis == 0 else counts)
    return cells


def _picked(size: int, pixels: int) -> tuple[Array, Array]:
    """Return which cells make the pixels along an axis, and where each pixel's first one stands."""
    if pixels >= size:
        return np.arange(pixels) * size // pixels, np.arange(pixels)
    edges = np.arange(pixels + 1) * size // pixels
    if size <= pixels * _SAMPLES:
        return np.arange(size), edges[:-1]
    middles = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    cells = edges[:-1, None] + middles * np.diff(edges)[:, None]
    return cells.astype(np.int64).reshape(-1), np.arange(pixels) * _SAMPLES


def _hex(colour: Any) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
