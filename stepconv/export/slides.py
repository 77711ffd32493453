"""Figures as slides: tables and shapes that a lecturer can edit, the spoken sentence as the notes.

Needs python-pptx.
"""

from __future__ import annotations

import io
import platform
from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np
import pptx
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Length, Pt

from stepconv import __version__
from stepconv.export.figure import SIZE, Arrow, Cell, Figure, Picture, Rule, Table, Words
from stepconv.export.looks import LIGHT, look
from stepconv.export.svg import png

# A slide of 16:9 in points, and the rim that stays free.
_WIDTH, _HEIGHT, _RIM = 960, 540, 12
# Layouts of the template: a title slide, and a slide with a title alone.
_FIRST, _OTHER = 0, 5
# The sides of a cell, each with a line.
_SIDES = ("lnL", "lnR", "lnT", "lnB")


def deck(figures: Iterable[Figure], title: str, told: tuple[str, ...]) -> bytes:
    """Return a file of slides, one a figure, after a title slide with what is told there."""
    presentation = pptx.Presentation()
    presentation.slide_width, presentation.slide_height = Pt(_WIDTH), Pt(_HEIGHT)
    first = presentation.slides.add_slide(presentation.slide_layouts[_FIRST])
    _Slide(first, 1, 0, 0).title(title, (*told, versions()))
    for figure in figures:
        slide = presentation.slides.add_slide(presentation.slide_layouts[_OTHER])
        scale = min((_WIDTH - 2 * _RIM) / figure.width, (_HEIGHT - 2 * _RIM) / figure.height)
        left, top = _WIDTH - scale * figure.width, _HEIGHT - scale * figure.height
        _Slide(slide, scale, left / 2, top / 2).draw(figure)
        slide.notes_slide.notes_text_frame.text = figure.spoken
    presentation.core_properties.title = title
    presentation.core_properties.author = f"stepconv {__version__}"
    file = io.BytesIO()
    presentation.save(file)
    return file.getvalue()


def versions() -> str:
    """Return what the slides were made with."""
    python = platform.python_version()
    return (
        f"stepconv {__version__}, NumPy {np.__version__}, python-pptx {pptx.__version__}, "
        f"Python {python}"
    )


class _Slide:
    """A slide that is drawn on: so many points for each unit of a figure, from a corner on."""

    def __init__(self, slide: Any, scale: float, left: float, top: float) -> None:
        self.shapes = slide.shapes
        self.scale, self.left, self.top = scale, left, top

    def draw(self, figure: Figure) -> None:
        """Draw the parts of a figure; its head is the slide's title."""
        self.line(figure.head, figure.width, self.shapes.title)
        for part in figure.parts:
            match part:
                case Table():
                    self.table(part)
                case Picture():
                    self.picture(part)
                case Words():
                    self.line(part, figure.width, self.shapes.add_textbox(0, 0, 0, 0))
                case Arrow(x, y, length, back):
                    kind = MSO_SHAPE.LEFT_ARROW if back else MSO_SHAPE.RIGHT_ARROW
                    shape = self.shapes.add_shape(kind, *self.box(x, y - 7, length, 14))
                    self.paint(shape, look("arrow", LIGHT).ink)
                case Rule(x, y, length):
                    shape = self.shapes.add_shape(MSO_SHAPE.RECTANGLE, *self.box(x, y, length, 1))
                    self.paint(shape, LIGHT.faint)

    def title(self, title: str, told: tuple[str, ...]) -> None:
        """Fill a title slide: a title, and below it what is told."""
        below = self.shapes.placeholders[1]
        for shape, top, size in ((self.shapes.title, 150, 36), (below, 270, 18)):
            self.place(shape, 60, top, _WIDTH - 120, 110)
            frame = shape.text_frame
            frame.word_wrap = True
            frame.vertical_anchor = MSO_ANCHOR.TOP if size == 18 else MSO_ANCHOR.BOTTOM
        self.run(self.shapes.title.text_frame.paragraphs[0], title, "title", 36)
        for number, line in enumerate(filter(None, told)):
            frame = below.text_frame
            self.run(frame.add_paragraph() if number else frame.paragraphs[0], line, "muted", 18)

    def table(self, table: Table) -> None:
        """Add a table whose cells hold the numbers."""
        if not table.widths:
            return
        box = self.box(table.x, table.y, *table.size)
        made = self.shapes.add_table(1, len(table.widths), *box).table._tbl
        made.tblPr.attrib.clear()
        del made.tblPr[:]
        for column, width in zip(made.tblGrid, table.widths, strict=True):
            column.set("w", str(self.length(width)))
        made.remove(made.tr_lst[0])
        for cells in table.rows:
            # Written as XML: cell by cell python-pptx would take minutes for a long film.
            shown = "".join(self.cell(cell, table.inset) for cell in cells)
            high = self.length(table.cell[1])
            made.append(parse_xml(f'<a:tr {nsdecls("a")} h="{high}">{shown}</a:tr>'))

    def cell(self, cell: Cell, inset: float) -> str:
        """Return the XML of one cell."""
        seen = look(cell.role, LIGHT)
        size = f'sz="{round(SIZE * self.scale * 100)}" b="{seen.bold:d}" i="{seen.italic:d}"'
        size += ' strike="sngStrike"' * seen.struck
        text = f"<a:r><a:rPr {size}>{_filled(seen.ink)}</a:rPr><a:t>{escape(cell.text)}</a:t></a:r>"
        paper = _filled(seen.paper or LIGHT.paper)
        lines = "".join(f'<a:{side} w="6350">{_filled(LIGHT.line)}</a:{side}>' for side in _SIDES)
        rim = self.length(min(inset, 6))
        side, left, right = ("l", rim, 0) if cell.is_name else ("r", 0, rim)
        margins = f'marL="{left}" marR="{right}" marT="0" marB="0"'
        return (
            f'<a:tc><a:txBody><a:bodyPr/><a:p><a:pPr algn="{side}"/>'
            f"{text if cell.text else f'<a:endParaRPr {size}/>'}</a:p></a:txBody>"
            f'<a:tcPr {margins} anchor="ctr">{lines}{paper}</a:tcPr></a:tc>'
        )

    def picture(self, picture: Picture) -> None:
        """Add pixels, and a frame round what is marked."""
        content = io.BytesIO(png(picture.shape, picture.pixels))
        self.shapes.add_picture(content, *self.box(picture.x, picture.y, *picture.size))
        if picture.marked is not None:
            left, top, *size = picture.marked
            box = self.box(picture.x + left, picture.y + top, *size)
            shape = self.shapes.add_shape(MSO_SHAPE.RECTANGLE, *box)
            shape.fill.background()
            shape.shadow.inherit = False
            shape.line.color.rgb = _rgb(look(picture.role, LIGHT).paper or LIGHT.ink)
            shape.line.width = Pt(2)

    def line(self, words: Words, width: float, shape: Any) -> None:
        """Write a line of words into a shape."""
        self.place(shape, words.x, words.y - words.size * 0.7, width - words.x, words.size * 1.4)
        frame = shape.text_frame
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.word_wrap, frame.auto_size = False, MSO_AUTO_SIZE.NONE
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        for text, role, _ in words.pieces:
            self.run(frame.paragraphs[0], text, role, words.size)

    def place(self, shape: Any, x: float, y: float, width: float, height: float) -> None:
        """Move a shape."""
        shape.left, shape.top, shape.width, shape.height = self.box(x, y, width, height)

    def run(self, paragraph: Any, text: str, role: str, size: float) -> None:
        """Add words of one look to a line."""
        seen = look(role, LIGHT)
        paragraph.alignment = PP_ALIGN.LEFT
        run = paragraph.add_run()
        run.text = text
        run.font.size = Pt(round(size * self.scale, 1))
        run.font.bold, run.font.italic = seen.bold, seen.italic
        run.font.color.rgb = _rgb(seen.ink)

    def paint(self, shape: Any, colour: str) -> None:
        """Fill a shape, without a line round it or a shadow."""
        shape.shadow.inherit = False
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(colour)
        shape.line.fill.background()

    def box(
        self, x: float, y: float, width: float, height: float
    ) -> tuple[Length, Length, Length, Length]:
        """Return a place and a size on the slide."""
        return (
            Pt(self.left + x * self.scale),
            Pt(self.top + y * self.scale),
            self.length(width),
            self.length(height),
        )

    def length(self, units: float) -> Length:
        """Return a length on the slide."""
        return Pt(units * self.scale)


def _filled(colour: str) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour[1:]}"/></a:solidFill>'


def _rgb(colour: str) -> RGBColor:
    return RGBColor(*bytes.fromhex(colour[1:]))  # type: ignore[no-untyped-call]
