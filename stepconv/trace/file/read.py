"""Read a trace from a file that may come from anybody.

Nothing in it is believed before it is checked: sizes before memory is taken, hashes before arrays
are used, the call by making it again, numbers before they are shown. Nothing is ever executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import TraceError
from stepconv.trace.file.archive import entries, read
from stepconv.trace.file.check import check_step, check_trace
from stepconv.trace.file.write import ARGUMENTS, KIND
from stepconv.trace.gather import SUMMING, gather
from stepconv.trace.jobs import Job, job
from stepconv.trace.model import About, Step, Trace

Array = NDArray[Any]


def load_trace(path: str | PathLike[str]) -> Trace:
    """Read a trace that `Trace.save` wrote, or somebody else after docs/trace-format.md.

    Whatever is wrong with the file is a TraceError that names the file and the reason.
    """
    return read(path, KIND, understood)


def understood(
    header: dict[str, Any],
    arrays: dict[str, Array],
    name: str,
    linked: Mapping[str, Array] | None = None,
) -> Trace:
    """Return the trace that a header and arrays tell of, if it is one to rely on.

    `linked` are arguments that the file does not keep, in the type of whatever they come from.
    """
    wanted = _job(header, {**arrays, **(linked or {})})
    _check_arrays(wanted, arrays)
    trace = Trace(
        wanted.call,
        wanted.arrays,
        arrays["output"],
        arrays["workers"],
        arrays.get("sums"),
        arrays.get("winners"),
        _about(entries(header, "about")),
        partial(_examine, name),
    )
    check_trace(trace)
    return trace


def _examine(name: str, step: Step) -> None:
    """Raise a TraceError that names the file if a step contradicts the arrays of the call."""
    try:
        check_step(step)
    except TraceError as error:
        raise TraceError(f"{name}: {error}") from None


def _job(header: dict[str, Any], arrays: Mapping[str, Array]) -> Job:
    """Return the call that the header tells of, checked as any call of the operation is."""
    name, gradient, options = header.get("function"), header.get("gradient"), header.get("options")
    if name not in ops.__all__ or not isinstance(options, dict) or "output" not in arrays:
        raise TraceError("its header names no call of stepconv, or the output is missing")
    given: dict[str, Any] = {
        argument: arrays[argument] for argument in ARGUMENTS if argument in arrays
    }
    if name == "avg_pool_backward":
        # Of x only the shape matters, so that a trace does not keep it.
        given["x"] = np.broadcast_to(arrays["grad_out"].dtype.type(0), arrays["output"].shape)
    if name == "pad_backward":
        given["shape"] = arrays["output"].shape
    if name == "pad":
        kind = int if arrays["x"].dtype.kind in "biu" else float
        options = {**options, "value": kind(options.get("value", "0"))}
    return job(getattr(ops, name), (), {**given, **options}, gradient)


def _check_arrays(wanted: Job, arrays: Mapping[str, Array]) -> None:
    """Refuse arrays whose type or shape is not what recording the call would give."""
    for argument, computed in wanted.arrays.items():
        if argument in arrays and computed.dtype != arrays[argument].dtype:
            raise TraceError(
                f"{argument} is {arrays[argument].dtype}, the call computes in {computed.dtype}"
            )
    output = arrays["output"]
    family = wanted.call.operation.family
    steps = output.size
    # Checked before the gather is laid out, whose size follows from the plan and the arrays.
    if output.shape != wanted.shape or output.dtype != wanted.dtype:
        raise TraceError(f"its output is {output.dtype} of shape {output.shape}, the call's is not")
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {"workers": ((steps,), (steps, 2))}
    if family in SUMMING:
        shapes["sums"] = ((steps, gather(wanted.call, wanted.arrays).fan_in),)
        if "sums" in arrays and arrays["sums"].dtype != output.dtype:
            raise TraceError(f"its sums are {arrays['sums'].dtype}, its output {output.dtype}")
    if family == "largest":
        shapes["winners"] = (output.shape,)
    if family == "route":
        shapes["winners"] = (wanted.arrays["grad_out"].shape,)
    for name in ("workers", "sums", "winners"):
        if (name in shapes) != (name in arrays):
            raise TraceError(f"{name} is missing, or has no place in a trace of {wanted.call.op}")
        if name in shapes and arrays[name].shape not in shapes[name]:
            raise TraceError(f"{name} of shape {arrays[name].shape} does not fit {steps} steps")
    for name in ("workers", "winners"):
        if name in arrays and arrays[name].dtype.kind != "i":
            raise TraceError(f"{name} is {arrays[name].dtype}: integers fit")


def _about(entry: dict[str, Any]) -> About:
    title, recorder = entry.get("title"), entry.get("recorder")
    notes, channels = entry.get("notes"), entry.get("channels")
    if (
        isinstance(title, str)
        and isinstance(recorder, str)
        and isinstance(notes, list)
        and isinstance(channels, list)
        and all(isinstance(text, str) for text in (*notes, *channels))
    ):
        return About(title, tuple(notes), tuple(channels), recorder)
    raise TraceError("what its header says about the trace is not in words")
