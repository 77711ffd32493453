"""Stage: the widget that shows lines of plain data, and paints only those that changed."""

from __future__ import annotations

import os
from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from stepconv.player import render
from stepconv.player.text.lines import Line, Spot, columns

# Below this a screen cannot hold a window; the lines are cut.
_LEAST = (20, 6)


def without_colours() -> bool | None:
    """Return whether an app may send its terminal no colour but its own, as NO_COLOR asks."""
    return True if os.environ.get("NO_COLOR") else None


class Stage(Widget):
    """The whole screen: lines of plain data, of which only those that changed are drawn."""

    class Clicked(Message):
        """The screen was clicked: on a spot that means something, or on none."""

        def __init__(self, spot: Spot | None) -> None:
            super().__init__()
            self.spot = spot

    def __init__(self, lines: Callable[[int, int], list[Line]]) -> None:
        super().__init__()
        self.lines_of = lines
        self.drawn: list[Line] = []

    @property
    def shades_only(self) -> bool:
        """Whether pictures are drawn with shades: this terminal has no colours, or few."""
        return self.app.no_color or not render.shows_pictures(self.app.console)

    def redraw(self) -> None:
        """Work the lines out anew and draw those that are no longer the same."""
        if not self.size.width:
            return
        width, height = self.size
        fresh = self.lines_of(max(width, _LEAST[0]), max(height, _LEAST[1]))
        changed = [
            y
            for y, line in enumerate(fresh)
            if y >= len(self.drawn) or (line is not self.drawn[y] and line != self.drawn[y])
        ]
        self.drawn = fresh
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def on_resize(self) -> None:
        self.drawn = []
        self.redraw()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        if y >= len(self.drawn):
            return Strip.blank(width, base)
        shaded, light = self.shades_only, not self.app.current_theme.dark
        segments = []
        for piece in self.drawn[y]:
            if shaded and piece.role.startswith("#"):
                segments.append(Segment(render.shade(piece), base))
            elif piece.text:
                segments.append(Segment(piece.text, base + render.style(piece.role, light=light)))
        return Strip(segments).simplify().adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self.spot_at(event.x, event.y)))

    async def on_mouse_scroll_down(self) -> None:
        await self.app.run_action("do('move', 1)")

    async def on_mouse_scroll_up(self) -> None:
        await self.app.run_action("do('move', -1)")

    def spot_at(self, x: int, y: int) -> Spot | None:
        """Return what can be clicked at a place of the screen."""
        if not 0 <= y < len(self.drawn):
            return None
        left = 0
        for piece in self.drawn[y]:
            left += columns(piece.text)
            if x < left:
                return piece.spot
        return None
