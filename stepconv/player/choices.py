"""What there is to play, as a list to choose from: plain data, filtered by what is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import StepconvError
from stepconv.player.frame.film import Film
from stepconv.player.frame.formats import format_of, plain
from stepconv.player.frame.frames import frame
from stepconv.player.frame.grid import Grid, sheet_of
from stepconv.player.text import layout, panels
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    beside,
    block,
    clipped,
    clipped_line,
    text_block,
    wrapped,
)
from stepconv.trace import Trace

# A list this wide names its entries; what is left is for the preview.
_LIST, _LEAST_PREVIEW = 30, 24
_HINT = 'type to search, or anything of yours: "1 2; 3 4" --kernel "1 -1"'
_KEYS = "↑↓ choose  enter play  esc leave"


class Choice(NamedTuple):
    """Something to play: its theme, its name, what it is, and what one would type to play it."""

    theme: str
    name: str
    told: str
    command: str


class Choices:
    """The state of a chooser, and what keys do to it.

    `preview` gives the record or the picture that a choice is about; None if it has no picture.
    """

    def __init__(
        self,
        every: Sequence[Choice],
        preview: Callable[[Choice], Trace | NDArray[Any] | None],
        typed: str = "",
        message: str = "",
    ) -> None:
        self.every, self.preview = every, preview
        self.typed, self.message = typed, message
        self.selected = 0

    @property
    def found(self) -> list[Choice]:
        """The choices that hold every word that is typed."""
        words = self.typed.lower().split()
        return [
            each for each in self.every if all(word in " ".join(each[:3]).lower() for word in words)
        ]

    @property
    def answer(self) -> str:
        """What is to be played: the selected choice, or what is typed if that finds none."""
        found = self.found
        return found[self.selected].command if found else self.typed.strip()

    def move(self, by: int) -> None:
        """Select a choice further down or up."""
        self.selected = min(max(self.selected + by, 0), max(len(self.found) - 1, 0))

    def write(self, text: str) -> None:
        """Type something; an empty text takes the last character back."""
        self.typed = self.typed + text if text else self.typed[:-1]
        self.selected, self.message = 0, ""

    def clear(self) -> None:
        """Take all back that is typed."""
        self.typed = ""
        self.write("")

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the screen: what is typed, the list, and a preview of the selected choice."""
        said = Piece(f" {self.message}", "message") if self.message else Piece(f" {_HINT}", "muted")
        top: list[Line] = [(Piece(" play: ", "title"), Piece(f"{self.typed}▏")), (said,), ()]
        room = height - len(top) - 1
        has_preview = width >= _LIST + _LEAST_PREVIEW
        listed = self._list(min(_LIST, width) if has_preview else width, room)
        if has_preview:
            listed = beside(listed, self._preview(width - _LIST - 2, room))
        lines = [*top, *listed.lines[:room]]
        lines += [()] * (height - 1 - len(lines)) + [(Piece(f" {_KEYS}", "key"),)]
        return [clipped_line(line, width) for line in lines][:height]

    def _list(self, width: int, height: int) -> Block:
        lines: list[Line] = []
        here, theme = 0, ""
        for number, each in enumerate(self.found):
            if each.theme != theme:
                theme = each.theme
                lines.append((Piece(f" {theme}", "title"),))
            chosen = number == self.selected
            here = len(lines) if chosen else here
            mark = " ▸ " if chosen else "   "
            name = clipped(f"{mark}{plain(each.name)}", width).ljust(width)
            lines.append((Piece(name, "window" if chosen else "", Spot("choice", number)),))
        if not lines:
            return text_block(" enter plays what is typed", role="muted")
        start = min(max(here - height // 2, 0), max(len(lines) - height, 0))
        return Block(tuple(lines[start : start + height]), width)

    def _preview(self, width: int, height: int) -> Block:
        found = self.found
        if not found:
            return Block()
        choice = found[self.selected]
        try:
            seen = self.preview(choice)
        except (StepconvError, OSError) as error:
            return wrapped(plain(str(error)), width, "message")
        told = wrapped(plain(choice.told), width, "note")
        room = height - told.height - 1
        if isinstance(seen, Trace) and len(seen):
            drawn = layout.screen(frame(Film(seen), 0), width, room)
            return block([*told.lines, (), *drawn])
        if isinstance(seen, np.ndarray):
            grid = Grid("source", "", sheet_of(seen, format_of(seen)))
            return block([*told.lines, *panels.part(grid, width, room)[1].lines])
        return told
