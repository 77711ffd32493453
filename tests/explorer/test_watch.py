"""A training watched: what is told, what is wished, what one sees, and that it ends in order."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Thread

import pytest
from textual.pilot import Pilot

from stepconv.cli.exploring.watching import Listener
from stepconv.explorer.watch import screens
from stepconv.explorer.watch.app import Watch
from stepconv.explorer.watch.watched import CURVES, GRADIENTS, HELP, INSIDE, KERNELS, MISREAD
from stepconv.player.text.lines import as_text, line_width
from stepconv.train import events
from stepconv.train.keeping import changes
from stepconv.train.runs import Run
from tests.explorer.samples import text
from tests.train.sets import a_run, made


def listened(folder: Path, steps: int = 8, **choices: object) -> tuple[Listener, object]:
    """Return a training that so many steps were heard of, and what it goes on to tell."""
    run = a_run(folder, **choices)
    told = run.events(save_every=0)
    listener = Listener(run, "small on digits")
    for event in told:
        listener.hear(event)
        if isinstance(event, events.Stepped) and event.step == steps:
            break
    return listener, told


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    listener, told = listened(tmp_path_factory.mktemp("run"))
    yield listener
    told.close()


@pytest.mark.parametrize(("width", "height"), [(60, 20), (120, 40)])
@pytest.mark.parametrize("view", [CURVES, GRADIENTS, KERNELS, MISREAD, HELP])
def test_every_view_keeps_to_the_screen(eight, view, width, height):
    eight.watched.view = view
    lines = screens.lines(eight.watched, eight.visit(), width, height)
    assert len(lines) == height
    assert max(map(line_width, lines)) <= width


def test_the_curves_tell_what_was_heard(eight):
    eight.watched.view = CURVES
    shown = text(screens.lines(eight.watched, eight.visit(), 120, 24))
    assert "epoch 2 of 3" in shown
    assert "step 8 " in shown
    assert eight.watched.done == pytest.approx((5 * 64 - 20 + 3 * 64) / 900, abs=0.01)
    assert f"loss {10 ** eight.watched.losses[-1]:.4f}" in shown
    for name in ("learning rate", "momentum", "batch", "weight decay"):
        assert name in shown


def test_misread_pictures_are_the_networks_own(eight):
    watched = eight.watched
    assert watched.misread
    for each in watched.misread:
        assert each.told != each.right
    watched.view = MISREAD
    shown = text(screens.lines(watched, eight.visit(), 80, 24))
    assert re.search(r"\d, is \d", shown)


def test_gradients_are_those_of_each_layer(eight):
    visit = eight.visit()
    eight.watched.view = GRADIENTS
    shown = text(screens.lines(eight.watched, visit, 80, 24))
    assert all(column.name in shown for column in visit.columns)


def test_the_weights_are_copied_only_where_they_are_looked_at(eight):
    watched = eight.watched
    watched.view, watched.caught_look = CURVES, None
    assert not watched.wants_weights
    for view in (INSIDE, KERNELS, GRADIENTS):
        watched.view = view
        assert watched.wants_weights
        eight._caught = 0.0
        eight._catch()
        assert watched.caught_look is not None
        assert not watched.wants_weights
        watched.caught_look = None


@pytest.mark.slow
def test_what_one_looks_into_stays_as_it_was(tmp_path):
    listener, told = listened(tmp_path, steps=3)
    visit = listener.visit()
    before = visit.inside.network.parameters["conv1.weight"].copy()
    for event in told:
        listener.hear(event)
    assert (visit.inside.network.parameters["conv1.weight"] == before).all()
    now = listener.run.trainer.parameters()["conv1.weight"]
    assert (now != before).any()


@pytest.mark.parametrize(
    ("chosen", "by", "name", "value"),
    [
        (0, 1, "lr", 0.045),
        pytest.param(0, -1, "lr", 0.02, marks=pytest.mark.slow),
        pytest.param(1, -1, "momentum", 0.8, marks=pytest.mark.slow),
        pytest.param(2, 1, "batch_size", 128, marks=pytest.mark.slow),
        pytest.param(3, 1, "weight_decay", 0.001, marks=pytest.mark.slow),
    ],
)
def test_a_key_wishes_and_the_training_takes_it(tmp_path, chosen, by, name, value):
    listener, told = listened(tmp_path, steps=2, lr=0.03)
    watched = listener.watched
    watched.chosen = chosen
    watched.change(by)
    assert f"{value:g}" in watched.message
    found = []
    for event in told:
        listener.hear(event)
        found.append(event)
    assert events.Changed(2, name, value) in found
    assert watched.choices[name] == value
    assert [(c.name, c.value) for c in changes.load(tmp_path).made] == [(name, value)]


def test_what_cannot_be_is_said(tmp_path):
    listener, told = listened(tmp_path, steps=2, lr=900000.0)
    listener.watched.change(1)
    assert "lr=1350000" in listener.watched.message.replace(".0", "")
    told.close()


def test_an_optimiser_without_momentum_offers_none(tmp_path):
    listener, told = listened(tmp_path, steps=1, optimizer="adam", lr=0.001)
    assert list(listener.watched.choices) == ["lr", "batch_size", "weight_decay"]
    told.close()


@pytest.mark.slow
def test_leaving_stops_after_the_step_and_saves(tmp_path):
    listener, told = listened(tmp_path, steps=2)
    listener.watched.leave()
    rest = list(told)
    assert isinstance(rest[-1], events.Stopped)
    assert Run.resumed(tmp_path, made()).trainer.steps == 2


Act = Callable[[Watch, Pilot[int]], Awaitable[None]]


def with_watch(folder: Path, act: Act, size: tuple[int, int] = (80, 24)) -> Listener:
    run = a_run(folder)
    told = run.events(save_every=0)
    listener = Listener(run, "small on digits")
    listener.hear(next(told))
    thread = Thread(target=lambda: listener.follow(told))

    async def go() -> None:
        app = Watch(listener.visit(), listener.watched)
        async with app.run_test(size=size) as pilot:
            thread.start()
            await act(app, pilot)

    try:
        asyncio.run(go())
    finally:
        listener.watched.leave()
        thread.join()
        told.close()
    return listener


def test_curves_the_network_inside_and_back(tmp_path):
    async def act(app: Watch, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        await pilot.pause()
        assert "conv1" in text(app.stage.drawn)
        await pilot.press("enter", "enter", "enter")
        assert app.in_window
        await pilot.press("escape", "escape", "escape")
        assert app.watched.view == INSIDE
        await pilot.press("escape")
        assert app.watched.view == CURVES
        for key in ("g", "k", "e", "question_mark", "escape"):
            await pilot.press(key)
        assert app.watched.view == CURVES

    with_watch(tmp_path, act)


@pytest.mark.slow
def test_it_can_be_watched_to_its_end_and_left(tmp_path):
    async def act(app: Watch, pilot: Pilot[int]) -> None:
        for _ in range(400):
            await pilot.pause(0.05)
            if app.watched.is_over:
                break
        await pilot.pause(0.6)
        assert "all epochs are done" in as_text(app.stage.drawn[-1])
        await pilot.press("q")
        assert not app.is_running

    listener = with_watch(tmp_path, act)
    assert isinstance(listener.last, events.Finished)
    assert Run.resumed(tmp_path, made()).trainer.steps == 15


def test_keys_change_the_training(tmp_path):
    async def act(app: Watch, pilot: Pilot[int]) -> None:
        await pilot.press("down", "left")
        assert app.watched.message or app.watched.said
        await pilot.press("q")

    with_watch(tmp_path, act)


def test_a_pipe_is_no_screen(capsys):
    from stepconv.cli import main

    assert main(["train", "lenet5", "--watch"]) == 2
    assert "--watch needs a terminal" in capsys.readouterr().err
    assert main(["train", "lenet5", "--watch", "--json"]) == 2
    assert "two things" in capsys.readouterr().err
