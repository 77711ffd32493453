"""NumPy's own sums, maxima and means of windows as judges of ours."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import stepconv

Array = NDArray[Any]

BACKENDS = ("textbook", "cpu")
DTYPES = ("int64", "float32", "float64")


def random(shape: tuple[int, ...], dtype: str, seed: int = 1) -> Array:
    """Return whole numbers: sums of their products are exact in every type, so bits compare."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(dtype)


def same(result: Array, expected: Array) -> None:
    np.testing.assert_array_equal(result, expected, strict=True)


def windows(x: Array, shape: tuple[int, ...], stride: int = 1, dilation: int = 1) -> Array:
    """Return all windows over the last axes of x: (…, place, …, cell, …)."""
    axes = len(shape)
    spans = tuple(dilation * (size - 1) + 1 for size in shape)
    every = sliding_window_view(x, spans, axis=tuple(range(-axes, 0)))
    steps, gaps = slice(None, None, stride), slice(None, None, dilation)
    picked: Any = (..., *[steps] * axes, *[gaps] * axes)
    chosen: Array = every[picked]
    return chosen


def numpy_same(k: int) -> tuple[int, int]:
    """NumPy's 'same' puts the odd cell in front; ours, like deep learning's, behind."""
    return k // 2, (k - 1) // 2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", range(1, 9))
@pytest.mark.parametrize("n", [8, 13])
def test_signals(n: int, k: int, dtype: str, backend: str) -> None:
    x, w = random((n,), dtype), random((k,), dtype, seed=2)
    with stepconv.use_backend(backend):
        for ours, theirs in (
            (stepconv.correlate, np.correlate),
            (stepconv.convolve, np.convolve),
        ):
            same(ours(x, w), theirs(x, w, "valid"))
            same(ours(x, w, padding="full"), theirs(x, w, "full"))
            same(ours(x, w, padding=[numpy_same(k)]), theirs(x, w, "same"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", range(1, 9))
def test_our_same_is_numpys_moved_by_one_where_the_kernel_is_even(k: int, backend: str) -> None:
    x, w = random((11,), "int64"), random((k,), "int64", seed=2)
    ours = stepconv.correlate(x, w, padding="same", backend=backend)
    if k % 2:
        same(ours, np.correlate(x, w, "same"))
    else:
        same(ours[:-1], np.correlate(x, w, "same")[1:])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_longer_than_the_signal(backend: str) -> None:
    """Full sums exist whatever is longer; NumPy's 'valid' changes the two, which is no window."""
    x, w = random((3,), "int64"), random((7,), "int64", seed=2)
    same(stepconv.convolve(x, w, padding="full", backend=backend), np.convolve(x, w, "full"))
    same(stepconv.correlate(x, w, padding="full", backend=backend), np.correlate(x, w, "full"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_layers_are_einsums_of_windows(
    stride: int, dilation: int, dtype: str, backend: str
) -> None:
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "backend": backend}
    x, w = random((2, 3, 9, 8), dtype), random((4, 3, 3, 2), dtype, seed=2)
    view = windows(x, (3, 2), stride, dilation)
    same(stepconv.correlate(x, w, **options), np.einsum("ncijab,ocab->noij", view, w))
    signal, kernel = x[:, :, 0], w[:, :, 0]
    view = windows(signal, (2,), stride, dilation)
    same(stepconv.correlate(signal, kernel, **options), np.einsum("ncia,oca->noi", view, kernel))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_einsums_of_windows(backend: str) -> None:
    x, w = random((2, 3, 7, 6), "int64"), random((4, 3, 3, 2), "int64", seed=2)
    grad = random((2, 4, 5, 5), "int64", seed=3)
    grad_x, grad_w, grad_bias = stepconv.correlate_backward(x, w, grad, backend=backend)
    same(grad_w, np.einsum("ncijab,noij->ocab", windows(x, (3, 2)), grad))
    bordered = np.pad(grad, ((0, 0), (0, 0), (2, 2), (1, 1)))
    mirrored = w[:, :, ::-1, ::-1]
    same(grad_x, np.einsum("noijab,ocab->ncij", windows(bordered, (3, 2)), mirrored))
    same(grad_bias, grad.sum(axis=(0, 2, 3)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["uint8", *DTYPES])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_max_pool(stride: int, dilation: int, dtype: str, backend: str) -> None:
    x = random((2, 3, 9, 8), dtype)
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "backend": backend}
    expected = windows(x, (3, 2), stride, dilation).max(axis=(-2, -1))
    same(stepconv.max_pool(x, (3, 2), **options), expected)
    along_rows = windows(x, (2,), stride, dilation).max(axis=-1)
    same(stepconv.max_pool(x, (2,), **options), along_rows)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_avg_pool(stride: int, backend: str) -> None:
    """Windows of 4 x 2 cells: dividing by 8 is exact."""
    x = random((2, 3, 9, 8), "float64")
    expected = windows(x, (4, 2), stride).mean(axis=(-2, -1))
    same(stepconv.avg_pool(x, (4, 2), stride=stride, backend=backend), expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_windows_side_by_side_are_a_reshape(backend: str) -> None:
    x = random((3, 6, 8), "float64")
    blocks = x.reshape(3, 3, 2, 4, 2)
    same(stepconv.max_pool(x, 2, backend=backend), blocks.max(axis=(2, 4)))
    same(stepconv.avg_pool(x, 2, backend=backend), blocks.mean(axis=(2, 4)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("mode", "theirs"),
    [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap"), ("zeros", "constant")],
)
def test_pad(mode: str, theirs: Any, backend: str) -> None:
    x = random((2, 3, 5, 4), "int64")
    sides = ((0, 3), (2, 1))
    ours = stepconv.pad(x, sides, mode=mode, backend=backend)
    same(ours, np.pad(x, ((0, 0), (0, 0), *sides), mode=theirs))
