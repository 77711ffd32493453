"""Reel: the steps that are exported, of a call or of the links of a chain, drawn in one size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from stepconv.export.figure import Figure, figure, height_of, size_of, told
from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import Frame, frame
from stepconv.player.text import layout
from stepconv.player.text.lines import Line


@dataclass(frozen=True)
class Shot:
    """One step: of which film, and the sentence about the link that this is."""

    film: Film
    index: int
    heading: str = ""

    @property
    def frame(self) -> Frame:
        """The step as plain data."""
        return frame(self.film, self.index)

    @property
    def spoken(self) -> str:
        """The step as a sentence for those who listen."""
        return self.film.trace.step(self.index).in_words()

    @property
    def marker(self) -> str:
        """Which step this is, as a recording marks it."""
        frame = self.frame
        where = f"step {frame.number} of {frame.steps}, {frame.place}"
        return ": ".join(filter(None, [self.heading, where]))

    def screen(self, width: int, height: int) -> list[Line]:
        """Return the step as a terminal of this size shows it."""
        return layout.screen(self.frame, width, height)


class Reel(list[Shot]):
    """Shots, and figures of them that are all of one size.

    >>> import stepconv
    >>> film = Film(stepconv.record(stepconv.relu, [1, -1]))
    >>> reel = Reel([Shot(film, 0), Shot(film, 1)])
    >>> [reel.figure(shot).spoken for shot in reel][1]
    'step 1 of 2, cell 1: max(0, -1) = 0'
    """

    @cached_property
    def size(self) -> tuple[float, float]:
        """The width and height that every step has room in."""
        firsts = {id(shot.film): shot for shot in reversed(self)}
        sizes = [size_of(shot.frame) for shot in firsts.values()]
        width = max(width for width, _ in sizes)
        lines = max(len(told(shot.frame, width)) for shot in self)
        return width, max(height for _, height in sizes) + height_of(lines)

    def figure(self, shot: Shot) -> Figure:
        """Return the figure of one of the shots."""
        return figure(shot.frame, shot.spoken, self.size, shot.heading)
