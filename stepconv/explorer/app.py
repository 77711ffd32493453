"""The explorer on a terminal: a thin shell round `Visit`, and in a window the player itself."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from stepconv.explorer import keys
from stepconv.explorer.standing import BENCH, HELP, WINDOW
from stepconv.explorer.views import screen
from stepconv.explorer.visit import Visit
from stepconv.player import keys as player_keys
from stepconv.player.app import Player
from stepconv.player.playback import Playback
from stepconv.player.stage import Stage
from stepconv.player.text.lines import Spot

# What the player's keys do in a window, by Textual's names of the keys.
_IN_A_WINDOW = {
    pressed: action
    for key in player_keys.KEYS
    for names, action in key.actions.items()
    for pressed in names.split(",")
}
_OURS = {pressed for key in keys.KEYS for pressed in key.presses}


class Sheet(Stage):
    """A stage that is also drawn on: it tells where the mouse goes while its button is down."""

    class Drawn(Message):
        """The mouse drew over a spot; `begins` where its button went down."""

        def __init__(self, spot: Spot, begins: bool) -> None:
            super().__init__()
            self.spot, self.begins = spot, begins

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._draw(event.x, event.y, begins=True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button:
            self._draw(event.x, event.y, begins=False)

    def _draw(self, x: int, y: int, *, begins: bool) -> None:
        spot = self.spot_at(x, y)
        if spot is not None and spot.part == "sheet":
            self.post_message(self.Drawn(spot, begins))


class Explorer(Player, inherit_bindings=False):
    """The explorer of one network."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(pressed, f"press('{pressed}')", show=False, priority=True)
        for pressed in sorted(_OURS | _IN_A_WINDOW.keys() - {"escape"})
    ]

    def __init__(self, visit: Visit, *, escape_leaves: bool = False) -> None:
        # Not as a player begins: what it plays is there once a window is opened.
        super(Player, self).__init__()
        # In a lesson there is a text to go back to.
        self.escape_leaves = escape_leaves
        self.visit = visit
        visit.waits = True
        self.stage = Sheet(lambda width, height: screen.lines(visit, width, height))
        self._clock = None
        self._interval = None
        self._asking = ""

    def on_ready(self) -> None:
        """Work the network out once its picture is on the screen: the kernels are loaded then."""
        self.call_after_refresh(self._first_look)

    def _first_look(self) -> None:
        self.visit.waits = False
        self._update()

    @property
    def playback(self) -> Playback:  # type: ignore[override]
        """What is played in the window; there is none outside of it."""
        assert self.visit.playback is not None
        return self.visit.playback

    @property
    def in_window(self) -> bool:
        """Whether the player has the screen."""
        return self.visit.level == WINDOW

    @property
    def edits(self) -> bool:
        """Whether a call is being edited in the window."""
        return self.in_window and super().edits

    def _update(self) -> None:
        if self.in_window:
            super()._update()
            return
        if self._clock is not None:
            self._clock.stop()
            self._clock, self._interval = None, None
        self.stage.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Tell whether an action is on: while a question is asked, keys write the answer."""
        if self._asking:
            return action in ("answer", "leave", "quit") or parameters in (("enter",), ("escape",))
        if action == "press" and self.edits:
            return parameters in (("escape",), ("ctrl+c",))
        return True

    async def action_press(self, key: str) -> None:
        """Do what a key means where one stands."""
        self.visit.waits = False
        out = key == "escape" and self.escape_leaves and self.visit.is_outermost
        if key == "ctrl+c" or ((key == "q" or out) and not self._asking):
            self.exit()
        elif self._asking:
            await self.run_action("answer" if key == "enter" else "leave")
        elif self.in_window:
            await self._press_in_window(key)
        elif key == "l":
            self.action_light()
        elif key == "g" and self.visit.view == BENCH:
            self.visit.look(BENCH)
            self.visit.toggle_backward()
            self._update()
        elif told := keys.pressed(screen.context(self.visit), key):
            self.visit.press(*told)
            self._update()

    async def _press_in_window(self, key: str) -> None:
        """Hand a key to the player; at its steps escape leads out of the window."""
        if key == "escape" and self.playback.view == "step" and not self.playback.message:
            self.visit.leave()
            self._update()
        elif action := _IN_A_WINDOW.get(key):
            await self.run_action(action)

    async def _clicked(self, spot: Spot) -> None:
        if self.in_window:
            await super()._clicked(spot)
            return
        visit = self.visit
        kind, _, rest = spot.part.partition(":")
        if kind == "key":
            await self.action_press(rest)
            return
        if kind == "layer":
            visit.go_to(rest)
        elif kind == "map":
            name, _, number = rest.rpartition(":")
            visit.go_to(name, int(number))
        elif kind == "cell":
            visit.choose_cell(spot.row, spot.column)
        elif kind == "weight":
            visit.choose_weight(spot.row, spot.column)
        elif kind == "picture":
            visit.look(BENCH)
        self._update()

    def on_sheet_drawn(self, event: Sheet.Drawn) -> None:
        if self.visit.view == BENCH:
            self.visit.stroke(event.spot.row, event.spot.column, event.begins)
            self._update()

    def action_do(self, method: str, *arguments: object) -> None:
        """Call a method of what has the screen: the wheel moves through layers outside a window."""
        if self.in_window:
            super().action_do(method, *arguments)
        elif method == "move" and self.visit.view != HELP:
            self.visit.move(0, int(str(arguments[0])))
            self._update()


def explore(visit: Visit, *, escape_leaves: bool = False) -> int:
    """Explore a network on this terminal; return the exit status."""
    app: App[int] = Explorer(visit, escape_leaves=escape_leaves)
    app.run()
    return app.return_value or app.return_code or 0
