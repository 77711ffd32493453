"""A step as a picture for a slide: what the terminal shows, in SVG."""

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepconv.trace import Step, Trace

WIDTH = 80


def svg(trace: "Trace", step: "Step") -> str:
    """Return the step as SVG that loads nothing from elsewhere."""
    from rich.console import Console

    from stepconv.player import render
    from stepconv.player.frame.film import Film
    from stepconv.player.frame.frames import frame

    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(render.screen(frame(Film(trace), step.index), WIDTH))
    drawn = console.export_svg(title="", unique_id="stepconv")
    drawn = re.sub(r"@font-face\s*\{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return re.sub(r"font-family: (Fira Code|arial)[^;]*;", "font-family: monospace;", drawn)
