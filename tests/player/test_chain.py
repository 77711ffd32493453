"""Along a chain in the player: the keys follow a cell to what is made of it, and back."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from textual.pilot import Pilot

import stepconv
from stepconv import Chain, From
from stepconv.player.app import Player
from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text, line_width
from stepconv.player.views import screen

PICTURE = np.array([[10, 10, 10, 0, 0, 0]] * 5)


def chain() -> Chain:
    edge = [[1, 0, -1]] * 3
    return stepconv.record(
        [
            (stepconv.correlate, {"w": edge, "padding": (0, 1)}),
            (stepconv.relu, {}),
            (stepconv.max_pool, {"window": 2}),
        ],
        PICTURE,
        backend="textbook",
    )


def drawn(playback: Playback, width: int = 80, height: int = 24) -> list[str]:
    lines = screen.lines(playback, width, height)
    assert len(lines) == height
    assert all(line_width(line) <= width for line in lines)
    return [as_text(line) for line in lines]


def with_player(act: Callable[[Player, Pilot[int]], Awaitable[None]]) -> None:
    async def run() -> None:
        player = Player(chain())
        async with player.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await act(player, pilot)

    asyncio.run(run())


def test_the_keys_follow_a_cell_there_and_back() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("g", "2", "enter", "right_square_bracket")
        playback = player.playback
        assert (playback.link, playback.index, playback.film.trace.op) == (1, 2, "relu")
        await pilot.press("right_square_bracket")
        assert (playback.link, playback.index) == (2, 1)
        await pilot.press("right_square_bracket")
        assert playback.link == 2
        assert "the last link" in playback.message
        await pilot.press("left_square_bracket")  # to the largest cell of its window
        assert (playback.link, playback.index) == (1, 2)
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert playback.link == 0
        assert "there is no link before it" in playback.message

    with_player(act)


def test_each_screen_says_where_the_cell_is_from_and_where_it_goes() -> None:
    playback = Playback(chain())
    playback.go(2)
    told = drawn(playback)[1]
    assert told == " link 0 of 3 · [ from 9 cells of the input · ] into cell 0,2 of link 1"
    playback.walk(1)
    told = drawn(playback)[1]
    assert "link 1 of 3 · [ from cell 0,2 of link 0 · ] into cell 0,1 of link 2" in told
    playback.walk(1)
    assert drawn(playback)[1].endswith("] the result")
    for view in ("sizes", "readers", "workers", "present", "help"):
        playback.look(view)
        assert "link 2 of 3" in drawn(playback)[1]
        playback.look(view)


@pytest.mark.parametrize("size", [(20, 6), (40, 11), (40, 12), (60, 20), (80, 24), (200, 60)])
def test_it_fits_any_screen(size: tuple[int, int]) -> None:
    playback = Playback(chain())
    for by in (1, 1, -1, -1):
        drawn(playback, *size)
        playback.walk(by)


def test_a_click_on_the_line_walks() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click("Stage", offset=(as_text(player.stage.drawn[1]).index("]"), 1))
        assert player.playback.link == 1
        await pilot.click("Stage", offset=(as_text(player.stage.drawn[1]).index("["), 1))
        assert player.playback.link == 0

    with_player(act)


def test_breakpoints_stay_with_their_link() -> None:
    playback = Playback(chain())
    playback.toggle_breakpoint()
    playback.walk(1)
    assert playback.breakpoints == set()
    playback.walk(-1)
    assert playback.breakpoints == {0}


def test_a_comparison_ends_where_there_is_nothing_to_compare() -> None:
    playback = Playback(chain())
    playback.look("compare")
    playback.walk(1)
    assert playback.view == "step"


def test_a_call_by_itself_has_no_links() -> None:
    playback = Playback(chain()[0])
    playback.walk(1)
    assert playback.message == "there is one call alone: --then makes a chain"
    assert "link" not in drawn(playback)[1]


def test_a_cell_that_nothing_reads_leads_to_the_first() -> None:
    calls = [(stepconv.relu, {}), (stepconv.correlate, {"w": [1], "stride": 2})]
    playback = Playback(stepconv.record(calls, [1, 2, 3], backend="textbook"))
    playback.go(1)
    assert "] into no cell" in drawn(playback)[1]
    playback.walk(1)
    assert (playback.link, playback.index) == (1, 0)


def test_a_branch_leads_to_the_link_that_it_comes_from() -> None:
    calls = [
        (stepconv.relu, {}),
        (stepconv.relu, {"x": From()}),
        (stepconv.relu, {"x": From(0)}),
    ]
    playback = Playback(stepconv.record(calls, [1, 2, 3], backend="textbook"))
    playback.go(2)
    playback.walk(1)
    assert (playback.link, playback.index) == (2, 2)
    playback.walk(-1)
    assert playback.link == 0


def test_planes_are_counted_where_there_are_several() -> None:
    for planes, cell in ((1, "cell 0,1 of link 0"), (2, "cell 0,0,1 of link 0")):
        calls = [(stepconv.relu, {}), (stepconv.relu, {})]
        playback = Playback(stepconv.record(calls, np.ones((planes, 3, 3)), backend="textbook"))
        playback.go(1)
        playback.walk(1)
        assert f"[ from {cell} · ] the result" in drawn(playback)[1]
