"""A tile takes numbers one by one or in named groups, and gets these under their names."""

from typing import Any, NamedTuple

import numba
import numpy as np

from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, address, lanes, tile


class Row(NamedTuple):
    at: Any
    vectors: Any


class Sum(NamedTuple):
    left: Row
    right: Any


@tile(np.float64)
def add_rows(v: Vectors, terms: Sum, out: Int) -> None:
    def step(k: Int, _: list[Vector]) -> list[Vector]:
        along = k * v.bytes
        v.store(out + along, v.load(terms.left.at + along) - v.load(terms.right + along))
        return []

    v.loop(terms.left.vectors, [], step)


@numba.njit
def run(left, right, out, vectors):
    add_rows(Sum(right=address(right), left=Row(address(left), vectors)), address(out))
    # another shape of the same numbers: a literal, and a type of its own
    add_rows(Sum(Row(address(out), 0), address(right)), np.int32(0))


def test_groups_within_groups_are_unpacked_by_name():
    size = 3 * lanes(np.float64)
    left, right, out = np.arange(size) + 0.5, np.arange(size) * 2.0, np.zeros(size)
    run(left, right, out, 2)
    done = size * 2 // 3
    np.testing.assert_array_equal(out[:done], (left - right)[:done])
    assert not out[done:].any()
