"""A signal in large digits: over its kernel, which turns before the eyes."""

import asyncio

import pytest

from stepconv.player.app import Player
from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text, line_width
from stepconv.player.views import screen
from tests.player.samples import sample


def large(name: str = "two-sequences", step: int = 1) -> Playback:
    playback = Playback(sample(name))
    playback.go(step)
    playback.look("present")
    return playback


def drawn(playback: Playback, width: int = 80, height: int = 24) -> list[str]:
    lines = screen.lines(playback, width, height)
    assert all(line_width(line) <= width for line in lines)
    return [as_text(line) for line in lines]


def test_the_kernel_lies_under_the_cells_that_it_meets() -> None:
    """Each tap ends in the column in which the cell that it meets ends."""
    playback = large()
    for step in range(playback.last + 1):
        playback.go(step)
        ends = []
        for line in screen.lines(playback, 80, 24)[3:9:5]:  # the first line of each row of digits
            at, row = 0, []
            for piece in line:
                at += line_width([piece])
                if piece.role == "large":
                    row.append(at)
            ends.append(row)
        assert ends[0] == ends[1]
        assert len(ends[0]) == 3


def test_the_flip_is_a_movement_that_ends_and_goes_back() -> None:
    playback = large()
    applied = drawn(playback)
    playback.turn()
    seen = []
    while playback.moving:
        playback.tick()
        seen.append(drawn(playback))
        assert len(seen) < 100
    assert len({tuple(each) for each in seen}) > 4
    assert "back: as it is written" in "".join(seen[-1])
    playback.turn()
    while playback.moving:
        playback.tick()
    assert drawn(playback) == applied


@pytest.mark.parametrize("name", ["signal-same", "signal-full", "signal-dilated", "long"])
@pytest.mark.parametrize("size", [(20, 6), (60, 20), (80, 24), (200, 60)])
def test_it_fits_any_screen(name: str, size: tuple[int, int]) -> None:
    playback = large(name)
    for _ in range(4):
        playback.move(1)
        playback.turn()
        playback.tick()
        assert len(drawn(playback, *size)) == size[1]


def test_of_a_picture_another_view_turns_the_kernel() -> None:
    playback = large("same-4x4")
    playback.turn()
    assert not playback.moving
    assert "every kernel in c" in playback.message


def test_the_clock_turns_it() -> None:
    async def run() -> None:
        player = Player(sample("two-sequences"))
        async with player.run_test(size=(80, 24)) as pilot:
            await pilot.press("p", "h")
            for _ in range(100):
                await pilot.pause(0.05)
                if not player.playback.moving:
                    break
            assert player.playback.turned_by == 1

    asyncio.run(run())
