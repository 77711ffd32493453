"""Pools, paddings and their gradients: cells that add up, win or are copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Reading, reading
from stepconv.trace.call import Call
from stepconv.trace.gather.form import Gather, alone, plane_of

Array = NDArray[Any]


def largest(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = the largest of each window; its padding never wins."""
    plan = call.plan
    return alone(call, arrays["x"], plan.input, reading.window, plan.output_plane, bordered=True)


def average(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = Σ of the window / counts_y[i] · counts_x[j]: each cell meets a weight of 1."""
    form, (rows, columns) = largest(call, arrays), _counts(call)
    divisors = np.broadcast_to(rows[:, None] * columns, form.shape)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(totals / divisors[at].astype(totals.dtype))

    ones = np.ones((1, *call.plan.window), form.source.dtype)
    return replace(form, weights=ones, divisors=divisors, finish=finish)


def route(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = Σ over the windows that the cell has won of their grad_out."""
    plan = call.plan
    return alone(call, arrays["grad_out"], plan.output, _by_window, plane_of(plan))


def spread(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = Σ over the windows that read the cell of grad_out · 1 / counts of the window."""
    form = route(call, arrays)
    rows, columns = (counts.astype(form.source.dtype) for counts in _counts(call))
    return replace(form, weights=(1 / (rows[:, None] * columns))[None])


def border(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = a copy of one cell, or in the border the constant."""
    plan, padded = call.plan, (call.plan.rows.padded, call.plan.columns.padded)
    return alone(call, arrays["x"], plan.input, reading.bordered, padded, bordered=True)


def fold(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = Σ over the copies of the cell of their grad_out."""
    plan, padded = call.plan, tuple(axis.padded for axis in call.plan.axes)
    form = alone(call, arrays["grad_out"], padded, reading.folded, plane_of(plan))
    return replace(form, weights=np.ones((1, 1, 1), form.source.dtype))


def _by_window(axis: Axis, cell: int, mode: str) -> Reading:
    """Return the windows that read a cell; weights belong to windows, not to the cells in them."""
    windows = reading.returned(axis, cell, mode).cells
    return Reading(windows, windows, windows)


def _counts(call: Call) -> tuple[Array, Array]:
    """Return the cells that each window divides by, along the rows and along the columns."""
    axes, include = (call.plan.rows, call.plan.columns), call.count_include_pad
    rows, columns = (axis.counts(include_pad=include) for axis in axes)
    return np.array(rows, np.int64), np.array(columns, np.int64)
