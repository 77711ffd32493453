"""Every kernel of every backend against the textbook's; a missing cell of the table fails."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from stepconv import kernels
from stepconv.testing import strategies as some
from stepconv.testing.calls import Call
from tests.conftest import FAST
from tests.twins.twins import DTYPES, TWINS

NUMBERS = some.dtypes(*DTYPES)

every_kernel = pytest.mark.parametrize("operation", kernels.OPERATIONS)
every_fast_backend = pytest.mark.parametrize("fast", FAST)


def cast(call: Call, dtype: str) -> Call:
    """Return the call on numbers of another type; those of a bool are its signs."""
    arrays = {
        name: (array > 0) if dtype == "bool" else array.astype(dtype)
        for name, array in call.arrays.items()
    }
    options = dict(call.options)
    if options.get("value") and np.dtype(dtype).kind != "f":
        options["value"] = 1
    return Call(arrays, options)


@every_kernel
def test_the_table_has_no_missing_cell(operation: str, backend: str) -> None:
    names = inspect.signature(kernels.find(operation, "textbook")).parameters
    assert list(inspect.signature(kernels.find(operation, backend)).parameters) == list(names)


def test_every_kernel_has_a_twin() -> None:
    assert set(TWINS) == set(kernels.OPERATIONS)


@every_kernel
@every_fast_backend
@pytest.mark.parametrize("dtype", DTYPES)
def test_telling_calls(operation: str, fast: str, dtype: str) -> None:
    for call in TWINS[operation].telling():
        TWINS[operation].judge(cast(call, dtype), fast)


@pytest.mark.parametrize("operation", ["max_pool", "pad", "relu"])
@every_fast_backend
@pytest.mark.parametrize("dtype", ["float16", "uint8", "bool"])
def test_what_only_moves_numbers_keeps_their_type(operation: str, fast: str, dtype: str) -> None:
    for call in TWINS[operation].telling():
        narrow = cast(call, dtype)
        TWINS[operation].judge(narrow, fast)
        assert TWINS[operation].run(narrow, fast).dtype == dtype


@every_kernel
@every_fast_backend
def test_any_call(operation: str, fast: str) -> None:
    @given(TWINS[operation].calls(dtype=NUMBERS))
    def agrees(call: Call) -> None:
        TWINS[operation].judge(call, fast)

    agrees()


@every_kernel
@every_fast_backend
def test_nan_and_infinity(operation: str, fast: str) -> None:
    floats = some.dtypes("float64", "float32")

    @given(TWINS[operation].calls(dtype=floats, whole=True, nan=True, infinity=True))
    def agrees(call: Call) -> None:
        twin = TWINS[operation]
        ref, comp = np.asarray(twin.run(call, "textbook")), np.asarray(twin.run(call, fast))
        # All numbers are whole: the order of a sum matters to the shares of an average alone.
        tolerance = 1e-5 if operation == "avg_pool_backward" or twin.ulps else 0
        np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)

    agrees()


@every_kernel
@every_fast_backend
def test_a_planted_bug_is_caught(
    operation: str, fast: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that gets one cell wrong by a thousandth fails, and its twin is what calls it."""
    find = kernels.find

    def find_wrong(name: str, backend: str | None = None, beside: Any = None) -> Callable[..., Any]:
        kernel = find(name, backend, beside)
        return wrong(kernel) if (name, backend) == (operation, fast) else kernel

    def wrong(kernel: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(kernel).parameters)
        place = next(names.index(n) for n in ("out", "grad_x", "grad_w", "grad_bias") if n in names)

        def run(*arguments: Any) -> None:
            kernel(*arguments)
            arguments[place].flat[-1] += np.abs(arguments[place]).max() / 1000 + 1e-9

        return run

    monkeypatch.setattr(kernels, "find", find_wrong)
    for call in TWINS[operation].telling()[:1]:
        with pytest.raises(AssertionError):
            TWINS[operation].judge(call, fast)
