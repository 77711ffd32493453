"""Every gradient at every index, against what a small step there and back does to the result.

Sums of products are straight lines in each of their numbers, so a step of any width measures
their slope exactly: with whole numbers, in every bit.
"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call
from tests.conftest import fewer

SLIDES: dict[str, Callable[..., st.SearchStrategy[Call]]] = {
    "correlate": some.correlations,
    "convolve": some.correlations,
    "correlate_transpose": some.transposed,
}


def tiny(call: Call) -> bool:
    """Keep what has few indices, for each costs two calls."""
    return sum(array.size for array in call.arrays.values()) <= 40


def slopes(loss: Callable[[Array], float], array: Array, step: float) -> Array:
    """Return by central differences how steep the loss is along every number of an array."""
    steep = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[index] += step
        down[index] -= step
        steep[index] = (loss(up) - loss(down)) / (2 * step)
    return steep


@pytest.mark.parametrize("operation", SLIDES)
def test_slides(operation: str, backend: str) -> None:
    function = getattr(stepconv, operation)
    calls = SLIDES[operation](whole=True, bias=True).filter(tiny)

    @fewer(3)
    @given(some.backwards(calls, function, whole=True))
    def holds(call: Call) -> None:
        grad_out = call.arrays["grad_out"]
        forward = call.without("grad_out")
        bias = call.arrays.get("bias", np.zeros(call.arrays["w"].shape[0]))
        grads = call.without("bias").run(
            getattr(stepconv, f"{operation}_backward"), backend=backend
        )

        def loss(name: str) -> Callable[[Array], float]:
            return lambda array: float(
                (forward.but(**{name: array}).run(function, backend=backend) * grad_out).sum()
            )

        for name, grad in zip(("x", "w", "bias"), grads, strict=True):
            if name in forward.arrays:
                steep = slopes(loss(name), {**forward.arrays, "bias": bias}[name], 1.0)
                np.testing.assert_array_equal(np.reshape(grad, steep.shape), steep)

    holds()


def of_x_alone(call: Call, operation: str, backend: str, step: float) -> tuple[Array, Array]:
    """Return grad_x as the backward says and as differences show."""
    function = getattr(stepconv, operation)
    back = getattr(stepconv, f"{operation}_backward")
    x, grad_out = call.arrays["x"], call.arrays["grad_out"]
    forward = call.without("grad_out")

    def loss(array: Array) -> float:
        out = forward.but(x=array).run(function, backend=backend)
        # A window of padding alone gives -inf, wherever x moves.
        return float(np.where(np.isfinite(out), out * grad_out, 0).sum())

    if operation == "pad":
        grad_x = call.without("x", "value").run(back, shape=x.shape, backend=backend)
    else:
        grad_x = call.run(back, backend=backend)
    return grad_x, slopes(loss, x, step)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_pad(mode: str, backend: str) -> None:
    calls = some.pads(whole=True, modes=(mode,)).filter(tiny)

    @fewer(3)
    @given(some.backwards(calls, stepconv.pad, whole=True))
    def holds(call: Call) -> None:
        grad_x, steep = of_x_alone(call, "pad", backend, 1.0)
        np.testing.assert_array_equal(grad_x, steep)

    holds()


@fewer(3)
@given(call=some.backwards(some.avg_pools(whole=True).filter(tiny), stepconv.avg_pool, whole=True))
def test_avg_pool(backend: str, call: Call) -> None:
    grad_x, steep = of_x_alone(call, "avg_pool", backend, 1.0)
    np.testing.assert_allclose(grad_x, steep, rtol=1e-12, atol=1e-10)


@fewer(3)
@given(
    call=some.backwards(some.max_pools(whole=True).filter(tiny), stepconv.max_pool, whole=True),
    seed=st.integers(0, 2**16),
)
def test_max_pool(backend: str, call: Call, seed: int) -> None:
    # No two alike, and steps too small for one to overtake another.
    shape = call.arrays["x"].shape
    x = np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape).astype(float)
    # A window of padding alone would multiply infinity by 0.
    with np.errstate(invalid="ignore"):
        grad_x, steep = of_x_alone(call.but(x=x), "max_pool", backend, 0.25)
    np.testing.assert_array_equal(grad_x, steep)


@fewer(3)
@given(x=some.images(whole=True, most=4), g=some.cells(whole=True))
def test_relu(backend: str, x: Array, g: float) -> None:
    call = Call({"x": x + 0.5, "grad_out": np.full(x.shape, g)}, {})  # beside the kink at 0
    grad_x, steep = of_x_alone(call, "relu", backend, 0.25)
    np.testing.assert_array_equal(grad_x, steep)


@pytest.mark.parametrize("operation", ["leaky_relu", "tanh", "sigmoid", "softmax"])
@fewer(3)
@given(x=some.images(most=2), seed=st.integers(0, 2**16))
def test_curves(backend: str, operation: str, x: Array, seed: int) -> None:
    """Where lines are not straight, a step has to be small, and what it measures is rounded."""
    x = np.where(np.abs(x) < 0.01, 0.5, x)  # beside the kink of a leaky ReLU
    grad_out = np.random.default_rng(seed).uniform(-2, 2, x.shape)
    call = Call({"x": x, "grad_out": grad_out}, {})
    grad_x, steep = of_x_alone(call, operation, backend, 1e-4)
    np.testing.assert_allclose(grad_x, steep, rtol=1e-6, atol=1e-6)
