"""Blocks of a network as an SVG without a font: the boxes and modules that a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from stepconv.explorer.architecture.blocks import ADD, Block, Module, Volume
from stepconv.explorer.architecture.sizes import face
from stepconv.geometry import Shape
from stepconv.nn.layers import sizes

WIDTH = 960
# The largest face, and how far back the deepest box reaches.
_SIDE, _DEEP = 96, 48
_GAP, _MARGIN, _TEXT, _LINE = 22, 16, 12, 15
# Columns of a fixed-width letter, in its heights.
_LETTER = 0.62
# Front, top and side of a box; blue and orange are told apart by nearly everybody.
_COLOURS = {
    "conv": ("#7fb0f5", "#b5d2fb", "#4a86dd"),
    "dense": ("#b9c0c9", "#dce0e5", "#8d96a3"),
    "max-pool": ("#ffb25e", "#ffd6a6", "#e08a2b"),
    "avg-pool": ("#ffb25e", "#ffd6a6", "#e08a2b"),
}
_PLAIN = ("#e4e7ec", "#f2f4f7", "#c3c9d2")


@dataclass(frozen=True)
class Part:
    """A piece of the picture, drawn from its own upper left corner."""

    width: float
    height: float
    marks: tuple[str, ...]


def svg(networks: Sequence[tuple[str, Sequence[Block]]]) -> str:
    """Return the picture of networks, each under its name."""
    marks: list[str] = []
    y: float = _MARGIN
    for name, blocks in networks:
        marks.append(_words(_MARGIN, y + _TEXT, name, weight="bold"))
        y += 2 * _LINE
        for row in _rows(blocks):
            high, x = max(part.height for part in row), float(_MARGIN)
            for part in row:
                place = f"translate({x:g} {y + high - part.height:g})"
                marks.append(f'<g transform="{place}">{"".join(part.marks)}</g>')
                x += part.width + _GAP
            y += high + _GAP
    wide = WIDTH
    style = f'font-family="monospace" font-size="{_TEXT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {y:g}" width="{wide}" '
        f'height="{y:g}" {style}>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(marks)
        + "\n</svg>\n"
    )


def _rows(blocks: Sequence[Block]) -> Iterator[list[Part]]:
    """Yield the parts that stand beside each other."""
    first = blocks[0]
    picture = first.shape if isinstance(first, Volume) else first.input
    row: list[Part] = []
    room = WIDTH - 2 * _MARGIN
    for block in blocks:
        part = _box(block, picture) if isinstance(block, Volume) else _module(block)
        if row and sum(each.width + _GAP for each in row) + part.width > room:
            yield row
            row = []
        row.append(part)
    yield row


def _box(volume: Volume, picture: Shape) -> Part:
    shares = face(volume.shape, picture)
    high, wide = max(_SIDE * shares.height, 8), max(_SIDE * shares.width, 8)
    deep = max(_DEEP * shares.depth, 6)
    front, top, side = _COLOURS.get(volume.kind, _PLAIN)
    back = deep / 2  # a box goes twice as far to the right as up
    low = back + high
    marks = [
        _shape(front, (0, back), (wide, back), (wide, low), (0, low)),
        _shape(top, (0, back), (deep, 0), (wide + deep, 0), (wide, back)),
        _shape(side, (wide, back), (wide + deep, 0), (wide + deep, high), (wide, low)),
    ]
    told = [volume.does + (f" ×{volume.times}" if volume.times > 1 else ""), sizes(volume.shape)]
    marks += [_words(0, low + _LINE * i, line) for i, line in enumerate(told, 1)]
    widest = max(wide + deep, *(_wide(line) for line in told))
    return Part(widest, low + _LINE * len(told) + 4, tuple(marks))


def _module(module: Module) -> Part:
    """Return a module: boxes along each branch, lines from where they part to where they meet."""
    times = f" ×{module.times}" if module.times > 1 else ""
    title = f"{module.kind}{times}  {sizes(module.input)} → {sizes(module.output)}"
    pad, gap, tall, step = 6, 14, 22, 32
    widths = [
        sum(_wide(label) + 2 * pad for label in branch) + gap * (len(branch) - 1)
        for branch in module.branches
    ]
    left, right = 24, 24 + 2 * gap + max(widths)
    top, marks = _LINE + 6, [_words(0, _TEXT, title, weight="bold")]
    ends = top + tall / 2, top + tall / 2 + step * (len(widths) - 1)
    middle = sum(ends) / 2
    marks += [_line(left, ends[0], left, ends[1]), _line(right, ends[0], right, ends[1])]
    for number, (branch, long) in enumerate(zip(module.branches, widths, strict=True)):
        y = top + step * number
        marks.append(_line(left, y + tall / 2, right, y + tall / 2))
        x = left + gap + (max(widths) - long) / 2
        for label in branch:
            wide = _wide(label) + 2 * pad
            marks.append(
                f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{tall}" rx="4" '
                f'fill="{_colour(label)}" stroke="#4a5260"/>'
            )
            marks.append(_words(x + pad, y + 15, label))
            x += wide + gap
    marks.append(_line(0, middle, left, middle))
    joined = "+" if module.joined == ADD else module.joined
    wide = _wide(joined) + 2 * pad
    marks.append(_line(right, middle, right + 12, middle))
    marks.append(
        f'<rect x="{right + 12}" y="{middle - tall / 2:g}" width="{wide:g}" height="{tall}" '
        f'rx="11" fill="#ffffff" stroke="#4a5260"/>'
    )
    marks.append(_words(right + 12 + pad, middle + 4, joined))
    return Part(max(right + 12 + wide, _wide(title)), top + step * len(widths), tuple(marks))


def _colour(label: str) -> str:
    """Return the front of what a label names: conv and pool in theirs."""
    kinds = (kind for kind in _COLOURS if kind in label)
    return _COLOURS.get(next(kinds, ""), _PLAIN)[0]


def _shape(fill: str, *corners: tuple[float, float]) -> str:
    points = " ".join(f"{x:.4g},{y:.4g}" for x, y in corners)
    return f'<polygon points="{points}" fill="{fill}" stroke="#4a5260"/>'


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="#4a5260" fill="none"/>'


def _words(x: float, y: float, words: str, weight: str = "normal") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-weight={quoteattr(weight)}>{escape(words)}</text>'


def _wide(words: str) -> float:
    return len(words) * _TEXT * _LETTER
