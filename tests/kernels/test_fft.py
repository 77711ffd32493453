"""Filtering by the Fourier transform: within the error that its docstring states."""

import numpy as np
import pytest

from stepconv.kernels.cpu.conv import fourier
from stepconv.kernels.cpu.conv.fourier import fft_planes
from tests.kernels.filters import random_filtering

pytestmark = pytest.mark.slow  # many tiles, each compiled when it is first met


def transformed(call):
    out = call.empty()
    fft_planes(call.x, call.w, call.bias, out, call.slide)
    return out


def assert_within_stated_error(out, call):
    total, _ = call.exactly()
    unit = np.finfo(out.dtype).eps / 2
    kernel = [(k - 1) * d + 1 for k, d in zip(call.w.shape[2:], call.dilation, strict=True)]
    side, _ = fourier._cut(out.shape[2:], kernel, call.stride)
    size = np.linalg.norm(call.x) * np.linalg.norm(call.w)
    bound = 8 * unit * np.log2(side[0] * side[1]) * size + unit * np.abs(call.bias).max()
    assert np.abs(out - total).max() <= bound


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((1, 1, 700, 310), (31, 27), {"before": (15, 13), "after": (15, 13)}),
        ((2, 2, 40, 30), (3, 4), {}),
        ((1, 1, 280, 1300), (9, 9), {"stride": (2, 3), "dilation": (2, 3), "before": (5, 1)}),
        ((1, 1, 1, 2000), (1, 50), {"after": (0, 49)}),
        ((1, 1, 5, 5), (9, 9), {"before": (8, 8), "after": (8, 8)}),
    ],
)
def test_error(shape, kernel, options, dtype):
    call = random_filtering(1, shape, kernel, dtype, **options)
    out = transformed(call)
    assert out.dtype == dtype
    assert_within_stated_error(out, call)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_stay_where_they_belong(bad):
    call = random_filtering(2, (1, 1, 40, 50), (5, 5), before=(2, 2), after=(2, 2))
    call.x[0, 0, 20, 7] = bad
    np.testing.assert_allclose(transformed(call), call.textbook(), rtol=1e-4, atol=1e-5)


def test_inf_in_the_kernel_meets_the_padding():
    call = random_filtering(3, (1, 2, 12, 12), (3, 3), before=(1, 1), after=(1, 1))
    call.w[1, 0, 0, 0] = np.inf
    np.testing.assert_allclose(transformed(call), call.textbook(), rtol=1e-4, atol=1e-5)


def test_the_same_bits_every_time():
    call = random_filtering(4, (1, 2, 600, 600), (33, 33))
    assert len({transformed(call).tobytes() for _ in range(3)}) == 1
