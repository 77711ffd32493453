"""The screen of an algorithm: its title, one step or the table, the progress bar and the keys."""

from __future__ import annotations

from stepconv.player import keys
from stepconv.player.stepped import lines as drawing
from stepconv.player.stepped import table
from stepconv.player.stepped.pages import Page
from stepconv.player.text import head_and_foot
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import Block, Line, Piece, Spot, columns, cut, filled

_FOOT = sorted((key for key in keys.STEPPED if key.place), key=lambda key: key.place)


def lines(
    page: Page, width: int, height: int, status: Status | None = None, view: str = ""
) -> list[Line]:
    """Return the lines of the whole screen; with a status come the state, the bar and the keys."""
    foot: list[Line] = []
    if status is not None:
        foot = [head_and_foot.bar(page, status, width), head_and_foot.keys(status, width, _FOOT)]
    room = height - 2 - len(foot)
    shown = cut(_body(page, view, width - 2, room), width - 2, room)
    body = [(Piece(" "), *line) for line in shown.lines]
    blank: list[Line] = [()] * (room - len(body))
    return [_head(page, status, width), (), *body, *blank, *foot]


def _body(page: Page, view: str, width: int, height: int) -> Block:
    if view == "help":
        return keys.view(width, keys.STEPPED)
    if page.step is None:
        return table.table(page.rows, width)
    return drawing.body(page.step, width, height)


def _head(page: Page, status: Status | None, width: int) -> Line:
    """Return the line that says what is shown, and which step of how many."""
    right = "" if status is None else head_and_foot.state(status)
    line = (
        Piece(" "),
        Piece(page.algorithm, "title"),
        Piece(" · ", "muted"),
        Piece(f"{page.number} of {page.steps}"),
        Piece(" · ", "muted"),
        Piece(page.title),
    )
    told_in = filled(line, width - columns(right) - 2)
    return (*told_in, Piece(" "), Piece(right, "state", Spot("key:space")), Piece(" "))
