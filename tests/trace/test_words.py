"""A step in words: one counting everywhere, and no sum that claims more than it prints."""

from fractions import Fraction

import numpy as np
import pytest

import stepconv
from stepconv.trace import Step, record
from stepconv.trace.words import channel_names, channel_title, equals, equation, planes


def step(index: int, function: object, *arguments: object, **options: object) -> Step:
    return record(function, *arguments, backend="textbook", **options)[index]  # type: ignore[arg-type]


def test_steps_rows_and_columns_are_counted_from_0() -> None:
    first = step(0, stepconv.correlate, np.eye(3, dtype=int), [[1]])
    last = step(8, stepconv.correlate, np.eye(3, dtype=int), [[1]])
    assert first.in_words().startswith("step 0 of 9, row 0, column 0")
    assert last.in_words().startswith("step 8 of 9, row 2, column 2")


def test_a_layer_s_results_are_filters_and_its_inputs_channels() -> None:
    x, w = np.ones((2, 8, 3, 3), int), np.ones((4, 4, 3, 3), int)
    one = step(6, stepconv.correlate, x, w, groups=2)
    assert planes(one) == ["image 1 of 2", "filter 2 of 4"]
    assert one.in_words().startswith("step 6 of 8, image 1, filter 2, row 0, column 0")
    assert channel_names(one) == [f"channel {c}" for c in (4, 5, 6, 7)]
    assert channel_title(one, 3) == "channel 7 of 8"
    pooled = step(7, stepconv.max_pool, x, 3)
    assert planes(pooled) == ["image 0 of 2", "channel 7 of 8"]


@pytest.mark.parametrize(
    ("x", "w", "sign"),
    [
        ([0.5, 0.25], [2, 4], "="),
        ([0.1, 0.2], [0.1, 0.3], "="),
        ([1 / 3, 1 / 3], [1, 1], "≈"),
        ([1e-9, 1], [1, 1], "≈"),
        ([7, -7], [3, 2], "="),
        ([np.inf, 1], [1, 1], "="),
    ],
)
def test_terms_that_do_not_add_up_as_printed_are_marked(
    x: list[float], w: list[float], sign: str
) -> None:
    assert f" {sign} " in step(0, stepconv.correlate, x, w).in_words()


def test_a_printed_equals_sign_holds_for_the_printed_numbers() -> None:
    numbers = np.random.default_rng(3).normal(size=(3, 4, 4)).round(2)
    for one in record(stepconv.correlate, numbers, numbers[None, :, :2, :2], [0.125]):
        *sums, sign, result = equation(one).split(" ")
        terms = " ".join(sums).replace("(", "").replace(")", "").split(" + ")
        assert (sum(map(Fraction, terms)) == Fraction(result)) == (sign == "=")
    assert equals([(1, 2), (3, 4)], 14.0) == "="
    assert equals([(1,)], 0.333333, 3) == "≈"


def test_what_is_no_fraction_is_about_equal() -> None:
    assert "≈" in step(0, stepconv.tanh, [0.5, 1.0]).in_words()
    assert " = 0" in step(0, stepconv.tanh, [0.0, 1.0]).in_words()
    assert "≈" in step(0, stepconv.avg_pool, [1.0, 1.0, 2.0], 3).in_words()


def test_ties_and_kinks_are_called_a_choice() -> None:
    tied = [[9, 9], [1, 2]]
    assert ", the first of 2" in step(0, stepconv.max_pool, tied, 2).in_words()
    back = [step(i, stepconv.max_pool_backward, tied, [[5]], 2).in_words() for i in range(4)]
    assert ["a choice" in told for told in back] == [True, False, False, False]
    alone = step(0, stepconv.max_pool_backward, [[9, 8], [1, 2]], [[5]], 2).in_words()
    assert "a choice" not in alone
    kink = [step(i, stepconv.relu_backward, [0, 1, -1], [7, 7, 7]).in_words() for i in range(3)]
    assert ["a choice" in told for told in kink] == [True, False, False]
