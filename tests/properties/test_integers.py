"""Integers are exact, or wrap with a warning: held against Python's own, which have no largest."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call
from tests.conftest import fewer
from tests.twins import exact

LIMIT = 2**63
OPERATIONS: dict[str, Callable[..., st.SearchStrategy[Call]]] = {
    "correlate": some.correlations,
    "convolve": some.correlations,
    "correlate_transpose": some.transposed,
}

# Bits of two factors whose products stay far below 2**63, reach it, or pass it.
scales = st.tuples(st.integers(1, 2**28), st.integers(1, 2**34))


def judge(make: Callable[[], tuple[Any, ...]], sums: tuple[exact.Sums, ...]) -> None:
    """Warned of only if the absolute values may overflow, and always if a sum does."""
    largest = max((int(size) for each in sums for size in each.size.flat), default=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = make()
    kinds = {warning.category for warning in caught}
    assert kinds <= {stepconv.IntegerOverflowWarning}
    if kinds:
        assert largest >= LIMIT * (1 - 1e-6)  # found by rounded sums, so a little below 2**63
    for result, each in zip(results, sums, strict=True):
        assert result.dtype == np.int64
        totals = [int(total) for total in each.total.flat]
        assert np.ravel(result).tolist() == [wrapped(total) for total in totals]
        assert kinds or totals == [wrapped(total) for total in totals]


def wrapped(number: int) -> int:
    """Return what int64 keeps of a number."""
    return (number + LIMIT) % (2 * LIMIT) - LIMIT


def scaled(call: Call, factors: tuple[int, int]) -> Call:
    """Return the call with larger numbers."""
    names = [name for name in call.arrays if name != "bias"]
    return call.but(
        **{
            name: call.arrays[name] * np.int64(factor)
            for name, factor in zip(names, factors, strict=True)
        }
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_forward_is_exact_or_warned_of(operation: str, backend: str) -> None:
    @given(OPERATIONS[operation](dtype="int64", bias=True), scales)
    def holds(call: Call, factors: tuple[int, int]) -> None:
        call = scaled(call, factors)
        judge(
            lambda: (call.run(getattr(stepconv, operation), backend=backend),),
            (exact.forward(operation, call),),
        )

    holds()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_backward_is_exact_or_warned_of(operation: str, backend: str) -> None:
    function = getattr(stepconv, operation)

    @fewer(2)
    @given(some.backwards(OPERATIONS[operation](dtype="int64"), function), scales, st.booleans())
    def holds(call: Call, factors: tuple[int, int], wide: bool) -> None:
        grads = call.arrays["grad_out"]
        # The gradient takes x's or w's place beside the other factor.
        large = scaled(call.without("grad_out"), factors).but(
            grad_out=grads * np.int64(factors[wide])
        )
        judge(
            lambda: large.run(getattr(stepconv, f"{operation}_backward"), backend=backend),
            exact.backward(operation, large),
        )

    holds()


@pytest.mark.parametrize("operation", ["max_pool", "pad"])
def test_gradients_that_add_up_are_exact_or_warned_of(operation: str, backend: str) -> None:
    calls = {"max_pool": some.max_pools, "pad": some.pads}[operation](dtype="int64")
    function = getattr(stepconv, operation)
    back: Callable[..., Array] = getattr(stepconv, f"{operation}_backward")

    @fewer(2)
    @given(some.backwards(calls, function), st.integers(2**56, 2**59))
    def holds(call: Call, factor: int) -> None:
        call = call.but(grad_out=np.clip(call.arrays["grad_out"], -8, 8) * np.int64(factor))
        if operation == "pad":
            shape = call.arrays["x"].shape
            run = call.without("x", "value").run
            judge(
                lambda: (run(back, shape=shape, backend=backend),), exact.backward("pad", call)[:1]
            )
        else:
            judge(lambda: (call.run(back, backend=backend),), exact.backward(operation, call)[:1])

    holds()


@given(st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=6))
@example([2**31, 2**31])  # the square sum is 2**63, one too many
@example([2**31, 2**31 - 1])
def test_the_last_sum_that_fits(backend: str, numbers: list[int]) -> None:
    wanted = sum(number * number for number in numbers)
    if wanted < LIMIT * (1 - 1e-6):
        assert stepconv.correlate(numbers, numbers, backend=backend).tolist() == [wanted]
    elif wanted >= LIMIT:
        with pytest.warns(stepconv.IntegerOverflowWarning, match="9223372036854775807"):
            result = stepconv.correlate(numbers, numbers, backend=backend)
        assert result.tolist() == [wrapped(wanted)]


def test_unsigned_integers_beyond_int64_are_refused(backend: str) -> None:
    x = np.array([2**63, 1], np.uint64)
    with pytest.raises(stepconv.IntegerRangeError, match="9223372036854775808"):
        stepconv.correlate(x, [1], backend=backend)
    fits = np.array([2**63 - 1, 1], np.uint64)
    assert stepconv.correlate(fits, [1], backend=backend).tolist() == [2**63 - 1, 1]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "uint64"])
def test_narrow_integers_sum_in_int64(dtype: str, backend: str) -> None:
    @fewer(5)
    @given(some.correlations(dtype=dtype))
    def holds(call: Call) -> None:
        wanted = exact.forward("correlate", call).total
        got = call.run(stepconv.correlate, backend=backend)
        assert got.dtype == np.int64
        assert got.ravel().tolist() == [int(total) for total in wanted.flat]

    holds()
