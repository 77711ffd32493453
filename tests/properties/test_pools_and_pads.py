"""Laws of pools, and pads against numpy.pad."""

import numpy as np
import pytest
from hypothesis import given

from stepconv import avg_pool, max_pool, pad, relu
from stepconv.geometry import MODES, pads, pooling_plan
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call

NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def windows(call: Call) -> list[list[float]]:
    """Return for each window of a pool its real cells, by cutting them out with NumPy."""
    x = call.arrays["x"]
    plan = pooling_plan(x.shape, **call.without("count_include_pad").options)
    axes = len(plan.axes)
    every = []
    for index in np.ndindex(*x.shape[: x.ndim - axes], *plan.output):
        lead, place = index[: x.ndim - axes], index[x.ndim - axes :]
        taps = [
            [tap for tap in axis.taps(i) if 0 <= tap < axis.size]
            for axis, i in zip(plan.axes, place, strict=True)
        ]
        every.append(x[lead][np.ix_(*taps)].ravel().tolist())
    return every


@given(call=some.avg_pools(whole=True))
def test_an_average_lies_between_min_and_max(backend: str, call: Call) -> None:
    low = -call.but(x=-call.arrays["x"]).without("count_include_pad").run(max_pool, backend=backend)
    high = call.without("count_include_pad").run(max_pool, backend=backend)
    average = call.with_options(count_include_pad=False).run(avg_pool, backend=backend)
    assert (low <= average).all()
    assert (average <= high).all()
    # Zeros that count pull towards 0, never beyond.
    mixed = call.with_options(count_include_pad=True).run(avg_pool, backend=backend)
    assert (np.abs(mixed) <= np.abs(average)).all()


@given(call=some.max_pools())
def test_max_pool_is_minus_the_least_of_the_negative(backend: str, call: Call) -> None:
    least = [min(cells, default=np.inf) for cells in windows(call.but(x=-call.arrays["x"]))]
    largest = call.run(max_pool, backend=backend)
    np.testing.assert_array_equal(largest, -np.reshape(least, largest.shape), strict=True)


@given(call=some.avg_pools(whole=True))
def test_avg_pool_is_the_mean_of_the_real_cells(backend: str, call: Call) -> None:
    means = [np.mean(cells) for cells in windows(call)]
    average = call.with_options(count_include_pad=False).run(avg_pool, backend=backend)
    np.testing.assert_allclose(average, np.reshape(means, average.shape), rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_pad_is_numpys(mode: str, backend: str) -> None:
    @given(some.pads(modes=(mode,), dtype=some.dtypes("float64", "float32", "int64")))
    def holds(call: Call) -> None:
        x, padding = call.arrays["x"], call.options["padding"]
        axes = min(len(padding) if isinstance(padding, tuple) else 2, x.ndim)
        sides = [(0, 0)] * (x.ndim - axes) + list(pads(padding, axes))
        more = {"constant_values": call.options["value"]} if mode == "zeros" else {}
        wanted = np.pad(x, sides, NUMPY_MODES[mode], **more)  # type: ignore[call-overload]
        np.testing.assert_array_equal(call.run(pad, backend=backend), wanted, strict=True)

    holds()


@given(x=some.images(nan=True, infinity=True))
def test_relu_is_numpys_maximum_with_0(backend: str, x: Array) -> None:
    np.testing.assert_array_equal(relu(x, backend=backend), np.maximum(x, 0.0), strict=True)
