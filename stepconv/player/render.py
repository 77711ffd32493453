"""Give the roles of a screen their looks: the one place of the player that knows colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from stepconv.player.text import layout
from stepconv.player.text.lines import Line, Piece

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.player.frame.frames import Frame
    from stepconv.player.text.head_and_foot import Status

# Blue and orange are told apart by nearly everybody, on dark screens and on light ones.
_STYLES = {
    "title": "bold",
    "window": "bold #ffffff on #0b5fd8",
    "window padding": "#b8cdf5 on #0b5fd8",
    "result": "bold #000000 on #ff9a1f",
    "result-text": "bold #ff9a1f",
    "winner": "bold #000000 on #ff9a1f",
    "padding": "dim italic",
    "unknown": "dim",
    "unread": "dim strike",
    "break": "bold #ff9a1f",
    "large": "bold #5a9bff",
    # Behind a number: gray, or blue below zero and orange above, as pictures have them.
    "gray 0": "#d8d8d8 on #000000",
    "gray 1": "#e8e8e8 on #404040",
    "gray 2": "#ffffff on #6a6a6a",
    "gray 3": "#000000 on #b4b4b4",
    "gray 4": "#000000 on #ffffff",
    "tone -4": "#000000 on #409cff",
    "tone -3": "#ffffff on #3075bf",
    "tone -2": "#ffffff on #204e80",
    "tone -1": "#e8e8e8 on #102740",
    "tone 0": "#d8d8d8 on #000000",
    "tone 1": "#e8e8e8 on #402508",
    "tone 2": "#ffffff on #804b10",
    "tone 3": "#000000 on #bf7018",
    "tone 4": "#000000 on #ff9620",
    "heat 0": "#ffffff on #10233f",
    "heat 1": "#ffffff on #17396b",
    "heat 2": "#ffffff on #1d4f96",
    "heat 3": "#ffffff on #2a68bd",
    "heat 4": "#ffffff on #3d82dd",
    # Okabe and Ito's colours, made for colour-blind eyes.
    "worker 0": "#56b4e9",
    "worker 1": "#e69f00",
    "worker 2": "#009e73",
    "worker 3": "#f0e442",
    "worker 4": "#cc79a7",
    "worker 5": "#d55e00",
    "muted": "dim",
    "arrow": "bold #ff9a1f",
    "bar": "#0b5fd8",
    "key": "bold #5a9bff",
    "state": "bold",
    "message": "bold #ff9a1f",
    "note": "italic dim",
}
# What is too pale on a light screen.
_ON_LIGHT = {
    "result-text": "bold #b85c00",
    "arrow": "bold #b85c00",
    "break": "bold #b85c00",
    "message": "bold #b85c00",
    "key": "bold #0b4fb8",
    "large": "bold #0b4fb8",
    "worker 0": "#1f78b4",
    "worker 1": "#b87a00",
    "worker 2": "#007a59",
    "worker 3": "#8a8000",
    "worker 4": "#a8508a",
}
ROLES = frozenset(_STYLES)
# From dark to light, for a terminal without colours, and for one that knows ASCII alone.
SHADES, ASCII_SHADES = " ░▒▓█", " .:*#"


def shows_pictures(console: Console) -> bool:
    """Tell whether a console has colours enough for pictures; with sixteen, shades tell more."""
    return not console.no_color and console.color_system in ("256", "truecolor")


def screen(
    frame: Frame,
    width: int,
    height: int | None = None,
    status: Status | None = None,
    *,
    colour: bool = True,
) -> Text:
    """Return a frame as Rich text of at most so many columns and lines.

    Without a height it takes the lines that it needs; without colour pictures are shaded.
    """
    return text(layout.screen(frame, width, height, status), colour=colour)


def text(lines: list[Line], *, colour: bool = True, shades: str = SHADES) -> Text:
    """Return lines as Rich text."""
    drawn = Text(no_wrap=True, overflow="crop", end="")
    for number, line in enumerate(lines):
        if number:
            drawn.append("\n")
        for piece in line:
            if piece.role.startswith("#") and not colour:
                drawn.append(shade(piece, shades))
            else:
                drawn.append(piece.text, style(piece.role))
    return drawn


@lru_cache(maxsize=1 << 14)
def style(role: str, *, light: bool = False) -> Style:
    """Return how a role looks, on a dark or a light screen; a colour is a role of its own."""
    if light and role in _ON_LIGHT:
        return Style.parse(_ON_LIGHT[role])
    if role.startswith("#"):
        return Style.parse(role)
    return Style.parse(_STYLES.get(role, "")) if role else Style.null()


def shade(piece: Piece, shades: str = SHADES) -> str:
    """Return a piece of a picture for a terminal without colours: the denser, the brighter."""
    return _shade(piece.role, shades) * len(piece.text)


@lru_cache(maxsize=1 << 14)
def _shade(role: str, shades: str) -> str:
    tones = []
    for colour in role.split(" on "):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        tones.append(0.3 * red + 0.59 * green + 0.11 * blue)
    return shades[min(int(sum(tones) / len(tones) / 256 * len(shades)), len(shades) - 1)]
