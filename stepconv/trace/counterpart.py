"""The counterpart of a call: a convolution for a correlation and the other way round."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from stepconv import ops
from stepconv.errors import ArgumentError
from stepconv.trace.jobs import spelled
from stepconv.trace.model import Trace
from stepconv.trace.recorder import FEW, record

_COUNTERPARTS = {"correlate": ops.convolve, "convolve": ops.correlate}


def has_counterpart(trace: Trace) -> bool:
    """Tell whether a trace is one of the two operations that differ by a half turn alone."""
    return trace.op in _COUNTERPARTS


def counterpart(trace: Trace) -> Trace:
    """Return the same call with the kernel turned by a half turn, recorded.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.correlate, [1, 2, 3, 4], [1, 0, -1])
    >>> counterpart(trace).op, counterpart(trace).output
    ('convolve', array([2, 2]))
    """
    if not has_counterpart(trace):
        raise ArgumentError(f"{trace.op} has no counterpart: correlate and convolve have")
    _, _, options = spelled(trace.call)
    options |= trace.arrays
    products = len(trace) * trace.gather.fan_in * prod(trace.plan.window)
    return record(
        _COUNTERPARTS[trace.op],
        **options,
        about=replace(trace.about, recorder=""),
        backend="textbook" if products <= FEW else None,
    )
