"""All links of a chain at once, the ways from a cell, and every term of its sums."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from textual.pilot import Pilot

import stepconv
from stepconv import Chain
from stepconv.player.app import Player
from stepconv.player.frame import linked
from stepconv.player.frame.film import Film
from stepconv.player.frame.strip import strip
from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text, line_width
from stepconv.player.views import screen
from stepconv.trace import worked_chain, worked_chains
from tests.player.samples import SOME, sample

SIZES = [(20, 6), (60, 20), (80, 24), (120, 40), (200, 60)]


def drawn(playback: Playback, width: int = 80, height: int = 24) -> str:
    lines = screen.lines(playback, width, height)
    assert len(lines) == height
    assert all(line_width(line) <= width for line in lines)
    return "\n".join(as_text(line) for line in lines)


def with_player(chain: Chain, act: Callable[[Player, Pilot[int]], Awaitable[None]]) -> None:
    async def run() -> None:
        player = Player(chain)
        async with player.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await act(player, pilot)

    asyncio.run(run())


@pytest.fixture(scope="module")
def chains() -> dict[str, Chain]:
    return {name: each.chain() for name, each in worked_chains().items()}


@pytest.mark.parametrize("name", worked_chains())
def test_the_strip_marks_all_that_reaches_the_cell(name: str, chains: dict[str, Chain]) -> None:
    chain = chains[name]
    for link in range(0, len(chain), 4):
        step = len(chain[link]) // 2
        made = linked.before(chain, link, step)
        field = {key: set(cells.tolist()) for key, cells in chain.field(link, step).items()}
        near = {cells.link: set(cells.numbers.tolist()) for cells in chain.made_from(link, step)}
        assert made in (field, near)
        assert made == field or sum(map(len, field.values())) > 600
        stops = strip(chain, lambda number: Film(chain[number]), link, step)
        assert [stop.link for stop in stops] == [None, *range(len(chain))]
        assert [stop.link for stop in stops if stop.here] == [link]


@pytest.mark.parametrize("size", SIZES)
def test_the_strip_fits_any_screen(size: tuple[int, int], chains: dict[str, Chain]) -> None:
    for chain in chains.values():
        playback = Playback(chain)
        playback.look("strip")
        for link in {0, len(chain) // 2, len(chain) - 1}:
            playback.stand_on(link, 0)
            drawn(playback, *size)


def test_at_80_by_24_all_links_of_a_scene_stand_there() -> None:
    playback = Playback(worked_chain("two-convolutions").chain())
    playback.look("strip")
    text = drawn(playback)
    assert all(f"{link} " in text for link in range(8))
    assert "▸0 convolve 4x4 ← input" in text


def test_enter_follows_a_cell_back_and_on(chains: dict[str, Chain]) -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        playback = player.playback
        await pilot.press("enter")
        assert playback.view == "follow"
        # From four cells of the input into one of link 1, the first that can be gone to.
        assert playback.ways[playback.chosen] == linked.Way(1, 0, True)
        await pilot.press("enter")
        assert (playback.view, playback.link, playback.index) == ("step", 1, 0)
        await pilot.press("enter", "down", "enter")
        assert (playback.link, playback.index) == (0, 1)
        await pilot.press("enter", "up", "up", "up", "up", "up", "enter")
        assert "the input is where the chain begins" in playback.message
        await pilot.press("escape")
        assert playback.view == "step"

    with_player(chains["two-convolutions"], act)


def test_a_click_in_the_strip_goes_to_that_cell(chains: dict[str, Chain]) -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("s")
        for y, line in enumerate(player.stage.drawn):
            x = 0
            for piece in line:
                if piece.spot == ("link:3", 1, 2):
                    await pilot.click("Stage", offset=(x + len(piece.text) - 1, y))
                    assert (player.playback.link, player.playback.index) == (3, 5)
                    return
                x += len(piece.text)
        raise AssertionError("link 3 is not there")

    with_player(chains["two-convolutions"], act)


@pytest.mark.parametrize("view", ["strip", "follow"])
def test_a_call_by_itself_has_no_strip(view: str) -> None:
    playback = Playback(sample("same-4x4"))
    playback.look(view)
    assert playback.view == "step"
    assert "one call alone" in playback.message
    playback.follow()
    assert playback.view == "step"


@pytest.mark.parametrize("name", SOME)
def test_every_term_of_a_step_can_be_seen(name: str) -> None:
    playback = Playback(sample(name))
    if not len(playback.film):
        return
    playback.go(playback.last // 2)
    playback.look("terms")
    step = playback.film.trace[playback.index]
    _, *text = drawn(playback, 60, 2000).splitlines()[:-2]
    assert "…" not in "".join(text)
    told = "".join(text).count("·")
    assert told == 0 or told >= step.patch.size


def test_a_long_sum_is_scrolled_and_comes_back_at_once() -> None:
    playback = Playback(sample("wide-kernel"))
    playback.look("terms")
    first = drawn(playback, 40, 12)
    for _ in range(300):
        playback.move_row(1)
    last = drawn(playback, 40, 12)
    assert last != first
    playback.move_row(-1)
    assert drawn(playback, 40, 12) != last


def test_the_colours_are_told_until_a_key_is_pressed(chains: dict[str, Chain]) -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        player.playback.legend = True
        player.stage.redraw()
        assert " colours window padding" in drawn(player.playback)
        assert "? keys" in drawn(player.playback)
        await pilot.press("right")
        assert "colours" not in drawn(player.playback)

    with_player(chains["linearity"], act)


def test_a_large_chain_is_drawn_soon() -> None:
    """Of very many cells only those next to the cell are marked."""
    calls = [(stepconv.correlate, {"w": np.ones((5, 5)), "padding": "same"})] * 8
    chain = stepconv.record(calls, np.ones((24, 24)), backend="textbook")
    made = linked.before(chain, 7, 300)
    assert made == {6: set(chain.made_from(7, 300)[0].numbers.tolist())}
