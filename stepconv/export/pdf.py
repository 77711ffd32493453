"""Figures as pages of a PDF, one a step: `\\includegraphics<3>[page=3]{edge.pdf}` overlays them.

Lines and letters stay what they are at any size. The fonts are those that every reader of PDF has,
so that nothing is embedded: they know Latin letters alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from stepconv.export.figure import Figure
from stepconv.export.looks import Theme
from stepconv.export.strokes import Box, Label, Pixels, Shape, Stroke, strokes, written

# Fonts by weight; Symbol has what the others lack, each sign at a place of its own.
_FONTS = ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique", "Symbol")
_SYMBOL = len(_FONTS) - 1
_SYMBOLS = {"≈": "\xbb", "−": "-", "→": "\xae", "←": "\xac", "Σ": "S", "≤": "\xa3", "π": "p"}
# How wide the signs of numbers are in Helvetica, in parts of their size; others are like digits.
_WIDTHS = {".": 0.278, "-": 0.333, "f": 0.278, "i": 0.222, "·": 0.278}
_DIGIT = 0.556
_ESCAPED = re.compile(r"([\\()])")


def pages(figures: Iterable[Figure], theme: Theme) -> bytes:
    """Return figures as a PDF file, one a page."""
    file = _File()
    for figure in figures:
        file.page(figure, theme)
    return file.content()


class _File:
    """The objects of a PDF file, numbered from 1: first the catalogue and the tree of pages."""

    def __init__(self) -> None:
        self.objects: list[bytes] = [b"", b""]
        self.pages: list[int] = []
        names = [
            self.add(
                f"<< /Type /Font /Subtype /Type1 /BaseFont /{name}"
                + ("" if name == "Symbol" else " /Encoding /WinAnsiEncoding")
                + " >>"
            )
            for name in _FONTS
        ]
        self.fonts = " ".join(f"/F{i} {number} 0 R" for i, number in enumerate(names))

    def add(self, text: str, stream: bytes | None = None) -> int:
        """Add an object, with a stream if it has one, and return its number."""
        content = text.encode("latin-1")
        if stream is not None:
            packed = zlib.compress(stream, 9)
            entries = f"{text} /Filter /FlateDecode /Length {len(packed)}"
            content = f"<< {entries} >>\nstream\n".encode() + packed + b"\nendstream"
        self.objects.append(content)
        return len(self.objects)

    def page(self, figure: Figure, theme: Theme) -> None:
        """Add a page, whose first corner is at the bottom."""
        size = f"{written(figure.width)} {written(figure.height)}"
        drawn = [
            f"{_colour(theme.paper)} rg 0 0 {size} re f",
            f"1 0 0 -1 0 {written(figure.height)} cm",
        ]
        images = []
        for stroke in strokes(figure, theme):
            if isinstance(stroke, Pixels):
                rows, columns = stroke.shape
                entries = f"/Type /XObject /Subtype /Image /Width {columns} /Height {rows}"
                entries += " /ColorSpace /DeviceRGB /BitsPerComponent 8"
                images.append(self.add(entries, stroke.content))
                place = map(
                    written,
                    (stroke.width, 0, 0, -stroke.height, stroke.x, stroke.y + stroke.height),
                )
                drawn.append(f"q {' '.join(place)} cm /I{len(images)} Do Q")
            else:
                drawn.append(_drawn(stroke))
        named = " ".join(f"/I{i} {number} 0 R" for i, number in enumerate(images, 1))
        resources = f"<< /Font << {self.fonts} >> /XObject << {named} >> >>"
        content = self.add("", "\n".join(drawn).encode("latin-1"))
        self.pages.append(
            self.add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] "
                f"/Resources {resources} /Contents {content} 0 R >>"
            )
        )

    def content(self) -> bytes:
        """Return the file."""
        kids = " ".join(f"{number} 0 R" for number in self.pages)
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
        self.objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(self.pages)} >>".encode()
        file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, content in enumerate(self.objects, 1):
            places.append(len(file))
            file += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
        count, start = len(places) + 1, len(file)
        file += f"xref\n0 {count}\n0000000000 65535 f \n".encode()
        file += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
        file += f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
        return bytes(file)


def _drawn(stroke: Stroke) -> str:
    match stroke:
        case Box(x, y, width, height, fill, line):
            path = f"{' '.join(map(written, (x, y, width, height)))} re"
            paint = [f"{_colour(fill)} rg {path} f"] if fill else []
            return " ".join([*paint, *([f"{_colour(line)} RG {path} S"] if line else [])])
        case Shape(points, fill):
            first, *rest = (f"{written(x)} {written(y)}" for x, y in points)
            path = " ".join([f"{first} m", *(f"{point} l" for point in rest)])
            return f"{_colour(fill)} rg {path} h f"
        case Label():
            return _label(stroke)
    raise TypeError(f"{stroke!r} is not drawn here")


def _label(label: Label) -> str:
    """Return the letters upright again, in the fonts that have them."""
    x = label.x
    if label.ends:
        x -= label.size * sum(_WIDTHS.get(sign, _DIGIT) for sign in label.text)
    size = written(label.size)
    shown = [f"BT 1 0 0 -1 {written(x)} {written(label.y)} Tm"]
    for text, seen in label.pieces:
        shown.append(f"{_colour(seen.ink)} rg")
        for signs in re.split(f"([{''.join(_SYMBOLS)}]+)", text):
            symbols = signs[:1] in _SYMBOLS and signs != ""
            font = _SYMBOL if symbols else seen.bold + 2 * seen.italic
            known = "".join(_SYMBOLS[sign] for sign in signs) if symbols else _latin(signs)
            escaped = _ESCAPED.sub(r"\\\1", known)
            shown.append(f"/F{font} {size} Tf ({escaped}) Tj" if signs else "")
    return " ".join([*filter(None, shown), "ET"])


def _latin(text: str) -> str:
    """Return a text in the signs that the fonts have, as Latin-1 would write them."""
    return text.replace("⁻¹", "^-1").encode("cp1252", "replace").decode("latin-1")


def _colour(colour: str | None) -> str:
    """Return #rrggbb as three parts of 1."""
    value = int((colour or "#000000")[1:], 16)
    return " ".join(written((value >> shift & 255) / 255, 3) for shift in (16, 8, 0))
