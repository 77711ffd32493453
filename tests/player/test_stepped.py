"""An algorithm on the screen: pages, keys and clicks, on screens of several sizes."""

import asyncio

import numpy as np
import pytest

import stepconv
from stepconv.algorithms import every_run, runs, table
from stepconv.player import keys
from stepconv.player.stepped import screen
from stepconv.player.stepped.app import Stepper
from stepconv.player.stepped.pages import pages
from stepconv.player.stepped.playback import Playback
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import as_text, line_width


def playback(way="fft"):
    x = np.arange(144).reshape(12, 12) % 7
    trace = stepconv.record(stepconv.correlate, x, [[1, 2, 1], [2, 4, 2], [1, 2, 1]], padding=1)
    steps = [(run.algorithm.title, step) for run in runs(trace, way) for step in run.steps]
    return Playback(pages(steps, table(every_run(trace))))


def drawn(of, width=80, height=24):
    return [as_text(line) for line in screen.lines(of.page, width, height, Status(), of.view)]


@pytest.mark.parametrize("way", ["direct", "im2col", "separable", "winograd", "fft", "tiles"])
@pytest.mark.parametrize("size", [(80, 24), (60, 20), (120, 40), (20, 6)])
def test_every_page_fits(way, size):
    of = playback(way)
    for number in range(len(of.pages)):
        of.go(number)
        found = screen.lines(of.page, *size, Status())
        assert len(found) == size[1]
        assert max(map(line_width, found)) <= size[0]


def test_pages():
    of = playback()
    assert "a circle that is too small" in drawn(of)[0]
    of.go_to_end(1)
    assert "side by side" in drawn(of)[0]
    assert any(line.startswith(" winograd F(4x4,3x3)") for line in drawn(of))
    of.look("help")
    assert any("play and pause" in line for line in drawn(of))


def test_it_plays_to_the_table_and_stops():
    of = playback()
    of.toggle_playing()
    for _ in range(len(of.pages) + 3):
        if of.playing:
            of.tick()
    assert (of.number, of.playing) == (len(of.pages) - 1, False)
    of.toggle_playing()
    assert (of.number, of.playing) == (0, True)


def test_keys_on_a_terminal():
    of = playback()

    async def run():
        stepper = Stepper(of)
        async with stepper.run_test(size=(80, 24)) as pilot:
            await pilot.press("right", "right", "left", "plus", "question_mark", "escape")
            assert (of.number, of.speed, of.view) == (1, 2.0, "")
            await pilot.press("end")
            assert of.page.step is None
            await pilot.click(offset=(1, 22))  # the bar
            assert of.number == 0
            await pilot.press("question_mark", "escape")
            assert stepper.is_running
            await pilot.press("escape")
            assert not stepper.is_running

    asyncio.run(run())


def test_every_key_does_something():
    for key in keys.STEPPED:
        for action in key.actions.values():
            name, _, rest = action.partition("(")
            assert hasattr(Stepper, f"action_{name}")
            if name == "do":
                assert hasattr(Playback, rest.split("'")[1])
