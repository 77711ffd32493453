"""One channel into one: the fast filters beside the textbook and beside longer numbers."""

import numpy as np
import pytest

from stepconv.kernels.compile import thread_count, use_threads
from stepconv.kernels.cpu.conv import filter as planes
from stepconv.kernels.cpu.conv.filter import filter_planes
from tests.kernels.filters import assert_within_bound, random_filtering

pytestmark = pytest.mark.slow  # many tiles, each compiled when it is first met

DTYPES = (np.float32, np.float64)


def filtered(call):
    out = call.empty()
    filter_planes(call.x, call.w, call.bias, out, call.slide)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [*range(1, 36), 47, 63, 64, 65, 129, 200, 259, 300])
def test_every_width(width, dtype):
    call = random_filtering(width, (1, 2, 9, width), (3, 3), dtype, before=(1, 1), after=(1, 1))
    assert_within_bound(filtered(call), call)


@pytest.mark.parametrize("height", range(1, 28))
def test_every_height(height):
    call = random_filtering(height, (1, 1, height, 80), (7, 7), before=(3, 3), after=(3, 3))
    assert_within_bound(filtered(call), call)


@pytest.mark.parametrize("kernel", [(1, 1), (1, 9), (9, 1), (2, 5), (5, 2), (4, 4), (15, 11)])
def test_kernels(kernel):
    call = random_filtering(1, (2, 2, 40, 150), kernel, before=(2, 3), after=(4, 1))
    assert_within_bound(filtered(call), call)


@pytest.mark.parametrize("stride", [(1, 2), (2, 1), (2, 2), (3, 3), (1, 5)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (3, 1), (4, 6)])
def test_strides_and_dilations(stride, dilation):
    call = random_filtering(
        2, (1, 2, 50, 170), (3, 3), stride=stride, dilation=dilation, before=(3, 2), after=(1, 4)
    )
    assert_within_bound(filtered(call), call)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (7, 15)])
@pytest.mark.parametrize("width", [1, 16, 47, 64, 160, 320, 1024])
@pytest.mark.parametrize("directly", [False, True])
@pytest.mark.parametrize("step", [1, 2])
def test_results_written_past_the_caches(width, directly, step, kernel, dtype, monkeypatch):
    pads = [side // 2 * step for side in kernel]
    call = random_filtering(
        width, (2, 2, 37, width), kernel, dtype, dilation=(step, 1), before=pads, after=pads
    )
    kept = filtered(call)
    monkeypatch.setattr(planes, "STREAMED", 0)
    monkeypatch.setattr(planes, "LONG", 0 if directly else 10_000)
    planes.cut_planes.cache_clear()
    streamed = filtered(call)
    planes.cut_planes.cache_clear()
    assert_within_bound(streamed, call)
    assert streamed.tobytes() == kept.tobytes()


def test_windows_that_see_padding_alone():
    call = random_filtering(3, (1, 1, 2, 2), (3, 3), before=(9, 11), after=(7, 30))
    assert_within_bound(filtered(call), call)


def test_an_empty_batch():
    call = random_filtering(4, (0, 3, 5, 5), (3, 3))
    assert filtered(call).shape == (0, 3, 3, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("width", [7, 80])
def test_nan_and_inf_in_the_image(bad, width):
    call = random_filtering(5, (1, 1, 9, width), (3, 3), before=(1, 1), after=(1, 1))
    call.x[0, 0, [0, 4, 8], [0, width - 2, 3]] = bad
    call.w[0, 0, 1, 0] = 0
    np.testing.assert_allclose(filtered(call), call.textbook(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_padding_is_real_zeros(bad):
    call = random_filtering(6, (1, 1, 9, 80), (3, 3), before=(1, 1), after=(1, 1))
    call.w[0, 0, 0, 2] = bad
    ref = call.textbook()
    assert np.isnan(ref[0, 0, 0]).all()
    assert np.isnan(ref[0, 0, :, -1]).all()
    np.testing.assert_allclose(filtered(call), ref, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "kernel", "stride"),
    [((1, 1, 300, 300), (3, 3), 1), ((2, 3, 90, 200), (9, 7), 2), ((1, 1, 1, 100_000), (1, 9), 1)],
)
def test_the_same_bits_on_any_number_of_threads(shape, kernel, stride):
    call = random_filtering(7, shape, kernel, stride=(stride, stride), before=(0, 1), after=(0, 1))
    before = thread_count()
    results = []
    try:
        for threads in range(1, before + 1):
            use_threads(threads)
            results.append(filtered(call))
    finally:
        use_threads(before)
    assert_within_bound(results[0], call)
    assert len({result.tobytes() for result in results}) == 1
