"""The explorer with keys and mouse, in Textual's pilot: what a person does and then sees."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual import events
from textual.pilot import Pilot

from stepconv.explorer import keys
from stepconv.explorer.app import Explorer
from stepconv.explorer.standing import BENCH, FILTER, LAYER, MAP, NETWORK, WINDOW
from stepconv.player.text.lines import as_text, columns
from tests.explorer.samples import visit

Act = Callable[[Explorer, Pilot[int]], Awaitable[None]]


def with_explorer(act: Act, size: tuple[int, int] = (80, 24), **options: object) -> None:
    made = visit(**options)

    async def run() -> None:
        app = Explorer(made)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(run())


def shown(app: Explorer) -> str:
    return "\n".join(as_text(line) for line in app.stage.drawn)


def at(app: Explorer, part: str, row: int = 0, column: int = 0) -> tuple[int, int]:
    for y, line in enumerate(app.stage.drawn):
        x = 0
        for piece in line:
            if piece.spot == (part, row, column):
                return x, y
            x += columns(piece.text)
    raise AssertionError(f"{part} {row},{column} is not on the screen")


@pytest.mark.parametrize(
    "size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow)], ids=str
)
def test_from_a_drawn_5_to_one_multiplication_and_back(size):
    """By keyboard alone: the drawing, its window in conv2, its field, a weight and its step."""

    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        made = app.visit
        await pilot.press("d", "x", "space", *["left"] * 4, *["down"] * 3, *["right"] * 3)
        await pilot.press(*["down"] * 3, *["left"] * 4, "space")
        assert made.view == BENCH
        assert made.bench.source == "drawn"
        await pilot.press("escape", *["right"] * 3, "enter", "right", "right", "enter", "down")
        assert (made.level, made.column.name, made.plane) == (MAP, "conv2", 2)
        assert "map 2" in shown(app)
        field = made.inside.field("conv2", made.index)
        assert field.bounds[0][1] - field.bounds[0][0] == 14
        assert "14x14" in shown(app)
        value = made.layer.output[made.index]
        await pilot.press("enter")
        assert made.level == WINDOW
        step = app.playback.film.trace[app.playback.index]
        assert float(step.result) == pytest.approx(float(value), rel=1e-4)
        assert "›" in shown(app)
        await pilot.press("right", "escape")
        assert made.level == MAP
        await pilot.press("5", "w", "tab", "down")
        assert (made.level, made.label) == (FILTER, 5)
        assert "w − lr · g" in shown(app)
        await pilot.press("enter")
        assert made.level == WINDOW
        await pilot.press("escape", "escape", "escape")
        assert made.level == NETWORK

    with_explorer(act, size)


def test_in_a_window_the_keys_are_the_players():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        app.visit.go_to("conv1")
        app.visit.level = MAP
        await pilot.press("enter")
        before = app.playback.index
        await pilot.press("right", "right")
        assert app.playback.index == before + 2
        await pilot.press("w")
        assert app.playback.view == "sizes"
        await pilot.press("escape")
        assert app.playback.view == "step"
        assert app.visit.level == WINDOW
        await pilot.press("g", "1", "7", "enter")
        assert app.playback.index == 17
        await pilot.press("space")
        assert app.playback.playing
        await pilot.press("escape")
        assert app.visit.level == MAP
        assert app._clock is None

    with_explorer(act)


def test_a_question_takes_letters_that_are_keys_elsewhere():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        app.visit.level = MAP
        await pilot.press("enter", "slash", "m", "a", "x", "enter")
        found = app.playback.film.trace[app.playback.index].result
        assert float(found) == pytest.approx(float(app.playback.film.trace.output.max()))
        await pilot.press("slash", "q", "escape")
        assert app.visit.level == WINDOW

    with_explorer(act)


def test_the_mouse_draws_on_the_sheet():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        await pilot.press("d", "x")
        x, y = at(app, "sheet", 4, 3)
        to_x, _ = at(app, "sheet", 4, 9)
        for kind, column in ((events.MouseDown, x), (events.MouseMove, to_x)):
            app.stage.post_message(kind(app.stage, column, y, 0, 0, 1, False, False, False))
            await pilot.pause()
        assert (app.visit.bench.pen.sheet[4, 3:10] == 255).all()

    with_explorer(act)


def test_a_click_chooses_a_map_and_a_second_one_goes_in():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        place = at(app, "map:conv1:1")
        await pilot.click(offset=place)
        assert (app.visit.column.name, app.visit.plane, app.visit.level) == ("conv1", 1, NETWORK)
        await pilot.click(offset=at(app, "map:conv1:1"))
        assert app.visit.level == LAYER

    with_explorer(act)


@pytest.mark.parametrize("key", ["g", "enter", "d"])
def test_a_click_on_a_key_is_the_key(key):
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        await pilot.click(offset=at(app, f"key:{key}"))
        visit = app.visit
        assert {"g": visit.backward, "enter": visit.level == LAYER, "d": visit.view == BENCH}[key]

    with_explorer(act)


def test_a_key_that_means_nothing_does_nothing():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        before = shown(app)
        await pilot.press("u", "Z", "alt+g", "f7", "ctrl+t", "ä")
        assert shown(app) == before
        app.visit.level = MAP
        await pilot.press("enter", "ctrl+t", "f7")
        assert app.visit.level == WINDOW

    with_explorer(act)


def test_light_and_leave():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        await pilot.press("l")
        assert app.theme == "textual-light"
        await pilot.press("q")
        assert not app.is_running

    with_explorer(act)


@pytest.mark.slow
def test_the_picture_follows_the_size_of_the_screen():
    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert len(app.stage.drawn) == 40
        assert "conv2" in shown(app)

    with_explorer(act)


@pytest.mark.slow
def test_every_key_can_be_pressed():

    async def act(app: Explorer, pilot: Pilot[int]) -> None:
        for context in (NETWORK, BENCH):
            for key in keys.at(context):
                for name in key.presses:
                    if name in ("q", "ctrl+c", "i"):
                        continue
                    app.visit.level, app.visit.view = NETWORK, "" if context == NETWORK else BENCH
                    await pilot.press(name)
        assert app.is_running

    with_explorer(act, rival="mlp", moments=2)


@pytest.mark.parametrize("escape_leaves", [True, False])
def test_in_a_lesson_escape_leads_out_at_last(escape_leaves: bool) -> None:
    async def run() -> None:
        app = Explorer(visit(), escape_leaves=escape_leaves)
        async with app.run_test() as pilot:
            await pilot.press("enter", "question_mark", "escape", "escape")
            assert app.is_running
            await pilot.press("escape")
            assert app.visit.is_outermost
            assert app._exit == escape_leaves

    asyncio.run(run())
