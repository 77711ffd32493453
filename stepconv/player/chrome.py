"""What stands above and below every view: the title and the state, the progress bar, the keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepconv.player.frames import Frame
from stepconv.player.lines import Line, Piece, Spot, clipped, columns, filled


@dataclass(frozen=True)
class Status:
    """What the player is doing: shown at the top and the bottom of a screen."""

    playing: bool = False
    speed: float = 4
    breakpoints: tuple[int, ...] = ()
    message: str = ""
    keys: tuple[tuple[str, str], ...] = field(default=())


def empty(title: str, width: int) -> Line:
    """Return the line for a trace without steps."""
    return (Piece(clipped(f" {title}: an empty result has no steps to play", width), "title"),)


def head(frame: Frame, status: Status | None, width: int, question: str = "") -> Line:
    """Return the line that says what is shown, a view's question first, and which step of it."""
    right = "" if status is None else _state(status)
    where = f"step {frame.number + 1} of {frame.steps} · {frame.place}"
    room = width - columns(right) - 2
    named = question or frame.title
    parts = [part for part in (named, frame.operation, where) if part]
    if columns(" · ".join(parts)) > room:
        # The operation goes first, then the end of the title, then all of the title.
        clip = clipped(named, max(room - columns(where) - 3, 0))
        kept = bool(clip) and (clip == named or columns(clip) > 8)
        parts = [clip, where] if kept else [where]
    pieces: list[Piece] = [Piece(" ")]
    for number, part in enumerate(parts):
        pieces.append(Piece(" · ", "muted") if number else Piece(""))
        pieces.append(Piece(part, "title" if number == 0 else ""))
    line = filled(tuple(pieces), width - columns(right) - 1)
    return (*line, Piece(right, "state", Spot("key:space")), Piece(" "))


def _state(status: Status) -> str:
    speed = f"{status.speed:g}/s"
    return f"▶ {speed}" if status.playing else f"‖ {speed}"


def bar(frame: Frame, status: Status, width: int) -> Line:
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


def keys(status: Status, width: int) -> Line:
    """Return the last line: a message if there is one, else the keys, as many as fit."""
    if status.message:
        return (Piece(f" {clipped(status.message, width - 2)}", "message"),)
    pieces = [Piece(" ")]
    room = width - 1
    for key, meaning in status.keys:
        text = f"{key} {meaning}  "
        if columns(text.rstrip()) > room:
            break
        spot = Spot(f"key:{key}")
        pieces += [Piece(key, "key", spot), Piece(f" {meaning}", "", spot), Piece("  ")]
        room -= columns(text)
    return tuple(pieces)


def bar_and_keys(frame: Frame, status: Status, width: int) -> Line:
    if status.message:
        return keys(status, width)
    half = width * 2 // 5
    return (*bar(frame, status, half), *keys(status, width - half))
