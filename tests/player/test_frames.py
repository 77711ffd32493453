"""Every number of every frame is the trace's: all operations, forwards and backwards."""

import numpy as np
import pytest

from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import Frame, frame
from stepconv.player.frame.grid import WINNER, Grid
from stepconv.player.text.lines import as_text
from stepconv.player.text.numbers import numbers_of
from stepconv.trace import Step, worked_example
from stepconv.trace.words import number
from tests.player.samples import PLAYABLE, WORKED, sample, steps_of


def frames(name: str) -> list[tuple[Step, int, Frame]]:
    film = Film(sample(name))
    found = []
    for index in steps_of(film.trace):
        step = film.trace.step(index)
        found += [(step, k, frame(film, index, k)) for k in range(min(len(step.pairs), 3))]
    return found


def of_channel(cells: np.ndarray, step: Step, channel: int) -> np.ndarray:
    rows, columns = step.readings
    return cells.reshape(len(step.pairs), len(rows.positions), len(columns.positions))[channel]


def marked_values(grid: Grid) -> np.ndarray:
    rows, columns = grid.marked
    whole = grid.sheet.values(slice(None), slice(None))
    y = np.array(rows, int)[:, None] + grid.sheet.top
    return whole[y, np.array(columns, int) + grid.sheet.left]


@pytest.mark.parametrize("name", PLAYABLE)
def test_the_window_lies_on_the_cells_it_reads(name: str) -> None:
    for step, channel, shot in frames(name):
        patch = of_channel(step.patch, step, channel)
        np.testing.assert_array_equal(marked_values(shot.source), patch)
        if shot.window is not None:
            np.testing.assert_array_equal(shot.window.sheet.plane, patch)


@pytest.mark.parametrize("name", PLAYABLE)
def test_the_result_fills_up_in_order(name: str) -> None:
    trace = sample(name)
    for step, _, shot in frames(name):
        np.testing.assert_array_equal(marked_values(shot.result), [[step.result]])
        plane, i, j = step.place
        np.testing.assert_array_equal(
            shot.result.sheet.plane, trace.output.reshape(trace.gather.shape)[plane]
        )
        height, width = shot.result.shape
        known = [shot.result.is_known(y, z) for y in range(height) for z in range(width)]
        assert known == [n <= i * width + j for n in range(height * width)]


@pytest.mark.parametrize("name", PLAYABLE)
def test_kernel_and_products_are_those_of_the_step(name: str) -> None:
    for step, channel, shot in frames(name):
        if shot.kernel is not None and step.kernel.size:
            grid = shot.kernel
            drawn = grid.sheet.plane if grid.marked == ((), ()) else marked_values(grid)
            parts = Film(step.trace).denominator
            np.testing.assert_array_equal(drawn / parts, of_channel(step.kernel, step, channel))
        if shot.products is not None:
            products = of_channel(step.products, step, channel)
            np.testing.assert_array_equal(shot.products.sheet.plane, products)


@pytest.mark.parametrize("name", PLAYABLE)
def test_sums_are_written_out(name: str) -> None:
    for step, _, shot in frames(name):
        for each in shot.sums:
            assert each.ending[:2] in ("= ", "≈ ")
        if shot.sums and len(shot.sums) == len(step.channel_sums):
            totals = [number(total) for total in step.channel_sums]
            assert [each.ending[2:] for each in shot.sums] == totals
        if shot.total is not None:
            assert shot.total.ending.endswith(
                (f"= {number(step.result)}", f"≈ {number(step.result)}")
            )
            assert len(shot.total.terms) >= len(step.channel_sums)
        if not shot.sums:
            assert shot.sentence


@pytest.mark.parametrize("name", PLAYABLE)
def test_numbers_of_a_panel_have_one_width_and_no_minus_before_zero(name: str) -> None:
    for _, _, shot in frames(name):
        for grid in shot.grids:
            texts = [text for row in grid.sheet.texts(slice(None), slice(None)) for text in row]
            assert {len(text) for text in texts} <= {grid.sheet.format.width}
            assert not any(text.strip(" -0.") == "" and "-" in text for text in texts)


@pytest.mark.parametrize("name", PLAYABLE)
def test_panels_keep_their_formats_from_step_to_step(name: str) -> None:
    formats: dict[str, set[object]] = {}
    for _, _, shot in frames(name):
        for grid in shot.grids:
            formats.setdefault(grid.part, set()).add(grid.sheet.format)
    assert all(len(known) == 1 for known in formats.values()), formats


@pytest.mark.parametrize("name", PLAYABLE)
def test_marked_cells_stand_between_brackets(name: str) -> None:
    for _, _, shot in frames(name):
        for grid in (shot.source, shot.result):
            rows, columns = grid.marked_cells
            for row, line in enumerate(numbers_of(grid).lines):
                text = as_text(line)
                inside = row in rows and columns
                runs = sum(1 for column in columns if column - 1 not in columns)
                assert text.count("[") == text.count("]") == (runs if inside else 0)


@pytest.mark.parametrize("name", sorted(WORKED))
def test_the_lecture_s_numbers_are_on_the_screen(name: str) -> None:
    example = worked_example(name)
    film = Film(sample(name))
    last = frame(film, len(film) - 1)
    np.testing.assert_allclose(last.result.sheet.plane, film.result_planes[-1])
    np.testing.assert_allclose(film.trace.output, np.asarray(example.expected), rtol=1e-6)
    for checkpoint in example.checkpoints:
        if "channel_sums" in checkpoint:
            shot = frame(film, checkpoint["step"])
            sums = [float(each.ending.removeprefix("= ")) for each in shot.sums]
            assert sums == checkpoint["channel_sums"]


def test_the_sum_of_three_colours() -> None:
    shot = frame(sample("vertical-edge-rgb"), 3)
    assert [each.name for each in shot.sums] == ["red", "green", "blue"]
    assert shot.sums[0].terms[:3] == ("25·1", "25·0", "0·(-1)")
    assert shot.total is not None
    assert (shot.total.terms, shot.total.ending) == (("75", "75", "75"), "= 225")
    assert shot.formulas == ("8 = (10 - 3 + 2·0) / 1 + 1",)
    assert shot.source.title == "input 10x10 · red"


def test_bias_and_divisor_are_in_the_total() -> None:
    with_bias = frame(sample("signal-bias"), 0).total
    assert with_bias is not None
    assert with_bias.terms[-1] == "5 (bias)"
    average = frame(sample("avg-pool-4x4"), 0).total
    assert average is not None
    assert average.ending == "/ 4 = 4"


def test_the_winner_of_a_window_is_marked() -> None:
    film = Film(sample("max-pool-ceil"))
    for index in range(len(film)):
        step, shot = film.trace.step(index), frame(film, index)
        assert step.winner is not None
        assert shot.source.special == {step.winner: WINNER}
        won = [cell for cell, role in shot.window.special.items() if role == WINNER]
        assert [shot.window.sheet.plane[cell] for cell in won] == [step.result]


def test_padding_that_never_wins_has_no_number() -> None:
    shot = frame(sample("max-pool-ceil"), 0)
    assert shot.source.sheet.texts(slice(0, 1), slice(0, 2)) == [[" ·", " ·"]]
    assert shot.window.sheet.texts(slice(0, 1), slice(0, 1)) == [[" ·"]]


def test_the_ring_shows_what_the_mode_copies() -> None:
    reflect = frame(sample("reflect"), 0).source
    x = np.asarray(sample("reflect").arrays["x"])
    ring = reflect.sheet.values(slice(None), slice(None))
    np.testing.assert_array_equal(ring, np.pad(x, 2, mode="reflect"))
    assert reflect.sheet.in_ring(1, 1)
    assert not reflect.sheet.in_ring(2, 2)


def test_a_gradient_flows_back() -> None:
    assert not frame(sample("layer"), 0).backward
    assert frame(sample("layer-back-x"), 0).backward
    assert frame(sample("max-pool-back"), 0).other is not None


def test_many_channels_are_shown_round_the_chosen_one() -> None:
    shot = frame(sample("many-channels"), 0, 30)
    assert [each.name for each in shot.sums if each.chosen] == ["channel 30"]
    assert len(shot.sums) == 24
    assert shot.channels == 40


def test_a_trace_from_elsewhere_cannot_steer_the_terminal() -> None:
    from dataclasses import replace

    from stepconv.trace import About

    evil = About("\x1b[2Jtitle", ("\x1b]0;owned\x07",), ("\x1b[31mred",) * 3)
    shot = frame(replace(sample("vertical-edge-rgb"), about=evil), 0)
    told = " ".join([shot.title, *shot.notes, shot.source.title, *(s.name for s in shot.sums)])
    assert told.isprintable()
