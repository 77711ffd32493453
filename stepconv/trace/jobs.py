"""From a function and its arguments to what is to be recorded, through the operations' own door.

Arguments are checked, planned and laid out by the code that the operations use, so that a recorded
call refuses what the call itself would refuse, in the same words.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import MODES, Axis, Plan, Shape, flag, padding_plan, pooling_plan, word
from stepconv.kernels import check_algorithm
from stepconv.ops import arrays as laying
from stepconv.ops import sliding
from stepconv.ops.correlation import CorrelationCall
from stepconv.ops.padding import checked_filler, checked_shape, padded_shape
from stepconv.ops.transposed import TransposedCall
from stepconv.trace.call import Call

Array = NDArray[Any]

GRADIENTS = ("x", "w", "bias")
# The algorithms that a record shows; all others work on no single window.
_WINDOW_BY_WINDOW = ("auto", "direct")


@dataclass(frozen=True)
class Job:
    """A call to record, its arrays in the type that is computed in, and how the result looks."""

    call: Call
    arrays: Mapping[str, Array]
    shape: Shape
    dtype: np.dtype[Any]


def job(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    gradient: str | None,
) -> Job:
    """Return what recording `function` with these arguments means.

    `gradient` picks one of a function that returns several; None is its first.
    """
    if not callable(function) or function not in _JOBS:
        names = ", ".join(sorted(known.__name__ for known in _JOBS))
        given = getattr(function, "__name__", repr(function))
        raise ArgumentError(f"{given} cannot be recorded: {names} can")
    name = function.__name__
    try:
        bound = inspect.signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise ArgumentTypeError(f"{name}: {error}") from None
    bound.apply_defaults()
    # A trace keeps its arrays in the host's memory.
    known = {key: laying.on_host(value) for key, value in bound.arguments.items()}
    known.pop("backend", None)  # the recorder's business
    if known.pop("algorithm", None) not in (None, *_WINDOW_BY_WINDOW):
        _refuse_algorithm(bound.arguments["algorithm"])
    if function in _WITH_WEIGHTS:
        return _JOBS[function](**known, gradient=word("gradient", gradient or "x", GRADIENTS))
    if gradient is not None and not (gradient == "x" and name.endswith("_backward")):
        fits = "only 'x' fits" if name.endswith("_backward") else f"{name} has no gradient"
        raise ArgumentError(f"gradient={gradient!r} does not fit: {fits}")
    return _JOBS[function](**known)


def _refuse_algorithm(algorithm: object) -> None:
    known = check_algorithm(algorithm)
    fits = " or ".join(repr(name) for name in _WINDOW_BY_WINDOW)
    raise ArgumentError(
        f"algorithm={known!r} cannot be recorded: a record goes window by window, {fits} fits"
    )


def spelled(call: Call) -> tuple[Callable[..., Any], str | None, dict[str, Any]]:
    """Return the function, the gradient and the options by which a call can be made again.

    >>> from stepconv.geometry import pooling_plan
    >>> function, _, options = spelled(Call("max_pool", pooling_plan((6, 6), 2)))
    >>> function.__name__, options["stride"], options["padding"]
    ('max_pool', (2, 2), ((0, 0), (0, 0)))
    """
    plan, op = call.plan, call.op
    name, _, gradient = op.partition("_grad_")
    function = getattr(ops, f"{name}_backward" if gradient else name)
    axes = plan.axes
    window = tuple(axis.window for axis in axes)
    stride, dilation = (tuple(getattr(axis, n) for axis in axes) for n in ("stride", "dilation"))
    padding: Any = tuple((axis.before, axis.after) for axis in axes)
    sliding_options = {"stride": stride, "dilation": dilation, "groups": plan.groups}
    pooling_options = {"window": window, "stride": stride, "padding": padding}
    pooling_options["ceil_mode"] = any(axis.ceil_mode for axis in axes)
    match name:
        case "correlate" | "convolve":
            options = {**sliding_options, "padding": padding, "mode": call.mode}
        case "correlate_transpose":
            extra = tuple(axis.before - axis.after for axis in axes)
            padding = tuple(axis.before for axis in axes)
            options = {**sliding_options, "padding": padding, "output_padding": extra}
        case "max_pool" | "max_pool_backward":
            options = {**pooling_options, "dilation": dilation}
        case "avg_pool" | "avg_pool_backward":
            options = {**pooling_options, "count_include_pad": call.include_pad}
        case "pad":
            options = {"padding": padding, "mode": call.mode, "value": call.value}
        case "pad_backward":
            options = {"padding": padding, "mode": call.mode}
        case _:
            options = {}
    return function, gradient or None, options


def _correlate(op: str, x: Any, w: Any, bias: Any, **options: Any) -> Job:
    call = CorrelationCall(x, w, **options, backend=None)
    offset = sliding.checked_bias(bias, call.w, call.plan.out_channels)
    dtype = sliding.dtype_with_bias(call.x, call.w, bias)
    arrays = {"x": call.x, "w": call.w} | ({} if offset is None else {"bias": offset})
    return Job(Call(op, call.plan, call.mode), _native(arrays, dtype), call.shape, dtype)


def _correlate_backward(
    op: str, x: Any, w: Any, grad_out: Any, gradient: str, **options: Any
) -> Job:
    call = CorrelationCall(x, w, **options, backend=None)
    return _slide_back(f"{op}_grad_{gradient}", call, grad_out, gradient, call.mode)


def _correlate_transpose(x: Any, w: Any, bias: Any, **options: Any) -> Job:
    call = TransposedCall(x, w, **options, backend=None)
    offset = sliding.checked_bias(bias, call.w, call.plan.in_channels)
    dtype = sliding.dtype_with_bias(call.x, call.w, bias)
    arrays = {"x": call.x, "w": call.w} | ({} if offset is None else {"bias": offset})
    return Job(Call("correlate_transpose", call.plan), _native(arrays, dtype), call.shape, dtype)


def _correlate_transpose_backward(
    x: Any, w: Any, grad_out: Any, gradient: str, **options: Any
) -> Job:
    call = TransposedCall(x, w, **options, backend=None)
    return _slide_back(f"correlate_transpose_grad_{gradient}", call, grad_out, gradient, "zeros")


def _slide_back(
    op: str, call: CorrelationCall | TransposedCall, grad_out: Any, gradient: str, mode: str
) -> Job:
    grad = laying.numeric("grad_out", grad_out)
    laying.check_grad_out(grad, call.shape)
    dtype = laying.sum_dtype(call.x, call.w, grad)
    arrays = _native({"x": call.x, "w": call.w, "grad_out": grad}, dtype)
    channels = call.shape[-sliding.spatial_axes(call.w) - 1 :][:1]
    shapes = {"x": call.x.shape, "w": call.w.shape, "bias": channels if call.w.ndim > 2 else ()}
    return Job(Call(op, call.plan, mode), arrays, shapes[gradient], dtype)


def _max_pool(x: Any, window: Any, **options: Any) -> Job:
    array = laying.numeric("x", x)
    plan = pooling_plan(array.shape, window, **options)
    own = laying.own_dtype(array)
    return Job(Call("max_pool", plan), _native({"x": array}, own), _pooled(array, plan), own)


def _max_pool_backward(x: Any, grad_out: Any, window: Any, **options: Any) -> Job:
    array, grad = laying.numeric("x", x), laying.numeric("grad_out", grad_out)
    plan = pooling_plan(array.shape, window, **options)
    laying.check_grad_out(grad, _pooled(array, plan))
    dtype = laying.sum_dtype(grad)
    arrays = {
        **_native({"x": array}, laying.own_dtype(array)),
        **_native({"grad_out": grad}, dtype),
    }
    return Job(Call("max_pool_backward", plan), arrays, array.shape, dtype)


def _avg_pool(x: Any, window: Any, count_include_pad: Any, **options: Any) -> Job:
    array = laying.numeric("x", x)
    plan = pooling_plan(array.shape, window, **options)
    dtype = laying.float_dtype(array)
    call = Call("avg_pool", plan, include_pad=flag("count_include_pad", count_include_pad))
    return Job(call, _native({"x": array}, dtype), _pooled(array, plan), dtype)


def _avg_pool_backward(
    x: Any, grad_out: Any, window: Any, count_include_pad: Any, **options: Any
) -> Job:
    array, grad = laying.numeric("x", x), laying.numeric("grad_out", grad_out)
    plan = pooling_plan(array.shape, window, **options)
    laying.check_grad_out(grad, _pooled(array, plan))
    dtype = laying.float_dtype(grad)
    include = flag("count_include_pad", count_include_pad)
    call = Call("avg_pool_backward", plan, include_pad=include)
    # Of x only the shape matters, and that is in the plan and in the result.
    return Job(call, _native({"grad_out": grad}, dtype), array.shape, dtype)


def _pad(x: Any, padding: Any, mode: Any, value: Any) -> Job:
    array = laying.numeric("x", x)
    plan = padding_plan(array.shape, padding)
    filler = checked_filler(value, word("mode", mode, MODES), array)
    own = laying.own_dtype(array)
    # One NaN for all, so that a call with it equals itself.
    number = math.nan if filler != filler else filler.item()
    call = Call("pad", plan, mode, number)
    return Job(call, _native({"x": array}, own), padded_shape(array.shape, plan), own)


def _pad_backward(grad_out: Any, shape: Any, padding: Any, mode: Any) -> Job:
    grad, shape = laying.numeric("grad_out", grad_out), checked_shape(shape)
    plan = padding_plan(shape, padding)
    laying.check_grad_out(grad, padded_shape(shape, plan))
    dtype = laying.sum_dtype(grad)
    call = Call("pad_backward", plan, word("mode", mode, MODES))
    return Job(call, _native({"grad_out": grad}, dtype), shape, dtype)


def _relu(x: Any) -> Job:
    array = laying.numeric("x", x)
    own = laying.own_dtype(array)
    return Job(Call("relu", _cells(array.shape)), _native({"x": array}, own), array.shape, own)


def _relu_backward(x: Any, grad_out: Any) -> Job:
    array, grad = laying.numeric("x", x), laying.numeric("grad_out", grad_out)
    laying.check_grad_out(grad, array.shape)
    dtype = laying.sum_dtype(grad)
    arrays = {
        **_native({"x": array}, laying.own_dtype(array)),
        **_native({"grad_out": grad}, dtype),
    }
    return Job(Call("relu_backward", _cells(array.shape)), arrays, array.shape, dtype)


def _flip(w: Any) -> Job:
    kernel = laying.numeric("w", w)
    own = laying.own_dtype(kernel)
    plan = _cells(kernel.shape[-sliding.spatial_axes(kernel) :])
    return Job(Call("flip", plan), _native({"w": kernel}, own), kernel.shape, own)


_JOBS: dict[Callable[..., Any], Callable[..., Job]] = {
    ops.correlate: lambda **given: _correlate("correlate", **given),
    ops.convolve: lambda **given: _correlate("convolve", **given),
    ops.correlate_backward: lambda **given: _correlate_backward("correlate", **given),
    ops.convolve_backward: lambda **given: _correlate_backward("convolve", **given),
    ops.correlate_transpose: _correlate_transpose,
    ops.correlate_transpose_backward: _correlate_transpose_backward,
    ops.max_pool: _max_pool,
    ops.max_pool_backward: _max_pool_backward,
    ops.avg_pool: _avg_pool,
    ops.avg_pool_backward: _avg_pool_backward,
    ops.pad: _pad,
    ops.pad_backward: _pad_backward,
    ops.relu: _relu,
    ops.relu_backward: _relu_backward,
    ops.flip: _flip,
}

_WITH_WEIGHTS = (ops.correlate_backward, ops.convolve_backward, ops.correlate_transpose_backward)


def _native(arrays: Mapping[str, Array], dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return copies of the arrays, so that a trace keeps its numbers whatever becomes of them."""
    laid = {name: laying.laid_out(array, dtype) for name, array in arrays.items()}
    copies = {name: np.array(array, copy=True) for name, array in laid.items()}
    for array in copies.values():
        array.flags.writeable = False
    return copies


def _pooled(x: Array, plan: Plan) -> Shape:
    return (*x.shape[: x.ndim - len(plan.axes)], *plan.output)


def _cells(shape: Shape) -> Plan:
    """Return the plan of an operation on each cell alone."""
    return Plan(tuple(Axis(size, 1) for size in (shape or (1,))[-2:]))
