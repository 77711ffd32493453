"""Playback: what the player does next, without a screen or a clock."""

from __future__ import annotations

from stepconv.errors import ArgumentError
from stepconv.player import search
from stepconv.player.editing import Desk, Editor
from stepconv.player.frame import linked, who_reads
from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import Frame, frame
from stepconv.player.frame.grid import LOOKS, PICTURE, SHADED
from stepconv.player.search import Query
from stepconv.player.standing import Standing
from stepconv.trace import Chain, Trace
from stepconv.trace.counterpart import counterpart, has_counterpart

_ALONE = "there is one call alone: --then makes a chain"
# Steps a second; beyond so many pictures a second several steps go into one.
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0)
_PICTURES = 30.0
# Pictures a second of a kernel that turns; two of its cells change places in half a second.
_TURNING = 12.0

# The views that show where the player stands; the others stop it.
_PLAYED = ("step", "compare", "present", "workers", "strip", "terms")


class Playback(Standing):
    """The state of a player, and what keys and clicks do to it.

    Whatever is refused becomes the `message`; nothing raises for what a person typed.
    """

    def __init__(
        self, record: Trace | Chain, *, letters: bool = False, desk: Desk | None = None
    ) -> None:
        super().__init__(record, letters=letters)
        # What changes the call; there once somebody has asked for it.
        self.editor: Editor | None = None
        self.desk = desk
        self.playing = False
        self.speed = 4.0
        self.condition: Query | None = None
        self.query: Query | None = None
        self.view = "step"
        # The first line of what is scrolled, and the way that is chosen of those from a cell.
        self.scroll = 0
        self.chosen = 0
        # Whether the colours are explained, until somebody does something.
        self.legend = False
        # How grids are drawn, "" being as they fit, and whether all filters stand side by side.
        self.style = ""
        self.abreast = True
        # The cell of the source that "who reads this?" asks about; None is the window's middle.
        self.asked: tuple[int, int] | None = None
        # How far the kernel has been turned in the comparison: 0, 1 or 2 mirrored axes.
        self.turned = 2
        # How far a signal's kernel is turned from how it is applied, from 0 to 1, and to where.
        self.turned_by = 0.0
        self.turned_to = 0
        # The film of the counterpart, once somebody has recorded it.
        self.other: Film | None = None

    def frame(self) -> Frame:
        """Return what the step looks like."""
        shot = frame(self.film, self.index, self.channel, self.breakpoints)
        return shot.looking(self.style)

    def move(self, by: int) -> None:
        """Go some steps on or back, and stop playing; where a pixel is asked about, move that."""
        self.playing = False
        row, column = self.asked_cell
        if self.view == "readers":
            self.ask_about(row, column + by)
        else:
            self.go(self.index + by)

    def move_row(self, by: int) -> None:
        """Go to the cell below or above; where a pixel is asked about, move that."""
        self.playing = False
        plane, i, j = self.place
        row, column = self.asked_cell
        if self.view == "readers":
            self.ask_about(row + by, column)
        elif self.view == "terms":
            self.scroll = max(self.scroll + by, 0)
        elif self.view == "follow":
            self.chosen = min(max(self.chosen + by, 0), max(len(self.ways) - 1, 0))
        elif 0 <= i + by < self.shape[1]:
            self.go((plane * self.shape[1] + i + by) * self.shape[2] + j)

    def go_to_end(self, end: int) -> None:
        """Go to the first step (0) or to the last (1)."""
        self.playing = False
        self.go(end * self.last)

    def toggle_playing(self) -> None:
        """Play, or pause; at the end from the start."""
        self.playing = not self.playing
        self.message = ""
        if self.playing and self.index == self.last:
            self.index = 0

    def change_speed(self, by: int) -> None:
        """Play faster or slower."""
        place = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self.speed = SPEEDS[place]
        self.message = ""

    @property
    def moving(self) -> bool:
        """Whether the next picture comes without a key: steps are played, or a kernel turns."""
        return self.playing or self.turned_by != self.turned_to

    @property
    def interval(self) -> float:
        """Seconds from one picture to the next."""
        return 1 / (min(self.speed, _PICTURES) if self.playing else _TURNING)

    def tick(self) -> None:
        """Play on for one interval: to the end or the next breakpoint at most."""
        if not self.playing:
            by = 1 / (_TURNING * max(self.film.trace.plan.window[-1] // 2, 1) / 2)
            way = self.turned_to - self.turned_by
            self.turned_by += min(max(way, -by), by)
            return
        steps = max(round(self.speed * self.interval), 1)
        ahead = min(self.index + steps, self.last)
        stop = self._next_stop(self.index + 1, ahead)
        self.index = ahead if stop is None else stop
        if stop is not None:
            self.playing = False
            self.message = f"breakpoint at step {stop}"
        elif self.index == self.last:
            self.playing = False

    def _next_stop(self, first: int, last: int) -> int | None:
        stops = [step for step in self.breakpoints if first <= step <= last]
        if self.condition is not None and first <= last:
            found = search.find(self.film, self.condition, first - 1)
            if found is not None and first <= found <= last:
                stops.append(found)
        return min(stops, default=None)

    def toggle_breakpoint(self) -> None:
        """Set a breakpoint at this step, or take it away."""
        self.breakpoints ^= {self.index}
        state = "set at" if self.index in self.breakpoints else "taken from"
        self.message = f"breakpoint {state} step {self.index}"

    def break_when(self, text: str) -> None:
        """Stop wherever a query finds something; an empty text takes that back."""
        if not text.strip():
            self.condition = None
            self.message = "no condition stops the player"
            return
        try:
            self.condition = search.parse_query(text)
        except ArgumentError as error:
            self.message = str(error)
            return
        self.message = f"stops at {self.condition.words}"

    def go_to(self, text: str) -> None:
        """Go to the step or cell that a text names."""
        try:
            index = search.parse_place(self.film, text, self.place[0])
        except ArgumentError as error:
            self.message = str(error)
            return
        self.playing = False
        self.go(index)

    def go_to_cell(self, row: int, column: int) -> None:
        """Go to a cell of the result, in this plane."""
        plane, height, width = self.place[0], *self.shape[1:]
        if 0 <= row < height and 0 <= column < width:
            self.playing = False
            self.go((plane * height + row) * width + column)

    def go_to_source(self, row: int, column: int) -> None:
        """Go to the window that lies best over a cell of the source."""
        found = who_reads.covering(self.film, row, column, self.place[0])
        if found is None:
            self.message = f"no window reads row {row}, column {column}"
        else:
            self.playing = False
            self.go(found)

    def find(self, text: str) -> None:
        """Look for the next step that a text describes."""
        try:
            self.query = search.parse_query(text)
        except ArgumentError as error:
            self.message = str(error)
            return
        self.find_again()

    def find_again(self, back: bool = False) -> None:
        """Look for the next step that the last query finds."""
        self.playing = False
        if self.query is None:
            self.message = "nothing to look for yet: / asks"
            return
        found = search.find(self.film, self.query, self.index, back=back)
        if found is None:
            self.message = f"no step has {self.query.words}"
            return
        round_trip = found <= self.index if not back else found >= self.index
        self.go(found)
        self.message = f"{self.query.words}{', from the other end' if round_trip else ''}"

    def change_plane(self, by: int) -> None:
        """Go to the same cell in the next plane of the result: another filter or image."""
        planes, height, width = self.shape
        plane, i, j = self.place
        if planes == 1:
            self.message = "the result has one plane alone"
            return
        self.playing = False
        self.go(((plane + by) % planes * height + i) * width + j)

    def change_image(self, by: int) -> None:
        """Go to the same cell of the next image of a batch."""
        outputs = self.film.trace.output.shape[: -self.film.gather.axes]
        if len(outputs) < 2:
            self.message = "there is one image alone"
        else:
            self.change_plane(by * outputs[-1])

    def walk(self, by: int) -> None:
        """Follow the cell to the next link that reads it, or back to where it is from."""
        if self.chain is None:
            self.message = _ALONE
            return
        found = linked.onward(self.chain, self.link, self.index, by)
        if isinstance(found, str):
            self.message = found
            return
        self.stand_on(*found)

    def stand_on(self, link: int, step: int) -> None:
        """Go to a step of a link of the chain; what was asked about the other ends."""
        self.playing, self.other, self.asked, self.chosen = False, None, None, 0
        super().stand_on(link, step)
        if self.view == "compare" and not has_counterpart(self.film.trace):
            self.view = "step"

    def follow(self) -> None:
        """Ask which cell to follow; where that is asked already, go there."""
        if self.chain is None:
            self.message = _ALONE
        elif self.view != "follow":
            self.look("follow")
            # What it was made from in other links, and what it flows into, can be gone to.
            led = (n for n, way in enumerate(self.ways) if way.link is not None)
            self.chosen = next(led, 0)
        else:
            self.follow_to(self.chosen)

    def follow_to(self, number: int) -> None:
        """Go to the cell at the end of one of the ways."""
        ways = self.ways
        if not 0 <= number < len(ways):
            return
        link, cell, _ = ways[number]
        if link is None:
            self.message = "the input is where the chain begins: no step made this cell"
            return
        self.view = "step"
        self.stand_on(link, cell)

    def look(self, view: str) -> None:
        """Show a view; the same again leads back to the steps."""
        self.view = "step" if self.view == view else view
        self.message = ""
        if self.view == "compare" and not has_counterpart(self.film.trace):
            self.view = "step"
            self.message = "only a correlation and a convolution can be compared"
        if self.view in ("strip", "follow") and self.chain is None:
            self.view, self.message = "step", _ALONE
        self.scroll = self.chosen = 0
        self.turned_by, self.turned_to = 0.0, 0
        self.playing = self.playing and self.view in _PLAYED
        self.asked = None

    def edit(self) -> None:
        """Open the editor, or close it."""
        if self.desk is None:
            self.message = "nothing can be changed here"
            return
        try:
            if self.editor is None or self.editor.trace is not self.film.trace:
                self.editor = self._new_editor(self.desk)
        except ArgumentError as error:
            self.message = str(error)
            return
        self.look("edit")

    def _new_editor(self, desk: Desk) -> Editor:
        """Return an editor of what is played; what the one before was asked for stays with it."""
        fresh = Editor(self.chain or self.film.trace, desk, self.link)
        if self.editor is not None:
            fresh.commands = self.editor.commands
        return fresh

    def edit_key(self, key: str, character: str | None = None) -> None:
        """Hand a key to the editor; a page key goes a step on or back."""
        if self.editor is None:
            return
        if key in ("pagedown", "pageup"):
            self.go(self.index + (1 if key == "pagedown" else -1))
            return
        self.editor.press(key, character)
        self._follow()

    def load_kernel(self, text: str) -> None:
        """Take another kernel."""
        self._edited("load_kernel", text)

    def load_input(self, text: str) -> None:
        """Take another input."""
        self._edited("load_input", text)

    def save(self, text: str) -> None:
        """Write what is played to a file."""
        self._edited("save", text)

    def _edited(self, method: str, text: str) -> None:
        if self.editor is not None:
            getattr(self.editor, method)(text)
            self._follow()

    def _follow(self) -> None:
        """Play what the editor has made."""
        assert self.editor is not None
        trace = self.editor.trace
        if trace is not self.film.trace:
            self.chain = self.editor.now.chain
            self.film = Film(trace, letters=self.film.letters)
            self._films = {self.link: self.film}
            self.other, self.asked = None, None
            self.breakpoints = {step for step in self.breakpoints if step < len(trace)}
            self.index = min(self.index, self.last)

    def change_style(self) -> None:
        """Draw grids in numbers, in shaded numbers, as pictures, and again as they fit."""
        styles = ("", *LOOKS)
        self.style = styles[(styles.index(self.style) + 1) % len(styles)]
        told = {"": "as it fits", SHADED: "in shaded numbers", PICTURE: "as pictures"}
        self.message = f"drawn {told.get(self.style, 'in numbers')}"

    def toggle_abreast(self) -> None:
        """Show all channels and filters side by side where there is room, or one of them."""
        self.abreast = not self.abreast
        told = "all channels and filters side by side, where there is room"
        self.message = told if self.abreast else "one channel: tab and f show others"

    def toggle_letters(self) -> None:
        """Tell sizes in the letters of textbooks, or in numbers alone."""
        self.film.letters = not self.film.letters

    @property
    def lacks_counterpart(self) -> bool:
        """Whether the comparison still waits for the other operation to be recorded."""
        return self.view == "compare" and self.other is None

    def record_counterpart(self) -> Film:
        """Record the other operation; it may take a while."""
        return Film(counterpart(self.film.trace))

    def turn(self) -> None:
        """Turn the kernel: of the comparison one stage further, of a large signal all the way."""
        if self.view != "present":
            self.turned = (self.turned + 1) % 3
        elif self.film.gather.axes == 1:
            self.turned_to = 1 - self.turned_to
        else:
            self.message = "h turns the kernel of a signal here, and every kernel in c"

    def ask_about(self, row: int, column: int) -> None:
        """Choose the cell of the source that "who reads this?" is about."""
        _, height, width = self.film.gather.source.shape
        if height and width:
            self.asked = min(max(row, 0), height - 1), min(max(column, 0), width - 1)

    @property
    def asked_cell(self) -> tuple[int, int]:
        """The chosen cell of the source: without a choice the one in the window's middle."""
        if self.asked is not None or len(self.film) == 0:
            return self.asked or (0, 0)
        rows, columns = self.film.trace.step(self.index).readings
        _, height, width = self.film.gather.source.shape
        middle = [sum(reading.bounds) // 2 for reading in (rows, columns)]
        return min(max(middle[0], 0), max(height - 1, 0)), min(max(middle[1], 0), max(width - 1, 0))
