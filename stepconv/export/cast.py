"""Steps as a terminal's recording: asciinema's format, version 2, a marker at each step."""

from __future__ import annotations

import json
from collections.abc import Iterable

from stepconv.export.reel import Shot
from stepconv.player import render
from stepconv.player.text import layout
from stepconv.player.text.lines import Line

# The terminal that most things are made for; a wider one is higher in proportion.
WIDTH, HEIGHT = 80, 24
_CLEAR, _HOME, _REST = "\x1b[2J\x1b[?25l", "\x1b[H", "\x1b[K"


def recording(shots: Iterable[Shot], title: str, *, width: int | None, fps: float) -> bytes:
    """Return shots as a recording, so many a second."""
    width = width or WIDTH
    height = max(HEIGHT, width * HEIGHT // WIDTH)
    head = {"version": 2, "width": width, "height": height, "title": title}
    lines = [json.dumps({**head, "env": {"TERM": "xterm-256color"}}, ensure_ascii=False)]
    number = -1
    for number, shot in enumerate(shots):
        at = round(number / fps, 3)
        frame = shot.frame
        screen = layout.screen(frame, width, height)
        start = _CLEAR if number == 0 else ""
        lines.append(_event(at, "o", start + _HOME + "\r\n".join(map(_coloured, screen))))
        where = f"step {frame.number} of {frame.steps}, {frame.place}"
        lines.append(_event(at, "m", ": ".join(filter(None, [shot.heading, where]))))
    # The last step is seen as long as the others.
    lines.append(_event(round((number + 1) / fps, 3), "o", "\r\n"))
    return ("\n".join(lines) + "\n").encode()


def _event(at: float, kind: str, data: str) -> str:
    return json.dumps([at, kind, data], ensure_ascii=False)


def _coloured(line: Line) -> str:
    """Return a line as a terminal takes it, the rest of the screen's line cleared."""
    return "".join(render.style(role).render(text) for text, role, _ in line if text) + _REST
