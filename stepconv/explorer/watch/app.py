"""A watched training on a terminal: the explorer, with curves before it and a thread behind it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import ClassVar

from textual.binding import Binding, BindingType

from stepconv.explorer.app import Explorer
from stepconv.explorer.standing import NETWORK
from stepconv.explorer.views import screen
from stepconv.explorer.visit import Visit
from stepconv.explorer.watch import screens
from stepconv.explorer.watch.watched import CURVES, INSIDE, Watched
from stepconv.player.text.lines import Line, Spot

# Seconds from one picture to the next: drawing may cost the training nothing that it feels.
REFRESH = 0.5
_TURN = 0.0005
_PRESSES = {pressed: told for key in screens.KEYS for pressed, told in key.presses.items()}


class Watch(Explorer):
    """The screen of one training."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(pressed, f"press('{pressed}')", show=False, priority=True)
        for pressed in sorted(_PRESSES)
    ]

    def __init__(self, visit: Visit, watched: Watched) -> None:
        super().__init__(visit)
        self.watched = watched
        self.stage.lines_of = self._lines

    def _lines(self, width: int, height: int) -> list[Line]:
        if self.watched.view == INSIDE:
            return screen.lines(self.visit, width, height)
        return screens.lines(self.watched, self.visit, width, height)

    def on_mount(self) -> None:
        self.set_interval(REFRESH, self._follow)

    def _follow(self) -> None:
        """Take the weights that were caught, and show how far the training is."""
        watched, visit = self.watched, self.visit
        look, watched.caught_look = watched.caught_look, None
        if look is not None and not self.in_window:
            last = replace(visit.subject.moments[-1], look=look)
            visit.subject = replace(visit.subject, moments=[last])
            visit.look_again()
        if not self.in_window:
            self.stage.redraw()

    async def action_press(self, key: str) -> None:
        """Do what a key means: in the network what it means there, else for the training."""
        watched, visit = self.watched, self.visit
        if watched.view == INSIDE and key != "ctrl+c":
            outside = visit.level == NETWORK and not visit.view and not visit.message
            if key == "escape" and outside and not self._asking:
                watched.look(CURVES)
                self.stage.redraw()
            else:
                await super().action_press(key)
            return
        if key in ("q", "ctrl+c"):
            if watched.is_over:
                self.exit()
                return
            watched.leave()
        elif key == "l":
            self.action_light()
        elif key in _PRESSES:
            method, argument = _PRESSES[key]
            getattr(watched, method)(argument)
        self.stage.redraw()

    async def _clicked(self, spot: Spot) -> None:
        if self.watched.view == INSIDE:
            await super()._clicked(spot)
        elif spot.part.startswith("key:"):
            await self.action_press(spot.part.removeprefix("key:"))


def watch(visit: Visit, watched: Watched, train: Callable[[], None]) -> None:
    """Show a training on this terminal while `train` goes on in a thread of its own."""
    failed: list[BaseException] = []

    def in_thread() -> None:
        try:
            train()
        except BaseException as error:  # told where the screen was opened
            failed.append(error)
            watched.over(str(error))

    thread = Thread(target=in_thread, name="training")
    app = Watch(visit, watched)
    before = sys.getswitchinterval()
    # Between two of its steps the training waits no longer than this for the screen.
    sys.setswitchinterval(_TURN)
    thread.start()
    try:
        app.run()
    finally:
        watched.leave()
        thread.join()
        sys.setswitchinterval(before)
    if failed:
        raise failed[0]
