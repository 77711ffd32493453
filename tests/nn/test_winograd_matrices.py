"""Winograd's transforms as they are computed, held against the matrices in exact fractions."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stepconv.kernels.cpu.lanes.winograd import times_input, times_kernel, times_output
from stepconv.kernels.cpu.lanes.winograd_weights import times_kernel_turned, times_output_turned
from stepconv.kernels.winograd import INPUT, KERNEL, OUTPUT, both_sides


class Exactly:
    """A tile's vectors, but a vector is one fraction."""

    def constant(self, number: float) -> Fraction:
        return Fraction(number).limit_denominator(100)

    def zero(self) -> Fraction:
        return Fraction(0)

    def fma(self, a: Fraction, b: Fraction, c: Fraction) -> Fraction:
        return a * b + c


def exact(matrix: Any) -> list[list[Fraction]]:
    return [[Exactly().constant(number) for number in row] for row in matrix]


def product(matrix: list[list[Fraction]], column: list[Any]) -> list[Any]:
    return [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for row in matrix]


@pytest.mark.parametrize(
    ("transform", "matrix"),
    [
        (times_input, INPUT),
        (times_output, OUTPUT),
        (times_output_turned, np.transpose(OUTPUT)),
        (times_kernel_turned, np.transpose(KERNEL)),
        (lambda _, w: [Exactly().constant(float(u)) for u in times_kernel(*map(float, w))], KERNEL),
    ],
    ids=["input", "output", "output turned", "kernel turned", "kernel"],
)
def test_a_transform_is_its_matrix(transform: Callable[..., Any], matrix: Any) -> None:
    wanted = exact(matrix)
    for unit in np.eye(len(wanted[0]), dtype=int):
        column = [Fraction(int(number)) for number in unit]
        assert list(transform(Exactly(), column)) == product(wanted, column)


def test_the_matrices_make_a_correlation() -> None:
    rng = np.random.default_rng(0)
    d, w = (
        [[Fraction(int(n)) for n in row] for row in rng.integers(-9, 9, (side, side))]
        for side in (6, 3)
    )
    b, g, a = (exact(matrix) for matrix in (INPUT, KERNEL, OUTPUT))
    spread = both_sides(lambda column: product(b, column), d)
    kernel = both_sides(lambda column: product(g, column), w)
    products = [
        [x * y for x, y in zip(*rows, strict=True)] for rows in zip(spread, kernel, strict=True)
    ]
    for i, row in enumerate(both_sides(lambda column: product(a, column), products)):
        for j, total in enumerate(row):
            assert total == sum(d[i + p][j + q] * w[p][q] for p in range(3) for q in range(3))
