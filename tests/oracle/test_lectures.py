"""Hand-worked answers anchor the oracle: the numbers of five lectures, on every backend."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import stepconv
from stepconv.geometry import dense_parameter_count, parameter_count
from tests.oracle.lectures import EXAMPLES, KERNELS, PICTURES

Array = NDArray[Any]
Example = dict[str, Any]

BACKENDS = ("textbook", "cpu")
DTYPES = ("int32", "int64", "float32", "float64")

OPERATIONS: dict[str, Callable[..., Any]] = {
    "correlate": stepconv.correlate,
    "convolve": stepconv.convolve,
    "correlate_grad_w": lambda *args, **options: stepconv.correlate_backward(*args, **options)[1],
    "max_pool": stepconv.max_pool,
    "max_pool_backward": stepconv.max_pool_backward,
    "avg_pool": stepconv.avg_pool,
    "relu": stepconv.relu,
    "flip": stepconv.flip,
}
COUNTS: dict[str, Callable[..., int]] = {
    "output_size": stepconv.output_size,
    "parameter_count": parameter_count,
    "parameter_count_dense": dense_parameter_count,
}
FORWARD: dict[str, Callable[..., Any]] = {
    "correlate_grad_w": stepconv.correlate,
    "max_pool_backward": stepconv.max_pool,
}

COMPUTED = [name for name, example in EXAMPLES.items() if example["op"] in OPERATIONS]
COUNTED = [name for name, example in EXAMPLES.items() if example["op"] in COUNTS]
PRINTED = [name for name, example in EXAMPLES.items() if "printed" in example]
CHECKED = [name for name, example in EXAMPLES.items() if "checkpoints" in example]


def arrays(example: Example, dtype: str) -> list[Array]:
    """Return x, w, grad_out, as many as there are, in this order."""
    return [np.array(array, dtype) for array in example["inputs"].values()]


def fits(dtype: str, example: Example) -> bool:
    """Tell whether the type can hold the inputs: a fraction is no integer."""
    whole = all(np.array_equal(array, np.round(array)) for array in example["inputs"].values())
    return whole or dtype.startswith("float")


def compute(example: Example, dtype: str, backend: str) -> Array:
    with stepconv.use_backend(backend):
        result: Array = OPERATIONS[example["op"]](*arrays(example, dtype), **example["options"])
    return result


def assert_says(result: Array, expected: Any, dtype: str) -> None:
    """Hold a result against the slide: whole numbers exactly, fractions to the last bits."""
    assert result.shape == np.shape(expected)
    if np.array_equal(expected, np.round(expected)) and dtype.startswith("int"):
        np.testing.assert_array_equal(result, expected)
    else:
        last_bits = 2e-6 if dtype == "float32" else 1e-14
        np.testing.assert_allclose(result, expected, rtol=last_bits, atol=last_bits)


def test_every_entry_is_tested() -> None:
    assert len(EXAMPLES) == 38
    assert (len(KERNELS), len(PICTURES)) == (21, 2)
    assert sorted(COMPUTED + COUNTED) == sorted(EXAMPLES)
    assert len(PRINTED) == 3
    assert len(CHECKED) == 6


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in COMPUTED for dtype in DTYPES if fits(dtype, EXAMPLES[name])],
)
def test_example(name: str, dtype: str, backend: str) -> None:
    example = EXAMPLES[name]
    assert_says(compute(example, dtype, backend), example["expected"], dtype)


@pytest.mark.parametrize("name", COUNTED)
def test_count(name: str) -> None:
    example = EXAMPLES[name]
    assert COUNTS[example["op"]](**example["options"]) == example["expected"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("name", CHECKED)
def test_checkpoints(name: str, dtype: str, backend: str) -> None:
    """What a slide works out on the way: a window's total, its sum in each channel."""
    example = EXAMPLES[name]
    given = arrays(example, dtype)
    with stepconv.use_backend(backend):
        for checkpoint in example["checkpoints"]:
            if "forward" in checkpoint:
                forward = FORWARD[example["op"]](*given[:-1], **example["options"])
                assert_says(forward, checkpoint["forward"], dtype)
                continue
            total = compute(example, dtype, backend).ravel()[checkpoint["step"]]
            assert total == checkpoint["total"]
            if "channel_sums" in checkpoint:
                sums = channel_sums(given[0], given[1], checkpoint["step"])
                assert sums == checkpoint["channel_sums"]
                assert sum(sums) == total


def channel_sums(x: Array, w: Array, step: int) -> list[Any]:
    """Return the sum of one window in each channel: every channel is a group of its own."""
    assert w.shape[0] == 1
    apart = stepconv.correlate(x, w[0][:, np.newaxis], groups=len(x))
    return [float(channel.ravel()[step]) for channel in apart]


@pytest.mark.parametrize("backend", BACKENDS)
def test_where_the_slides_are_wrong(backend: str) -> None:
    """Our cells differ from the printed ones exactly where the note says that the slide erred."""
    wrong = {}
    for name in ("avg-pool-4x4", "letter-blur"):
        example = EXAMPLES[name]
        result = compute(example, "float64", backend)
        printed = np.array(example["printed"], dtype=np.float64)
        wrong[name] = [tuple(cell) for cell in np.argwhere(abs(result - printed) > 1e-9).tolist()]
    assert wrong == {
        "avg-pool-4x4": [(1, 0)],
        "letter-blur": [(1, 0), (1, 1), (1, 2), (2, 1)],
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_moving_average_divides_by_five(backend: str) -> None:
    """The slide writes [1, 1, 1, 1, 1] / 4, which would make the averages a quarter too large."""
    example = EXAMPLES["moving-average-1d"]
    assert "/ 4" in example["printed"]
    with stepconv.use_backend(backend):
        as_printed = stepconv.correlate(example["inputs"]["x"], np.ones(5) / 4)
    np.testing.assert_allclose(as_printed, 1.25 * np.array(example["expected"]), rtol=1e-14)
