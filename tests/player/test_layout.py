"""Screens of any size: nothing sticks out, nothing is lost that must be seen."""

import pytest

from stepconv.player import render
from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import Frame, frame
from stepconv.player.frame.grid import Grid
from stepconv.player.text import layout
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import Line, as_text, line_width
from tests.player.samples import PLAYABLE, SOME, WORKED, sample, steps_of

SIZES = ((80, 24), (60, 20), (200, 60), (100, 30), (40, 12), (30, 8), (20, 6))
STATUS = Status()


def drawn(name: str, index: int, width: int, height: int | None) -> list[Line]:
    shot = frame(sample(name), index)
    return layout.screen(shot, width, height, STATUS if height else None)


def texts(lines: list[Line]) -> list[str]:
    return [as_text(line) for line in lines]


def spots(lines: list[Line], part: str) -> set[tuple[int, int]]:
    return {
        (piece.spot.row, piece.spot.column)
        for line in lines
        for piece in line
        if piece.spot is not None and piece.spot.part == part
    }


def cells(grid: Grid) -> set[tuple[int, int]]:
    height, width = grid.shape
    return {(i, j) for i in range(height) for j in range(width)}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SOME)
def test_a_screen_is_never_larger_than_the_terminal(name: str, size: tuple[int, int]) -> None:
    film = Film(sample(name))
    for index in steps_of(film.trace, 4):
        lines = layout.screen(frame(film, index), *size, STATUS)
        assert len(lines) == size[1]
        assert max(line_width(line) for line in lines) <= size[0]


@pytest.mark.parametrize("name", PLAYABLE)
def test_without_a_height_it_takes_what_it_needs(name: str) -> None:
    for width in (60, 80, 132):
        lines = drawn(name, 0, width, None)
        assert max(line_width(line) for line in lines) <= width
        assert all("space" not in text for text in texts(lines))


@pytest.mark.parametrize("name", sorted(WORKED))
def test_all_of_a_worked_example_is_visible_at_80x24(name: str) -> None:
    film = Film(sample(name))
    for index in steps_of(film.trace, 5):
        shot = frame(film, index)
        lines = layout.screen(shot, 80, 24, STATUS)
        for grid in (shot.source, shot.result, shot.kernel, shot.products, shot.other):
            if grid is not None:
                assert spots(lines, grid.part) == cells(grid), grid.part
        said = "\n".join(texts(lines))
        for each in (*shot.sums, shot.total):
            assert each is None or each.ending in said
        assert f"step {index} of {len(film)}" in said


@pytest.mark.parametrize("name", sorted(WORKED))
def test_at_60x20_the_window_and_its_numbers_are_there(name: str) -> None:
    film = Film(sample(name))
    for index in steps_of(film.trace, 5):
        shot = frame(film, index)
        lines = layout.screen(shot, 60, 20, STATUS)
        said = "\n".join(texts(lines))
        for grid in (shot.source, shot.result):
            rows, columns = grid.marked_cells
            assert not rows or not columns or "[" in said
        if shot.total is not None:
            assert shot.total.ending in said
        assert spots(lines, "result")


@pytest.mark.parametrize("size", SIZES[:4], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["vertical-edge-rgb", "photo-rgb-padded", "picture", "long"])
def test_nothing_jumps_from_one_step_to_the_next(name: str, size: tuple[int, int]) -> None:
    film = Film(sample(name))
    places = set()
    for index in steps_of(film.trace):
        lines = layout.screen(frame(film, index), *size, STATUS)
        places.add(tuple(_titles(lines)))
    assert len(places) == 1


def _titles(lines: list[Line]) -> list[tuple[int, int, str]]:
    found = []
    for y, line in enumerate(lines[1:]):
        x = 0
        for piece in line:
            name = piece.text.partition(" ")[0]
            if piece.role == "title" and name in ("input", "output", "kernel", "products"):
                found.append((y, x, name))
            x += line_width([piece])
    return found


def test_input_and_output_change_sides_on_the_way_back() -> None:
    forward = texts(drawn("same-4x4", 0, 80, 24))
    assert "──▶" in "".join(forward)
    back = texts(drawn("max-pool-backward", 0, 80, 24))
    assert "◀──" in "".join(back)
    assert back[1].index("grad_x") < back[1].index("grad_out")


def test_a_signal_has_its_kernel_under_the_window() -> None:
    lines = texts(drawn("two-sequences", 2, 80, 24))
    source = next(line for line in lines if "[" in line)
    kernel = lines[lines.index(source) + 3]
    # Each digit of the kernel stands under one of the window's.
    under = [x for x in range(len(kernel)) if kernel[x].isdigit()]
    assert source[under[0] - 1 : under[-1] + 1].split() == ["1", "2", "3"]


def test_what_does_not_fit_becomes_a_picture_with_the_window_s_numbers() -> None:
    lines = drawn("picture", 300, 80, 24)
    said = texts(lines)
    assert any("▀" in text for text in said)
    shot = frame(sample("picture"), 300)
    assert "[" in "".join(said)
    assert shot.window is not None
    for row in shot.window.sheet.texts(slice(None), slice(None)):
        assert any(" ".join(row) in text for text in said)


def test_a_long_sum_never_loses_its_result() -> None:
    for width in (30, 45, 60, 80):
        shot = frame(sample("many-channels"), 0)
        said = "\n".join(texts(layout.screen(shot, width, 40, STATUS)))
        assert shot.total is not None
        assert shot.total.ending in said


def test_a_message_takes_the_place_of_the_keys() -> None:
    shot = frame(sample("same-4x4"), 0)
    lines = texts(layout.screen(shot, 80, 24, Status(message="no such step")))
    assert lines[-1].strip() == "no such step"


def test_breakpoints_are_on_the_bar_and_on_the_output() -> None:
    shot = frame(sample("same-4x4"), 0, stops={5, 9})
    lines = texts(layout.screen(shot, 80, 24, Status(breakpoints=(5, 9))))
    assert lines[-2].count("●") == 2
    assert sum(line.count("●") for line in lines[:-2]) == 2


@pytest.mark.parametrize("colour", [True, False])
def test_rich_text_says_what_the_lines_say(colour: bool) -> None:
    shot = frame(sample("vertical-edge-rgb"), 3)
    text = render.screen(shot, 80, 24, STATUS, colour=colour)
    assert text.plain.split("\n") == texts(layout.screen(shot, 80, 24, STATUS))


def test_pictures_without_colour_are_shaded() -> None:
    shot = frame(sample("picture"), 0)
    plain = render.screen(shot, 80, 24, STATUS, colour=False).plain
    assert "▀" not in plain
    assert set("░▒▓█") & set(plain)


def test_every_role_on_the_screens_has_a_look() -> None:
    for name in PLAYABLE:
        for line in drawn(name, 0, 80, 24):
            for piece in line:
                assert piece.role in {"", *render.ROLES} or piece.role.startswith("#")


def shown(shot: Frame) -> str:
    return "\n".join(texts(layout.screen(shot, 80, None)))


def test_a_rounded_number_is_said_to_be_rounded() -> None:
    assert "rounded: " in shown(frame(sample("floats"), 0))
    assert "rounded" not in shown(frame(sample("letter-blur"), 0))
