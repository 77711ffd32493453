"""Layers of many filters on a GPU: a pass as a product of two matrices that are never built.

    out[filter, cell] = bias[filter] + Σ over the taps k of weight[filter, k] · source[k, cell]

where source[k, cell] is what tap k meets in the window of the cell: it is looked up in the image
when it is needed (an implicit im2col). A block of threads computes a tile of out:

    for every few taps:
        all threads together fetch the weights and the source's cells of these taps
        each thread adds their products to the sums that it keeps in registers

What is fetched lies in memory that the block shares, and is read there many times over.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda._launch import kernel, launch
from stepconv.kernels.cuda.ends import End
from stepconv.kernels.cuda.places import place
from stepconv.kernels.cuda.plain import sum_taps
from stepconv.kernels.cuda.tiles import LAYER, Tile, fitting
from stepconv.kernels.passes import Pass

Array = Any
Numbers = tuple[int, ...]

_NOWHERE = -(1 << 40)  # a row far above any image


def apply_pass(
    source: Array,
    w: Array,
    bias: Array,
    out: Array,
    plan: Pass,
    tables: tuple[Array, Array],
    steps: Numbers,
    zeros: bool,
    end: End,
) -> None:
    """Compute the cells of a pass.

    `tables` are the pass's taps and weights. `steps` are the numbers of weights from group to
    group and from filter to filter, and the number of groups. `zeros` says that windows which
    reach outside of the source multiply zeros there; otherwise they end at its border, which makes
    a difference to weights that are not finite. `end` is what becomes of the sums; with
    any but AS_IT_IS there have to be `zeros`.
    """
    filters = out.shape[1] // steps[2]
    tile = fitting(LAYER, filters)
    cells = out.shape[0] * plan.grid[0] * plan.grid[1]
    blocks = -(-filters // tile.rows) * steps[2] * -(-cells // tile.columns)
    run = _kernel(out.dtype.str, tile, not zeros, end.finish)
    numbers = tuple(map(int, plan.numbers))
    launch(run, blocks, tile.threads, source, w, bias, out, *tables, numbers, steps, end.numbers)


@functools.cache
def _kernel(dtype: str, tile: Tile, ends_at_border: bool, finish: Any) -> Any:
    """Return the kernel for a tile: its loops are unrolled, so that sums stay in registers."""
    number = numba.from_dtype(np.dtype(dtype))
    threads, rows, columns, depth = tile.threads, tile.rows, tile.columns, tile.depth
    thread_rows, thread_columns = tile.thread_rows, tile.thread_columns
    own_rows, own_columns = tile.own_rows, tile.own_columns
    loads = columns // threads  # cells of each tap that a thread fetches
    pitch = rows + 1  # so that threads side by side write to memory banks side by side

    @kernel
    def apply(
        source: Array,
        w: Array,
        bias: Array,
        out: Array,
        taps: Array,
        weights: Array,
        numbers: Numbers,
        steps: Numbers,
        end: tuple[Any, ...],
    ) -> None:
        grid_y, grid_x, first_y, first_x, step_y, step_x, corner_y, corner_x = numbers[:8]
        stride_y, stride_x = numbers[8], numbers[9]
        between_groups, between_filters, groups = steps
        channels, filters = source.shape[1] // groups, out.shape[1] // groups
        height, width = source.shape[2], source.shape[3]
        cells = out.shape[0] * grid_y * grid_x

        weight_tile = cuda.shared.array((depth, pitch), number)
        cell_tile = cuda.shared.array((depth, columns), number)
        places = cuda.shared.array(columns, numba.int64)  # of the cells in out, for filter 0
        sums = cuda.local.array((own_rows, own_columns), number)
        near = cuda.local.array(own_columns, number)
        images = cuda.local.array(loads, numba.int64)
        tops = cuda.local.array(loads, numba.int64)
        lefts = cuda.local.array(loads, numba.int64)

        # Blocks side by side take other filters of the same cells, which are then close at hand.
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = thread // thread_columns, thread % thread_columns
        row_blocks = (filters + rows - 1) // rows
        first_filter = block % row_blocks * rows
        group = block // row_blocks % groups
        first_cell = block // (row_blocks * groups) * columns
        first_weight, first_channel = group * between_groups, group * channels

        for a in range(own_rows):
            for b in range(own_columns):
                sums[a, b] = 0
        for load in range(loads):
            cell = first_cell + thread + load * threads
            n, q, r = place(cell, grid_y, grid_x)
            images[load] = n
            tops[load] = corner_y + stride_y * q if cell < cells else _NOWHERE
            lefts[load] = corner_x + stride_x * r
            i, j = first_y + step_y * q, first_x + step_x * r
            first = ((n * out.shape[1] + group * filters) * out.shape[2] + i) * out.shape[3] + j
            places[thread + load * threads] = first if cell < cells else -1
        odd = 0  # whether a weight is not finite
        cuda.syncthreads()  # the places are known, also where there is no tap to wait for

        for start in range(0, weights.size, depth):
            for e in range(thread, depth * rows, threads):
                k, m = start + e % depth, first_filter + e // depth
                weight_tile[e % depth, e // depth] = 0
                if k < weights.size and m < filters:
                    weight = w.flat[first_weight + m * between_filters + weights[k]]
                    weight_tile[e % depth, e // depth] = weight
                    if ends_at_border and weight - weight != 0:
                        odd = 1
            for d in range(depth):
                for load in range(loads):
                    cell_tile[d, thread + load * threads] = 0
                    if start + d < weights.size:
                        y = tops[load] + taps[start + d, 1]
                        x = lefts[load] + taps[start + d, 2]
                        if 0 <= y < height and 0 <= x < width:
                            c = first_channel + taps[start + d, 0]
                            cell_tile[d, thread + load * threads] = source[images[load], c, y, x]
            cuda.syncthreads()
            for d in range(depth):
                for b in range(own_columns):
                    near[b] = cell_tile[d, column + b * thread_columns]
                for a in range(own_rows):
                    weight = weight_tile[d, row + a * thread_rows]
                    for b in range(own_columns):
                        sums[a, b] += weight * near[b]
            cuda.syncthreads()

        for b in range(own_columns):
            first = places[column + b * thread_columns]
            for a in range(own_rows):
                m = first_filter + row + a * thread_rows
                if first >= 0 and m < filters:
                    total = bias[group * filters + m] + sums[a, b]
                    at = first + m * out.shape[2] * out.shape[3]
                    out.flat[at] = finish(total, out, at, end)

        # Outside of the source the tile has zeros. Times a weight that is not finite they make
        # NaNs, so a block that met such a weight sums again, without them.
        if ends_at_border and cuda.syncthreads_or(odd):
            for e in range(thread, rows * columns, threads):
                m, cell = first_filter + e // columns, first_cell + e % columns
                if m < filters and cell < cells:
                    n, q, r = place(cell, grid_y, grid_x)
                    o = group * filters + m
                    out[n, o, first_y + step_y * q, first_x + step_x * r] = sum_taps(
                        source,
                        w,
                        bias[o],
                        (n, first_channel, corner_y + stride_y * q, corner_x + stride_x * r),
                        first_weight + m * between_filters,
                        taps,
                        weights,
                        False,
                    )

    return apply
