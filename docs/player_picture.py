"""Draws docs/player.svg, the picture in the README: `python docs/player_picture.py`.

The player's own screen as Textual exports it, without the font that would come from the web.
"""

import asyncio
import os
import re
from pathlib import Path

# Before Textual looks: the picture has the colours of a good terminal wherever it is drawn.
os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")

from stepconv.player.app import Player
from stepconv.trace import example_trace

PICTURE = Path(__file__).with_name("player.svg")
FONTS = "monospace"


def drawn() -> str:
    """Return the picture of a step that shows something: the window on the edge."""

    async def run() -> str:
        player = Player(example_trace("vertical-edge-rgb"))
        async with player.run_test(size=(80, 24)) as pilot:
            await pilot.press("g", "1", "9", "enter")
            await pilot.pause()
            return player.export_screenshot(title="stepconv play vertical-edge-rgb")

    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", asyncio.run(run()), flags=re.DOTALL)
    svg = re.sub(r"font-family: (Fira Code|arial)[^;]*;", f"font-family: {FONTS};", svg)
    # The names that Rich gives to its styles change with every run.
    return re.sub(r"terminal-\d+", "player", svg)


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
