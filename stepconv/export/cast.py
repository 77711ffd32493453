"""Steps as a terminal's recording: asciinema's format, version 2, a marker at each step."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from stepconv.player import render
from stepconv.player.text.lines import Line

# The terminal that most things are made for; a wider one is higher in proportion.
WIDTH, HEIGHT = 80, 24
_CLEAR, _HOME, _REST = "\x1b[2J\x1b[?25l", "\x1b[H", "\x1b[K"


class Seen(Protocol):
    """What can be recorded: lines on a terminal, and the marker that tells which they are."""

    @property
    def marker(self) -> str: ...
    def screen(self, width: int, height: int) -> list[Line]: ...


def recording(shots: Iterable[Seen], title: str, *, width: int | None, fps: float) -> bytes:
    """Return shots as a recording, so many a second."""
    width = width or WIDTH
    height = max(HEIGHT, width * HEIGHT // WIDTH)
    head = {"version": 2, "width": width, "height": height, "title": title}
    lines = [json.dumps({**head, "env": {"TERM": "xterm-256color"}}, ensure_ascii=False)]
    number = -1
    for number, shot in enumerate(shots):
        at = round(number / fps, 3)
        screen = shot.screen(width, height)
        start = _CLEAR if number == 0 else ""
        lines.append(_event(at, "o", start + _HOME + "\r\n".join(map(_coloured, screen))))
        lines.append(_event(at, "m", shot.marker))
    # The last step is seen as long as the others.
    lines.append(_event(round((number + 1) / fps, 3), "o", "\r\n"))
    return ("\n".join(lines) + "\n").encode()


def _event(at: float, kind: str, data: str) -> str:
    return json.dumps([at, kind, data], ensure_ascii=False)


def _coloured(line: Line) -> str:
    """Return a line as a terminal takes it, the rest of the screen's line cleared."""
    return "".join(render.style(role).render(text) for text, role, _ in line if text) + _REST
