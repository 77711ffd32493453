"""Screens as they should look, kept as text.

`python -m tests.player.test_snapshots` draws them anew; whoever does looks at what has changed.
"""

from html import unescape
from pathlib import Path

import pytest

from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text
from stepconv.player.views import screen
from stepconv.trace import example_trace
from tests.player.samples import sample

FOLDER = Path(__file__).with_name("screens")

# Name of the file: the trace, the step, the size and the view.
SCREENS = {
    "rgb": ("vertical-edge-rgb", 3, (80, 24), "step"),
    "rgb-padded": ("photo-rgb-padded", 13, (80, 24), "step"),
    "rgb-narrow": ("vertical-edge-rgb", 3, (60, 20), "step"),
    "rgb-wide": ("vertical-edge-rgb", 3, (132, 30), "step"),
    "signal": ("two-sequences", 2, (80, 24), "step"),
    "pooling": ("max-pool-4x4", 1, (80, 24), "step"),
    "backward": ("layer-back-x", 30, (80, 24), "step"),
    "pooling-backward": ("max-pool-backward", 6, (80, 24), "step"),
    "transposed": ("transposed", 40, (80, 24), "step"),
    "sizes": ("even-kernel-same", 3, (80, 24), "sizes"),
    "readers": ("vertical-edge-stride-2", 3, (80, 24), "readers"),
    "compare": ("impulse-correlate", 4, (80, 24), "compare"),
    "present": ("vertical-edge-rgb", 3, (80, 24), "present"),
    "help": ("vertical-edge-rgb", 3, (60, 20), "help"),
}


def drawn(name: str) -> str:
    trace, step, size, view = SCREENS[name]
    player = Playback(sample(trace))
    player.go(step)
    if view != "step":
        player.look(view)
    if player.lacks_counterpart:
        player.other = player.record_counterpart()
    lines = (as_text(line).rstrip() for line in screen.lines(player, *size))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_it_should(name: str) -> None:
    assert drawn(name) == (FOLDER / f"{name}.txt").read_text("utf-8")


def test_the_readme_s_picture_is_the_player_of_today() -> None:
    picture = (Path(__file__).parents[2] / "docs" / "player.svg").read_text("utf-8")
    assert "@font-face" not in picture
    assert len(picture) < 40_000
    player = Playback(example_trace("vertical-edge-rgb"))
    player.go(19)
    shown = unescape(picture).replace("\N{NO-BREAK SPACE}", " ")
    for line in screen.lines(player, 80, 24):
        for piece in line:
            assert piece.text.strip() in shown


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in SCREENS:
        (FOLDER / f"{each}.txt").write_text(drawn(each), "utf-8")
