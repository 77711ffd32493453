"""An algorithm played on a terminal: a thin shell round its `Playback`."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from stepconv.player import keys
from stepconv.player.door import Guarded
from stepconv.player.stage import Stage
from stepconv.player.stepped import screen
from stepconv.player.stepped.playback import Playback
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import Line


class Stepper(Guarded[int]):
    """The player of one algorithm's steps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(pressed, action, show=False, priority=True)
        for key in keys.STEPPED
        for pressed, action in key.actions.items()
    ]

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self.playback = playback
        self.stage = Stage(self._lines)
        self._clock: Timer | None = None

    def _lines(self, width: int, height: int) -> list[Line]:
        playback = self.playback
        status = Status(playback.playing, playback.speed)
        return screen.lines(playback.page, width, height, status, playback.view)

    def _update(self) -> None:
        """Show what the playback has become, and run the clock if it plays."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        if self.playback.playing:
            self._clock = self.set_timer(1 / self.playback.speed, self._tick)
        self.stage.redraw()

    def _tick(self) -> None:
        self.playback.tick()
        self._update()

    def action_do(self, method: str, *arguments: object) -> None:
        """Call a method of the playback, and show what came of it."""
        getattr(self.playback, method)(*arguments)
        self._update()

    def action_look(self, view: str) -> None:
        self.action_do("look", view)

    def action_leave(self) -> None:
        """Close the page of keys; without one leave, as a lesson may have led here."""
        if self.playback.view:
            self.action_do("look", self.playback.view)
        else:
            self.exit()

    def action_stop(self) -> None:
        """Leave the player."""
        self.exit()

    async def on_stage_clicked(self, event: Stage.Clicked) -> None:
        if event.spot is None:
            return
        if event.spot.part == "bar":
            self.action_do("go", event.spot.column)
        elif event.spot.part.startswith("key:"):
            await self.run_action(keys.CLICKS[event.spot.part.removeprefix("key:")])


def play(playback: Playback) -> int:
    """Play an algorithm on this terminal; return the exit status."""
    stepper = Stepper(playback)
    stepper.run()
    return stepper.return_value or stepper.return_code or 0
