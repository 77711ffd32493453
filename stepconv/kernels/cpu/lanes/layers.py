"""Layers on lanes: one image in each lane of a vector, so each kernel reads like that of one image.

A tensor lies as [channel][row][column][lane], without borders: the tables of a layer list for each
family of cells only those taps that fall on the image.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.cells import put_zeros
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, family_at, operands
from stepconv.kernels.cpu.lanes.tiles import (
    Corner,
    GradientSteps,
    Steps,
    cells_beside,
    plane_totals,
    square,
    weight_sums,
    weighted_sums,
)
from stepconv.kernels.cpu.machine.addresses import named_rows
from stepconv.kernels.cpu.machine.vector import registers

# Eight rows of sums, or rows of six taps, want 32 registers; no layer has as many as `_NEVER`.
_NEVER = 2**40
_EIGHT = 8 if registers() >= 32 else _NEVER
_SIX_TAPS = 6 if registers() >= 32 else _NEVER


@functools.cache
def _strip(rows: int) -> Any:
    """Return the function that runs tiles of so many rows along a strip of cells."""
    wide = cells_beside(rows)
    many, one = (weighted_sums(rows, cells) for cells in (wide, 1))

    @inner
    def strip(corner: Corner, steps: Steps, taps: int, count: int, cell: int, stop: int) -> None:
        while cell + wide * 16 <= stop:
            many(corner, steps, taps, count, cell)
            cell += wide * 16
        while cell < stop:
            one(corner, steps, taps, count, cell)
            cell += 16

    return strip


_strip8, _strip6, _strip4, _strip1 = (_strip(rows) for rows in (8, 6, 4, 1))


@operands(
    spots="x w out sign",
    integers="bias families family_count rows rows_task block groups x_group w_group out_group "
    "w_step bias_step out_step mode",
    floats="slope",
)
def sum_weighted(o: Any) -> None:
    """out[m][p] = bias[m] + Σ_k w[m][k] · x[k][p], activated; or a gradient of the same form.

    It is a layer forward, the gradient for its x, and that for a dense layer's weights. If
    rows_task is not 0, a task has so many of the rows.
    """
    rows = o.rows
    if o.rows_task > 0:
        rows = min(o.rows_task, rows - o.task * o.rows_task)
    steps = Steps(o.w_step, o.bias_step, o.out_step, o.mode, o.slope)
    for group in range(o.groups):
        for number in range(o.family_count):
            family = family_at(o.families, number)
            taps, count = family.taps, family.tap_count
            first, end = family.cells, family.cells + family.cell_count * 16
            while first < end:
                stop = min(end, first + o.block * 16)
                m = 0
                while m < rows:
                    left = rows - m
                    corner = Corner(
                        o.x + group * o.x_group,
                        o.w + group * o.w_group + m * o.w_step,
                        o.bias + (group * rows + m) * o.bias_step,
                        o.out + group * o.out_group + m * o.out_step,
                        o.sign + group * o.out_group + m * o.out_step,
                    )
                    if left >= _EIGHT:
                        _strip8(corner, steps, taps, count, first, stop)
                        m += 8
                    elif left >= 6:
                        _strip6(corner, steps, taps, count, first, stop)
                        m += 6
                    elif left >= 4:
                        _strip4(corner, steps, taps, count, first, stop)
                        m += 4
                    else:
                        _strip1(corner, steps, taps, count, first, stop)
                        m += 1
                first = stop


class TapFamily(NamedTuple):
    """A row of a table: taps that fall on the image under the same output cells."""

    taps: Any
    tap_count: Any
    top: Any
    bottom: Any
    left: Any
    right: Any


_tap_family_at = named_rows(TapFamily)


@functools.cache
def _column(taps: int) -> Any:
    """Return the function that runs tiles of so many taps over all output channels."""
    high = {1: 8, 3: 8 if registers() >= 32 else 4, 6: 4}[taps]
    half = high // 2
    many, some, one = (weight_sums(rows, taps) for rows in (high, half, 1))

    @inner
    def column(
        steps: GradientSteps,
        x: int,
        dy: int,
        height: int,
        width: int,
        dw: int,
        table: int,
        rows: int,
    ) -> None:
        m = 0
        while m < rows:
            left = rows - m
            a, b = dy + m * steps.dy_plane, dw + m * steps.dw
            if left >= high:
                many(steps, x, a, height, width, b, table)
                m += high
            elif left >= half:
                some(steps, x, a, height, width, b, table)
                m += half
            else:
                one(steps, x, a, height, width, b, table)
                m += 1

    return column


_column6, _column3, _column1 = (_column(taps) for taps in (6, 3, 1))


@operands(
    spots="x dy dw db",
    integers="x_row x_column dy_plane dy_row w_row columns families family_count groups x_group "
    "out_group rows band has_bias",
)
def sum_weight_gradients(o: Any) -> None:
    """dw[m][k] = Σ dy[m][y][x] · x[k][y][x] over cells and images; db[m] = Σ dy[m][y][x].

    A band of output rows at a time, so that what is read again lies in the second-level cache.
    """
    steps = GradientSteps(o.x_row, o.x_column, o.dy_plane, o.dy_row, o.w_row)
    put_zeros(o.dw, o.groups * o.out_group * o.w_row // 4)
    put_zeros(o.db, o.groups * o.out_group * o.has_bias)
    for top in range(0, o.rows, o.band):
        bottom = min(top + o.band, o.rows)
        for group in range(o.groups):
            for number in range(o.family_count):
                family = _tap_family_at(o.families, number)
                first, width = max(top, family.top), family.right - family.left
                height = min(bottom, family.bottom) - first
                if height <= 0 or width <= 0:
                    continue
                a = o.x + group * o.x_group + first * o.x_row + family.left * o.x_column
                b = o.dy + group * o.out_group * o.dy_plane + first * o.dy_row
                b += family.left * VECTOR
                c = o.dw + group * o.out_group * o.w_row
                k = 0
                while k < family.tap_count:
                    table, left = family.taps + k * 16, family.tap_count - k
                    if left >= _SIX_TAPS:
                        _column6(steps, a, b, height, width, c, table, o.out_group)
                        k += 6
                    elif left >= 3:
                        _column3(steps, a, b, height, width, c, table, o.out_group)
                        k += 3
                    else:
                        _column1(steps, a, b, height, width, c, table, o.out_group)
                        k += 1
        if o.has_bias:
            for m in range(o.groups * o.out_group):
                band_of_dy = o.dy + m * o.dy_plane + top * o.dy_row
                plane_totals(band_of_dy, (bottom - top) * o.columns, o.db + m * 4)


@operands(spots="x out", integers="count")
def turn(o: Any) -> None:
    """out[image][k] = x[k][lane]: the cells of one image behind each other.

    The last square of numbers is moved back to end with the cells: there are LANES of them or more.
    """
    k = 0
    while k < o.count:
        k = min(k, o.count - LANES)
        square(o.x + k * VECTOR, VECTOR, o.out + k * 4, o.count * 4)
        k += LANES
