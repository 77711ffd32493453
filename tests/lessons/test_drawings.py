"""Drawings fit beside a text, and what they count is so."""

import numpy as np
import pytest

from stepconv import correlate
from stepconv.errors import ArgumentError
from stepconv.lessons import shelf
from stepconv.lessons.drawings import DRAWINGS, HIGH, WIDE, draw
from stepconv.lessons.experiments.changes import changed, differing, distance, five
from stepconv.lessons.experiments.depth import DEPTHS, arrives
from stepconv.lessons.experiments.learnt import gives, learnt, loss
from stepconv.lessons.experiments.swept import _results, results, swept
from stepconv.trace import worked_example

DRAWN = sorted({scene.draws for lesson in shelf.lessons() for scene in lesson.scenes} - {""})


@pytest.mark.parametrize("text", [*DRAWN, *(f"sketch {name}" for name in ("tasks", "families"))])
def test_a_drawing_fits(text: str) -> None:
    frames = draw(text)
    assert frames
    for frame in frames:
        assert 1 <= len(frame) <= HIGH
        assert max(map(len, frame)) <= WIDE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wirring dense", "did you mean 'wiring'"),
        ("fives tern:20", "did you mean 'turn'"),
        ("fives turn:much", "turn:2 fits"),
        ("fives scale:0", "does not fit: 0.8 does"),
        ("sketch eye", "cortex"),
        ("learns letter-blur 1/40 priced", "expected fits"),
        ("learns", "takes other words"),
        ("learns letter-blur fast", "takes other words"),
        ("learns letter-blur 1/0", "takes other words"),
        ("learns flip 1/40", "takes other words"),
        ("learns letter-blur 1000", "leads nowhere"),
        ("wiring dense x", "takes other words"),
        ("wiring dense 100000 2", "10 do at most"),
        ("wiring both 10 2", "1 to 14 of 78 fit"),
        ("fives hand:1.5", "hand:1.5 does not fit: 1 to 100 do"),
        ("sketch", "has 0 lines"),
        ("sweep fives", "pictures fit"),
        ("sweep", "takes other words"),
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        draw(text)


def test_there_is_a_scene_for_each_drawing() -> None:
    assert {text.split()[0] for text in DRAWN} <= set(DRAWINGS)


def test_a_shift_is_a_shift_and_its_map_goes_along() -> None:
    shifted = five("right:2 down:1")
    assert (shifted[1:, 2:] == five()[:-1, :-2]).all()
    edge = [[1, 0, -1]] * 3
    assert (correlate(shifted, edge)[1:, 2:] == correlate(five(), edge)[:-1, :-2]).all()


def test_a_turn_there_and_back_is_nearly_nothing() -> None:
    assert differing(five(), five("turn:15 turn:-15")) < 10 < differing(five(), five("turn:15"))
    assert (five("turn:0 scale:1 bend:0 right:0 dim:1 cover:0") == five()).all()
    assert (five("turn:90 turn:90 turn:90 turn:90") == five()).all()


def test_a_shuffle_keeps_sums_and_tears_neighbours_apart() -> None:
    weights = np.arange(784.0).reshape(28, 28)
    assert (five("shuffle") * changed(weights, "shuffle")).sum() == (five() * weights).sum()
    torn = np.abs(np.diff(five("shuffle"))).sum()
    assert torn > 2 * np.abs(np.diff(five())).sum()


def test_distances_are_those_of_points() -> None:
    black, white = np.zeros((2, 2)), np.full((2, 2), 255.0)
    assert (differing(black, white), distance(black, white)) == (4, 2)
    assert distance(black, black) == 0


def test_hands_are_made_fives() -> None:
    assert not (five("hand:1") == five("hand:2")).all()


def test_a_kernel_learns_what_is_right_and_cannot_learn_a_slip() -> None:
    blur = worked_example("letter-blur")
    right = learnt("letter-blur", 200, 1 / 40)
    wrong = learnt("letter-blur", 200, 1 / 40, blur.printed)
    assert np.abs(right - blur.inputs["w"]).max() < 1e-5
    assert loss("letter-blur", right) < 1e-10
    assert loss("letter-blur", wrong, blur.printed) > 0.01
    assert np.abs(gives("letter-blur", right) - np.array(blur.expected)).max() < 1e-5


def test_the_identity_path_keeps_the_gradient() -> None:
    plain = [arrives(depth, path=False) for depth in DEPTHS]
    residual = [arrives(depth, path=True) for depth in DEPTHS]
    assert plain == sorted(plain, reverse=True)
    assert plain[-1] < 1e-6
    assert min(residual) > 0.1


def test_experiments_end_soon() -> None:
    with pytest.raises(ArgumentError, match="0 to 10,000 do"):
        learnt("letter-blur", 10**9, 1 / 40)
    with pytest.raises(ArgumentError, match="8, 20, 56 are"):
        arrives(10**6, path=True)


def test_a_sweep_is_drawn_as_it_came_out() -> None:
    drawn = draw("sweep pictures")[0]
    for augment, lines in ((False, drawn[2:5]), (True, drawn[6:9])):
        for limit, line in zip((30, 100, 300), lines, strict=True):
            found = swept("pictures", augment=augment, limit=limit)
            assert len(found.runs) == 3
            least, most = min(found.accuracies), max(found.accuracies)
            assert f"limit {limit} " in line
            assert line.endswith(f"{found.mean:.0%} ({least:.0%} to {most:.0%})")
    # Lines begin further to the right the more is right.
    assert drawn[2].index("├") < drawn[3].index("├")


def test_what_no_sweep_has_is_refused() -> None:
    with pytest.raises(ArgumentError, match="augment=False, limit=30; "):
        swept("pictures", limit=31)
    with pytest.raises(ArgumentError, match="pictures fit"):
        swept("picture")


@pytest.mark.slow
def test_a_sweep_gives_the_same_numbers_again() -> None:
    first = results("pictures")
    _results.cache_clear()
    again = results("pictures")
    assert [group.accuracies for group in again.groups] == [g.accuracies for g in first.groups]
