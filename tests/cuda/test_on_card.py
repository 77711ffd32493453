"""What is the GPU's alone: arrays that are there, tiles and their edges, memory, order, and errors.

On a card with large inputs, in the simulator with small ones; the kernels' numbers are judged by
tests/twins and tests/properties too, as those of any backend.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import (
    ArgumentError,
    ArgumentTypeError,
    BackendError,
    IntegerOverflowWarning,
    kernels,
)
from tests.conftest import BACKENDS, NO_CARD, NO_SIMULATOR, SIMULATED

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif("cuda" not in BACKENDS, reason=NO_CARD),
]

Array = Any


class Foreign:
    """An array of another library on the simulator's card, which is the host."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.__cuda_array_interface__ = array.__array_interface__


def there(array: Array) -> Any:
    """Return the array on the card, as another library has it."""
    if SIMULATED:
        return Foreign(np.array(array, copy=True))
    from numba import cuda

    return cuda.to_device(array)


def numbers(*shape: int, dtype: Any = "float64", seed: int = 0) -> Array:
    random = np.random.default_rng([seed, *shape])
    if np.dtype(dtype).kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return random.integers(-9, 9, shape).astype(dtype)


@pytest.fixture(autouse=True)
def on_cuda() -> Iterator[None]:
    with stepconv.use_backend("cuda"):
        yield


def close(got: Any, wanted: Any) -> None:
    """Compare sums that were added in another order."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    kind = 1e-4 if wanted.dtype == np.float32 else 1e-10
    tolerance = kind if wanted.dtype.kind == "f" else 0
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=tolerance, atol=tolerance)


def host(result: Any) -> Array:
    assert not isinstance(result, np.ndarray), "the result has left the card"
    return result.copy_to_host()


# Arrays on the card.


def test_a_result_lies_where_the_first_array_does() -> None:
    x, w, bias = numbers(2, 3, 6, 5), numbers(4, 3, 3, 2, seed=1), numbers(4, seed=2)
    wanted = stepconv.correlate(x, w, bias, padding=1, backend="textbook")
    close(stepconv.correlate(x, w, bias, padding=1), wanted)
    for others in ((there(w), there(bias)), (w, bias), (there(w), bias)):
        close(host(stepconv.correlate(there(x), *others, padding=1)), wanted)


def test_every_operation_takes_arrays_on_the_card() -> None:
    x, w = numbers(2, 3, 6, 5), numbers(4, 3, 3, 2, seed=1)
    up, one = numbers(3, 2, 2, 2, seed=3), numbers(6, 5, seed=4)
    grad = numbers(2, 4, 4, 4, seed=5)
    calls: list[tuple[Any, tuple[Array, ...], dict[str, Any]]] = [
        (stepconv.correlate, (x, w), {"mode": "reflect", "padding": 1}),
        (stepconv.convolve, (x, w), {"stride": 2}),
        (stepconv.convolve, (one, numbers(3, 3)), {"padding": "same"}),
        (stepconv.correlate_transpose, (x, up), {"stride": 2}),
        (stepconv.correlate_backward, (x, w, grad), {}),
        (stepconv.convolve_backward, (x, w, grad), {}),
        (stepconv.max_pool, (x,), {"window": 2}),
        (stepconv.max_pool_backward, (x, numbers(2, 3, 3, 2)), {"window": 2}),
        (stepconv.avg_pool, (x,), {"window": 2}),
        (stepconv.avg_pool_backward, (x, numbers(2, 3, 3, 2)), {"window": 2}),
        (stepconv.pad, (x,), {"padding": 2, "mode": "circular"}),
        (stepconv.pad_backward, (numbers(2, 3, 8, 7),), {"shape": x.shape, "padding": 1}),
        (stepconv.relu, (x,), {}),
        (stepconv.relu_backward, (x, x[::-1]), {}),
        (stepconv.flip, (w,), {}),
    ]
    for function, arrays, options in calls:
        given = [there(np.ascontiguousarray(array)) for array in arrays]
        got = function(*given, **options)
        with stepconv.use_backend("textbook"):
            wanted = function(*arrays, **options)
        both = zip(got, wanted, strict=True) if isinstance(got, tuple) else [(got, wanted)]
        for one_got, one_wanted in both:
            close(host(one_got), one_wanted)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "float32"])
def test_types_are_those_of_the_host(dtype: str) -> None:
    x, w = numbers(5, 7, dtype="int8").astype(dtype), numbers(2, 2, dtype="int8")
    for function, arrays in ((stepconv.correlate, (x, w)), (stepconv.relu, (x,))):
        wanted = function(*arrays, backend="textbook")
        close(host(function(*map(there, arrays))), wanted)
    close(host(stepconv.max_pool(there(x), 2)), stepconv.max_pool(x, 2, backend="textbook"))


def test_results_of_the_card_go_on_there() -> None:
    x, w = numbers(2, 3, 8, 8), numbers(4, 3, 3, 3, seed=1)
    got = stepconv.max_pool(stepconv.relu(stepconv.correlate(there(x), there(w))), 2)
    with stepconv.use_backend("textbook"):
        wanted = stepconv.max_pool(stepconv.relu(stepconv.correlate(x, w)), 2)
    close(host(got), wanted)
    assert "float64[2, 4, 3, 3]" in repr(got)
    assert len(got) == 2
    assert got.ndim == 4
    np.testing.assert_array_equal(np.asarray(got, np.float32), wanted.astype(np.float32))


@pytest.mark.skipif(not SIMULATED, reason=NO_SIMULATOR + "has NumPy's layouts at hand")
@pytest.mark.parametrize(
    "view",
    [np.s_[::-1, ::2], np.s_[1:, 1:], np.s_[:, ::-1]],
    ids=["steps", "inside", "backwards"],
)
def test_any_layout(view: Any) -> None:
    x = numbers(7, 8)
    for array in (x[view], x.T[view], np.asfortranarray(x)):
        close(host(stepconv.relu(Foreign(array))), stepconv.relu(array, backend="textbook"))
    np.testing.assert_array_equal(x, numbers(7, 8))


def test_who_reads_a_result_on_another_stream_is_told_which_one_to_wait_for() -> None:
    legacy_default = 1
    interface = stepconv.relu(there(numbers(3, 3))).__cuda_array_interface__
    assert (interface["version"], interface["stream"]) == (3, legacy_default)


def behind_another(array: Array) -> Any:
    """Return the array on the card, at a place that is a multiple of its numbers' size alone."""
    row = np.append(array.dtype.type(0), array)
    if SIMULATED:
        return Foreign(row[1:].reshape(array.shape))
    from numba import cuda

    return cuda.to_device(row)[1:].reshape(array.shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_may_begin_anywhere(dtype: str) -> None:
    """What a kernel loads 16 bytes at a time lies in memory of its own."""
    x, w = numbers(2, 4, 6, 8, dtype=dtype), numbers(8, 4, 3, 3, dtype=dtype, seed=1)
    one, kernel = numbers(9, 8, dtype=dtype), numbers(5, 4, dtype=dtype, seed=2)
    grad = numbers(2, 8, 4, 6, dtype=dtype, seed=3)
    calls: list[tuple[Any, tuple[Array, ...]]] = [
        (stepconv.correlate, (x, w)),
        (stepconv.correlate, (one, kernel)),
        (stepconv.correlate_backward, (x, w, grad)),
        (stepconv.relu, (x,)),
    ]
    for function, arrays in calls:
        got, wanted = function(*map(behind_another, arrays)), function(*arrays)
        both = zip(got, wanted, strict=True) if isinstance(got, tuple) else [(got, wanted)]
        for one_got, one_wanted in both:
            np.testing.assert_array_equal(host(one_got), one_wanted)


def test_no_array_of_the_card_is_changed_or_handed_out() -> None:
    x = there(numbers(4, 5))
    for result in (stepconv.relu(x), stepconv.pad(x, 0), stepconv.max_pool(x, 1)):
        pointers = [one.__cuda_array_interface__["data"][0] for one in (x, result)]
        assert pointers[0] != pointers[1]
    np.testing.assert_array_equal(np.asarray(stepconv.pad(x, 0).copy_to_host()), numbers(4, 5))


@pytest.mark.parametrize("backend", ["cpu", "textbook"])
def test_another_backend_refuses_arrays_on_the_card(backend: str) -> None:
    message = rf"^backend='{backend}' computes in the host's memory.*backend='cuda' fits$"
    x = there(numbers(4, 4))
    for function, options in (
        (stepconv.relu, {}),
        (stepconv.pad, {"padding": 1}),
        (stepconv.max_pool, {"window": 2}),
        (stepconv.correlate, {"w": numbers(2, 2)}),
    ):
        with pytest.raises(ArgumentError, match=message):
            function(x, **options, backend=backend)


def test_the_card_is_not_left_for_the_host() -> None:
    x, w = numbers(4, 4), numbers(2, 2)
    with pytest.raises(ArgumentTypeError, match=r"^w is on a GPU, and the first array"):
        stepconv.correlate(x, there(w))
    with pytest.raises(ArgumentTypeError, match=r"^grad_out is on a GPU"):
        stepconv.relu_backward(x, there(x))


def test_what_a_call_refuses_it_refuses_on_the_card() -> None:
    x = there(numbers(4, 4))
    with pytest.raises(ArgumentError, match=r"^stride=0 is too small"):
        stepconv.correlate(x, [[1.0]], stride=0)
    with pytest.raises(ArgumentTypeError, match="real numbers"):
        stepconv.relu(there(numbers(3).astype(complex)))


def test_sums_that_leave_int64_are_told_of_on_the_card() -> None:
    large = np.array([[2**40, -(2**40)], [1, 2**40]])
    with pytest.warns(IntegerOverflowWarning):
        stepconv.correlate(there(large), there(large))
    assert host(stepconv.correlate(there(large), there(np.array([[3]])))).tolist() == [
        [3 * 2**40, -3 * 2**40],
        [3, 3 * 2**40],
    ]


def test_empty_arrays() -> None:
    x = there(numbers(0, 3, 4, 4))
    assert stepconv.correlate(x, numbers(2, 3, 3, 3)).shape == (0, 2, 2, 2)
    grads = stepconv.correlate_backward(x, numbers(2, 3, 3, 3), numbers(0, 2, 2, 2))
    assert [grad.shape for grad in grads] == [(0, 3, 4, 4), (2, 3, 3, 3), (2,)]
    np.testing.assert_array_equal(host(grads[1]), np.zeros((2, 3, 3, 3)))
    np.testing.assert_array_equal(host(grads[2]), np.zeros(2))
    assert stepconv.max_pool(x, 2).shape == (0, 3, 2, 2)


# Tiles, parts and their edges.

LAYERS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = (
    [
        ((2, 2, 5, 6), (5, 2, 3, 2), {"padding": 1}),  # ragged in filters, cells and taps
        ((1, 4, 6, 5), (6, 2, 2, 2), {"groups": 2, "stride": 2}),
        ((2, 3, 6, 7), (3, 1, 3, 3), {"groups": 3, "padding": 1}),
        ((1, 1, 9, 8), (1, 1, 5, 4), {"padding": "same"}),
        ((1, 2, 9, 9), (2, 1, 3, 3), {"groups": 2, "dilation": 2}),
        ((1, 3, 5, 5), (3, 3, 1, 1), {"stride": 3}),  # cells that no window reads
    ]
    if SIMULATED
    else [
        ((5, 6, 31, 33), (70, 6, 3, 5), {"padding": 1}),
        ((3, 64, 30, 29), (128, 32, 3, 3), {"groups": 2, "stride": 2, "padding": 1}),
        ((4, 33, 61, 63), (33, 1, 5, 3), {"groups": 33, "padding": 1}),
        ((1, 1, 517, 1031), (1, 1, 35, 70), {"padding": "same"}),
        ((4, 9, 65, 65), (9, 1, 3, 3), {"groups": 9, "dilation": 2}),
        ((3, 64, 50, 50), (32, 64, 2, 2), {"stride": 5}),  # cells that no window reads
        ((70001, 1, 3, 3), (1, 1, 2, 2), {}),  # more planes than a grid has in y or z
    ]
)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(("x", "w", "options"), LAYERS)
def test_layers(x: Any, w: Any, options: dict[str, Any], dtype: str) -> None:
    image, weights = numbers(*x, dtype=dtype), numbers(*w, dtype=dtype, seed=1)
    wanted = stepconv.correlate(image, weights, **options, backend="cpu")
    close(stepconv.correlate(image, weights, **options), wanted)
    grad = numbers(*wanted.shape, dtype=dtype, seed=2)
    got = stepconv.correlate_backward(image, weights, grad, **options)
    cpu = stepconv.correlate_backward(image, weights, grad, **options, backend="cpu")
    for one, other in zip(got, cpu, strict=True):
        size = np.abs(other).max() if dtype != "int64" else 1
        np.testing.assert_allclose(one / size, other / size, atol=1e-4 if "32" in dtype else 1e-10)


@pytest.mark.parametrize(("x", "w", "options"), LAYERS)
@pytest.mark.parametrize("odd", [np.inf, np.nan])
def test_a_weight_that_is_not_finite_meets_no_zeros_of_ours(
    x: Any, w: Any, options: dict[str, Any], odd: float
) -> None:
    """grad_x of a window ends where the window does: there is no 0 · inf beyond."""
    weights = numbers(*w)
    weights.flat[-1] = odd
    image = np.zeros(x)
    grad = np.ones(stepconv.correlate(image, weights, **options, backend="cpu").shape)
    got = stepconv.correlate_backward(image, weights, grad, **options)[0]
    with stepconv.use_backend("textbook" if SIMULATED else "cpu"):
        wanted = stepconv.correlate_backward(image, weights, grad, **options)[0]
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    close(got, wanted)


def test_sums_in_parts() -> None:
    """So many cells that they are summed in parts, which are then added up."""
    side = 16 if SIMULATED else 700
    x = numbers(1, 1, side, side)
    sums = stepconv.correlate_backward(x, np.ones((1, 1, 1, 1)), x)
    close(sums[1], np.array((x * x).sum()).reshape(1, 1, 1, 1))
    close(sums[2], x.sum().reshape(1))


def test_the_same_bits_again() -> None:
    x, w, options = LAYERS[0]
    image, weights = numbers(*x, dtype="float32"), numbers(*w, dtype="float32")
    grad = numbers(*stepconv.correlate(image, weights, **options).shape, dtype="float32")

    def bits() -> list[bytes]:
        results = stepconv.correlate_backward(image, weights, grad, **options)
        return [result.tobytes() for result in results]

    first = bits()
    assert all(bits() == first for _ in range(2 if SIMULATED else 20))


# The recorder.


def test_the_recorder_writes_down_block_and_thread(tmp_path: Any) -> None:
    x, w = numbers(6, 9), numbers(3, 2)
    trace = stepconv.record(stepconv.correlate, x, w)
    assert trace == stepconv.record(stepconv.correlate, x, w, backend="textbook")
    blocks, threads = trace.workers.T
    size = threads.max() + 1
    np.testing.assert_array_equal(blocks * size + threads, np.arange(len(trace)))
    assert blocks.max() > 0
    assert trace[size].worker == (1, 0)
    trace.save(tmp_path / "a.trace.npz")
    back = stepconv.load_trace(tmp_path / "a.trace.npz")
    np.testing.assert_array_equal(back.workers, trace.workers)
    assert trace.about.recorder.endswith("cuda")


def test_arrays_on_the_card_are_recorded() -> None:
    x = numbers(5, 5)
    trace = stepconv.record(stepconv.max_pool, there(x), 2)
    assert trace == stepconv.record(stepconv.max_pool, x, 2, backend="textbook")


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_a_backward_call_copies_each_array_once(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    from stepconv.kernels.cuda.machine import array, transfers

    allocated = []
    allocate = array.allocate

    def noting(shape: Any, dtype: Any) -> Any:
        allocated.append(tuple(shape))
        return allocate(shape, dtype)

    monkeypatch.setattr(transfers, "_TABLE_BYTES", 0)
    monkeypatch.setattr(transfers, "allocate", noting)
    x, w, grad = numbers(1, 2, 5, 4), numbers(3, 2, 2, 2, seed=1), numbers(1, 3, 6, 5, seed=2)
    got = stepconv.correlate_backward(x, w, grad, padding=1, mode=mode)
    assert allocated.count(grad.shape) == 1
    wanted = stepconv.correlate_backward(x, w, grad, padding=1, mode=mode, backend="textbook")
    for one, other in zip(got, wanted, strict=True):
        close(one, other)
    allocated.clear()
    up = numbers(1, 3, 7, 6, seed=3)
    stepconv.correlate_transpose_backward(grad, np.swapaxes(w, 0, 1)[:1].repeat(3, 0), up)
    assert allocated.count(up.shape) == 1


# Memory and errors.


def test_memory_is_used_again() -> None:
    from stepconv.kernels.cuda.machine import memory

    x = there(numbers(11, 13))
    first = stepconv.relu(x)
    place = first.__cuda_array_interface__["data"][0]
    view = first.reshape(143)
    del first
    gc.collect()
    held = stepconv.relu(x)
    assert held.__cuda_array_interface__["data"][0] != place, "somebody still looked at it"
    del view
    gc.collect()
    assert stepconv.relu(x).__cuda_array_interface__["data"][0] == place
    memory.Memory.free_kept()
    assert memory.Memory.kept_bytes == 0


class Failure:
    """A driver that fails with a code of its own."""

    def __init__(self, code: int, times: int) -> None:
        from numba.cuda.cudadrv.driver import CudaAPIError

        self.error = CudaAPIError(code, f"driver says {code}")
        self.error.code = code
        self.times, self.right = times, None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self.times == 0:
            return self.right(*arguments, **options)  # type: ignore[misc]
        self.times -= 1
        raise self.error


def break_allocation(monkeypatch: pytest.MonkeyPatch, code: int, times: int = -1) -> None:
    from stepconv.kernels.cuda.machine import memory

    memory.Memory.free_kept()
    failure = Failure(code, times)
    failure.right = memory.cuda.device_array
    monkeypatch.setattr(memory.cuda, "device_array", failure)


def test_a_full_card_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    x = numbers(64, 64)
    on_card = there(x)
    stepconv.relu(x)
    break_allocation(monkeypatch, 2)
    with pytest.raises(BackendError, match=r"^relu of float64\[4096\], .* does not fit .* MiB$"):
        stepconv.relu(x)
    with pytest.raises(BackendError, match=r"^a result of float64\[64, 64\] does not fit"):
        stepconv.relu(on_card)
    with pytest.raises(BackendError, match=r"^a copy of float64\[64, 64\] does not fit"):
        kernels.on_card(x)


def test_kept_memory_is_given_back_before_a_card_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    x = numbers(64, 64)
    break_allocation(monkeypatch, 2, times=1)
    np.testing.assert_array_equal(stepconv.relu(x), np.maximum(x, 0))


def test_a_lost_card_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    break_allocation(monkeypatch, 719)
    with pytest.raises(BackendError, match=r"^relu of .* failed on the GPU \(.*719.*\); if"):
        stepconv.relu(numbers(64, 64))
