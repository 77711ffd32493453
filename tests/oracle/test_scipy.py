"""SciPy's filters as judges of ours, each by the border and the centre that it promises.

Where a kernel has an even size, SciPy has no one answer to where 'same' puts the odd cell of
padding: `FRONT` says which of its functions put it in front, all others put it behind as we do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, signal

import stepconv

Array = NDArray[Any]

BACKENDS = ("textbook", "cpu")
KERNELS = [(3, 3), (2, 2), (1, 4), (5, 2), (4, 3), (1, 1)]
BORDERS = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}
FRONT = (signal.correlate, signal.convolve, signal.convolve2d, ndimage.correlate)


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Any:
    with stepconv.use_backend(request.param):
        yield


def random(shape: tuple[int, ...], dtype: str = "int64", seed: int = 1) -> Array:
    """Return whole numbers: sums of their products are exact in every type, so bits compare."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(dtype)


def same(result: Array, expected: Array) -> None:
    np.testing.assert_array_equal(result, expected, strict=True)


def centred(theirs: Callable[..., Any], kernel: Array) -> list[tuple[int, int]]:
    """Return per axis the padding of SciPy's 'same'."""
    sides = [((k - 1) // 2, k // 2) for k in kernel.shape]
    return [(more, less) for less, more in sides] if theirs in FRONT else sides


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (6,), *KERNELS])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(stepconv.correlate, signal.correlate), (stepconv.convolve, signal.convolve)],
    ids=["correlate", "convolve"],
)
def test_signal(ours: Any, theirs: Any, shape: tuple[int, ...], dtype: str) -> None:
    x, w = random((9, 8)[: len(shape)], dtype), random(shape, dtype, seed=2)
    same(ours(x, w), theirs(x, w, "valid", method="direct"))
    same(ours(x, w, padding="full"), theirs(x, w, "full", method="direct"))
    same(ours(x, w, padding=centred(theirs, w)), theirs(x, w, "same", method="direct"))


@pytest.mark.parametrize("shape", KERNELS)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(stepconv.correlate, signal.correlate2d), (stepconv.convolve, signal.convolve2d)],
    ids=["correlate2d", "convolve2d"],
)
def test_signal_2d_boundaries(ours: Any, theirs: Any, shape: tuple[int, int]) -> None:
    """Boundary 'fill' with any value, and 'wrap', in every size."""
    x, w = random((9, 8)), random(shape, seed=2)
    middle = centred(theirs, w)
    full = [(k - 1, k - 1) for k in shape]
    same(ours(x, w), theirs(x, w, "valid"))
    for size, sides in (("same", middle), ("full", full)):
        same(ours(x, w, padding=sides, mode="circular"), theirs(x, w, size, boundary="wrap"))
        filled = stepconv.pad(x, sides, value=7)
        same(ours(filled, w), theirs(x, w, size, boundary="fill", fillvalue=7))


def test_symmetric_boundary_of_one_cell() -> None:
    """SciPy's 'symm' repeats the edge itself, so one cell of it is what 'replicate' puts there."""
    x, w = random((9, 8)), random((3, 3), seed=2)
    ours = stepconv.correlate(x, w, padding="same", mode="replicate")
    same(ours, signal.correlate2d(x, w, "same", boundary="symm"))


@pytest.mark.parametrize("mode", BORDERS)
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (4,), *KERNELS])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(stepconv.correlate, ndimage.correlate), (stepconv.convolve, ndimage.convolve)],
    ids=["correlate", "convolve"],
)
def test_ndimage(ours: Any, theirs: Any, shape: tuple[int, ...], mode: str) -> None:
    x, w = random((9, 8)[: len(shape)]), random(shape, seed=2)
    expected = theirs(x, w, mode=BORDERS[mode])
    same(ours(x, w, padding=centred(theirs, w), mode=mode), expected)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 3)])
@pytest.mark.parametrize("window", [(3, 3), (1, 5), (5, 3)])
def test_max_pool_is_a_filter_seen_in_strides(
    window: tuple[int, int], stride: int, dilation: int
) -> None:
    x = random((11, 10), "float64")
    gap = np.zeros((dilation, dilation))
    gap[0, 0] = 1
    spans = tuple(dilation * (size - 1) + 1 for size in window)
    footprint = np.kron(np.ones(window), gap)[: spans[0], : spans[1]]
    expected = ndimage.maximum_filter(x, footprint=footprint, mode="constant", cval=-np.inf)
    sides = tuple(span // 2 for span in spans)
    result = stepconv.max_pool(x, window, stride=stride, dilation=dilation, padding=sides)
    same(result, expected[::stride, ::stride])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("window", [(3, 3), (1, 5), (5, 3)])
def test_avg_pool_is_a_filter_seen_in_strides(window: tuple[int, int], stride: int) -> None:
    """Dividing by the whole window, or by the real cells: the filter of ones counts them."""
    x = random((11, 10), "float64")
    sides = tuple(size // 2 for size in window)
    means = ndimage.uniform_filter(x, window, mode="constant")
    shares = ndimage.uniform_filter(np.ones_like(x), window, mode="constant")
    for include, expected in ((True, means), (False, means / shares)):
        result = stepconv.avg_pool(
            x, window, stride=stride, padding=sides, count_include_pad=include
        )
        np.testing.assert_allclose(result, expected[::stride, ::stride], rtol=0, atol=1e-13)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 7])
def test_upfirdn(k: int, step: int) -> None:
    """Filtering and keeping every step-th cell is a stride; zeros put between, its transpose."""
    x, w = random((8,), "float64"), random((k,), "float64", seed=2)
    strided = stepconv.convolve(x, w, padding="full", stride=step)
    same(strided, signal.upfirdn(w, x, down=step))
    spread = stepconv.correlate_transpose(x, w, stride=step)
    same(spread, signal.upfirdn(w, x, up=step))
