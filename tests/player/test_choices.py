"""The chooser: a list that typing narrows, a preview of what is selected, and what comes of it."""

import asyncio

import numpy as np
import pytest
from textual.pilot import Pilot

from stepconv.cli.reading import targets
from stepconv.cli.showing import choosing
from stepconv.errors import ArgumentError
from stepconv.player.choices import Choice, Choices
from stepconv.player.chooser import Chooser
from stepconv.player.text.lines import as_text, line_width
from stepconv.trace import worked_examples
from stepconv.trace.gallery.traces import has_windows


def choices(typed: str = "") -> Choices:
    return Choices(choosing.everything(), choosing.preview, typed)


def said(state: Choices, width: int = 80, height: int = 24) -> str:
    return "\n".join(as_text(line) for line in state.lines(width, height))


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 60), (24, 7)])
def test_any_screen_is_filled_and_none_overrun(size: tuple[int, int]) -> None:
    for typed in ("", "edge", "no such thing"):
        state = choices(typed)
        for by in (0, 7, 99, -3):
            state.move(by)
            lines = state.lines(*size)
            assert len(lines) == size[1]
            assert max(line_width(line) for line in lines) <= size[0]


def test_examples_stand_by_theme_with_a_preview_of_the_selected_one() -> None:
    text = said(choices())
    assert "1-D" in text
    assert "two-sequences" in text
    assert "from 0: step 0 of" in text
    state = choices("vertical-edge-rgb")
    assert "A vertical edge in three channels" in said(state)
    assert "input 10x10 · red" in said(state, 120, 40)


def test_typing_narrows_the_list_and_what_finds_nothing_is_played_as_typed() -> None:
    state = choices()
    for letter in "max pool":
        state.write(letter)
    assert {"max" in c.told.lower() or "max" in c.name for c in state.found} == {True}
    state.typed = '--input "1 2 3" --kernel "1 1"'
    assert state.found == []
    assert state.answer == state.typed
    for _ in state.typed:
        state.write("")
    assert len(state.found) == len(state.every)
    state.write("sobel")
    state.clear()
    assert (state.typed, len(state.found)) == ("", len(state.every))


def test_every_choice_can_be_played() -> None:
    every = choosing.everything()
    assert {c.name for c in every} >= {e.id for e in worked_examples() if has_windows(e)}
    for choice in every:
        if choice.theme == "pictures":
            assert len(targets.trace_of(targets.parsed(choice.command.split()))) > 0
        else:
            assert choice.theme == "files here" or choosing.preview(choice) is not None


def test_what_cannot_be_looked_at_says_why() -> None:
    def preview(choice: Choice) -> None:
        raise ArgumentError(f"{choice.name} is damaged")

    state = Choices([Choice("files here", "a.npz", "a record", "a.npz")], preview)
    assert "a.npz is damaged" in said(state)


def test_a_line_of_ones_own_is_read_as_play_reads_it() -> None:
    asked = targets.parsed(["--input", "1 2 3", "--kernel", "1 1", "--padding", "1"])
    assert targets.trace_of(asked).output.tolist() == [1, 3, 5, 3]
    np.testing.assert_equal(asked.stride, None)


def test_keys_choose_and_leave() -> None:
    async def act(keys: list[str]) -> str | None:
        app = Chooser(choices())
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, keys)
        return app.return_value

    async def press(pilot: Pilot[str], keys: list[str]) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    first, second = (c.command for c in choosing.everything()[:2])
    assert asyncio.run(act(["enter"])) == first
    assert asyncio.run(act(["down", "enter"])) == second
    assert asyncio.run(act([*"relu4", "backspace", "enter"])) == "relu-4x4"
    assert asyncio.run(act(["escape"])) is None
