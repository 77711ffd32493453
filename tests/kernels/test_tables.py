"""Tables are made once, and memory that is large or old is given back."""

import weakref

import numpy as np
import pytest

from stepconv.kernels.cpu.machine import remembered as memo
from stepconv.kernels.cpu.machine.remembered import remembered


@pytest.fixture
def made():
    """A function of tables, and how often it was run."""
    runs = []

    @remembered
    def make(count, fill):
        runs.append(fill)
        return np.full(count, fill), np.zeros(2)

    return make, runs


def test_the_same_sizes_get_the_same_tables(made):
    make, runs = made
    assert make(10, 1) is make(10, 1)
    assert make(10, 2)[0][0] == 2
    assert runs == [1, 2]


def test_large_tables_are_given_back(made):
    make, runs = made
    gone = weakref.ref(make(memo._MOST_BYTES, 1)[0])
    assert gone() is None
    make(memo._MOST_BYTES, 1)
    assert runs == [1, 1]


def test_the_first_make_room_for_the_last(made):
    make, runs = made
    first = weakref.ref(make(10, -1)[0])
    for fill in range(memo._MOST):
        make(10, fill)
    assert first() is None
    make(10, memo._MOST - 1)
    assert len(runs) == memo._MOST + 1
