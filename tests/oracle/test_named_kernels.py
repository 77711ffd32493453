"""The lectures' 21 kernels: what they are, and what they make of both pictures beside SciPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, signal

import stepconv
from tests.oracle.lectures import KERNELS, PICTURES

Array = NDArray[Any]

BACKENDS = ("textbook", "cpu")
BORDERS = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}


def outer(column: Sequence[float], row: Sequence[float]) -> Array:
    return np.outer(column, row)


def impulse(size: int) -> Array:
    picture = np.zeros((size, size))
    picture[size // 2, size // 2] = 1
    return picture


# The same kernels as a textbook factors them, where it does.
DELTA = impulse(3)
CROSS = outer([0, 1, 0], [1, 1, 1]) + outer([1, 0, 1], [0, 1, 0])
BINOMIAL = [1, 4, 6, 4, 1]
MEANING = {
    "identity": DELTA,
    "ridge-4": 5 * DELTA - CROSS,
    "ridge-8": 9 * DELTA - np.ones((3, 3)),
    "laplacian": CROSS - 5 * DELTA,
    "diagonal-edge": outer([1, 0, -1], [1, 0, -1]),
    "plus-glow": CROSS + 3 * DELTA,
    "plus-edge-8": 9 * DELTA - CROSS,
    "sharpen": 6 * DELTA - CROSS,
    "box-blur-3": np.ones((3, 3)) / 9,
    "gaussian-3": outer([1, 2, 1], [1, 2, 1]) / 16,
    "gaussian-5": outer(BINOMIAL, BINOMIAL) / 256,
    "unsharp-5": 2 * impulse(5) - outer(BINOMIAL, BINOMIAL) / 256,
    "prewitt-x": outer([1, 1, 1], [-1, 0, 1]),
    "prewitt-y": outer([-1, 0, 1], [1, 1, 1]),
    "sobel-x": outer([1, 2, 1], [-1, 0, 1]),
    "sobel-y": outer([-1, 0, 1], [1, 2, 1]),
    "sobel-x-light-to-dark": outer([1, 2, 1], [1, 0, -1]),
    "vertical": outer([1, 1, 1], [1, 0, -1]),
    "horizontal": outer([1, 0, -1], [1, 1, 1]),
    "moving-average-5": np.ones(5) / 5,
    "weighted-average-5": np.array(BINOMIAL) / 16,
}
KEEPS_BRIGHTNESS = {
    *("identity", "sharpen", "unsharp-5", "box-blur-3", "gaussian-3", "gaussian-5"),
    *("moving-average-5", "weighted-average-5"),
}
BRIGHTENS = {"plus-glow": 8.0, "plus-edge-8": 4.0}


def kernel_2d(name: str) -> Array:
    """Return a kernel for pictures: one of a signal runs along the rows."""
    return np.atleast_2d(np.array(KERNELS[name]))


def test_there_are_no_others() -> None:
    assert KERNELS.keys() == MEANING.keys()
    assert {name: np.shape(picture) for name, picture in PICTURES.items()} == {
        "letter-a-15x14": (14, 15),
        "eight-22x16": (22, 16),
    }


@pytest.mark.parametrize("name", KERNELS)
def test_meaning(name: str) -> None:
    kernel = np.array(KERNELS[name])
    assert kernel.shape == MEANING[name].shape
    np.testing.assert_allclose(kernel, MEANING[name], rtol=1e-15)


@pytest.mark.parametrize("name", KERNELS)
def test_sum(name: str) -> None:
    """A blur keeps the brightness of a plain area, an edge finder makes it black."""
    total = 1.0 if name in KEEPS_BRIGHTNESS else BRIGHTENS.get(name, 0.0)
    assert np.sum(KERNELS[name]) == pytest.approx(total, abs=1e-15)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_beside_scipy(name: str, picture: str, backend: str) -> None:
    image, kernel = np.array(PICTURES[picture], np.float64), kernel_2d(name)
    with stepconv.use_backend(backend):
        for ours, theirs in (
            (stepconv.correlate, signal.correlate2d),
            (stepconv.convolve, signal.convolve2d),
        ):
            for size in ("valid", "full"):
                close(ours(image, kernel, padding=size), theirs(image, kernel, size))


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_borders_beside_scipy(name: str, picture: str, mode: str) -> None:
    """Every kernel has an odd size, so 'same' leaves no doubt about its centre."""
    image, kernel = np.array(PICTURES[picture], np.float64), kernel_2d(name)
    correlated = stepconv.correlate(image, kernel, padding="same", mode=mode)
    close(correlated, ndimage.correlate(image, kernel, mode=BORDERS[mode]))
    convolved = stepconv.convolve(image, kernel, padding="same", mode=mode)
    close(convolved, ndimage.convolve(image, kernel, mode=BORDERS[mode]))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [name for name in KERNELS if np.ndim(KERNELS[name]) == 1])
def test_a_row_is_a_signal(name: str, backend: str) -> None:
    for picture in PICTURES.values():
        rows = np.array(picture, np.float64)
        filtered = [
            stepconv.correlate(row, KERNELS[name], padding="same", backend=backend) for row in rows
        ]
        close(np.array(filtered), ndimage.correlate1d(rows, KERNELS[name], mode="constant"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_whole_kernels_on_whole_grays(backend: str) -> None:
    """Integers leave nothing to rounding: every bit agrees."""
    image = np.array(PICTURES["eight-22x16"])
    assert image.dtype == np.int64
    for name in KERNELS:
        kernel = kernel_2d(name)
        if np.array_equal(kernel, np.round(kernel)):
            whole = kernel.astype(np.int64)
            result = stepconv.correlate(image, whole, padding="same", backend=backend)
            expected = ndimage.correlate(image, whole, mode="constant")
            np.testing.assert_array_equal(result, expected, strict=True)


def close(result: Array, expected: Array) -> None:
    """Grays go up to 255, weights to 9: sums of 25 products err by 1e-12 at most."""
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)
