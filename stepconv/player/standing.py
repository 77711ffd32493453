"""Standing: where the player stands, which link of a chain, which step and which channel."""

from __future__ import annotations

from stepconv.player.frame import linked
from stepconv.player.frame.film import Film
from stepconv.player.frame.strip import strip
from stepconv.trace import Chain, Trace


class Standing:
    """The place in a trace, or in a chain of them, and the breakpoints that lie in each."""

    def __init__(self, record: Trace | Chain, *, letters: bool = False) -> None:
        # Of a chain, the link that the player stands on, and the breakpoints of each.
        self.chain = record if isinstance(record, Chain) else None
        self.link = 0
        self._stops: dict[int, set[int]] = {}
        self.film = Film(record[0] if isinstance(record, Chain) else record, letters=letters)
        self._films = {0: self.film}
        self.index = 0
        self.channel = 0
        self.breakpoints: set[int] = set()
        self.message = ""

    @property
    def last(self) -> int:
        """The last step."""
        return max(len(self.film) - 1, 0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of the result."""
        return self.film.gather.shape

    @property
    def place(self) -> tuple[int, int, int]:
        """The cell of the result that the step computes."""
        if len(self.film) == 0:
            return 0, 0, 0
        return self.film.gather.place(self.index)

    def go(self, index: int) -> None:
        """Go to a step, or as near as there is one."""
        self.index = min(max(index, 0), self.last)
        self.message = ""

    def change_channel(self, by: int) -> None:
        """Show the next channel that flows in."""
        channels = self.film.gather.fan_in
        if channels <= 1:
            self.message = "one channel alone flows in"
        else:
            self.channel = (min(self.channel, channels - 1) + by) % channels
            self.message = ""

    def stand_on(self, link: int, step: int) -> None:
        """Go to a step of a link of the chain."""
        self._stops[self.link] = self.breakpoints
        self.link, self.film = link, self.film_of(link)
        self.breakpoints = self._stops.get(link, set())
        self.go(step)

    def go_to_link(self, link: int, row: int, column: int) -> None:
        """Go to a cell of a link, in the plane of it that is shown."""
        assert self.chain is not None
        plane = strip(self.chain, self.film_of, self.link, self.index)[link + 1].plane
        _, height, width = self.film_of(link).gather.shape
        self.stand_on(link, (plane * height + row) * width + column)

    def film_of(self, link: int) -> Film:
        """Return the film of a link of the chain."""
        assert self.chain is not None
        if link not in self._films:
            self._films[link] = Film(self.chain[link])
        self._films[link].letters = self.film.letters
        return self._films[link]

    @property
    def ways(self) -> tuple[linked.Way, ...]:
        """Where one may go from the cell along the chain."""
        return () if self.chain is None else linked.ways(self.chain, self.link, self.index)
