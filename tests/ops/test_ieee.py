"""NaN, infinity, signed zero and the smallest numbers are what IEEE 754 says, without a warning."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import stepconv
from tests.ops.calls import CALLS, Array, Call, same_bits

INF, NAN = np.inf, np.nan
SPECIAL = {"nan": NAN, "inf": INF, "minus-inf": -INF}


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    """Turn whatever NumPy could say, wherever it is switched on, into a failure."""
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        yield


def equal(ours: Array, theirs: Any) -> bool:
    """Tell whether the numbers are the same, with NaN at the same places."""
    return bool(np.array_equal(ours, np.asarray(theirs), equal_nan=True))


def kinds(array: Array) -> list[str]:
    """Return for each cell what it is: nan, inf, -inf or finite."""
    return [str(cell) if not np.isfinite(cell) else "finite" for cell in array.ravel()]


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_all_backends_put_nan_and_infinity_in_the_same_places(call: Call, special: str) -> None:
    for name, shape in call.shapes.items():
        size = int(np.prod(shape))
        for cells in ([0], [size - 1], [size // 2], range(0, size, 3)):
            arrays = call.arrays(np.float64)
            arrays[name].ravel()[list(cells)] = SPECIAL[special]
            reference = call.run(arrays, "textbook")
            for ours, theirs in zip(call.run(arrays, "cpu"), reference, strict=True):
                assert kinds(ours) == kinds(theirs)
                np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_nan_in_every_cell_of_every_argument_reaches_every_result(call: Call) -> None:
    """No operation but the backward of a pool or relu may lose one: there x only chooses cells."""
    for name, shape in call.shapes.items():
        arrays = call.arrays(np.float32)
        arrays[name] = np.full(shape, NAN, np.float32)
        places = [kinds(result) for result in call.run(arrays)]
        assert places == [kinds(result) for result in call.run(arrays, "textbook")]
        only_chooses = name == "x" and call.operation in (
            *("max_pool_backward", "avg_pool_backward", "relu_backward", "leaky_relu_backward"),
        )
        assert any("nan" in cells for cells in places) is not only_chooses


def test_a_nan_reaches_the_windows_that_read_it_and_no_others(backend: str) -> None:
    x = np.ones((5, 5))
    x[0, 4] = NAN
    out = stepconv.correlate(x, np.ones((2, 2)), backend=backend)
    assert np.argwhere(np.isnan(out)).tolist() == [[0, 3]]
    strided = stepconv.correlate(x, np.ones((2, 2)), stride=3, backend=backend)
    assert np.argwhere(np.isnan(strided)).tolist() == [[0, 1]]
    dilated = stepconv.correlate(x, np.ones((2, 2)), dilation=3, backend=backend)
    assert np.argwhere(np.isnan(dilated)).tolist() == [[0, 1]]
    skipped = np.array([1.0, NAN, 1.0, 1.0, NAN, 1.0])
    assert stepconv.correlate(skipped, [1, 1], dilation=2, stride=3, backend=backend).tolist() == [
        *(2.0, 2.0),
    ]


def test_a_nan_stays_in_its_group_its_image_and_its_filter(backend: str) -> None:
    x, w = np.ones((2, 2, 3)), np.ones((2, 1, 2))
    x[1, 0, :] = NAN
    out = stepconv.correlate(x, w, groups=2, backend=backend)
    assert np.isnan(out).tolist() == [[[False] * 2] * 2, [[True] * 2, [False] * 2]]
    x, w = np.ones((2, 2, 3)), np.ones((2, 2, 2))
    w[1, 0, 0] = NAN
    out = stepconv.correlate(x, w, backend=backend)
    assert np.isnan(out).tolist() == [[[False] * 2, [True] * 2]] * 2


def test_a_nan_in_a_cell_that_a_bias_of_nan_or_infinity_meets(backend: str) -> None:
    with stepconv.use_backend(backend):
        assert equal(stepconv.correlate([1.0, 2.0], [1.0], NAN), [NAN, NAN])
        assert equal(stepconv.correlate([1.0, -INF], [1.0], INF), [INF, NAN])
        assert equal(stepconv.correlate_transpose([1.0, -INF], [1.0], INF), [INF, NAN])


def test_zero_padding_is_made_of_real_zeros(backend: str) -> None:
    """An infinite weight over the padding is infinity times zero: NaN, not nothing."""
    with stepconv.use_backend(backend):
        out = stepconv.correlate([1.0, 2.0], [INF, 1.0, 1.0], padding=1)
        assert equal(out, [NAN, INF])
        out = stepconv.correlate([1.0, 2.0], [1.0, 1.0, NAN], padding="same")
        assert equal(out, [NAN, NAN])
        _, grad_w, _ = stepconv.correlate_backward(
            [1.0, 2.0], [1.0, 1.0, 1.0], [INF, 1.0], padding=1
        )
        assert equal(grad_w, [NAN, INF, INF])
        out = stepconv.correlate([[1.0]], [[1.0, 1.0], [1.0, INF]], padding="full")
        assert equal(out, [[INF, NAN], [NAN, NAN]])


@pytest.mark.parametrize("operation", ["correlate", "convolve"])
def test_padded_is_what_pad_makes_of_it(operation: str, backend: str) -> None:
    function = getattr(stepconv, operation)
    x = np.array([[1.0, -2.0, INF], [3.0, NAN, 4.0], [5.0, 6.0, -INF]])
    for mode in ("zeros", "reflect", "replicate", "circular"):
        for weight in (INF, -INF, NAN, 0.0):
            for place in range(4):
                w = np.array([2.0, -1.0, 0.5, 3.0])
                w[place] = weight
                kernel = w.reshape(2, 2)
                sides = ((1, 2), (2, 1))
                with stepconv.use_backend(backend):
                    padded = stepconv.pad(x, sides, mode=mode)
                    expected = function(padded, kernel)
                    assert same_bits(function(x, kernel, padding=sides, mode=mode), expected)


def test_infinities_meet_as_they_should(backend: str) -> None:
    with stepconv.use_backend(backend):
        assert equal(stepconv.correlate([INF, 1.0, -INF], [1.0, 1.0]), [INF, -INF])
        assert equal(stepconv.correlate([INF, -INF, 0.0], [1.0, 1.0]), [NAN, -INF])
        assert equal(stepconv.correlate([INF, 1.0], [0.0, 1.0]), [NAN])
        assert equal(stepconv.correlate([INF, 1.0], [-2.0, 1.0]), [-INF])
        assert equal(stepconv.correlate_transpose([INF, 0.0], [1.0, 0.0]), [INF, NAN, 0.0])
        assert equal(stepconv.avg_pool([INF, -INF, INF, 1.0], 2), [NAN, INF])
        grad_x, grad_w, grad_bias = stepconv.correlate_backward([0.0, 1.0], [INF], [1.0, 0.0])
        assert equal(grad_x, [INF, NAN])
        assert equal(grad_w, [0.0])
        assert equal(grad_bias, 1.0)


def test_max_pool_passes_a_nan_on(backend: str) -> None:
    with stepconv.use_backend(backend):
        for place in range(4):
            x = np.array([INF, 5.0, -INF, 7.0])
            x[place] = NAN
            assert equal(stepconv.max_pool(x, 4), [NAN])
            assert equal(stepconv.max_pool(x, 2), [[NAN, 7.0], [INF, NAN]][place // 2])
            grad = stepconv.max_pool_backward(x, [9.0], 4)
            assert grad.tolist() == [9.0 * (cell == place) for cell in range(4)]
        two = np.array([1.0, NAN, NAN, 8.0])
        assert stepconv.max_pool_backward(two, [9.0], 4).tolist() == [0.0, 9.0, 0.0, 0.0]


def test_minus_infinity_can_win_a_pool_but_padding_cannot(backend: str) -> None:
    x = np.full((2, 2), -INF)
    with stepconv.use_backend(backend):
        assert equal(stepconv.max_pool(x, 2), [[-INF]])
        assert stepconv.max_pool_backward(x, [[3.0]], 2).tolist() == [[3.0, 0.0], [0.0, 0.0]]
        assert equal(stepconv.max_pool(x, 2, padding=1), np.full((2, 2), -INF))
        back = stepconv.max_pool_backward(x, [[1.0, 2.0], [3.0, 4.0]], 2, padding=1)
        assert back.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_window_whose_cells_all_lie_in_the_padding_has_no_winner(backend: str) -> None:
    """Dilation can step over all that is there; minus infinity is the largest of nothing."""
    options: dict[str, Any] = {"dilation": 3, "padding": 1}
    with stepconv.use_backend(backend):
        assert equal(stepconv.max_pool([5.0, 6.0], 2, **options), [-INF])
        assert stepconv.max_pool_backward([5.0, 6.0], [1.0], 2, **options).tolist() == [0.0, 0.0]
        least = np.iinfo(np.int16).min
        assert stepconv.max_pool(np.array([5, 6], np.int16), 2, **options).tolist() == [least]


def test_relu_passes_a_nan_on(backend: str) -> None:
    x = np.array([NAN, INF, -INF, -0.0, 0.0, 1.0])
    with stepconv.use_backend(backend):
        out = stepconv.relu(x)
        assert equal(out, [NAN, INF, 0.0, 0.0, 0.0, 1.0])
        assert not np.signbit(out[1:]).any()
        grad = stepconv.relu_backward(x, np.array([NAN, NAN, NAN, INF, 2.0, -INF]))
        assert equal(grad[1:], [NAN, 0.0, 0.0, 0.0, -INF])


def test_pads_and_flips_carry_everything(backend: str) -> None:
    x = np.array([NAN, INF, -INF, -0.0])
    with stepconv.use_backend(backend):
        for value in (NAN, INF, -INF):
            assert equal(stepconv.pad(x, 1, value=value), [value, *x, value])
        copies = stepconv.pad(x, 1, mode="replicate")
        assert equal(copies, [NAN, *x, -0.0])
        assert np.signbit(copies).tolist()[-2:] == [True, True]
        assert same_bits(stepconv.flip(x), x[::-1].copy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_too_large_becomes_infinity(dtype: type[np.floating[Any]], backend: str) -> None:
    huge = np.full(4, np.finfo(dtype).max, dtype)
    two = np.full(1, 2, dtype)
    with stepconv.use_backend(backend):
        results = [
            stepconv.correlate(huge, two),
            stepconv.correlate(huge, -huge[:2]),
            stepconv.convolve(huge, two, padding="full"),
            stepconv.correlate_transpose(huge, two),
            stepconv.correlate(huge, np.ones(1, dtype), huge[0]),
            *stepconv.correlate_backward(huge, two, huge),
            *stepconv.correlate_transpose_backward(huge, two, huge),
            stepconv.avg_pool(huge, 2),
            stepconv.pad_backward(huge, (2,), 1, mode="replicate"),
            stepconv.max_pool_backward([0, 1, 0], huge[:2], 2, stride=1)[1:2],
        ]
    for result in results:
        assert np.isinf(result).all()
        assert result.dtype == dtype


@pytest.mark.parametrize("operation", ["correlate", "convolve", "correlate_transpose"])
def test_a_python_number_beyond_float32_is_infinity_there(operation: str, backend: str) -> None:
    one = np.ones(1, np.float32)
    result = getattr(stepconv, operation)(one, one, 1e300, backend=backend)
    assert same_bits(result, np.array([INF], np.float32))


def test_padding_with_a_number_beyond_the_type_is_infinity_there(backend: str) -> None:
    for dtype in (np.float16, np.float32):
        padded = stepconv.pad(np.zeros(1, dtype), 1, value=-1e300, backend=backend)
        assert same_bits(padded, np.array([-INF, 0, -INF], dtype))


def test_whole_numbers_at_the_ends_of_int64_raise_no_alarm(backend: str) -> None:
    ends = [1 - 2**63, 2**63 - 1]
    with stepconv.use_backend(backend):
        assert stepconv.correlate(ends, [1]).tolist() == ends
        assert stepconv.max_pool(ends, 2).tolist() == [ends[1]]
        assert stepconv.avg_pool(ends, 1).tolist() == [-(2.0**63), 2.0**63]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_zeros_are_plain_zero(dtype: type[np.floating[Any]], backend: str) -> None:
    """-0 would print as a result of its own: sums start from 0, and 0 + -0 is 0."""
    for x_sign in (1, -1):
        for w_sign in (1, -1):
            x, w = np.full(4, x_sign * 0.0, dtype), np.full(2, w_sign, dtype)
            with stepconv.use_backend(backend):
                results = [
                    stepconv.correlate(x, w),
                    stepconv.correlate(x, w, padding="full"),
                    stepconv.convolve(w, x, padding="full"),
                    stepconv.correlate_transpose(x, w),
                    *stepconv.correlate_backward(x, w * dtype(0), x[:3]),
                    *stepconv.correlate_transpose_backward(x, w, np.full(5, x[0])),
                    stepconv.avg_pool(x, 2),
                    stepconv.avg_pool_backward(x, x[:2], 2),
                    stepconv.max_pool_backward(x, x[:2], 2),
                    stepconv.pad_backward(x, (2,), 1, mode="circular"),
                    stepconv.relu(x),
                ]
            for place, result in enumerate(results):
                assert not np.signbit(result).any(), (place, result)


def test_negative_zero_is_moved_as_it_is(backend: str) -> None:
    x = np.array([-0.0, 0.0, -0.0])
    with stepconv.use_backend(backend):
        assert np.signbit(stepconv.pad(x, (1, 0))).tolist() == [False, True, False, True]
        assert np.signbit(stepconv.pad(x, (1, 0), value=-0.0)).tolist() == [True, True, False, True]
        # Equal to 0 and first: -0 wins.
        assert np.signbit(stepconv.max_pool(x, 3)).tolist() == [True]
        assert stepconv.max_pool_backward(x, [1.0], 3).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_below_the_normal_ones_are_kept(
    dtype: type[np.floating[Any]], backend: str
) -> None:
    """A thread that flushed them to zero would be faster, and wrong."""
    least = np.finfo(dtype).smallest_subnormal
    size = 200 if backend == "textbook" else 20_000  # enough to reach every thread
    x = np.full((1, 1, size // 20, 20), least, dtype)
    one, half = np.ones((1, 1, 1, 1), dtype), np.full((1, 1, 1, 1), 0.5, dtype)
    with stepconv.use_backend(backend):
        for result in (
            stepconv.correlate(x, one),
            stepconv.correlate(2 * x, half),
            stepconv.correlate(np.finfo(dtype).tiny * np.ones_like(x), one * np.finfo(dtype).eps),
            stepconv.correlate_transpose(x, one),
            stepconv.correlate_backward(x, one, x)[0],
            stepconv.max_pool(x, 2),
            stepconv.avg_pool(x, 2),
            stepconv.avg_pool_backward(x, x * 4, 1) / 4,
            stepconv.pad(x, 1)[..., 1:-1, 1:-1],
            stepconv.relu(x),
            stepconv.relu_backward(x, x),
        ):
            assert (result == least).all()
        grad_w, grad_bias = stepconv.correlate_backward(x, one, np.ones_like(x))[1:]
    # A sum of one subnormal number is exact.
    assert grad_w.item() == size * least
    assert stepconv.correlate_backward(x, one, x)[2].item() == size * least
    assert grad_bias.item() == size
