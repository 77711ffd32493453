"""Kernels of rank 1: which are found, and that their result keeps to the bound of all others."""

from fractions import Fraction

import numpy as np
import pytest

from stepconv.kernels.compile import thread_count, use_threads
from stepconv.kernels.cpu.conv import choose, separable
from stepconv.kernels.cpu.conv.separable import factors, separable_planes
from tests.kernels.filters import assert_within_bound, random_filtering

pytestmark = pytest.mark.slow  # many tiles, each compiled when it is first met

DTYPES = (np.float32, np.float64)


def separated(call):
    found = factors(call.w)
    assert found is not None
    out = call.empty()
    separable_planes(call.x, found, call.bias, out, call.slide)
    return out


def rank_one(seed, x_shape, kernel, dtype=np.float32, **options):
    call = random_filtering(seed, x_shape, kernel, dtype, **options)
    u, v = call.w[:, :, :, :1].copy(), call.w[:, :, :1, :].copy()
    call.w = u * v
    return call


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [16, 17, 31, 33, 64, 65, 100, 129, 200, 300])
def test_widths(width, dtype):
    call = rank_one(width, (1, 2, 20, width), (5, 5), dtype, before=(2, 2), after=(2, 2))
    assert_within_bound(separated(call), call)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [9, 15, 16, 17, 24, 31, 32, 33, 48, 70])
def test_lengths_of_the_row(width, dtype):
    """One weight serves beside another that lies a vector away; some have no such partner."""
    call = rank_one(width, (1, 1, 20, 180), (5, width), dtype, before=(2, 8), after=(2, 60))
    assert_within_bound(separated(call), call)


@pytest.mark.parametrize("height", range(3, 14))
def test_heights_of_the_column_and_the_image(height):
    call = rank_one(height, (1, 1, height + 2, 40), (height, 7), before=(1, 3), after=(3, 3))
    assert_within_bound(separated(call), call)


def test_images_narrower_than_a_vector_are_filtered_directly():
    call = rank_one(6, (1, 2, 2000, 3), (5, 5), before=(2, 2), after=(2, 2))
    out = call.empty()
    choose.correlate(call.x, call.w, call.bias, out, call.slide, 2)
    assert_within_bound(out, call)


@pytest.mark.parametrize("widest", [300, 1000])
def test_blocks_of_columns(widest, monkeypatch):
    """A line that does not fit into the cache is cut; the image's ends belong to some blocks."""
    call = rank_one(7, (1, 2, 40, 1500), (9, 9), before=(4, 4), after=(4, 4))
    whole = separated(call)
    monkeypatch.setattr(separable, "CACHE_BYTES", 14 * 4 * widest)
    separable._cut.cache_clear()
    cut = separated(call)
    separable._cut.cache_clear()
    assert_within_bound(cut, call)
    assert cut.tobytes() == whole.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [16, 64, 320, 1024])
def test_results_written_past_the_caches(width, dtype, monkeypatch):
    call = rank_one(width, (2, 2, 37, width), (7, 7), dtype, before=(3, 3), after=(3, 3))
    kept = separated(call)
    monkeypatch.setattr(separable, "STREAMED", 0)
    separable._cut.cache_clear()
    streamed = separated(call)
    separable._cut.cache_clear()
    assert_within_bound(streamed, call)
    assert streamed.tobytes() == kept.tobytes()


def test_windows_that_see_padding_alone():
    call = rank_one(8, (1, 1, 3, 20), (5, 5), before=(9, 11), after=(7, 90))
    assert_within_bound(separated(call), call)


def test_the_same_bits_on_any_number_of_threads():
    call = rank_one(9, (1, 1, 300, 300), (9, 9), before=(4, 4), after=(4, 4))
    before = thread_count()
    results = []
    try:
        for threads in range(1, before + 1):
            use_threads(threads)
            results.append(separated(call).tobytes())
    finally:
        use_threads(before)
    assert len(set(results)) == 1


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (3, 4)])
def test_strides_and_dilations(stride, dilation):
    call = rank_one(
        1, (2, 2, 60, 170), (7, 5), stride=stride, dilation=dilation, before=(3, 2), after=(1, 9)
    )
    assert_within_bound(separated(call), call)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_is_as_near_as_the_proof_needs(seed, dtype):
    call = rank_one(seed, (1, 1, 9, 9), (4 + seed % 5, 5), dtype)
    if seed % 3 == 0:
        call.w[..., 1, :] = 0
    (u,), (v,) = factors(call.w)
    unit = Fraction(float(np.finfo(dtype).eps)) / 2
    allowed = (u.size * v.size - u.size - v.size - 1) * unit
    for (a, b), number in np.ndenumerate(call.w[0, 0]):
        exact = Fraction(float(number))
        product = Fraction(float(u[a])) * Fraction(float(v[b]))
        assert abs(exact - product) <= allowed * abs(exact) * (1 + unit)
    assert np.abs(u).sum() <= 0.5


def test_what_is_not_of_rank_one():
    rng = np.random.default_rng(0)
    assert factors(rng.standard_normal((1, 1, 5, 5)).astype("f")) is None
    nearly = np.ones((1, 1, 5, 5), "f")
    nearly[0, 0, 2, 2] += 32 * np.finfo("f").eps
    assert factors(nearly) is None
    cross = np.zeros((1, 1, 5, 5), "f")
    cross[0, 0, 2], cross[0, 0, :, 2] = 1, 1
    assert factors(cross) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e-30, 1e30])
def test_numbers_that_are_no_good_for_factors(bad):
    w = np.ones((1, 1, 5, 5), "f")
    w[0, 0, 3] = bad
    assert factors(w) is None


def test_one_channel_that_has_no_factors_is_enough():
    call = rank_one(2, (1, 2, 9, 9), (5, 5))
    call.w[1, 0, 0, 0] += 1
    assert factors(call.w) is None


def test_lines_have_no_factors():
    assert factors(np.ones((1, 1, 1, 9), "f")) is None
    assert factors(np.ones((1, 1, 2, 2), "f")) is None


def test_a_kernel_of_zeros():
    call = rank_one(3, (1, 1, 9, 24), (5, 5))
    call.w[...] = 0
    np.testing.assert_array_equal(separated(call), np.full((1, 1, 5, 20), call.bias[0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_in_the_image(bad):
    call = rank_one(4, (1, 1, 12, 80), (5, 5), before=(2, 2), after=(2, 2))
    call.x[0, 0, [0, 4, 8], [0, 77, 3]] = bad
    call.w[0, 0, 1] = 0
    np.testing.assert_allclose(separated(call), call.textbook(), rtol=1e-4, atol=1e-5)


def test_large_numbers_do_not_overflow_on_the_way():
    call = rank_one(5, (1, 1, 9, 24), (5, 5))
    call.w[...], call.bias[...] = 0.03125, 0
    call.x[...] = np.finfo("f").max
    assert np.isfinite(separated(call)).all()
