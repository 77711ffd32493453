"""What the recorder writes down, against the textbook: outputs, and each step's parts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import stepconv
from stepconv.errors import TraceError
from stepconv.kernels import recording
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call
from stepconv.trace import Trace
from stepconv.trace.file.check import check_step
from tests.conftest import BACKENDS, FAST, SIMULATED
from tests.twins import twins
from tests.twins.test_twins import cast
from tests.twins.twins import DTYPES, SLIDES, TWINS, Twin

TRANSPOSED = (
    Call({"x": twins.filled((5,), 1), "w": twins.filled((3,), 2)}, {"stride": 2}),
    Call(
        {"x": twins.filled((2, 4, 3, 5), 1), "w": twins.filled((4, 3, 3, 2), 2)},
        {"groups": 2, "stride": (2, 3), "padding": 1, "output_padding": (1, 0), "dilation": (1, 2)},
    ),
)


def recorded(call: Call, backend: str, operation: str) -> Trace:
    """Record the call that reaches a kernel, as the table of twins makes it."""
    name, _, gradient = operation.partition(":")
    given = {**call.arrays, **call.options}
    if name == "pad_backward":
        given["shape"] = given.pop("x").shape
        given.pop("value", None)
    trace: Trace = stepconv.record(
        getattr(stepconv, name), **given, gradient=gradient or None, backend=backend
    )
    return trace


def gradients(name: str, calls: tuple[Call, ...], strategy: Any) -> dict[str, Twin]:
    """Return a twin for each gradient of a backward function."""
    factors = (("w", "grad_out"), ("x", "grad_out"), ("grad_out",))
    forward = name.removesuffix("_backward")
    return {
        f"{name}:{gradient}": Twin(
            twins.public(name, which),
            twins.back(strategy, forward),
            twins.with_grad(calls, forward),
            factors[which],
        )
        for which, gradient in enumerate(("x", "w", "bias"))
    }


# What joins two arrays has no kernel, and so no twin.
JOINS = ("add", "subtract", "concat")

RECORDED = {
    name: TWINS[name]
    for name in TWINS
    if name not in ("correlate_grad_x", "correlate_grad_w", "channel_sums")
} | {
    "convolve": Twin(
        twins.public("convolve"), some.correlations, lambda: SLIDES, factors=("x", "w")
    ),
    "correlate_transpose": Twin(
        twins.public("correlate_transpose"), some.transposed, lambda: TRANSPOSED, ("x", "w")
    ),
    **gradients("correlate_backward", SLIDES, some.correlations),
    **gradients("convolve_backward", SLIDES, some.correlations),
    **gradients("correlate_transpose_backward", TRANSPOSED, some.transposed),
}

every_operation = pytest.mark.parametrize("operation", RECORDED)
every_recorder = pytest.mark.parametrize("recorder", BACKENDS)
every_fast_recorder = pytest.mark.parametrize("recorder", FAST)


def twin(operation: str, recorder: str) -> Twin:
    """Return the twin whose other side is the recorder."""
    run = RECORDED[operation].run

    def either(call: Call, backend: str) -> Array:
        if backend == "textbook":
            return run(call, backend)
        return recorded(call, recorder, operation).output

    return replace(RECORDED[operation], run=either)


@every_operation
@every_recorder
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_output_is_the_operations(operation: str, recorder: str, dtype: str) -> None:
    for call in RECORDED[operation].telling():
        twin(operation, recorder).judge(cast(call, dtype), "the recorder")


@every_operation
@every_fast_recorder
def test_any_call(operation: str, recorder: str) -> None:
    @settings(max_examples=3 if SIMULATED else 30)
    @given(RECORDED[operation].calls(dtype=some.dtypes(*DTYPES)))
    def agrees(call: Call) -> None:
        twin(operation, recorder).judge(call, "the recorder")
        trace = recorded(call, recorder, operation)
        if not RECORDED[operation].ulps:
            assert trace == recorded(call, "textbook", operation)
        for index in np.linspace(0, len(trace) - 1, min(len(trace), 12), dtype=int):
            judge_step(trace, int(index))

    agrees()


@every_operation
@every_fast_recorder
def test_nan_and_infinity(operation: str, recorder: str) -> None:
    floats = some.dtypes("float64", "float32")

    @settings(max_examples=3 if SIMULATED else 20)
    @given(RECORDED[operation].calls(dtype=floats, whole=True, nan=True, infinity=True))
    def agrees(call: Call) -> None:
        run = twin(operation, recorder).run
        ref, comp = np.asarray(run(call, "textbook")), np.asarray(run(call, "the recorder"))
        rounds = operation == "avg_pool_backward" or RECORDED[operation].ulps
        tolerance = 1e-5 if rounds else 0
        np.testing.assert_allclose(comp, ref, rtol=tolerance, atol=tolerance)
        for step in recorded(call, "textbook", operation):
            check_step(step)

    agrees()


def judge_step(trace: Trace, index: int) -> None:
    """Hold a step's parts against its total, and against the arrays of the call."""
    step = trace[index]
    check_step(step)
    assert np.shape(step.products) == np.shape(step.patch)
    assert step.kernel is None or np.shape(step.kernel) == np.shape(step.patch)
    if not trace.call.is_backward:
        assert trace.at(*step.output_index).index == index
    if trace.op not in ("correlate", "convolve"):
        return
    np.testing.assert_array_equal(step.patch, patch_by_padding(trace, step.output_index))


def patch_by_padding(trace: Trace, place: tuple[int, ...]) -> Array:
    """Cut a window out of the input with its border put round it: no index rule of ours is used."""
    axes, w, x = trace.plan.axes, trace.arrays["w"], trace.arrays["x"]
    border = [(0, 0)] * (x.ndim - len(axes)) + [(axis.before, axis.after) for axis in axes]
    mode: Any = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
    padded = np.pad(x, border, mode=mode.get(trace.call.mode, "reflect"))
    cut: list[Any] = [
        slice(i * axis.stride, i * axis.stride + axis.span, axis.dilation)
        for axis, i in zip(axes, place[-len(axes) :], strict=True)
    ]
    if w.ndim < 3:
        return padded[tuple(cut)]
    image = padded[place[0]] if x.ndim == w.ndim else padded
    group = place[-len(axes) - 1] // (len(w) // trace.plan.groups)
    channels = slice(group * w.shape[1], (group + 1) * w.shape[1])
    cells: Array = image[(channels, *cut)]
    return cells


@pytest.mark.parametrize("name", ["max_pool", "pad", "relu"])
@every_fast_recorder
@pytest.mark.parametrize("dtype", ["float16", "uint8", "bool"])
def test_what_only_moves_numbers_keeps_their_type(name: str, recorder: str, dtype: str) -> None:
    for call in TWINS[name].telling():
        trace = recorded(cast(call, dtype), recorder, name)
        np.testing.assert_array_equal(trace.output, TWINS[name].run(cast(call, dtype), "textbook"))
        assert trace.output.dtype == dtype


def test_a_flip_moves_every_cell() -> None:
    trace = stepconv.record(stepconv.flip, np.arange(24).reshape(2, 1, 3, 4))
    np.testing.assert_array_equal(trace.output, stepconv.flip(np.arange(24).reshape(2, 1, 3, 4)))
    assert trace.at(1, 0, 0, 0).readings[1].cells == (3,)


@pytest.mark.parametrize("name", JOINS)
def test_joins_are_recorded(name: str) -> None:
    join = getattr(stepconv, name)
    x, y = twins.filled((2, 3, 4, 5), 1), twins.filled((2, 3, 4, 5), 2)
    np.testing.assert_array_equal(stepconv.record(join, x, y).output, join(x, y))


def test_every_public_operation_can_be_recorded() -> None:
    reached = {operation.partition(":")[0] for operation in RECORDED}
    assert reached | {"flip", *JOINS} == set(stepconv.ops.__all__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("sum_line", "correlate"),
        ("winner_line", "max_pool"),
        ("route_line", "max_pool_backward"),
        ("copy_line", "pad"),
        ("gate_line", "relu"),
        ("curve_line", "tanh"),
        ("share_line", "softmax"),
    ],
)
def test_a_planted_bug_is_caught(
    function: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder that gets its last step wrong is found out, and so is the record it makes."""
    right: Callable[..., None] = getattr(recording, function)

    def wrong(line: int, *arguments: Any) -> None:
        right(line, *arguments)
        out = arguments[-len(recording.RESULTS[function])]
        if line == out[..., 0].size - 1:
            out.flat[-1] += 1

    monkeypatch.setattr(recording, function, wrong)
    call = RECORDED[operation].telling()[1]
    with pytest.raises(AssertionError):
        twin(operation, "textbook").judge(call, "the recorder")
    trace = recorded(call, "textbook", operation)
    with pytest.raises(TraceError, match=f"step {len(trace) - 1} says"):
        check_step(trace[-1])
