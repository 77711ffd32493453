"""What roles look like on paper: the player's own colours, on white or on black."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from stepconv.player import render


class Look(NamedTuple):
    """Ink and paper as #rrggbb, paper only where it is not that of the page."""

    ink: str
    paper: str | None = None
    bold: bool = False
    italic: bool = False
    struck: bool = False


class Theme(NamedTuple):
    """The colours of a page: its paper, its ink, fainter ink, lines, and cells of the padding."""

    paper: str
    ink: str
    faint: str
    line: str
    padding: str


LIGHT = Theme("#ffffff", "#1c1f24", "#6b7280", "#c9ced6", "#f1f3f6")
DARK = Theme("#11151b", "#e8eaee", "#98a1ae", "#3a424e", "#1b212a")


@lru_cache(maxsize=4096)
def look(role: str, theme: Theme) -> Look:
    """Return how a role is drawn.

    >>> look("result", LIGHT)
    Look(ink='#000000', paper='#ff9a1f', bold=True, italic=False, struck=False)
    """
    style = render.style(role, light=theme is LIGHT)
    ink = theme.faint if style.dim else theme.ink
    if style.color is not None:
        ink = style.color.get_truecolor().hex
    paper = None if style.bgcolor is None else style.bgcolor.get_truecolor().hex
    if role == "padding":
        paper = theme.padding
    return Look(ink, paper, bool(style.bold), bool(style.italic), bool(style.strike))
