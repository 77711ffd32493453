"""The ring of padding round a source: what is drawn beside its own cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Reading
from stepconv.trace.gather import Rule
from stepconv.trace.model import Trace

Array = NDArray[Any]
# Which cell each row or column copies, -1 being none, and how many of them lie in front.
Ringed = tuple[Array, int]


def rings(trace: Trace) -> tuple[Ringed, Ringed]:
    """Return the rows and the columns of a source with its padding.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.correlate, [5, 7], [1, 1], padding=1, mode="replicate")
    >>> rings(trace)[1]
    (array([0, 0, 1, 1]), 1)
    """
    plan, gather = trace.plan, trace.gather
    _, height, width = gather.source.shape
    if not gather.bordered:
        return (np.arange(height), 0), (np.arange(width), 0)
    mode = trace.call.mode
    return (
        _ring(plan.rows, mode, height, _span(gather.row, gather.shape[1])),
        _ring(plan.columns, mode, width, _span(gather.column, gather.shape[2])),
    )


def outside(trace: Trace) -> Any:
    """Return the constant of the padding; None where padding has no number."""
    call = trace.call
    return call.value if call.op == "pad" else None if call.operation.family == "largest" else 0


def _ring(axis: Axis, mode: str, size: int, span: tuple[int, int]) -> Ringed:
    front = max(axis.before, -span[0], 0)
    behind = max(axis.after, span[1] - size, 0)
    copies = dict(enumerate(axis.sources(mode), -axis.before))
    positions = range(-front, size + behind)
    cells = [p if 0 <= p < size else copies.get(p, -1) for p in positions]
    return np.array(cells, np.int64), front


def _span(rule: Rule, size: int) -> tuple[int, int]:
    """Return the first position that any output cell reads, and the one behind the last."""
    readings: list[Reading] = [rule(index) for index in {0, max(size - 1, 0)}] if size else []
    bounds = [reading.bounds for reading in readings if reading.positions]
    return min((a for a, _ in bounds), default=0), max((b for _, b in bounds), default=0)
