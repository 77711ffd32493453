"""What keys do while an algorithm is stepped through: where one stands, and whether it plays."""

from __future__ import annotations

from collections.abc import Sequence

from stepconv.algorithms import Row, Step
from stepconv.player.playback import SPEEDS


class Playback:
    """The steps of algorithms, each with a title, and behind them the table as the last page.

    >>> playback = Playback([], [])
    >>> playback.move(1)
    >>> playback.number, playback.steps
    (0, 1)
    """

    def __init__(self, steps: Sequence[tuple[str, Step]], rows: Sequence[Row]) -> None:
        self.every = steps
        self.rows = rows
        self.number = 0
        self.playing = False
        self.speed = 1.0
        self.view = ""

    @property
    def steps(self) -> int:
        """How many pages there are, the table among them."""
        return len(self.every) + 1

    @property
    def step(self) -> Step | None:
        """The step that is shown; None where that is the table."""
        return self.every[self.number][1] if self.number < len(self.every) else None

    @property
    def title(self) -> str:
        """The algorithm whose step is shown."""
        return self.every[self.number][0] if self.number < len(self.every) else "all that suit"

    def move(self, by: int) -> None:
        """Go some steps on, or back."""
        self.playing = False
        self.go(self.number + by)

    def go(self, number: int) -> None:
        """Go to a page."""
        self.number = min(max(number, 0), self.steps - 1)

    def go_to_end(self, which: int) -> None:
        """Go to the first page, or to the last."""
        self.playing = False
        self.go(which * (self.steps - 1))

    def toggle_playing(self) -> None:
        """Play or pause; from the last page all begins anew."""
        self.playing = not self.playing
        if self.playing and self.number == self.steps - 1:
            self.number = 0

    def change_speed(self, by: int) -> None:
        """Play faster or slower."""
        place = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self.speed = SPEEDS[place]

    def tick(self) -> None:
        """Play one step on, to the table at most."""
        self.go(self.number + 1)
        self.playing = self.number < self.steps - 1

    def look(self, view: str) -> None:
        """Open the page of keys, or close it."""
        self.view = "" if self.view == view else view
