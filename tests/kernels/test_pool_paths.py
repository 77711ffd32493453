"""Pools and pads have paths for vectors, edges, strips and bands: each is held to the textbook."""

from itertools import product

import numba
import numpy as np
import pytest

import stepconv
from stepconv.geometry import Slide, Window
from stepconv.kernels.cpu.machine.vector import lanes
from stepconv.kernels.cpu.pool import backward, forward, windows
from stepconv.kernels.cpu.pool.choose import in_vectors

pytestmark = pytest.mark.slow  # many tiles, each compiled when it is first met

TYPES = (np.float32, np.float64)
# Window and stride: side by side, overlapping, apart in rows, of one row, not for vectors.
WINDOWS = [
    ((2, 2), (2, 2)),
    ((3, 3), (2, 2)),
    ((3, 3), (1, 1)),
    ((1, 2), (2, 2)),
    ((2, 3), (2, 1)),
    ((4, 3), (3, 2)),
    ((2, 2), (1, 3)),
]


def image(shape, dtype, seed=0):
    """Return numbers with many ties, and some that stand alone."""
    random = np.random.default_rng(seed)
    x = random.integers(-2, 3, shape) + (random.random(shape) < 0.3) * random.random(shape)
    return x.astype(dtype)


def same(ref, comp):
    """Hold a result to the textbook's bits; a NaN may be any NaN."""
    assert ref.dtype == comp.dtype
    number = ~np.isnan(ref)
    np.testing.assert_array_equal(ref, comp)
    np.testing.assert_array_equal(np.signbit(ref[number]), np.signbit(comp[number]))


def check(x, window, **options):
    """Compare all four pools of x with the textbook's."""
    dilation = {"dilation": options.pop("dilation")} if "dilation" in options else {}
    ref = stepconv.max_pool(x, window, backend="textbook", **options, **dilation)
    same(ref, stepconv.max_pool(x, window, **options, **dilation))
    grad = image(ref.shape, x.dtype, 1)
    ref = stepconv.max_pool_backward(x, grad, window, backend="textbook", **options, **dilation)
    same(ref, stepconv.max_pool_backward(x, grad, window, **options, **dilation))
    if not dilation:
        ref = stepconv.avg_pool(x, window, backend="textbook", **options)
        same(ref, stepconv.avg_pool(x, window, **options))
        ref = stepconv.avg_pool_backward(x, grad, window, backend="textbook", **options)
        same(ref, stepconv.avg_pool_backward(x, grad, window, **options))


def test_which_windows_are_taken_in_vectors():
    x = np.zeros((1, 9, 9), np.float32)
    calls = [(Window(*window), Slide(*stride, 1, 1, 0, 0)) for window, stride in WINDOWS]
    assert [in_vectors(x, *call) is not None for call in calls] == [True] * 5 + [False] * 2
    small, slide = calls[0]
    assert in_vectors(x, small, slide) == (2, 2, 2, 2)
    assert not in_vectors(x.astype(int), small, slide)
    assert not in_vectors(x[:0], small, slide)
    for dilated in (slide._replace(dilation_y=2), slide._replace(dilation_x=2)):
        assert not in_vectors(x, small, dilated)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("window", "stride"), WINDOWS)
def test_every_width_up_to_two_vectors(dtype, window, stride):
    for width in range(window[1], 2 * stride[1] * lanes(dtype) + 6):
        check(image((window[0], width), dtype, width), window, stride=stride)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("window", "stride"), WINDOWS)
def test_padding_on_each_side(dtype, window, stride):
    most = [range(min(size, 3)) for size in window]
    for top, left, right in product(most[0], most[1], most[1]):
        padding = [(top, most[0][-1] - top), (left, right)]
        for shape in ((1, 1), (4, 2), (6, 2 * lanes(dtype) + 5)):
            if all(s + sum(p) >= w for s, p, w in zip(shape, padding, window, strict=True)):
                check(image(shape, dtype), window, stride=stride, padding=padding)
                check(image(shape, dtype), window, stride=stride, padding=padding, ceil_mode=True)


@pytest.mark.parametrize(("window", "stride"), WINDOWS[:3])
def test_nan_infinity_and_the_sign_of_zero(window, stride):
    for seed in range(8):
        x = image((2, 7, 37), np.float32, seed)
        where = np.random.default_rng(seed).random(x.shape)
        x[where < 0.5] = [np.nan, np.inf, -np.inf, -0.0][seed % 4]
        x[where < 0.05] = [-np.inf, np.nan, -np.inf, 0.0][seed % 4]
        padding = [window[0] // 2, window[1] // 2]
        with np.errstate(invalid="ignore"):
            check(x, window, stride=stride, padding=padding)
    check(np.full((7, 37), -np.inf, np.float32), window, stride=stride, padding=padding)


@pytest.mark.parametrize("special", [np.nan, -np.inf])
def test_planes_in_doubt_are_done_again(special):
    x = image((5, 9, 40), np.float32)
    x[1, 8, 39] = x[3, 0, 0] = special
    x[3, :2, :2] = x[4] = special
    check(x, (3, 3), stride=2, padding=1)
    check(x[:1], (3, 3), stride=2, padding=1)


@pytest.mark.parametrize("window", [2, 3])
def test_long_signals_are_cut_into_strips(window):
    x = image((1, 2 * 2 * windows.STRIP + 77), np.float32)
    check(x, (window,), stride=2, padding=1)


@pytest.mark.parametrize(("window", "stride"), WINDOWS[:5])
def test_images_are_cut_into_bands(window, stride, monkeypatch):
    monkeypatch.setattr(forward, "CELLS", 1)
    for cells in (1, 3 * 33 * stride[0]):
        monkeypatch.setattr(backward, "CELLS", cells)
        check(image((2, 12, 33), np.float32), window, stride=stride, padding=window[0] // 2)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_other_options_and_types(dtype):
    x = image((40, 20), np.float64).astype(dtype)
    check(x, (3, 2), stride=1, padding=1, dilation=2)
    ref = stepconv.max_pool(x, 2, backend="textbook")
    np.testing.assert_array_equal(ref, stepconv.max_pool(x, 2))


@pytest.mark.parametrize(("window", "stride"), WINDOWS)
def test_the_bits_do_not_depend_on_threads(window, stride):
    x = image((1, 300, 70), np.float32) * np.float32(1.1)
    grad = stepconv.max_pool(x, window, stride=stride) / np.float32(3)

    def everything():
        return [
            stepconv.max_pool(x, window, stride=stride).tobytes(),
            stepconv.avg_pool(x, window, stride=stride).tobytes(),
            stepconv.max_pool_backward(x, grad, window, stride=stride).tobytes(),
            stepconv.avg_pool_backward(x, grad, window, stride=stride).tobytes(),
        ]

    threads = numba.get_num_threads()
    ref = everything()
    try:
        for count in range(1, threads):
            numba.set_num_threads(count)
            assert everything() == ref
    finally:
        numba.set_num_threads(threads)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.bool_])
def test_pad_and_its_gradient(mode, dtype):
    for shape, padding in product(
        [(2, 3, 4), (1, 5, 70), (1, 40, 3)], [0, 1, 2, [(0, 2), (1, 0)], [(2, 0), (0, 2)]]
    ):
        x = image(shape, np.float64).astype(dtype)
        padding = [padding] * 2 if isinstance(padding, int) else padding
        ref = stepconv.pad(x, padding, mode=mode, backend="textbook")
        comp = stepconv.pad(x, padding, mode=mode)
        assert ref.tobytes() == comp.tobytes()
        grad = image(ref.shape, np.float32, 1)
        ref = stepconv.pad_backward(grad, shape, padding, mode=mode, backend="textbook")
        same(ref, stepconv.pad_backward(grad, shape, padding, mode=mode))


def test_pad_beyond_the_image():
    x = image((3, 5), np.float32)
    for mode, padding, value in (("circular", 11, 0), ("replicate", 7, 0), ("zeros", 6, np.nan)):
        ref = stepconv.pad(x, padding, mode=mode, value=value, backend="textbook")
        assert ref.tobytes() == stepconv.pad(x, padding, mode=mode, value=value).tobytes()
        grad = image(ref.shape, np.float64)
        ref = stepconv.pad_backward(grad, x.shape, padding, mode=mode, backend="textbook")
        same(ref, stepconv.pad_backward(grad, x.shape, padding, mode=mode))
