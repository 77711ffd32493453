"""All planes of a volume: side by side where there is room, else in front of one another."""

import numpy as np
import pytest

import stepconv
from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import frame
from stepconv.player.frame.volume import volume
from stepconv.player.playback import Playback
from stepconv.player.text import panels
from stepconv.player.text.lines import as_text, text_block
from stepconv.player.views import screen
from tests.player.samples import sample


def said(player: Playback, width: int = 120, height: int = 40) -> str:
    return "\n".join(as_text(line) for line in screen.lines(player, width, height))


def test_all_channels_filters_biases_and_results_are_there_at_once() -> None:
    film = Film(sample("layer"))
    every = volume(film, frame(film, 40))
    plan = film.trace.plan
    assert every is not None
    assert len(every.channels) == plan.in_channels == 4
    assert [each.bias for each in every.filters] == [f"+ {b} (bias)" for b in range(6)]
    w = film.trace.arrays["w"]
    for index, each in enumerate(every.filters):
        for k, grid in enumerate(each.kernels):
            assert np.array_equal(grid.sheet.plane, w[index, k])


def test_the_window_lies_on_the_channels_that_flow_in_alone() -> None:
    film = Film(sample("layer"))
    step = film.trace[40]
    every = volume(film, frame(film, 40))
    assert every is not None
    marked = [k for k, grid in enumerate(every.channels) if grid.marked[0]]
    assert marked == (step.pairs[:, 0] % film.trace.plan.in_channels).tolist()


def test_results_fill_up_filter_by_filter() -> None:
    film = Film(sample("two-filters-volume"))
    every = volume(film, frame(film, 64))
    assert every is not None
    assert [each.result.known for each in every.filters] == [64, 1]
    assert [each.chosen for each in every.filters] == [False, True]


@pytest.mark.parametrize(
    "name", ["same-4x4", "max-pool-4x4", "signal-same", "layer-back-x", "many-channels"]
)
def test_one_plane_or_no_filter_is_shown_as_it_was(name: str) -> None:
    film = Film(sample(name))
    assert volume(film, frame(film, 1)) is None


def test_at_120_by_40_rgb_and_two_filters_stand_side_by_side() -> None:
    text = said(Playback(sample("two-filters-volume")))
    for name in ("red", "green", "blue", "output 8x8 · filter 0", "output 8x8 · filter 1"):
        assert name in text
    player = Playback(sample("two-filters-volume"))
    player.toggle_abreast()
    assert "filter 1" not in said(player)


def test_on_a_small_screen_one_plane_stands_in_front_of_the_others() -> None:
    text = said(Playback(sample("vertical-edge-rgb")), 80, 24)
    assert "input 10x10 · red" in text
    assert "│╯" in text
    assert "input 10x10 · green" not in text


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("depth", [1, 2, 3, 512])
def test_planes_behind_peep_out_at_most_two(rows: int, depth: int) -> None:
    front = text_block(*[" 1 2 "] * rows)
    drawn = panels.stacked(front, depth)
    behind = min(depth - 1, 2, rows)
    assert drawn.height == rows + behind
    assert "".join(map(as_text, drawn.lines)).count("╮") == behind


def test_each_look_shows_numbers_or_a_picture_at_any_size() -> None:
    for size in ((80, 24), (200, 60)):
        player = Playback(sample("picture"))
        seen = []
        for _ in range(4):
            lines = screen.lines(player, *size)
            roles = {piece.role for line in lines for piece in line}
            pictured = any("▀" in piece.text for line in lines for piece in line)
            seen.append((pictured, any(role.startswith("tone") for role in roles)))
            player.change_style()
        assert seen[1:] == [(False, False), (False, True), (True, False)]


def test_a_colour_picture_is_drawn_in_its_colours() -> None:
    x = np.zeros((3, 40, 40))
    x[0, :, :20], x[2, :, 20:] = 1, 1
    about = stepconv.trace.About("", (), ("red", "green", "blue"))
    trace = stepconv.record(stepconv.max_pool, x, 2, about=about, backend="textbook")
    player = Playback(trace)
    player.style = "picture"
    player.go(len(trace) - 1)
    roles = {piece.role for line in screen.lines(player, 120, 40) for piece in line}
    assert {"#ff0000 on #ff0000", "#0000ff on #0000ff"} <= roles
    assert "in colour" in said(player)
    # Of a result whose green and blue are still to come only red is known: it is gray.
    player.go(len(trace) // 3 - 1)
    result = player.frame().result
    assert not result.colours
    assert player.frame().source.colours


def test_input_and_output_are_drawn_in_one_style() -> None:
    x = np.arange(60 * 60).reshape(60, 60)
    player = Playback(stepconv.record(stepconv.avg_pool, x, 15, backend="textbook"))
    lines = screen.lines(player, 80, 24)
    parts = {
        piece.spot.part for line in lines for piece in line if piece.spot and "▀" in piece.text
    }
    assert parts == {"source", "result"}
