"""Activations worked out by hand, their laws, and the far ends where a formula might overflow."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array

LN2, LN3 = math.log(2), math.log(3)

# Powers of e that are whole numbers make fractions: e^ln2 = 2, e^-ln2 = 1/2.
WORKED: list[tuple[str, tuple[Any, ...], Any]] = [
    ("leaky_relu", ([4, -4, 0],), [4, -0.04, 0]),
    ("leaky_relu", ([4, -4, 0], 0.5), [4, -2, 0]),
    ("leaky_relu_backward", ([4, -4, 0], [3, 3, 3], 0.5), [3, 1.5, 1.5]),
    # (2 - 1/2) / (2 + 1/2) and (3 - 1/3) / (3 + 1/3)
    ("tanh", ([0, LN2, -LN3],), [0, 3 / 5, -4 / 5]),
    # 1 - 9/25, 1 - 16/25
    ("tanh_backward", ([0, LN2, -LN3], [1, 1, 2]), [1, 16 / 25, 18 / 25]),
    # 1 / (1 + 1/2), 1 / (1 + 3)
    ("sigmoid", ([0, LN2, -LN3],), [1 / 2, 2 / 3, 1 / 4]),
    ("sigmoid_backward", ([0, LN2, -LN3], [1, 9, 16]), [1 / 4, 2, 3]),
    # 1, 2 and 3 of 6
    ("softmax", ([0, LN2, LN3],), [1 / 6, 2 / 6, 3 / 6]),
    # Σ g·y = 6/6 + 12/6 = 3; 1/6 · (6 - 3), 2/6 · (6 - 3), 3/6 · (0 - 3)
    ("softmax_backward", ([0, LN2, LN3], [6, 6, 0]), [1 / 2, 1, -3 / 2]),
    # Over the channels of each place: 1 and 2 of 3, 1 and 3 of 4.
    ("softmax", ([[[0, 0]], [[LN2, LN3]]],), [[[1 / 3, 1 / 4]], [[2 / 3, 3 / 4]]]),
    # Each row by itself.
    ("softmax", ([[0, LN2], [0, LN3]],), [[1 / 3, 2 / 3], [1 / 4, 3 / 4]]),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), WORKED)
def test_worked_by_hand(name: str, arguments: tuple[Any, ...], expected: Any, backend: str) -> None:
    result = getattr(stepconv, name)(*arguments, backend=backend)
    np.testing.assert_allclose(result, expected, rtol=1e-14, atol=1e-16)
    trace = stepconv.record(getattr(stepconv, name), *arguments, backend=backend)
    np.testing.assert_allclose(trace.output, expected, rtol=1e-14, atol=1e-16)


def test_the_far_ends(backend: str) -> None:
    far = np.array([-np.inf, -1e9, -1000, 1000, 1e9, np.inf])
    with stepconv.use_backend(backend):
        assert stepconv.tanh(far).tolist() == [-1, -1, -1, 1, 1, 1]
        assert stepconv.sigmoid(far).tolist() == [0, 0, 0, 1, 1, 1]
        assert not stepconv.tanh_backward(far, np.ones(6)).any()
        assert not stepconv.sigmoid_backward(far, np.ones(6)).any()
        assert stepconv.softmax([1000, 1000, -1000]).tolist() == [0.5, 0.5, 0]
        assert stepconv.softmax([-np.inf, 0.0]).tolist() == [0, 1]
        for odd in ([np.inf, 0.0], [np.nan, 0.0], [-np.inf, -np.inf]):
            assert np.isnan(stepconv.softmax(odd)).all()


@given(x=some.images())
def test_shares_make_one_and_their_gradients_nothing(backend: str, x: Array) -> None:
    y = stepconv.softmax(x, backend=backend)
    axis = -1 if x.ndim < 3 else -3
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-14)
    grad_x = stepconv.softmax_backward(x, np.cos(x), backend=backend)
    np.testing.assert_allclose(grad_x.sum(axis), 0, atol=1e-15)
    np.testing.assert_allclose(stepconv.softmax(x + 1, backend=backend), y, rtol=1e-13, atol=1e-300)


@given(x=some.images())
def test_sigmoid_and_tanh_are_one_curve(backend: str, x: Array) -> None:
    sigmoid = stepconv.sigmoid(2 * x, backend=backend)
    np.testing.assert_allclose(stepconv.tanh(x, backend=backend), 2 * sigmoid - 1, atol=1e-15)
    other = stepconv.sigmoid(-2 * x, backend=backend)
    np.testing.assert_allclose(sigmoid + other, 1, rtol=1e-15)


def test_softmax_knows_channels_by_the_axes_of_x(backend: str) -> None:
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    with stepconv.use_backend(backend):
        np.testing.assert_allclose(stepconv.softmax(x).sum(1), 1)
        np.testing.assert_allclose(stepconv.softmax(x[0]).sum(0), 1)
        np.testing.assert_allclose(stepconv.softmax(x[0, 0]).sum(1), 1)
        np.testing.assert_allclose(stepconv.softmax(x[0, 0, 0]).sum(), 1)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("relu", ([1.0, -3.0],), "max(0, -3) = 0"),
        ("leaky_relu", ([1.0, -3.0],), "-3 is not positive: 0.01x(-3) = -0.03"),
        ("tanh", ([1.0, 0.5],), "tanh(0.5) ≈ 0.462117"),
        ("sigmoid", ([1.0, -2.0],), "1 / (1 + e^2) ≈ 0.119203"),
        ("softmax", ([1, 2, 3],), "e^2 / (e^1 + e^2 + e^3) ≈ 0.244728"),
        (
            "tanh_backward",
            ([1.0, 0.5], [1, 2]),
            "2x0.786448 ≈ 1.5729, where 0.786448 is the slope at x = 0.5",
        ),
        (
            "softmax_backward",
            ([0, 0], [0, 4]),
            "0.5x(4 - 2) = 1, where 2 = 0x0.5 + 4x0.5",
        ),
    ],
)
def test_a_step_writes_its_function_out(name: str, arguments: tuple[Any, ...], words: str) -> None:
    trace = stepconv.record(getattr(stepconv, name), *arguments, backend="textbook")
    assert trace[1].in_words().endswith(f"cell 1: {words}")


def test_a_step_of_softmax_shows_powers_their_sum_and_the_share() -> None:
    x = np.array([0, LN2, LN3]).reshape(3, 1, 1)
    step = stepconv.record(stepconv.softmax, x, backend="textbook")[1]
    np.testing.assert_allclose(step.products.reshape(-1), [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(step.channel_sums, [1 / 3, 2 / 3, 1])
    assert step.result == pytest.approx(1 / 3)
