"""The screen of an algorithm: its title, one step or the table, the progress bar and the keys."""

from __future__ import annotations

from stepconv.player import keys
from stepconv.player.stepped import lines as drawing
from stepconv.player.stepped.playback import Playback
from stepconv.player.text import head_and_foot
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import Block, Line, Piece, Spot, columns, cut, filled

_FOOT = sorted((key for key in keys.STEPPED if key.place), key=lambda key: key.place)


def lines(playback: Playback, width: int, height: int) -> list[Line]:
    """Return the lines of the whole screen."""
    status = Status(playback.playing, playback.speed)
    room = height - 4
    shown = cut(_body(playback, width - 2, room), width - 2, room)
    body = [(Piece(" "), *line) for line in shown.lines]
    blank: list[Line] = [()] * (room - len(body))
    foot = [head_and_foot.bar(playback, status, width), head_and_foot.keys(status, width, _FOOT)]
    return [_head(playback, status, width), (), *body, *blank, *foot]


def _body(playback: Playback, width: int, height: int) -> Block:
    if playback.view == "help":
        return keys.view(width, keys.STEPPED)
    if playback.step is None:
        return drawing.table(playback.rows, width)
    return drawing.body(playback.step, width, height)


def _head(playback: Playback, status: Status, width: int) -> Line:
    """Return the line that says what is shown, and which step of how many."""
    right = head_and_foot.state(status)
    step = playback.step
    told = "side by side" if step is None else step.title
    counted = f"{playback.number} of {playback.steps}"
    line = (
        Piece(" "),
        Piece(playback.title, "title"),
        Piece(" · ", "muted"),
        Piece(counted),
        Piece(" · ", "muted"),
        Piece(told),
    )
    told_in = filled(line, width - columns(right) - 2)
    return (*told_in, Piece(" "), Piece(right, "state", Spot("key:space")), Piece(" "))
