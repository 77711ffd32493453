"""What stands above and below every view: the title and the state, the progress bar, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stepconv.player.frame.frames import Frame
from stepconv.player.keys import FOOT, Key
from stepconv.player.text.lines import Line, Piece, Spot, clipped, columns, filled, line_width


@dataclass(frozen=True)
class Status:
    """What the player is doing: shown at the top and the bottom of a screen."""

    playing: bool = False
    speed: float = 4
    breakpoints: tuple[int, ...] = ()
    message: str = ""


class Numbered(Protocol):
    """What a progress bar is of: step `number` of so many."""

    @property
    def number(self) -> int: ...
    @property
    def steps(self) -> int: ...


def head(frame: Frame, status: Status | None, width: int, question: str = "") -> Line:
    """Return the line that says what is shown, a view's question first, and which step of it."""
    right = "" if status is None else state(status)
    parts = heading(frame, status, width, question)
    pieces: list[Piece] = [Piece(" ")]
    for number, part in enumerate(parts):
        pieces.append(Piece(" · ", "muted") if number else Piece(""))
        pieces.append(Piece(part, "title" if number == 0 else ""))
    line = filled(tuple(pieces), width - columns(right) - 1)
    return (*line, Piece(right, "state", Spot("key:space")), Piece(" "))


def heading(frame: Frame, status: Status | None, width: int, question: str = "") -> list[str]:
    """Return what the line says: title, operation and step, as far as there is room."""
    room = width - 2 - (0 if status is None else columns(state(status)) + 2)
    counted = f"step {frame.number} of {frame.steps} · {frame.place}"
    where, named = f"from 0: {counted}", question or frame.operation
    for parts in ([question or frame.title, frame.operation, where], [named, where]):
        told = list(dict.fromkeys(filter(None, parts)))
        if columns(" · ".join(told)) <= room:
            return told
    if question and columns(f"{question} · {counted}") <= room:
        return [question, counted]
    for place in (where, counted):
        clip = clipped(named, max(room - columns(place) - 3, 0))
        if columns(clip) > 8:
            return [clip, place]
    return [where if columns(where) <= room else counted]


def state(status: Status) -> str:
    """Return whether it plays, and how fast."""
    speed = f"{status.speed:g}/s"
    return f"▶ {speed}" if status.playing else f"‖ {speed}"


def bar(frame: Numbered, status: Status, width: int) -> Line:
    """Return the progress bar: clicking on it goes there."""
    wide = width - 2
    last = max(frame.steps - 1, 1)
    here = frame.number * (wide - 1) // last
    stops = {step * (wide - 1) // last for step in status.breakpoints}
    pieces = [Piece(" ")]
    for x in range(wide):
        shape, role = ("━", "bar") if x < here else ("╸", "bar") if x == here else ("─", "muted")
        if x in stops:
            shape, role = "●", "break"
        pieces.append(Piece(shape, role, Spot("bar", 0, x * last // max(wide - 1, 1))))
    return tuple(pieces)


def keys(status: Status, width: int, foot: Sequence[Key] = FOOT) -> Line:
    """Return the last line: a message if there is one, else the keys, as many as fit."""
    if status.message:
        return (Piece(f" {clipped(status.message, width - 2)}", "message"),)
    pieces = [Piece(" ")]
    # The last one leads to all the others, so it keeps its place.
    *others, last = foot
    room = width - 1 - line_width(_key(last))
    for key in others:
        room -= line_width(_key(key)) + 2
        if room < 0:
            break
        pieces += [*_key(key), Piece("  ")]
    return (*pieces, *_key(last))


def _key(key: Key) -> tuple[Piece, Piece]:
    spot = Spot(f"key:{key.shown}")
    return Piece(key.shown, "key", spot), Piece(f" {key.name}", "", spot)


def bar_and_keys(frame: Frame, status: Status, width: int) -> Line:
    if status.message:
        return keys(status, width)
    half = width * 2 // 5
    return (*bar(frame, status, half), *keys(status, width - half))
