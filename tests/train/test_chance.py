"""Random numbers belong to a place: the same ones whoever asks, in whatever company."""

import numpy as np
import pytest

from stepconv.train import chance

EVERY = np.arange(1000)


def test_a_picture_has_the_same_numbers_in_any_company():
    all_of_them = chance.uniform(3, 2, EVERY, 5)
    some = np.array([7, 999, 0])
    assert np.array_equal(chance.uniform(3, 2, some, 5), all_of_them[some])


def test_asking_for_more_numbers_changes_none():
    assert np.array_equal(chance.uniform(3, 2, EVERY, 9)[:, :5], chance.uniform(3, 2, EVERY, 5))


@pytest.mark.parametrize("other", [(4, 2), (3, 3), (2, 3), (2**64 - 1, 2)])
def test_another_seed_or_epoch_gives_other_numbers(other):
    same = chance.uniform(3, 2, EVERY, 2) == chance.uniform(*other, EVERY, 2)
    assert not same.any()


def test_numbers_are_spread_evenly():
    numbers = chance.uniform(0, 0, np.arange(20_000), 4)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    for column in numbers.T:
        counts = np.histogram(column, 10, (0, 1))[0]
        assert np.all(np.abs(counts - 2000) < 5 * np.sqrt(2000))
    # Neither neighbours in a row nor neighbouring pictures know of each other.
    assert np.abs(np.corrcoef(numbers.T) - np.eye(4)).max() < 0.03
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.03


def test_the_numbers_of_a_place_are_those_of_any_machine():
    assert chance.uniform(1, 2, np.array([3]), 2).tolist() == [
        [0.5805734290414354, 0.7890983483551149]
    ]
    assert chance.shuffled(8, 1, 2).tolist() == [2, 7, 3, 1, 5, 6, 0, 4]


def test_shuffled_is_a_new_order_each_epoch():
    first, second = chance.shuffled(100, 0, 0), chance.shuffled(100, 0, 1)
    assert sorted(first) == sorted(second) == list(range(100))
    assert np.count_nonzero(first == second) < 10
    assert np.count_nonzero(first == np.arange(100)) < 10
