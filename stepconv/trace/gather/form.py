"""Form: what a call gathers for each output cell, and how the simplest of them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan, Reading
from stepconv.ops import arrays as laying
from stepconv.ops import sliding
from stepconv.trace.call import Call

Array = NDArray[Any]
Rule = Callable[[int], Reading]
AxisRule = Callable[[Axis, int, str], Reading]


@dataclass(frozen=True, eq=False)
class Gather:
    """How the output cells of one call come about; arrays are (planes, rows, columns).

    Output cell (plane, i, j) reads along the rows what `row(i)` says and along the columns what
    `column(j)` says, in `fan_in` pairs (plane of the source, plane of the weights): `pairs` gives
    them for an array of planes. The channels of the output take turns at the biases. `finish` makes
    results of totals, those of the output cells `at` an index; an average has its `divisors`.
    """

    source: Array
    weights: Array | None
    fan_in: int
    pairs: Callable[[Array], Array]
    bias: Array
    row: Rule
    column: Rule
    shape: tuple[int, int, int]
    axes: int
    channels: bool = False
    bordered: bool = False
    divisors: Array | None = None
    finish: Callable[[Array, Any], Array] | None = None

    @property
    def steps(self) -> int:
        """Output cells."""
        return prod(self.shape)

    def place(self, step: int) -> tuple[int, int, int]:
        """Return the output cell that a step computes."""
        _, height, width = self.shape
        return step // (height * width), step // width % height, step % width


def plane_of(plan: Plan) -> tuple[int, int]:
    """Return the rows and columns of what the plan reads."""
    return plan.rows.size, plan.columns.size


def rules(rule: AxisRule, plan: Plan, mode: str) -> tuple[Rule, Rule]:
    """Return what a row and what a column of the output reads."""
    return lambda i: rule(plan.rows, i, mode), lambda j: rule(plan.columns, j, mode)


def stack(array: Array, plane: tuple[int, ...]) -> Array:
    """Return an array as (planes, rows, columns), in a type that kernels compute in."""
    shape = (prod(array.shape[: array.ndim - len(plane)]), *((1,) * (2 - len(plane))), *plane)
    return laying.laid_out(array, laying.moving_dtype(array), shape)


def alone(
    call: Call,
    array: Array,
    plane: tuple[int, ...],
    rule: AxisRule,
    result: tuple[int, int],
    bordered: bool = False,
) -> Gather:
    """Return how planes that go their own way gather, each into one of `result`."""
    source = stack(array, plane)

    def pairs(planes: Array) -> Array:
        return np.stack([planes, np.zeros_like(planes)], axis=-1)[:, None]

    return Gather(
        source,
        None,
        1,
        pairs,
        np.zeros(1, source.dtype),
        *rules(rule, call.plan, call.mode),
        (len(source), *result),
        len(call.plan.axes),
        bordered=bordered,
    )


def layered(w: Array) -> tuple[int, bool]:
    """Return how many axes the kernel slides along, and whether the arrays have channels."""
    return sliding.spatial_axes(w), w.ndim > 2
