"""Each backend, the textbook first, against fractions: within n·u·Σ|a·b|, integers exactly."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call
from tests.twins import exact

Calls = st.SearchStrategy[Call]

NUMBERS = some.dtypes("float64", "float32", "int64")

CALLS: dict[str, Calls] = {
    "correlate": some.correlations(dtype=NUMBERS),
    "convolve": some.correlations(dtype=NUMBERS),
    "correlate_transpose": some.transposed(dtype=NUMBERS),
    "pad": some.pads(dtype=NUMBERS),
    "max_pool": some.max_pools(dtype=NUMBERS),
    "avg_pool": some.avg_pools(dtype=NUMBERS),
    "relu": NUMBERS.flatmap(lambda dtype: some.images(dtype)).map(lambda x: Call({"x": x}, {})),
}
WITH_BIAS: dict[str, Calls] = {
    "correlate": some.correlations(dtype=NUMBERS, bias=True),
    "convolve": some.correlations(dtype=NUMBERS, bias=True),
    "correlate_transpose": some.transposed(dtype=NUMBERS, bias=True),
}

# One rounding more than terms: an average is also divided, a share is a quotient already.
ROUNDINGS = {"avg_pool": 1}


def run_backward(operation: str, call: Call, backend: str) -> Any:
    """Call the backward function that belongs to an operation."""
    function: Callable[..., Any] = getattr(stepconv, f"{operation}_backward")
    if operation == "pad":
        shape = call.arrays["x"].shape
        return call.without("x", "value").run(function, shape=shape, backend=backend)
    return call.run(function, backend=backend)


def judge(got: Array, sums: exact.Sums, more_roundings: int = 0) -> None:
    """Hold each cell to the bound; integers have no rounding to hide in."""
    cells = np.asarray(got).reshape(sums.total.shape)
    rounding = float(np.finfo(got.dtype).eps) / 2 if got.dtype.kind == "f" else 0.0
    for cell in np.ndindex(cells.shape):
        off = abs(Fraction(cells[cell].item()) - sums.total[cell])
        allowed = (sums.terms[cell] + more_roundings) * Fraction(rounding) * sums.size[cell]
        assert off <= allowed, (
            f"cell {cell} is {cells[cell]}, exactly {float(sums.total[cell])}, "
            f"off by {float(off)} where {float(allowed)} is allowed"
        )


@pytest.mark.parametrize("operation", exact.WIRES)
def test_forward_is_within_the_bound(operation: str, backend: str) -> None:
    @given(WITH_BIAS.get(operation, CALLS[operation]))
    def holds(call: Call) -> None:
        got = call.run(getattr(stepconv, operation), backend=backend)
        sums = exact.forward(operation, call)
        if operation == "max_pool":  # what padding alone gives is no number
            alone = sums.terms.reshape(got.shape) == 0
            lowest = -np.inf if got.dtype.kind == "f" else np.iinfo(got.dtype).min
            assert (got[alone] == lowest).all()
            got = np.where(alone, got.dtype.type(0), got)
        judge(got, sums, ROUNDINGS.get(operation, 0))

    holds()


@pytest.mark.parametrize("operation", exact.WIRES)
def test_backward_is_within_the_bound(operation: str, backend: str) -> None:
    @given(some.backwards(CALLS[operation], getattr(stepconv, operation)))
    def holds(call: Call) -> None:
        got = run_backward(operation, call, backend)
        sums = exact.backward(operation, call)
        for array, wanted in zip(got if isinstance(got, tuple) else (got,), sums, strict=False):
            judge(array, wanted, ROUNDINGS.get(operation, 0))

    holds()
