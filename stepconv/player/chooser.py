"""The chooser on a terminal: a thin shell round `Choices`."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from stepconv.player.choices import Choices
from stepconv.player.door import Guarded
from stepconv.player.stage import Stage


class Chooser(Guarded[str]):
    """Lets a person choose what to play; its result is what one would have typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "do('move', 1)", show=False),
        Binding("up", "do('move', -1)", show=False),
        Binding("pagedown", "do('move', 10)", show=False),
        Binding("pageup", "do('move', -10)", show=False),
        Binding("backspace", "do('write', '')", show=False),
        Binding("ctrl+u", "do('clear')", show=False, priority=True),
        Binding("enter", "choose", show=False),
        Binding("escape,ctrl+c,ctrl+q", "quit", show=False, priority=True),
    ]

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self.choices = choices
        self.stage = Stage(choices.lines)

    def action_do(self, method: str, *arguments: object) -> None:
        """Call a method of the choices, and show what came of it."""
        getattr(self.choices, method)(*arguments)
        self.stage.redraw()

    def action_choose(self) -> None:
        """Leave with the answer, if there is one."""
        if self.choices.answer:
            self.exit(self.choices.answer)

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            self.action_do("write", event.character)

    def on_paste(self, event: events.Paste) -> None:
        self.action_do("write", " ".join(event.text.split()))

    def on_stage_clicked(self, event: Stage.Clicked) -> None:
        if event.spot is not None:
            self.action_do("move", event.spot.row - self.choices.selected)


def choose(choices: Choices) -> str | None:
    """Return what a person chose to play; None for nothing."""
    return Chooser(choices).run()
