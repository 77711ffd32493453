"""What keys do while an algorithm is stepped through: where one stands, and whether it plays."""

from __future__ import annotations

from collections.abc import Sequence

from stepconv.player.playback import SPEEDS
from stepconv.player.stepped.pages import Page


class Playback:
    """One page of several, and whether the next ones follow by themselves.

    >>> from stepconv.player.stepped.pages import pages
    >>> playback = Playback(pages([], []))
    >>> playback.move(1)
    >>> playback.number, playback.page.title
    (0, 'side by side')
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        self.number = 0
        self.playing = False
        self.speed = 1.0
        self.view = ""

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self.pages[self.number]

    def move(self, by: int) -> None:
        """Go some steps on, or back."""
        self.playing = False
        self.go(self.number + by)

    def go(self, number: int) -> None:
        """Go to a page."""
        self.number = min(max(number, 0), len(self.pages) - 1)

    def go_to_end(self, which: int) -> None:
        """Go to the first page, or to the last."""
        self.playing = False
        self.go(which * (len(self.pages) - 1))

    def toggle_playing(self) -> None:
        """Play or pause; from the last page all begins anew."""
        self.playing = not self.playing
        if self.playing and self.number == len(self.pages) - 1:
            self.number = 0

    def change_speed(self, by: int) -> None:
        """Play faster or slower."""
        place = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self.speed = SPEEDS[place]

    def tick(self) -> None:
        """Play one step on, to the table at most."""
        self.go(self.number + 1)
        self.playing = self.number < len(self.pages) - 1

    def look(self, view: str) -> None:
        """Open the page of keys, or close it."""
        self.view = "" if self.view == view else view
