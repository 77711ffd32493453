"""A call changes no input, returns memory of its own, and keeps hold of nothing."""

import gc
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

from tests.ops.calls import CALLS, OPERATIONS, Array, Call

DTYPES = (np.bool_, np.int64, np.float16, np.float32, np.float64)

# Calls that change no number: here it would be tempting to hand back the input itself.
IDLE = [
    Call("correlate", "one", {"x": (3, 4), "w": (1, 1)}),
    Call("convolve", "one", {"x": (5,), "w": (1,)}, {"padding": "full", "mode": "circular"}),
    Call("correlate_backward", "one", {"x": (5,), "w": (1,), "grad_out": (5,)}),
    Call("convolve_backward", "one", {"x": (1,), "w": (1,), "grad_out": (1,)}),
    Call("correlate_transpose", "one", {"x": (5,), "w": (1,)}),
    Call("correlate_transpose_backward", "one", {"x": (5,), "w": (1,), "grad_out": (5,)}),
    Call("pad", "nothing", {"x": (3, 4)}, {"padding": 0}),
    Call("pad_backward", "nothing", {"grad_out": (3, 4)}, {"shape": (3, 4), "padding": 0}),
    Call("max_pool", "one", {"x": (3, 4)}, {"window": 1}),
    Call("max_pool_backward", "one", {"x": (3, 4), "grad_out": (3, 4)}, {"window": 1}),
    Call("avg_pool", "one", {"x": (3, 4)}, {"window": 1}),
    Call("avg_pool_backward", "one", {"x": (3, 4), "grad_out": (3, 4)}, {"window": 1}),
    Call("relu", "nothing", {"x": (3, 4)}),
    Call("relu_backward", "nothing", {"x": (3, 4), "grad_out": (3, 4)}),
    Call("leaky_relu", "nothing", {"x": (3, 4)}, {"slope": 1}),
    Call("leaky_relu_backward", "nothing", {"x": (4,), "grad_out": (4,)}, {"slope": 1}),
    *(Call(name, "one", {"x": (1,)}) for name in ("tanh", "sigmoid", "softmax")),
    *(
        Call(f"{name}_backward", "one", {"x": (1,), "grad_out": (1,)})
        for name in ("tanh", "sigmoid", "softmax")
    ),
    *(Call(name, "one", {"x": (1,), "y": (1,)}) for name in ("add", "subtract")),
    Call("concat", "nothing", {"x": (2, 3, 4), "y": (0, 3, 4)}),
    Call("flip", "one", {"w": (1,)}),
    Call("relu", "empty", {"x": (0,)}),
    Call("pad", "empty", {"x": (0, 2, 2)}, {"padding": 0}),
]


def state(array: Array) -> tuple[Any, ...]:
    """Return all that a call could change of an array."""
    return array.tobytes(), array.dtype.str, array.shape, array.strides, array.flags.writeable


def test_the_idle_calls_cover_every_operation() -> None:
    assert {call.operation for call in IDLE} == set(OPERATIONS)


@pytest.mark.parametrize("call", [*CALLS, *IDLE], ids=str)
def test_inputs_stay_and_results_own_their_memory(call: Call, backend: str) -> None:
    for dtype in DTYPES:
        given = call.arrays(dtype)
        before = {name: state(array) for name, array in given.items()}
        results = call.run(given, backend)
        assert {name: state(array) for name, array in given.items()} == before
        for place, result in enumerate(results):
            flags = result.flags
            assert flags.owndata
            assert flags.writeable
            assert flags.c_contiguous
            assert flags.aligned
            assert result.dtype.isnative
            others = (*given.values(), *results[:place])
            assert not any(np.shares_memory(result, other) for other in others)


@pytest.mark.parametrize("call", [*CALLS, *IDLE], ids=str)
def test_a_result_that_is_written_to_changes_no_later_call(call: Call, backend: str) -> None:
    given = call.arrays(np.float32)
    first = call.run(given, backend)
    kept = [result.copy() for result in first]
    for result in first:
        result[...] = 77
    for ours, theirs in zip(call.run(given, backend), kept, strict=True):
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_keeps_no_input_alive(call: Call, backend: str) -> None:
    given = call.arrays(np.float32)
    watched = [weakref.ref(array) for array in given.values()]
    results = call.run(given, backend)
    given.clear()
    if any(reference() is not None for reference in watched):
        gc.collect()  # takes much longer than the call
    assert all(reference() is None for reference in watched)
    assert len(results) >= 1


@pytest.mark.slow
def test_many_calls_leave_no_memory_behind(backend: str) -> None:
    def run_all() -> None:
        for call in CALLS:
            call.run(call.arrays(np.float32), backend)

    run_all()  # compiles and fills what is looked up once
    tracemalloc.start()
    try:
        run_all()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            run_all()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # The smallest result kept of each call would come to more.
    assert grown < 5 * len(CALLS) * 16
