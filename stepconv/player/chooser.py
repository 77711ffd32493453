"""The chooser on a terminal: a thin shell round `Choices`."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from stepconv.player.choices import Choices
from stepconv.player.door import Guarded
from stepconv.player.stage import Stage, without_colours


class Chooser(Guarded[str]):
    """Lets a person choose what to play; its result is what one would have typed."""

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    TITLE = "stepconv"
    CSS = "Stage { width: 1fr; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "do('move', 1)", show=False),
        Binding("up", "do('move', -1)", show=False),
        Binding("pagedown", "do('move', 10)", show=False),
        Binding("pageup", "do('move', -10)", show=False),
        Binding("backspace", "do('write', '')", show=False),
        Binding("enter", "choose", show=False),
        Binding("escape,ctrl+c,ctrl+q", "quit", show=False, priority=True),
    ]

    def __init__(self, choices: Choices) -> None:
        super().__init__(ansi_color=without_colours())
        self.choices = choices
        self.stage = Stage(choices.lines)

    def compose(self) -> ComposeResult:
        yield self.stage

    def on_mount(self) -> None:
        super().on_mount()
        self.stage.redraw()

    def action_do(self, method: str, argument: object) -> None:
        """Call a method of the choices, and show what came of it."""
        getattr(self.choices, method)(argument)
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
