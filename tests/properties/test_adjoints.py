"""A gradient is an adjoint: <correlate(x, w), g> = <x, grad_x> = <w, grad_w>, in whole numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call

SLIDES: dict[str, Callable[..., st.SearchStrategy[Call]]] = {
    "correlate": some.correlations,
    "convolve": some.correlations,
    "correlate_transpose": some.transposed,
}


def inner(a: Any, b: Any) -> float:
    """Return <a, b>."""
    return float(np.vdot(a, b))


@pytest.mark.parametrize("operation", SLIDES)
def test_one_inner_product_three_ways(operation: str, backend: str) -> None:
    function = getattr(stepconv, operation)

    @given(some.backwards(SLIDES[operation](whole=True), function, whole=True))
    def holds(call: Call) -> None:
        out = call.without("grad_out").run(function, backend=backend)
        grads = call.run(getattr(stepconv, f"{operation}_backward"), backend=backend)
        grad_x, grad_w, grad_bias = grads
        wanted = inner(out, call.arrays["grad_out"])
        assert inner(call.arrays["x"], grad_x) == wanted
        assert inner(call.arrays["w"], grad_w) == wanted
        assert grad_bias.sum() == call.arrays["grad_out"].sum()

    holds()


@pytest.mark.parametrize("operation", ["pad", "avg_pool"])
def test_linear_operations_of_x_alone(operation: str, backend: str) -> None:
    calls = {"pad": some.pads, "avg_pool": some.avg_pools}[operation](whole=True)
    function = getattr(stepconv, operation)
    back: Callable[..., Array] = getattr(stepconv, f"{operation}_backward")

    @given(some.backwards(calls.map(lambda call: call.without("value")), function, whole=True))
    def holds(call: Call) -> None:
        x, grad_out = call.arrays["x"], call.arrays["grad_out"]
        out = call.without("grad_out").run(function, backend=backend)
        if operation == "pad":
            grad_x = call.without("x").run(back, shape=x.shape, backend=backend)
        else:
            grad_x = call.run(back, backend=backend)
        assert inner(out, grad_out) == pytest.approx(inner(x, grad_x), rel=1e-12, abs=1e-9)

    holds()


@given(some.transposed(whole=True))
def test_the_transpose_is_the_gradient_of_the_correlation_it_undoes(
    backend: str, call: Call
) -> None:
    """What correlate makes of the result's shape, led back: correlate_transpose(g) = grad_x."""
    options = dict(call.options)
    painted = call.run(stepconv.correlate_transpose, backend=backend)
    del options["output_padding"]
    w, grad_out = call.arrays["w"], call.arrays["x"]
    shape_of_x = np.zeros_like(painted)
    if stepconv.correlate(shape_of_x, w, **options).shape != grad_out.shape:
        return  # output_padding beyond the stride, which only a wide dilation allows
    grad_x, _, _ = stepconv.correlate_backward(shape_of_x, w, grad_out, backend=backend, **options)
    np.testing.assert_array_equal(painted, grad_x, strict=True)
