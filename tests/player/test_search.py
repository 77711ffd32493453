"""Finding steps: each query against asking every step in turn; places as a person types them."""

import math

import numpy as np
import pytest

import stepconv
from stepconv.errors import ArgumentError
from stepconv.player.frame.film import Film
from stepconv.player.frame.who_reads import covering
from stepconv.player.search import find, matches, parse_place, parse_query
from tests.player.samples import PLAYABLE, sample


def film_of(*values: float) -> Film:
    return Film(stepconv.record(stepconv.correlate, list(values), [1.0], backend="textbook"))


@pytest.mark.parametrize("name", PLAYABLE)
def test_padding_is_found_where_steps_touch_it(name: str) -> None:
    trace = sample(name)
    found = matches(Film(trace), parse_query("padding"))
    some = range(0, len(trace), max(len(trace) // 200, 1))
    assert [bool(found[i]) for i in some] == [trace.step(i).touches_padding for i in some]


@pytest.mark.parametrize("name", PLAYABLE)
@pytest.mark.parametrize("text", ["<0", ">3", ">=3", "<= -1", "=0", "nan"])
def test_results_are_compared(name: str, text: str) -> None:
    trace = sample(name)
    results = trace.output.reshape(-1).tolist()
    compared = {
        "<0": lambda r: r < 0,
        ">3": lambda r: r > 3,
        ">=3": lambda r: r >= 3,
        "<= -1": lambda r: r <= -1,
        "=0": lambda r: math.isclose(r, 0, abs_tol=1e-8),
        "nan": lambda r: r != r,
    }[text]
    assert matches(Film(trace), parse_query(text)).tolist() == [compared(r) for r in results]


def test_a_change_of_sign_looks_over_zeros() -> None:
    film = film_of(1, 0, -1, -2, 0, 0, 3, math.nan, -1)
    assert np.nonzero(matches(film, parse_query("sign")))[0].tolist() == [2, 6, 8]


def test_the_largest_and_the_smallest() -> None:
    film = film_of(1, 9, math.nan, 9, -4)
    assert np.nonzero(matches(film, parse_query("max")))[0].tolist() == [1, 3]
    assert np.nonzero(matches(film, parse_query("min")))[0].tolist() == [4]


def test_the_search_goes_on_and_round() -> None:
    film = film_of(5, 1, 5, 1, 5)
    query = parse_query(">2")
    assert [find(film, query, start) for start in range(5)] == [2, 2, 4, 4, 0]
    assert [find(film, query, start, back=True) for start in range(5)] == [4, 0, 0, 2, 2]
    assert find(film, parse_query(">100"), 0) is None
    assert find(Film(sample("empty")), query, 0) is None


@pytest.mark.parametrize("text", ["p", "PAD", " padding ", "pad"])
def test_words_may_be_short(text: str) -> None:
    assert parse_query(text).kind == "padding"


@pytest.mark.parametrize("text", ["", "bogus", "<", "> x", "5", "<0 >1", "--3"])
def test_a_query_that_makes_no_sense_says_what_would(text: str) -> None:
    with pytest.raises(ArgumentError, match="can be found"):
        parse_query(text)


def test_places_as_a_person_types_them() -> None:
    film = Film(sample("vertical-edge-rgb"))  # output 1x8x8
    assert parse_place(film, "17") == 17
    assert (
        parse_place(film, " 3,4 ") == parse_place(film, "3 4") == parse_place(film, "(3, 4)") == 28
    )
    assert parse_place(film, "0,3,4") == 28
    layer = Film(sample("layer"))  # output 2x6x3x3
    assert parse_place(layer, "1,2", plane=4) == 4 * 9 + 5
    assert parse_place(layer, "1,2,0,1") == (1 * 6 + 2) * 9 + 1


@pytest.mark.parametrize(
    "text", ["64", "65", "8,0", "0,8", "-1", "x", "", "1,2,3,4", "1.5", "0,-1"]
)
def test_places_that_are_not_there_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_place(Film(sample("vertical-edge-rgb")), text)


@pytest.mark.parametrize("name", PLAYABLE)
def test_a_clicked_cell_leads_to_a_window_over_it(name: str) -> None:
    trace = sample(name)
    film = Film(trace)
    _, height, width = trace.gather.source.shape
    for row in range(0, height, max(height // 4, 1)):
        for column in range(0, width, max(width // 4, 1)):
            found = covering(film, row, column, 0)
            if found is not None:
                rows, columns = trace.step(found).readings
                assert row in rows.positions
                assert column in columns.positions
