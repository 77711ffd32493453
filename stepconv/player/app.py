"""The player on a terminal: a thin shell round `Playback`, which does the thinking."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input

from stepconv.player import keys
from stepconv.player.door import Guarded
from stepconv.player.editing import Desk
from stepconv.player.frame.film import Film
from stepconv.player.playback import Playback
from stepconv.player.search import FINDABLE
from stepconv.player.stage import Stage
from stepconv.player.text.lines import Spot
from stepconv.player.views import screen
from stepconv.trace import Chain, Trace

# Keys of the editor that ask something.
_EDITED = {"k": "load_kernel", "o": "load_input", "s": "save"}
# What asks on the last line, by the method of `Playback` that takes the answer.
_QUESTIONS = {
    "go_to": "go to a step (17) or an output cell (3,4)",
    "find": f"find: {FINDABLE}",
    "break_when": f"stop at: {FINDABLE}; nothing takes it back",
    "load_kernel": 'kernel: a name, a file, or "1 0 -1; 2 0 -2" (| channels, || filters)',
    "load_input": 'input: a picture, a file, or "1 2; 3 4"',
    "save": "save as NAME.trace.npz",
}


class Player(Guarded[int]):
    """The player of one trace, or of a chain of them."""

    CSS = """
    Screen { layers: stage question; }
    Stage { width: 1fr; height: 1fr; layer: stage; }
    Input { layer: question; dock: bottom; height: 1; border: none; padding: 0 1; display: none; }
    Input:focus { border: none; }
    """
    # With priority, as the app then acts on one key before it takes the next: no key that follows
    # quickly reaches the screen before a question is open, or a question that is closed.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(pressed, action, show=False, priority=True)
        for key in keys.KEYS
        for pressed, action in key.actions.items()
    ]

    def __init__(
        self, record: Trace | Chain, *, letters: bool = False, desk: Desk | None = None
    ) -> None:
        super().__init__()
        self.playback = Playback(record, letters=letters, desk=desk)
        self.stage = Stage(lambda width, height: screen.lines(self.playback, width, height))
        self._clock: Timer | None = None
        self._interval: float | None = None
        self._asking = ""

    def compose(self) -> ComposeResult:
        yield self.stage
        yield Input(compact=True)

    def _update(self) -> None:
        """Show what the playback has become, and run the clock if it plays."""
        playback = self.playback
        playback.legend = False
        wanted = playback.interval if playback.moving else None
        if wanted != self._interval:
            if self._clock is not None:
                self._clock.stop()
            self._interval = wanted
            self._clock = None if wanted is None else self.set_interval(wanted, self._tick)
        if playback.lacks_counterpart:
            self.run_worker(self._record_counterpart, thread=True, exclusive=True)
        self.stage.redraw()

    def _tick(self) -> None:
        self.playback.tick()
        self._update()

    def _record_counterpart(self) -> None:
        film = self.playback.film
        other = self.playback.record_counterpart()
        self.call_from_thread(self._compare_with, film, other)

    def _compare_with(self, film: Film, other: Film) -> None:
        if film is self.playback.film:  # somebody may have walked on
            self.playback.other = other
        self._update()

    @property
    def edits(self) -> bool:
        """Whether a call is being edited."""
        return self.playback.view == "edit"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Tell whether an action is on: while a question is asked, keys write the answer."""
        if self._asking:
            return action in ("answer", "leave", "quit")
        if self.edits:
            return action in ("leave", "stop", "quit")
        return True

    def on_key(self, event: events.Key) -> None:
        """While a call is edited, keys belong to the editor."""
        if not self.edits or self._asking:
            return
        event.stop()
        event.prevent_default()
        if event.character in _EDITED:
            self.action_ask(_EDITED[event.character])
        else:
            self.action_do("edit_key", event.key, event.character)

    def action_stop(self) -> None:
        """Leave the player."""
        self.exit()

    def action_do(self, method: str, *arguments: object) -> None:
        """Call a method of the playback, and show what came of it."""
        getattr(self.playback, method)(*arguments)
        self._update()

    def action_look(self, view: str) -> None:
        self.action_do("look", view)

    def action_leave(self) -> None:
        """Close what is open: the question, else the view, else the message."""
        if self._asking:
            self._close_question()
        else:
            self.playback.look(self.playback.view)
        self._update()

    def action_ask(self, about: str) -> None:
        """Ask something on the last line."""
        self.playback.playing = False
        self._asking = about
        question = self.query_one(Input)
        question.placeholder = _QUESTIONS[about]
        question.value = ""
        question.styles.display = "block"
        self.set_focus(question)
        self._update()

    async def action_answer(self) -> None:
        """Do what was asked for, once the question has read all keys that were sent to it.

        Where nothing is asked, follow the cell along the chain.
        """
        if not self._asking:
            self.action_do("follow")
            return
        question = self.query_one(Input)
        read = asyncio.Event()
        question.call_later(read.set)
        await read.wait()
        asked, answer = self._asking, question.value
        self._close_question()
        if answer.strip() or asked == "break_when":
            getattr(self.playback, asked)(answer)
        self._update()

    def _close_question(self) -> None:
        self._asking = ""
        question = self.query_one(Input)
        question.styles.display = "none"
        self.set_focus(None)

    async def on_stage_clicked(self, event: Stage.Clicked) -> None:
        if self._asking:
            self._close_question()
        if event.spot is not None:
            await self._clicked(event.spot)

    async def _clicked(self, spot: Spot) -> None:
        playback = self.playback
        if spot.part.startswith("key:"):
            await self.run_action(keys.CLICKS[spot.part.removeprefix("key:")])
            return
        if spot.part == "bar":
            playback.playing = False
            playback.go(spot.column)
        elif spot.part == "result":
            playback.go_to_cell(spot.row, spot.column)
        elif spot.part == "way":
            playback.follow_to(spot.row)
        elif spot.part.startswith("link:"):
            playback.go_to_link(int(spot.part.removeprefix("link:")), spot.row, spot.column)
        elif spot.part == "source" and playback.view == "readers":
            playback.ask_about(spot.row, spot.column)
        elif spot.part == "source":
            sheet = playback.frame().source.sheet
            playback.go_to_source(spot.row - sheet.top, spot.column - sheet.left)
        self._update()


def play(
    record: Trace | Chain,
    *,
    letters: bool = False,
    desk: Desk | None = None,
    first_start: bool = False,
) -> int:
    """Play a trace or a chain on this terminal; return the exit status.

    The commands that the editor was asked for are printed when it is over. At the first start the
    colours are explained until a key is pressed.
    """
    player = Player(record, letters=letters, desk=desk)
    player.playback.legend = first_start
    player.run()
    editor = player.playback.editor
    for command in editor.commands if editor else ():
        print(command)
    return player.return_value or player.return_code or 0
