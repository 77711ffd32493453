"""Every view of every trace, on screens of all sizes: fitting, and saying what it is for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stepconv
from stepconv.player import keys
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.frames import frame
from stepconv.player.frame.grid import Grid, sheet_of
from stepconv.player.playback import Playback
from stepconv.player.render import ROLES
from stepconv.player.text import digits, layout, picture
from stepconv.player.text.lines import as_text, line_width
from stepconv.player.views import compare, present, screen
from stepconv.trace.counterpart import has_counterpart
from tests.player.samples import PLAYABLE, SOME, sample

VIEWS = ("step", "sizes", "readers", "workers", "present", "help", "compare")
SIZES = ((80, 24), (60, 20), (200, 60), (24, 7))


def looking(name: str, view: str) -> Playback:
    player = Playback(sample(name))
    player.go(len(player.film) // 2)
    player.view = view
    if view == "compare":
        player.look("step")
        player.look("compare")
        if player.lacks_counterpart:
            player.other = player.record_counterpart()
    return player


def said(player: Playback, width: int = 80, height: int = 24) -> str:
    return "\n".join(as_text(line) for line in screen.lines(player, width, height))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", [*SOME, "empty"])
def test_a_view_fits_into_any_screen(name: str, view: str) -> None:
    player = looking(name, view)
    for width, height in SIZES:
        lines = screen.lines(player, width, height)
        assert len(lines) == height
        assert max(line_width(line) for line in lines) <= width
        roles = {piece.role for line in lines for piece in line}
        assert all(role in ROLES or role.startswith("#") for role in roles - {""}), roles


def test_an_empty_trace_says_so() -> None:
    assert "no steps" in said(Playback(sample("empty")))


def test_the_help_names_every_key_of_the_last_line() -> None:
    text = said(looking("same-4x4", "help"), 60, 20)
    for key in keys.KEYS:
        assert f" {key.shown}" in text
        assert key.does in text
    assert [key.place for key in keys.FOOT] == [*range(1, 13)]


def test_the_help_tells_what_each_colour_means() -> None:
    block = keys.view(58)
    roles = {piece.text: piece.role for piece in block.lines[-1]}
    assert {roles[name] for name in ("window", "padding")} == {"window", "padding"}
    assert roles["winner, output"] == "result"
    assert "below 0" in roles
    assert block.height <= 19  # with the title it fits into 20 lines


def test_at_80_columns_the_last_line_has_the_keys_that_matter() -> None:
    foot = said(looking("vertical-edge-rgb", "step")).splitlines()[-1]
    for key in ("space play", "e edit", "w why", "r who", "p large", "t threads", "? keys"):
        assert key in foot


def test_deep_learning_s_convolution_is_explained_beside_the_other() -> None:
    text = said(looking("impulse-correlate", "compare"))
    assert "What deep learning calls a convolution is the cross-correlation" in text


def test_sizes_in_the_letters_of_textbooks() -> None:
    player = looking("vertical-edge-stride-2", "step")
    assert "floor((n - f" not in said(player)
    player.toggle_letters()
    text = " ".join(said(player).split())
    assert "floor((n - f + 2p) / s) + 1 = 4, n = 10, f = 3, p = 0, s = 2" in text
    player.toggle_letters()
    assert "(10 - 3 + 2·0) / 2" in said(player)


def test_a_kernel_of_fractions_is_shown_in_fractions() -> None:
    x = np.arange(9.0).reshape(3, 3)
    gaussian = np.outer([1, 2, 1], [1, 2, 1]) / 16
    shot = frame(stepconv.record(stepconv.correlate, x, gaussian, backend="textbook"), 0)
    assert shot.kernel is not None
    assert shot.kernel.title == "kernel 3x3: 1/16·"
    assert shot.kernel.sheet.plane.tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    text = "\n".join(as_text(line) for line in layout.screen(shot, 120, 30))
    assert "1/16·(0·1 + 1·2 + 2·1 + 3·2 + 4·4 + 5·2 + 6·1 + 7·2 + 8·1) = 4" in text
    rough = frame(stepconv.record(stepconv.correlate, x, gaussian / np.pi, backend="textbook"), 0)
    assert rough.sums[0].scale == ""
    assert "≈" in rough.sums[0].ending


def test_correlation_and_convolution_stand_side_by_side() -> None:
    player = looking("impulse-correlate", "compare")
    player.go(4)
    text = said(player)
    assert "cross-correlation: output 3x3  convolution: output 3x3" in text
    assert "= 0" in text
    for stage in compare.STAGES:
        assert stage in text
    assert "[ 7  9 -1]" in text  # the half turn of 3 4 5 / 1 0 2 / -1 9 7


def test_the_half_turn_goes_stage_by_stage() -> None:
    player = looking("impulse-correlate", "compare")
    marked = []
    for _ in range(3):
        player.turn()
        first_row = said(player).split("\n")[3]
        marked.append([row in first_row for row in ("[ 3  4  5]", "[-1  9  7]", "[ 7  9 -1]")])
    assert marked == [[True, False, False], [False, True, False], [False, False, True]]


@pytest.mark.parametrize("name", [name for name in PLAYABLE if has_counterpart(sample(name))])
def test_the_counterpart_is_the_same_call_with_the_kernel_turned(name: str) -> None:
    trace = sample(name)
    player = looking(name, "compare")
    assert player.other is not None
    other = player.other.trace
    assert {trace.op, other.op} == {"correlate", "convolve"}
    np.testing.assert_array_equal(other.gather.weights, trace.gather.weights[:, ::-1, ::-1])
    assert other.plan == trace.plan


def presented(name: str, step: int, width: int = 78, height: int = 20) -> str:
    block = present.view(frame(sample(name), step), width, height)
    return "\n".join(as_text(line) for line in block.lines)


def is_large(number: str, text: str) -> bool:
    """Tell whether a number stands there in large digits of one of their sizes."""
    return any(
        all(line.strip() in text for line in digits.large(number, size))
        for size in (digits.SMALL, digits.LARGE)
    )


def test_a_window_in_large_digits_names_its_channel_and_all_sums() -> None:
    text = presented("vertical-edge-rgb", 3)
    assert is_large("75 + 75 + 75 = 225", text)
    assert "window · red" in text
    assert "×" in text
    assert "red = 75 · green = 75 · blue = 75" in text
    assert "\ngreen  25·1 + " in presented("vertical-edge-rgb", 3, height=21)
    assert text.count("= 75") == 3


@pytest.mark.parametrize("name", PLAYABLE)
def test_the_large_view_tells_all_sums_or_what_happens(name: str) -> None:
    trace = sample(name)
    shot = frame(trace, len(trace) // 2)
    block = present.view(shot, 198, 80)
    text = "\n".join(as_text(line) for line in block.lines)
    if shot.sums and shot.family not in ("share", "balance"):
        all_told = len(shot.sums) == shot.channels
        for each in (*(shot.sums if all_told else shot.sums[:1]), shot.total):
            assert each is None or each.ending in text
    else:
        assert shot.sentence in " ".join(text.split())


def test_a_signal_keeps_its_kernel_in_the_large_view() -> None:
    text = presented("two-sequences", 2)
    assert is_large("-1", text)
    assert "kernel of 3 turned" in text
    assert "1·(-1) + 2·0 + 3·1 = 2" in text


def test_single_cells_are_large_with_what_becomes_of_them() -> None:
    negative = int(np.argmin(sample("relu-4x4").arrays["x"]))
    text = presented("relu-4x4", negative)
    assert is_large(str(sample("relu-4x4").arrays["x"].min()), text)
    assert "▶" in text
    assert "= 0" in text
    back = presented("relu-back", 3)
    assert "grad_out" in back
    assert " x" in back
    assert frame(sample("relu-back"), 3).sentence in back


def test_a_pool_is_large_with_what_it_compares() -> None:
    text = presented("max-pool-4x4", 1)
    assert "the largest of 1, 9, 3, 5 is 9" in text
    assert is_large("9", text)
    assert "×" not in text
    assert "winner?" in presented("max-pool-backward", 6)


def test_what_is_too_large_for_large_digits_is_said() -> None:
    text = presented("wide-kernel", 0)
    assert "Too large for large digits on this screen: window and kernel 11x12." in text
    assert is_large(f"= {sample('wide-kernel')[0].result}", text)
    assert "kernel 11x12" in said(looking("wide-kernel", "present"))


@pytest.mark.parametrize("size", [digits.SMALL, digits.LARGE])
def test_large_digits_are_told_apart_and_as_wide_as_said(size: int) -> None:
    drawn = {character: tuple(digits.large(character, size)) for character in "0123456789-+=/."}
    assert len(set(drawn.values())) == len(drawn)
    for text in ("225", "-1.5", "75 + 75 = 150", "nan"):
        lines = digits.large(text, size)
        assert {len(line) for line in lines} == {digits.large_width(text, size)}
        assert len(lines) == digits.large_height(size)


def pictured(cells: np.ndarray, known: int | None = None, marked: tuple = ((), ())) -> Grid:
    return Grid("result", "", sheet_of(cells, format_of(cells)), marked, "result", known)


def test_a_picture_shows_two_pixels_in_a_character() -> None:
    cells = np.array([[0, 255], [255, 0], [128, 0]])
    block = picture.picture(pictured(cells), 4, 2)
    assert [piece.role for piece in block.lines[0][1:-1]] == [
        "#000000 on #ffffff",
        "#ffffff on #000000",
    ]
    assert block.lines[1][1].role == "#808080"


def test_numbers_of_both_signs_are_blue_and_orange() -> None:
    block = picture.picture(pictured(np.array([[-4, 0], [0, 4]])), 4, 1)
    (below, black), (zero, above) = (piece.role.split(" on ") for piece in block.lines[0][1:-1])
    assert black == zero == "#000000"
    assert int(below[5:7], 16) > int(below[1:3], 16)
    assert int(above[1:3], 16) > int(above[5:7], 16)


def test_a_picture_is_the_mean_of_what_is_under_a_pixel() -> None:
    cells = np.kron(np.array([[10, 30], [20, 40]]), np.ones((50, 50), int))
    block = picture.picture(pictured(cells), 4, 1)
    grays = [
        int(role[1:3], 16) for piece in block.lines[0][1:-1] for role in piece.role.split(" on ")
    ]
    assert grays == [10 * 255 // 40, 20 * 255 // 40, 30 * 255 // 40, 255]


def test_what_is_not_computed_yet_is_blank() -> None:
    cells = np.full((4, 4), 9)
    for known in range(17):
        block = picture.picture(pictured(cells, known), 6, 2)
        seen = 0
        for line in block.lines:
            for piece in line[1:-1]:
                seen += len(piece.role.split(" on ")) if piece.text == "▀" else 0
        assert seen == known


def test_the_marked_pixels_stand_between_brackets_and_can_be_clicked() -> None:
    grid = pictured(np.ones((20, 20)), None, ((4, 5), (10, 11, 12)))
    block = picture.picture(grid, 22, 10)
    line = block.lines[2]
    assert as_text(line)[10] == "["
    assert as_text(line)[14] == "]"
    assert [piece.spot.column for piece in line[11:14]] == [10, 11, 12]
    assert {piece.spot.row for piece in line[1:-1] if piece.spot} == {4}


def test_nan_and_infinity_do_not_spoil_a_picture() -> None:
    cells = np.array([[np.nan, np.inf], [-np.inf, 1.0]] * 20)
    assert picture.picture(pictured(cells), 10, 4).lines


def test_a_step_that_contradicts_the_arrays_shows_no_number(tmp_path: Path) -> None:
    """One of the steps that opening the file did not look at."""
    trace = stepconv.record(stepconv.correlate, np.arange(1000.0), [1.0, 1.0], backend="textbook")
    assert trace.sums is not None
    sums, output = trace.sums.copy(), trace.output.copy()
    sums[503] += 1
    output[503] += 1
    replace(trace, sums=sums, output=output).save(tmp_path / "forged.npz")
    player = Playback(stepconv.load_trace(tmp_path / "forged.npz"))
    player.go(503)
    assert "step 503 says" in " ".join(said(player).split())
    assert "input" not in said(player)
    player.go(502)
    assert "step 502 of 999" in said(player)
