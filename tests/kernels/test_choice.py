"""Which kernel is chosen for a correlation on the CPU, and the reason that is given."""

import numpy as np
import pytest

from stepconv.geometry import correlation_plan
from stepconv.kernels import use_algorithm
from stepconv.kernels.cpu.conv.choose import choice

RANK_ONE = np.outer([1, 2, 3, 4, 3, 2, 1], [1, 1, 2, 2, 2, 1, 1])
ANY = (np.arange(99 * 99) ** 2 % 101).reshape(99, 99)

# Shape of x, w, options, algorithm; the kernel and what its reason says.
CASES = [
    ((1, 1, 8, 8), (1, 1, 3, 3), {}, "auto", "loops", "324 products are fewer than 100,000"),
    (
        (1, 1, 480, 640),
        (1, 1, 3, 3),
        {},
        "auto",
        "filter",
        "9 products a cell; separable: b",
    ),
    ((1, 1, 480, 640), RANK_ONE, {}, "auto", "separable", "spare 10,518,060 products"),
    ((1, 1, 480, 640), RANK_ONE, {}, "direct", "filter", "49 products a cell"),
    ((1, 1, 480, 640), RANK_ONE, {"stride": 2}, "fft", "fourier", "by name"),
    (
        (1, 1, 2000, 2000),
        ANY,
        {},
        "auto",
        "proven fourier",
        "transforms of a plane take",
    ),
    ((1, 1, 2000, 2000), ANY, {"stride": 2}, "auto", "filter", "only float32 by steps of one"),
    ((4, 3, 60, 60), (3, 3, 3, 3), {}, "auto", "few_filters", "lanes for each cell"),
    ((4, 16, 20, 20), (64, 16, 3, 3), {}, "auto", "many_filters", "1.00 for each filter"),
    ((4, 3, 90, 90), (3, 3, 3, 3), {"stride": 2}, "auto", "many_filters", "move by 2 cells"),
    ((4, 16, 20, 20), (64, 16, 3, 3), {}, "winograd", "winograd", "by name"),
    ((4, 16, 20, 20), (64, 16, 2, 2), {}, "winograd", "many_filters", "1.00 for each filter"),
]


@pytest.mark.parametrize(("x", "w", "options", "algorithm", "kernel", "reason"), CASES)
def test_what_is_chosen(x, w, options, algorithm, kernel, reason):
    if isinstance(w, tuple):
        w = np.arange(np.prod(w)).reshape(w) ** 2 % 101
    w = w.astype(np.float32).reshape((1,) * (4 - w.ndim) + w.shape)
    plan = correlation_plan(x, w.shape, **options)
    out = np.empty((x[0], len(w), *plan.output), np.float32)
    with use_algorithm(algorithm):
        chosen = choice(np.zeros(x, np.float32), w, out, plan.slide, 1)
    assert chosen.kernel == kernel
    assert reason in chosen.reason


def test_integers_are_left_to_the_loops():
    x, w = np.zeros((1, 1, 900, 900), int), np.ones((1, 1, 5, 5), int)
    plan = correlation_plan(x.shape, w.shape)
    chosen = choice(x, w, np.empty((1, 1, *plan.output), int), plan.slide, 1)
    assert chosen == ("loops", "integers are summed exactly", (), None)
