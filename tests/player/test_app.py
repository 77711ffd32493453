"""The player with keys and mouse, in Textual's pilot: what a person does and then sees."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import pytest
from textual import events
from textual.actions import parse
from textual.pilot import Pilot
from textual.widgets import Input

from stepconv.player.app import Player
from stepconv.player.keys import KEYS
from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text, columns
from stepconv.trace import Trace
from tests.player.samples import sample

Act = Callable[[Player, Pilot[int]], Awaitable[None]]


def with_player(
    act: Act, name: str = "vertical-edge-rgb", size: tuple[int, int] = (80, 24)
) -> None:
    trace: Trace = sample(name)

    async def run() -> None:
        player = Player(trace)
        async with player.run_test(size=size) as pilot:
            await pilot.pause()
            await act(player, pilot)

    asyncio.run(run())


def screen(player: Player) -> list[str]:
    return [as_text(line) for line in player.stage.drawn]


def painted(player: Player) -> list[str]:
    """What Textual was given to paint, which must be what the lines say."""
    return [player.stage.render_line(y).text.rstrip() for y in range(player.stage.size.height)]


def at(player: Player, part: str, row: int, column: int) -> tuple[int, int]:
    for y, line in enumerate(player.stage.drawn):
        x = 0
        for piece in line:
            if piece.spot == (part, row, column):
                return x + columns(piece.text) - 1, y
            x += columns(piece.text)
    raise AssertionError(f"{part} {row},{column} is not on the screen")


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        (["right"], 1),
        (["right", "right", "left"], 1),
        (["left"], 0),
        (["end"], 63),
        (["end", "home"], 0),
        (["down", "down", "up"], 8),
        (["g", "1", "7", "enter"], 17),
        (["g", "3", "comma", "4", "enter"], 28),
        (["g", "3", "escape", "right"], 1),
        (["g", "enter", "right"], 1),
        (["slash", *"> 100".replace(" ", ""), "enter"], 3),
        (["slash", *"max", "enter", "n", "n"], 11),
        (["slash", *"max", "enter", "n", "n", "N"], 4),
    ],
)
def test_keys_go_to_steps(keys: list[str], index: int) -> None:
    names = {">": "greater_than_sign", "<": "less_than_sign"}

    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press(*(names.get(key, key) for key in keys))
        await pilot.pause()
        assert player.playback.index == index
        assert f"step {index} of 64" in screen(player)[0]
        assert painted(player) == [line.rstrip() for line in screen(player)]

    with_player(act)


@pytest.mark.parametrize(
    ("typed", "index"),
    [
        ("g17⏎", 17),
        ("g3,4⏎", 28),
        ("g→1←9⏎", 19),
        ("gq17⏎", 0),
        ("/max⏎nn", 11),
        ("/>100⏎N", 60),
        ("g17⏎←→←", 16),
        ("→→g17⏎→g", 18),
        ("g17⎋→", 1),
        ("g8⏎g9⏎g17⏎", 17),
    ],
)
def test_no_key_is_lost_however_fast_they_come(typed: str, index: int) -> None:
    """All keys wait before the first is looked at, as they do on a busy machine."""
    names = {"⏎": "enter", "⎋": "escape", "←": "left", "→": "right"}
    names |= {"/": "slash", ">": "greater_than_sign", ",": "comma"}

    async def act(player: Player, pilot: Pilot[int]) -> None:
        for letter in typed:
            written = None if letter in "⏎⎋←→" else letter
            player.post_message(events.Key(names.get(letter, letter), written))
        for _ in range(5):
            await pilot.pause()
        assert player.playback.index == index

    with_player(act)


@pytest.mark.parametrize(
    ("key", "view", "says"),
    [
        ("w", "sizes", "8 = (10 - 3 + 2·0) / 1 + 1"),
        ("r", "readers", "read how often?"),
        ("t", "workers", "who computed which cell?"),
        ("p", "present", "▀▀▀"),
        ("question_mark", "help", "breakpoint"),
        ("c", "compare", "convolution"),
    ],
)
def test_keys_open_views_and_close_them(key: str, view: str, says: str) -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert player.playback.view == view
        assert says in "\n".join(screen(player))
        await pilot.press("escape")
        assert player.playback.view == "step"
        await pilot.press(key, key)
        assert player.playback.view == "step"

    with_player(act)


def test_tab_shows_the_next_channel() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        for key, said in (("tab", "· green"), ("tab", "· blue"), ("shift+tab", "· green")):
            await pilot.press(key)
            assert said in "\n".join(screen(player))

    with_player(act)


def test_filters_and_images() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("f")
        assert player.playback.place == (1, 0, 0)
        await pilot.press("F", "i")
        assert player.playback.place == (6, 0, 0)
        await pilot.press("I")
        assert player.playback.place == (0, 0, 0)

    with_player(act, "layer")


def test_it_plays_pauses_and_stops_at_breakpoints() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press(*["right"] * 5, "b", "home", *["plus"] * 10, "space")
        for _ in range(100):
            await pilot.pause(0.05)
            if not player.playback.playing:
                break
        assert player.playback.index == 5
        assert "breakpoint at step 5" in screen(player)[-1]
        await pilot.press(*["minus"] * 12, "space")
        assert player.playback.playing
        assert "▶" in screen(player)[0]
        await pilot.press("space")
        assert not player.playback.playing
        index = player.playback.index
        await pilot.pause(0.2)
        assert player.playback.index == index

    with_player(act)


def test_speed_is_on_the_screen() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("plus")
        assert "8/s" in screen(player)[0]
        await pilot.press("minus", "minus")
        assert "2/s" in screen(player)[0]

    with_player(act)


def test_a_condition_stops_it() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("B", "greater_than_sign", "9", "enter", *["plus"] * 10, "space")
        for _ in range(100):
            await pilot.pause(0.05)
            if not player.playback.playing:
                break
        assert player.playback.index == 3

    with_player(act)


def test_a_click_on_a_cell_of_the_output_goes_there() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=at(player, "result", 5, 6))
        assert player.playback.place == (0, 5, 6)

    with_player(act)


def test_a_click_on_a_cell_of_the_input_goes_to_its_window() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=at(player, "source", 6, 7))
        rows, columns_read = player.playback.film.trace.step(player.playback.index).readings
        assert rows.positions == (5, 6, 7)
        assert columns_read.positions == (6, 7, 8)

    with_player(act)


def test_a_click_in_the_padding_counts_from_the_input() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=at(player, "source", 5, 5))
        assert player.playback.place == (0, 3, 3)

    with_player(act, "same-4x4")


def test_a_click_on_the_bar_goes_there() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=(1, 22))
        assert player.playback.index == 0
        await pilot.click(offset=(78, 22))
        assert player.playback.index == 63
        await pilot.click(offset=(40, 22))
        assert 28 <= player.playback.index <= 35

    with_player(act)


def test_a_click_on_a_key_presses_it() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=at(player, "key:w", 0, 0))
        assert player.playback.view == "sizes"
        await pilot.click(offset=at(player, "key:?", 0, 0))
        assert player.playback.view == "help"

    with_player(act)


def test_the_wheel_steps() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await player.stage.on_mouse_scroll_down()
        await player.stage.on_mouse_scroll_down()
        await player.stage.on_mouse_scroll_up()
        assert player.playback.index == 1

    with_player(act)


def test_a_click_on_nothing_does_nothing() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.click(offset=(70, 20))
        assert (player.playback.index, player.playback.view) == (0, "step")

    with_player(act)


def test_arrows_move_the_asked_cell_and_a_click_chooses_one() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("r", "up", "left")
        assert player.playback.asked_cell == (0, 0)
        assert "1 window reads it" in "\n".join(screen(player))
        await pilot.click(offset=at(player, "source", 4, 4))
        assert "9 windows read it" in "\n".join(screen(player))
        assert player.playback.index == 0

    with_player(act)


@pytest.mark.parametrize(
    "name", ["picture", *(pytest.param(n, marks=pytest.mark.slow) for n in ("layer", "long"))]
)
def test_any_resize_leaves_a_whole_screen(name: str) -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        for view in ("step", "sizes", "readers", "workers", "present", "compare"):
            player.playback.view = view if view != "compare" else "step"
            for width, height in ((200, 60), (60, 20), (20, 6), (7, 2), (1, 1), (80, 24)):
                await pilot.resize_terminal(width, height)
                await pilot.pause()
                lines = painted(player)
                assert len(lines) == height
                assert max(map(len, lines)) <= width
        player.playback.view = "step"
        await pilot.press("right")
        assert f"step 1 of {len(sample(name))}" in screen(player)[0]

    with_player(act, name)


def test_a_refused_question_says_why_and_goes_nowhere() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("g", "9", "9", "9", "enter")
        assert player.playback.index == 0
        assert "there is no step 999" in screen(player)[-1]
        await pilot.press("right")
        assert "there is no step" not in screen(player)[-1]

    with_player(act)


def test_the_question_stands_on_the_last_line() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        question = player.query_one(Input)
        assert not question.display
        await pilot.press("slash")
        await pilot.pause()
        assert question.display
        assert question.region.y == 23
        assert "padding" in question.placeholder

    with_player(act)


def test_a_click_beside_the_question_leaves_it() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("g", "5")
        await pilot.click(offset=at(player, "result", 5, 6))
        assert player.playback.place == (0, 5, 6)
        assert not player.query_one(Input).display
        await pilot.press("slash", "5")
        await pilot.click(offset=(70, 20))  # nothing is there
        await pilot.press("right")
        assert player.playback.place == (0, 5, 7)

    with_player(act)


def test_only_lines_that_changed_are_drawn() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        regions: list[object] = []
        refresh = player.stage.refresh
        player.stage.refresh = lambda *some, **options: (regions.extend(some), refresh(*some))[1]
        await pilot.press("right")
        # Title, rows 1 to 3 of input and kernel, sums; not the seven rows below the window.
        assert 0 < len(regions) <= 13

    with_player(act)


def test_light_and_dark() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("l")
        assert player.theme == "textual-light"
        await pilot.press("l")
        assert player.theme == "textual-dark"

    with_player(act)


def test_q_leaves_with_success() -> None:
    async def act(player: Player, pilot: Pilot[int]) -> None:
        await pilot.press("q")

    with_player(act)


# Keys whose names for Textual are not what the screens write.
WRITTEN = {"left": "←", "right": "→", "up": "↑", "down": "↓", "slash": "/", "escape": "esc"}
WRITTEN |= {"plus": "+", "minus": "-", "question_mark": "?"}
WRITTEN |= {"left_square_bracket": "[", "right_square_bracket": "]"}


def test_every_key_that_is_told_works_and_the_other_way_round() -> None:
    working = set()
    for key in KEYS:
        # Ctrl-C leaves as everywhere, which nobody has to be told.
        names = [pressed.partition(",")[0] for pressed in key.actions if pressed != "ctrl+c"]
        written = [WRITTEN.get(name, name) for name in names]
        assert sorted("".join(written)) == sorted(key.shown.replace(" ", "").rstrip(":"))
        working |= {name for pressed in key.actions for name in pressed.split(",")}
    bound = {name for one in Player.BINDINGS for name in one.key.split(",")}
    assert bound == working


def test_every_key_does_something_that_there_is() -> None:
    for action in (action for key in KEYS for action in key.actions.values()):
        _, name, arguments = parse(action)
        assert hasattr(Player, f"action_{name}")
        if name in ("do", "ask"):
            method = getattr(Playback(sample("one-cell")), str(arguments[0]))
            inspect.signature(method).bind(*(arguments[1:] if name == "do" else ["17"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["empty", "one-cell", "layer-back-bias"])
def test_odd_traces_survive_every_key(name: str) -> None:
    keys = ["right", "down", "end", "tab", "f", "i", "b", "n", "h"]
    views = ["w", "r", "t", "p", "c"]

    async def act(player: Player, pilot: Pilot[int]) -> None:
        for view in [*views, "escape"]:
            await pilot.press(view, *keys)
        assert len(painted(player)) == 24

    with_player(act, name)
