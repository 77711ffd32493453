"""Random keys: whatever is pressed, a whole screen stays and nothing raises."""

from typing import Any

import numpy as np
import pytest
from textual.actions import parse

import stepconv
from stepconv.cli.reading import inputs, picture_and_kernel
from stepconv.cli.showing import as_command
from stepconv.player.editing import Desk
from stepconv.player.keys import KEYS
from stepconv.player.playback import Playback
from stepconv.player.text.lines import line_width
from stepconv.player.views import screen
from stepconv.trace import worked_chain
from tests.player.samples import sample

DESK = Desk(inputs.numbers, picture_and_kernel.kernel, as_command.command)
SIZES = [(80, 24), (60, 20), (120, 40), (200, 60), (20, 6), (1, 1)]
ACTIONS = [action for key in KEYS for action in key.actions.values()]
EDITED = [
    *("tab", "shift+tab", "up", "down", "left", "right", "backspace", "enter", "space"),
    *("shift+up", "shift+left", "pagedown", "pageup", *"0123456789-./,: uU[]c"),
]
ANSWERS = ["17", "3,4", "0,1,2", "padding", "<0", ">9", "nan", "max", "x", "", "-1", "1e400"]
KERNELS = ["sobel-x", "1 0 -1", "1 2; 3 4", "1 | 2", "nothing", "1 1 1 || 2 2 2", ""]
# Several calls on which all keys do something.
PLAYED: dict[str, Any] = {
    "rgb": lambda: sample("vertical-edge-rgb"),
    "layer": lambda: sample("layer"),
    "pooling": lambda: sample("max-pool-backward"),
    "signal": lambda: sample("two-sequences"),
    "chain": lambda: worked_chain("two-convolutions").chain(),
    "learning": lambda: worked_chain("learn-a-filter").chain(),
    "layers": lambda: worked_chain("keras-two-layers").chain(),
    "branches": lambda: stepconv.record(
        [(stepconv.relu, {}), (stepconv.add, {"y": stepconv.From()})],
        np.arange(-4, 5).reshape(3, 3),
        backend="textbook",
    ),
}


def press(playback: Playback, random: np.random.Generator) -> None:
    """Press a key as the app does: in the editor it is the editor's, else the table's."""
    if playback.view == "edit" and random.random() < 0.9:
        key = str(random.choice(EDITED))
        playback.edit_key(key, key if len(key) == 1 else " " if key == "space" else None)
        if random.random() < 0.02:
            playback.load_kernel(str(random.choice(KERNELS)))
        return
    _, name, arguments = parse(str(random.choice(ACTIONS)))
    if name == "do" and playback.view != "edit":
        getattr(playback, str(arguments[0]))(*arguments[1:])
    elif name == "look" and playback.view != "edit":
        playback.look(str(arguments[0]))
    elif name == "ask" and playback.view != "edit":
        getattr(playback, str(arguments[0]))(str(random.choice(ANSWERS)))
    elif name == "leave":
        playback.look(playback.view)
    elif name == "answer":
        playback.follow()
    if playback.lacks_counterpart:
        playback.other = playback.record_counterpart()
    for _ in range(3 if playback.moving else 0):
        playback.tick()


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pictures would take the time of many keys."""
    small = {"one": np.eye(3), "two": np.arange(40).reshape(5, 8) % 7}
    monkeypatch.setattr("stepconv.player.editing.pictures", lambda: small)


def play(name: str, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    playback = Playback(PLAYED[name](), desk=DESK)
    views = set()
    for number in range(count):
        press(playback, random)
        views.add(playback.view)
        assert 0 <= playback.index <= playback.last
        if number % 6 == 0:
            width, height = SIZES[int(random.integers(len(SIZES)))]
            lines = screen.lines(playback, width, height)
            assert len(lines) == height
            assert all(line_width(line) <= width for line in lines)
    assert {"step", "help", "terms"} <= views or count < 1000


@pytest.mark.parametrize("name", PLAYED)
def test_random_keys_leave_a_whole_screen(name: str) -> None:
    play(name, 40, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [10, 11])
@pytest.mark.parametrize("name", PLAYED)
def test_a_hundred_thousand_random_keys(name: str, seed: int) -> None:
    play(name, 6250, seed)
