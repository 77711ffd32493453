"""From a function and its arguments to what is to be recorded, through the operations' own door.

Arguments are checked, planned and laid out by the code that the operations use, so that a recorded
call refuses what the call itself would refuse, in the same words.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import Shape, word
from stepconv.geometry.budget import check_record
from stepconv.kernels import check_algorithm
from stepconv.operations import OPERATIONS, PASSES
from stepconv.ops.arrays import on_host
from stepconv.trace.call import Call

Array = NDArray[Any]

# The algorithms that a record shows; all others work on no single window.
_WINDOW_BY_WINDOW = ("auto", "direct")
# Arguments of one pass alone: the class of an operation's calls knows nothing of them.
_OF_A_PASS = ("bias", "grad_out")
# What a call remembers beside its plan.
_BESIDE = tuple(field.name for field in fields(Call))[2:]


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
    name = getattr(function, "__name__", repr(function))
    if name not in ops.__all__ or getattr(ops, name) is not function:
        raise ArgumentError(f"{name} cannot be recorded: {', '.join(ops.__all__)} can")
    operation = OPERATIONS[name.removesuffix("_backward")]
    if name != operation.name:
        gradient = word("gradient", gradient or "x", tuple(operation.gradients))
    elif gradient is not None:
        raise ArgumentError(f"gradient={gradient!r} does not fit: {name} has no gradient")
    try:
        bound = inspect.signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise ArgumentTypeError(f"{name}: {error}") from None
    bound.apply_defaults()
    # A trace keeps its arrays in the host's memory.
    known = {key: on_host(value) for key, value in bound.arguments.items()}
    known.pop("backend", None)  # the recorder's business
    _check_algorithm(known.pop("algorithm", None))
    of_a_pass = {key: known.pop(key) for key in _OF_A_PASS if key in known}
    if gradient and len(operation.gradients) > 1:
        of_a_pass["gradient"] = gradient
    checked = ops.CALLS[operation.name](**known)
    lay_out = checked.backward_operands if gradient else checked.forward_operands
    arrays, shape, dtype = lay_out(**of_a_pass)
    check_record(checked.plan, shape)
    beside = {key: _plain(getattr(checked, key)) for key in _BESIDE if hasattr(checked, key)}
    call = Call(operation.name_of(gradient), checked.plan, **beside)
    return Job(call, {key: _kept(array) for key, array in arrays.items()}, shape, dtype)


def spelled(call: Call) -> tuple[Callable[..., Any], str | None, dict[str, Any]]:
    """Return the function, the gradient and the options by which a call can be made again.

    >>> from stepconv.geometry import pooling_plan
    >>> function, _, options = spelled(Call("max_pool", pooling_plan((6, 6), 2)))
    >>> function.__name__, options["stride"], options["padding"]
    ('max_pool', (2, 2), ((0, 0), (0, 0)))
    """
    function, gradient = function_of(call.op)
    taken, known = inspect.signature(function).parameters, OPERATIONS[call.operation.of].options
    return function, gradient, {name: _spelled(call, name) for name in known if name in taken}


def function_of(op: str) -> tuple[Callable[..., Any], str | None]:
    """Return the function that gives what is recorded under a name, and which of its gradients.

    >>> function_of("correlate_grad_w")[0].__name__, function_of("relu_backward")[1]
    ('correlate_backward', None)
    """
    operation, gradient = OPERATIONS[PASSES[op].of], PASSES[op].gradient
    name = operation.name if gradient is None else f"{operation.name}_backward"
    return getattr(ops, name), gradient if len(operation.gradients) > 1 else None


def _spelled(call: Call, option: str) -> Any:
    axes, transposed = call.plan.axes, call.operation.of == "correlate_transpose"
    match option:
        case "window" | "stride" | "dilation":
            return tuple(getattr(axis, option) for axis in axes)
        case "padding":
            return tuple(axis.before if transposed else (axis.before, axis.after) for axis in axes)
        case "output_padding":
            return tuple(axis.before - axis.after for axis in axes)
        case "ceil_mode":
            return any(axis.ceil_mode for axis in axes)
        case "groups":
            return call.plan.groups
        case _:
            return getattr(call, option)


def _check_algorithm(algorithm: object) -> None:
    if algorithm is not None and check_algorithm(algorithm) not in _WINDOW_BY_WINDOW:
        fits = " or ".join(repr(name) for name in _WINDOW_BY_WINDOW)
        raise ArgumentError(
            f"algorithm={algorithm!r} cannot be recorded: "
            f"a record goes window by window, {fits} fits"
        )


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as one of Python's; one NaN for all, so that it equals itself."""
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return math.nan if value != value else value


def _kept(array: Array) -> Array:
    """Return a copy, so that a trace keeps its numbers whatever becomes of the array."""
    copy = np.array(array, copy=True)
    copy.flags.writeable = False
    return copy
