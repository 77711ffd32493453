"""Layers on lanes: one image in each lane of a vector, so each kernel reads like that of one image.

A tensor lies as [channel][row][column][lane], without borders: the tables of a layer list for each
family of cells only those taps that fall on the image. A kernel finds its operands in a row of a
program; where the number of the task shifts one, the operand `…_task` says by how many bytes.
"""

from __future__ import annotations

import functools
from typing import Any

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, operands
from stepconv.kernels.cpu.lanes.tiles import (
    cells_beside,
    plane_totals,
    square,
    weight_sums,
    weighted_sums,
)
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
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
    def strip(
        steps: int,
        x: int,
        w: int,
        bias: int,
        out: int,
        sign: int,
        taps: int,
        count: int,
        cell: int,
        stop: int,
    ) -> None:
        while cell + wide * 16 <= stop:
            many(steps, x, w, bias, out, sign, taps, count, cell)
            cell += wide * 16
        while cell < stop:
            one(steps, x, w, bias, out, sign, taps, count, cell)
            cell += 16

    return strip


_strip8, _strip6, _strip4, _strip1 = (_strip(rows) for rows in (8, 6, 4, 1))


@operands(
    "x x_task w w_task bias out out_task sign sign_task families family_count rows rows_task block "
    "groups x_group w_group out_group w_step bias_step out_step mode slope"
)
def sum_weighted(row: int, task: int) -> None:
    """out[m][p] = bias[m] + Σ_k w[m][k] · x[k][p], activated; or a gradient of the same form.

    It is a layer forward, the gradient for its x, and that for a dense layer's weights. Families
    are rows of (taps, their count, cells, their count). If rows_task is not 0, a task has so many
    of the rows.
    """
    r = int64s(row)
    x, w, bias = r[1] + task * r[2], r[3] + task * r[4], r[5]
    out, sign = r[6] + task * r[7], r[8] + task * r[9]
    families, family_count, rows, rows_task, block = r[10], r[11], r[12], r[13], r[14]
    groups, x_group, w_group, out_group = r[15], r[16], r[17], r[18]
    w_step, bias_step, out_step = r[19], r[20], r[21]
    steps = row + 19 * 8
    if rows_task > 0:
        rows = min(rows_task, rows - task * rows_task)
    for group in range(groups):
        for family in range(family_count):
            f = int64s(families + family * 32)
            taps, count, first, end = f[0], f[1], f[2], f[2] + f[3] * 16
            while first < end:
                stop = min(end, first + block * 16)
                m = 0
                while m < rows:
                    left = rows - m
                    a = x + group * x_group
                    b = w + group * w_group + m * w_step
                    c = bias + (group * rows + m) * bias_step
                    d = out + group * out_group + m * out_step
                    e = sign + group * out_group + m * out_step
                    if left >= _EIGHT:
                        _strip8(steps, a, b, c, d, e, taps, count, first, stop)
                        m += 8
                    elif left >= 6:
                        _strip6(steps, a, b, c, d, e, taps, count, first, stop)
                        m += 6
                    elif left >= 4:
                        _strip4(steps, a, b, c, d, e, taps, count, first, stop)
                        m += 4
                    else:
                        _strip1(steps, a, b, c, d, e, taps, count, first, stop)
                        m += 1
                first = stop


@functools.cache
def _column(taps: int) -> Any:
    """Return the function that runs tiles of so many taps over all output channels."""
    high = {1: 8, 3: 8 if registers() >= 32 else 4, 6: 4}[taps]
    half = high // 2
    many, some, one = (weight_sums(rows, taps) for rows in (high, half, 1))

    @inner
    def column(
        steps: int, x: int, dy: int, height: int, width: int, dw: int, table: int, rows: int
    ) -> None:
        r = int64s(steps)
        dy_step, dw_step = r[2], r[4]
        m = 0
        while m < rows:
            left = rows - m
            a, b = dy + m * dy_step, dw + m * dw_step
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
    "x x_task dy dy_task dw db dw_task x_row x_column dy_plane dy_row w_row columns families "
    "family_count groups x_group out_group rows band has_bias"
)
def sum_weight_gradients(row: int, task: int) -> None:
    """dw[m][k] = Σ dy[m][y][x] · x[k][y][x] over cells and images; db[m] = Σ dy[m][y][x].

    A family are the taps that fall on the image under the same output cells: (taps, their count,
    first output row, end, first output column, end). A band of output rows at a time, so that what
    is read again lies in the second-level cache.
    """
    r = int64s(row)
    x, dy = r[1] + task * r[2], r[3] + task * r[4]
    dw, db = r[5] + task * r[7], r[6] + task * r[7]
    x_row, x_column, dy_plane, dy_row, w_row, columns = r[8], r[9], r[10], r[11], r[12], r[13]
    families, family_count, groups, x_group, out_group = r[14], r[15], r[16], r[17], r[18]
    rows, band, has_bias = r[19], r[20], r[21]
    steps = row + 8 * 8
    clear(dw, groups * out_group * w_row // 4)
    clear(db, groups * out_group * has_bias)
    for top in range(0, rows, band):
        bottom = min(top + band, rows)
        for group in range(groups):
            for family in range(family_count):
                f = int64s(families + family * 48)
                first, height = max(top, f[2]), min(bottom, f[3]) - max(top, f[2])
                left, width = f[4], f[5] - f[4]
                if height <= 0 or width <= 0:
                    continue
                a = x + group * x_group + first * x_row + left * x_column
                b = dy + group * out_group * dy_plane + first * dy_row + left * VECTOR
                c = dw + group * out_group * w_row
                k = 0
                while k < f[1]:
                    table = f[0] + k * 16
                    if f[1] - k >= _SIX_TAPS:
                        _column6(steps, a, b, height, width, c, table, out_group)
                        k += 6
                    elif f[1] - k >= 3:
                        _column3(steps, a, b, height, width, c, table, out_group)
                        k += 3
                    else:
                        _column1(steps, a, b, height, width, c, table, out_group)
                        k += 1
        if has_bias:
            for m in range(groups * out_group):
                band_of_dy = dy + m * dy_plane + top * dy_row
                plane_totals(band_of_dy, (bottom - top) * columns, db + m * 4)


@inner
def clear(out: int, count: int) -> None:
    """Put 0 into `count` numbers."""
    numbers = float32s(out)
    for i in range(count):
        numbers[i] = 0


@operands("x x_task out out_task count")
def turn(row: int, task: int) -> None:
    """out[image][k] = x[k][lane]: the cells of one image behind each other.

    The last square of numbers is moved back to end with the cells: there are LANES of them or more.
    """
    r = int64s(row)
    x, out, count = r[1] + task * r[2], r[3] + task * r[4], r[5]
    k = 0
    while k < count:
        k = min(k, count - LANES)
        square(x + k * VECTOR, VECTOR, out + k * 4, count * 4)
        k += LANES
