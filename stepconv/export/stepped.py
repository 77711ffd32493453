"""The pages of an algorithm as figures: words, arrays side by side, counts; the table of all ways.

They stand below each other as on the player's screen, in one size for all pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from stepconv.export import figure
from stepconv.export.figure import (
    ADVANCE,
    CELL,
    GAP,
    HEAD,
    LINE,
    MARGIN,
    NARROWEST,
    WIDEST,
    Cell,
    Figure,
    Panel,
    Part,
    Table,
)
from stepconv.player.stepped import lines, screen, table
from stepconv.player.stepped.pages import Page
from stepconv.player.text.lines import Block, Line, above, clipped, wrapped

# How far a name, and a number, of the table of all ways are from the rim of their cell.
_INSET = 10


@dataclass(frozen=True)
class PageShot:
    """A page of an algorithm, as what a film or a recording is made of."""

    page: Page

    @property
    def spoken(self) -> str:
        """The page as sentences for those who listen."""
        return self.page.spoken

    @property
    def marker(self) -> str:
        """Which page this is, as a recording marks it."""
        page = self.page
        return f"{page.algorithm} · step {page.number} of {page.steps} · {page.title}"

    def screen(self, width: int, height: int) -> list[Line]:
        """Return the page as a terminal of this size shows it."""
        return screen.lines(self.page, width, height)


class PageReel(list[PageShot]):
    """Pages of an algorithm, and figures of them that are all of one size.

    >>> from stepconv.player.stepped.pages import pages
    >>> reel = PageReel(pages([], []), "An edge")
    >>> reel.figure(reel[0]).title
    'all that suit · step 0 of 1 · side by side'
    """

    def __init__(self, pages: Iterable[Page], title: str) -> None:
        super().__init__(map(PageShot, pages))
        self.title = title

    @cached_property
    def width(self) -> float:
        """The width between the margins: arrays stand side by side as far as a page is wide."""
        needed: list[float] = [NARROWEST]
        for shot in self:
            panels = [figure.panel(grid) for grid in shot.page.grids]
            abreast = sum(panel.width + 2 * GAP for panel in panels) - 2 * GAP
            needed += [min(abreast, WIDEST), *(panel.width for panel in panels)]
        return max(needed)

    @cached_property
    def size(self) -> tuple[float, float]:
        """The width and height that every page has room in."""
        return self.width + 2 * MARGIN, max(self._laid(shot.page)[0] for shot in self) + MARGIN

    def figure(self, shot: PageShot) -> Figure:
        """Return the figure of one of the pages."""
        width, height = self.size
        room = figure.title_room(width)
        head = figure.heading_of(clipped(shot.marker, room))
        under = figure.subheading_of(clipped(self.title, room))
        return Figure(width, height, head, shot.spoken, (under, *self._laid(shot.page)[1]))

    def _laid(self, page: Page) -> tuple[float, list[Part]]:
        """Return the parts of a page at their places, and how far down they reach."""
        room = int(self.width / ADVANCE)
        y: float = MARGIN + HEAD
        parts: list[Part]
        if page.step is None:
            parts = [_table(page, y)]
            y += (1 + len(page.rows)) * CELL
            below = above(*(wrapped(note, room, "muted") for note in table.notes(page.rows)), gap=1)
        else:
            step = page.step
            told = above(wrapped(step.words, room), wrapped(step.formula, room, "title"))
            y, parts = _written(told, y)
            for row in _rows(list(map(figure.panel, page.grids)), self.width):
                x: float = MARGIN
                y += GAP
                for panel in row:
                    parts += panel.at(x, y)
                    x += panel.width + 2 * GAP
                y += max(panel.height for panel in row)
            below = lines.counted(step.counts, room)
        y, last = _written(below, y + GAP)
        return y, parts + last


def _written(block: Block, y: float) -> tuple[float, list[Part]]:
    """Return lines as words from a height on, and where they end."""
    parts = [
        part
        for number, line in enumerate(block.lines)
        for part in figure.words(line, y + (number + 0.5) * LINE)
    ]
    return y + block.height * LINE, parts


def _rows(panels: Sequence[Panel], width: float) -> Iterator[list[Panel]]:
    """Yield panels side by side, as many as a line has room for."""
    row: list[Panel] = []
    for panel in panels:
        taken = sum(each.width + 2 * GAP for each in row)
        if row and taken + panel.width > width:
            yield row
            row = []
        row.append(panel)
    if row:
        yield row


def _table(page: Page, y: float) -> Table:
    """Return the table of all ways, each column as wide as what stands in it."""
    texts = table.cells(page.rows)
    wide = (max(map(len, column)) * ADVANCE + 2 * _INSET for column in zip(*texts, strict=True))
    rows = tuple(
        tuple(Cell(text, "" if number else "title", at == 0) for at, text in enumerate(row))
        for number, row in enumerate(texts)
    )
    return Table(MARGIN, y, (0, CELL), rows, _INSET, tuple(wide))
