"""Lessons on a terminal: the player, with a scene's text above its picture, and lists around it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from threading import Thread
from typing import Any

from textual import events

from stepconv.cli.lesson import opening, pages
from stepconv.cli.lesson.opening import Opened
from stepconv.lessons.reader import LESSONS, SCENE, Reader
from stepconv.lessons.scene import PICTURES, Place
from stepconv.player.app import Player
from stepconv.player.editing import Desk
from stepconv.player.playback import Playback
from stepconv.player.stage import Stage
from stepconv.player.text.lines import Line, Spot
from stepconv.player.views import screen
from stepconv.trace import Chain, Trace, example_trace

# Seconds that a frame of a drawing stays.
_FRAME = 1.2
# Seconds that a page waits for its scene before it says so.
_PATIENCE = 0.2
_TURNS = ("right", "left", "home", "end")
_STEPS = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}
# What a click on a key of the last line presses.
_CLICKS = {
    "key:→": ("right", None),
    "key:←": ("left", None),
    "key:enter": ("enter", None),
    "key:esc": ("escape", None),
    "key:q": ("q", "q"),
    "key:↑↓": ("down", None),
}


class Lessons(Player):
    """The lessons: lists and text outside, the player inside a scene."""

    def __init__(
        self, reader: Reader, desk: Desk, *, large: bool = False, patience: float = _PATIENCE
    ) -> None:
        super().__init__(example_trace("flip"), desk=desk)
        self.reader, self.desk, self.large, self.patience = reader, desk, large, patience
        self.inside = False
        self.opened = Opened()
        self._part = 0  # of what a scene shows on a projector, screen by screen
        self.stage = Stage(self._lines)
        self._shown: tuple[str, int] | None = None
        # What is being worked out: the first call of a kernel waits for the compiler.
        self._pending: Future[tuple[Opened, Playback | None]] | None = None

    def _lines(self, width: int, height: int) -> list[Line]:
        if self.inside:
            return screen.lines(self.playback, width, height)
        self._follow(width)
        if self._pending is not None and self.reader.page == SCENE:
            return pages.waiting(self.reader, width, height)
        playback = self.playback if self.opened.record is not None else None
        shown = (self.reader, self.opened, playback)
        if self.large and self.reader.page == SCENE:
            return pages.large(*shown, self._parts[self._part], width, height)
        return pages.lines(*shown, width, height)

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(_FRAME, self._next_frame)
        self.set_interval(_PATIENCE, self._look_again)

    def _next_frame(self) -> None:
        plays = self.opened.is_film and not self.inside
        if plays and self.reader.frame < len(self.opened.frames) - 1:
            self.reader.frame += 1
            self.stage.redraw()

    def _follow(self, width: int) -> None:
        """Open what the scene shows, if it is another than the one that is open."""
        here = (self.reader.lesson.name, self.reader.number)
        if self.reader.page != SCENE or here == self._shown:
            return
        self._shown, self._part = here, 0
        self._pending = in_background(self._prepared, width)
        with contextlib.suppress(TimeoutError):
            self._pending.result(self.patience)
        self._take()

    def _prepared(self, width: int) -> tuple[Opened, Playback | None]:
        """Work out what the scene says and opens."""
        scene = self.reader.scene
        found = opening.opened(scene, self.reader.tools, width - 2)
        if found.record is None:
            return found, None
        place = replace(scene.place, view=self._view)
        return found, standing(found.record, place, self.desk)

    def _take(self) -> None:
        """Show what was worked out, if it is there."""
        if self._pending is not None and self._pending.done():
            self.opened, playback = self._pending.result()
            self.playback = playback or self.playback
            self._pending = None

    def _look_again(self) -> None:
        if self._pending is not None:
            self._take()
            self.stage.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Tell whether an action is on: outside of a scene the keys are the lesson's own."""
        return super().check_action(action, parameters) if self.inside else action == "quit"

    def on_key(self, event: events.Key) -> None:
        """Outside of a scene, turn pages and take guesses."""
        if self.inside:
            return  # the player's handler follows
        event.stop()
        event.prevent_default()
        self._key(event.key, event.character if event.is_printable else None)
        self.stage.redraw()

    def _key(self, key: str, character: str | None) -> None:
        if key == "escape":
            if not self.reader.up():
                self.exit()
        elif self.reader.page != SCENE:
            self._key_of_list(key, character)
        elif key in _TURNS:
            self._page(key)
        elif self._pending is None:  # before, there is nothing to answer or to go into
            self._key_of_scene(key, character)

    def _key_of_list(self, key: str, character: str | None) -> None:
        reader = self.reader
        if key in _STEPS:
            reader.move(_STEPS[key])
        elif key == "enter":
            reader.choose()
        elif character == "q":
            self.exit()
        elif character and character.isdigit() and reader.page == LESSONS:
            if 1 <= int(character) <= len(reader.lessons):
                reader.open(int(character) - 1)

    def _key_of_scene(self, key: str, character: str | None) -> None:
        reader = self.reader
        asked = reader.question
        if key in _STEPS:
            self._turn(_STEPS[key])
        elif key == "enter":
            self._enter()
        elif key == "backspace":
            reader.type("")
        elif asked and not asked.is_chosen and character and (reader.guess or character != " "):
            reader.type(character)
        elif character == " ":
            self._page("right")
        elif reader.offered and character and character in pages.LETTERS:
            reader.pick(pages.LETTERS.index(character))
        elif character == "q":
            self.exit()

    @property
    def _parts(self) -> list[str]:
        return pages.parts(self.reader, self.opened) if self.large else ["all"]

    def _page(self, key: str) -> None:
        """Turn to another scene; on a projector through the parts of this one first."""
        by = {"right": 1, "left": -1}.get(key, 0)
        if by and 0 <= self._part + by < len(self._parts):
            self._part += by
        elif by:
            self.reader.move(by)
        else:
            self.reader.move(
                -self.reader.number if key == "home" else len(self.reader.lesson.scenes)
            )

    def _turn(self, by: int) -> None:
        """Go on in a drawing, or in the lines of a command."""
        frames = self.opened.frames
        most = len(frames) - 1 if len(frames) > 1 else max((len(f) for f in frames), default=1) - 1
        self.reader.frame = min(max(self.reader.frame + by, 0), most)

    def _enter(self) -> None:
        """Answer, if something is guessed; else go into what the scene opens."""
        reader = self.reader
        if reader.guess and reader.told is None:
            reader.answer()
        elif self.opened.record is not None:
            self.inside = True
            self._update()
        elif self.opened.command:
            with self.suspend():
                status = opening.run(self.opened.command)
                if status or not opening.has_own_screen(self.opened.command):
                    with contextlib.suppress(EOFError, KeyboardInterrupt):
                        input("\nenter leads back to the lesson ")

    def action_leave(self) -> None:
        """Close what is open inside a scene; then lead back to its text."""
        if self.inside and not self._asking and self.playback.view in ("step", self._view):
            self.inside = False
            self.playback.playing = False
            self._update()
        else:
            super().action_leave()

    @property
    def _view(self) -> str:
        """The view that a scene asks for; on a projector large digits, if it asks for none."""
        usual = "present" if self.large else "step"
        return self.reader.lesson.scenes[self.reader.number].place.view or usual

    def action_stop(self) -> None:
        """Lead from inside a scene back to its text: `q` leaves the lessons from there."""
        self.inside = False
        self._update()

    async def on_stage_clicked(self, event: Stage.Clicked) -> None:
        if self.inside:
            return  # the player's handler follows
        event.prevent_default()
        if event.spot is not None:
            self._click(event.spot)
            self.stage.redraw()

    def _click(self, spot: Spot) -> None:
        reader = self.reader
        if spot.part == "list" and reader.page == LESSONS:
            reader.open(spot.row)
        elif spot.part == "list":
            reader.open(reader.chosen, spot.row)
        elif spot.part == "answer":
            reader.pick(spot.row)
        elif spot.part in _CLICKS:
            self._key(*_CLICKS[spot.part])


def in_background(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Call a function in a thread that nobody waits for at the end."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def standing(record: Trace | Chain, place: Place, desk: Desk | None = None) -> Playback:
    """Return a playback that stands where a scene wants it."""
    playback = Playback(record, desk=desk)
    if place.link is not None:
        playback.stand_on(place.link, 0)
    # Whole pictures are seen when all is computed.
    step = -1 if place.step is None and place.view == PICTURES else place.step or 0
    playback.go(step + (len(playback.film) if step < 0 else 0))
    if place.view not in (None, PICTURES, playback.view):
        playback.look(place.view)
    if playback.lacks_counterpart:
        playback.other = playback.record_counterpart()
    if place.cursor is not None:
        playback.ask_about(*(place.cursor if len(place.cursor) > 1 else (0, *place.cursor)))
    playback.message = ""
    return playback


def run(reader: Reader, desk: Desk, *, large: bool = False) -> int:
    """Show the lessons on this terminal; return the exit status. What was seen is remembered."""
    shown = Lessons(reader, desk, large=large)
    try:
        shown.run()
    finally:
        reader.progress.save()
    return shown.return_value or shown.return_code or 0
