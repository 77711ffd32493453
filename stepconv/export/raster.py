"""Figures drawn in pixels: a picture as PNG, a film as GIF or as PNG that moves. Needs Pillow."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from stepconv.export.figure import Figure
from stepconv.export.looks import Theme
from stepconv.export.strokes import Box, Label, Pixels, Shape, Stroke, strokes

# Fonts of the system that have every sign; Pillow's own, which is always there, has not.
_FONTS = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("Arial.ttf", "Arial Bold.ttf"),
    ("arial.ttf", "arialbd.ttf"),
)
# What stands for signs that a font lacks.
SPELLED = {"≈": "~", "×": "x", "−": "-", "–": "-", "→": "->", "←": "<-", "Σ": "sum", "²": "^2"}
SPELLED.update({"π": "pi", "⁻": "^-", "µ": "u"})
# How the colours of a GIF are chosen: others take longer than all the drawing.
_QUICK = Image.Quantize.FASTOCTREE


def film(
    figures: Iterable[Figure], kind: str, theme: Theme, *, width: int | None, fps: float
) -> bytes:
    """Return figures of one size as a file of a kind, PNG or GIF: a film, if there are several."""
    drawn = _pictures(figures, theme, width)
    if kind == "GIF":
        drawn = (image.quantize(method=_QUICK, dither=Image.Dither.NONE) for image in drawn)
    first, *rest = drawn
    moving = {"save_all": True, "append_images": rest, "duration": round(1000 / fps), "loop": 0}
    file = io.BytesIO()
    first.save(file, kind, **(moving if rest else {}))
    return file.getvalue()


def _pictures(figures: Iterable[Figure], theme: Theme, width: int | None) -> Iterator[Image.Image]:
    for figure in figures:
        scale = 1 if width is None else width / figure.width
        size = round(figure.width * scale), max(round(figure.height * scale), 1)
        image = Image.new("RGB", size, theme.paper)
        draw = ImageDraw.Draw(image)
        for stroke in strokes(figure, theme):
            _draw(image, draw, stroke, scale)
        yield image


def _draw(image: Image.Image, draw: ImageDraw.ImageDraw, stroke: Stroke, scale: float) -> None:
    match stroke:
        case Box(x, y, width, height, fill, line):
            corners = [round(at * scale) for at in (x, y, x + width, y + height)]
            if line is None:  # a line by itself is never thinner than a pixel
                corners[3] = corners[1]
            draw.rectangle(corners, fill=fill, outline=line)
        case Pixels(x, y, width, height, (rows, columns), content):
            pixels = Image.frombytes("RGB", (columns, rows), content)
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            place = round(x * scale), round(y * scale)
            image.paste(pixels.resize(size, Image.Resampling.NEAREST), place)
        case Shape(points, fill):
            draw.polygon([(x * scale, y * scale) for x, y in points], fill=fill)
        case Label():
            _write(draw, stroke, scale)


def _write(draw: ImageDraw.ImageDraw, label: Label, scale: float) -> None:
    x, y = label.x * scale, label.y * scale
    for text, seen in label.pieces:
        font, spell = _font(max(label.size * scale, 1), seen.bold)
        text = spelled(text) if spell else text
        draw.text((x, y), text, seen.ink, font, "rs" if label.ends else "ls")
        x += font.getlength(text)


def spelled(text: str) -> str:
    """Return a text in the signs that every font has.

    >>> spelled("1/3 ≈ 0.333 · Füße")
    '1/3 ~ 0.333 · Fu?e'
    """
    told = "".join(SPELLED.get(sign, sign) for sign in text)
    plain = (s for s in unicodedata.normalize("NFKD", told) if not unicodedata.combining(s))
    return "".join(sign if sign.isascii() or sign in "·…" else "?" for sign in plain)


@lru_cache(maxsize=32)
def _font(size: float, bold: bool) -> tuple[Any, bool]:
    """Return a font, and whether it lacks signs."""
    for names in _FONTS:
        try:
            return ImageFont.truetype(names[bold], size), False
        except OSError:
            continue
    return ImageFont.load_default(size), True
