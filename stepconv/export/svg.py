"""A step as SVG, or steps as SVG that moves: attributes alone, for slides know no style sheets.

What all steps share is drawn once. The rest is in groups of what is seen in the same steps, hidden
and shown by animation; who knows no animation shows the first step.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable
from html import escape

from stepconv.export.figure import Figure
from stepconv.export.looks import Theme
from stepconv.export.strokes import LAYERS, Box, Label, Pixels, Stroke, strokes, written

# Slides know pictures inside a picture by the older name of their attribute alone.
_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
# No font is loaded: what is there.
_FONTS = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def picture(figures: Iterable[Figure], theme: Theme, *, width: int | None, fps: float) -> bytes:
    """Return figures of one size as the content of a file: moving, if there are several."""
    seen: dict[Stroke, list[int]] = {}
    first, *others = figures
    for step, figure in enumerate((first, *others)):
        for stroke in dict.fromkeys(strokes(figure, theme)):
            seen.setdefault(stroke, []).append(step)
    count = 1 + len(others)
    told = first.spoken if count == 1 else f"{count} steps, the first of them {first.spoken}"
    size = _attributes(width=width or first.width, height=_height(first, width))
    view = f"0 0 {written(first.width)} {written(first.height)}"
    lines = [
        f'<svg {_NAMESPACES} viewBox="{view}"{size} role="img">',
        f"<title>{escape(first.title)}</title>",
        f"<desc>{escape(told)}</desc>",
        f'<rect width="100%" height="100%" fill="{theme.paper}"/>',
    ]
    groups: dict[tuple[int, bool, tuple[int, ...]], list[str]] = {}
    for stroke, steps in seen.items():
        group = LAYERS.index(type(stroke)), len(steps) < count, tuple(steps)
        groups.setdefault(group, []).append(_drawn(stroke))
    # Sorting keeps the order of what is in one layer.
    for (_, moves, when), drawn in sorted(groups.items(), key=lambda group: group[0][:2]):
        hidden = "" if when[0] == 0 else ' visibility="hidden"'
        blinking = [f"<g{hidden}>", *drawn, _blinking(when, count, fps), "</g>"]
        lines += blinking if moves else drawn
    return "\n".join([*lines, "</svg>", ""]).encode()


def _height(figure: Figure, width: int | None) -> float:
    return figure.height if width is None else figure.height * width / figure.width


def _blinking(steps: tuple[int, ...], count: int, fps: float) -> str:
    """Return the animation of what is seen in these of so many steps."""
    shown = set(steps)
    turns = [i for i in range(count) if i == 0 or (i in shown) != (i - 1 in shown)]
    values = ";".join("visible" if i in shown else "hidden" for i in turns)
    times = ";".join(written(i / count, 6) for i in turns)
    return (
        f'<animate attributeName="visibility" calcMode="discrete" values="{values}" '
        f'keyTimes="{times}" dur="{written(count / fps, 3)}s" repeatCount="indefinite"/>'
    )


def _drawn(stroke: Stroke) -> str:
    if isinstance(stroke, Label):
        return _label(stroke)
    if isinstance(stroke, Box):
        place = _attributes(x=stroke.x, y=stroke.y, width=stroke.width, height=stroke.height)
        line = f' stroke="{stroke.line}"' if stroke.line else ""
        return f'<rect{place} fill="{stroke.fill or "none"}"{line}/>'
    if isinstance(stroke, Pixels):
        place = _attributes(x=stroke.x, y=stroke.y, width=stroke.width, height=stroke.height)
        data = b64encode(png(stroke.shape, stroke.content)).decode()
        return (
            f'<image{place} preserveAspectRatio="none" image-rendering="pixelated" '
            f'xlink:href="data:image/png;base64,{data}"/>'
        )
    points = " ".join(f"{written(x)},{written(y)}" for x, y in stroke.points)
    return f'<polygon points="{points}" fill="{stroke.fill}"/>'


def _label(label: Label) -> str:
    place = _attributes(x=label.x, y=label.y)
    anchor = ' text-anchor="end"' if label.ends else ""
    font = f' font-family="{_FONTS}" font-size="{written(label.size)}"'
    spans = []
    for text, seen in label.pieces:
        bold = ' font-weight="bold"' if seen.bold else ""
        italic = ' font-style="italic"' if seen.italic else ""
        spans.append((f' fill="{seen.ink}"{bold}{italic}', escape(text)))
    if len(spans) == 1:
        ((own, text),) = spans
        return f"<text{place}{anchor}{font}{own}>{text}</text>"
    inner = "".join(f"<tspan{own}>{text}</tspan>" for own, text in spans)
    return f'<text{place}{anchor}{font} xml:space="preserve">{inner}</text>'


def png(shape: tuple[int, int], content: bytes) -> bytes:
    """Return rows of red, green and blue as a PNG file."""
    rows, columns = shape
    length = 3 * columns
    lines = b"".join(b"\0" + content[i * length : (i + 1) * length] for i in range(rows))
    chunks = [
        (b"IHDR", struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _attributes(**numbers: float) -> str:
    return "".join(f' {name}="{written(value)}"' for name, value in numbers.items())
