"""Draws docs/explorer.svg, the picture in the README: `python docs/explorer_picture.py`.

A 5 drawn by keys, in a network that has learnt the made digits for a moment; the explorer's own
screen as Textual exports it, without the font that would come from the web.
"""

import asyncio
import os
import re
from pathlib import Path

# Before Textual looks: the picture has the colours of a good terminal wherever it is drawn.
os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")

import numpy as np

from stepconv import look_inside, nn
from stepconv.explorer.app import Explorer
from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.subject import Moment, Subject
from stepconv.explorer.visit import Visit
from stepconv.nn import checkpoint
from stepconv.nn.trainer import Trainer
from stepconv.train.data import centre, digits

PICTURE = Path(__file__).with_name("explorer.svg")
FONTS = "monospace"
# A 5: from its upper right corner to the lower left one.
STROKES = ("up",) * 6, ("right",) * 3, ("space",), ("left",) * 6, ("down",) * 5, ("right",) * 5
STROKES += ("down",) * 5, ("left",) * 6, ("space",)


def learnt() -> checkpoint.Network:
    """Return LeNet-5 after a few hundred steps on digits made by code: the same every time."""
    model = nn.build("lenet5")
    some = digits.make(2000)
    trainer = Trainer(model, nn.SGD(), scale=1 / 255, shift=0.0)
    for step in range(300):
        rows = np.arange(64 * step, 64 * (step + 1)) % len(some)
        trainer.step(some.pictures, some.labels, 0.02, rows)
    return checkpoint.Network(model, trainer.parameters(), trainer.statistics())


def centred(picture: np.ndarray) -> np.ndarray:
    """Return a drawing as the network's digits were."""
    return centre.centred(picture.max(axis=0).astype(float))[np.newaxis]


def drawn() -> str:
    """Return the picture: one cell of conv2, and what it sees of the drawing."""
    first = look_inside(learnt(), np.zeros((1, 28, 28), np.uint8))
    subject = Subject("lenet5", [Moment("now", first.with_picture)], first.classes)

    async def run() -> str:
        explorer = Explorer(Visit(subject, Bench((1, 28, 28), centre=centred)))
        async with explorer.run_test(size=(100, 26)) as pilot:
            await pilot.press("d", "x", *(key for stroke in STROKES for key in stroke), "escape")
            await pilot.press("right", "right", "right", "enter", *["right"] * 5, "enter", "5")
            await pilot.press("up")
            await pilot.pause()
            return explorer.export_screenshot(title="stepconv explore runs/lenet5-digits")

    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", asyncio.run(run()), flags=re.DOTALL)
    svg = re.sub(r"font-family: (Fira Code|arial)[^;]*;", f"font-family: {FONTS};", svg)
    # The names that Rich gives to its styles change with every run.
    return re.sub(r"terminal-\d+", "explorer", svg)


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
