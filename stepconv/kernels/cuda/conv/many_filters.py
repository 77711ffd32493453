"""Layers of many filters on a GPU: a pass as a product of two matrices that are never built.

    out[filter, cell] = bias[filter] + Σ over the taps k of weight[filter, k] · source[k, cell]

where source[k, cell] is what tap k meets in the window of the cell: it is looked up in the image
when it is needed (an implicit im2col). A block of threads computes a tile of out:

    for every few taps:
        all threads together ask for the weights and the source's cells of the next few taps
        each thread adds the products of these few to the sums that it keeps in registers
        all write down what has come

What is written down lies in memory that the block shares, and is read there many times over.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda.conv.loops import sum_taps
from stepconv.kernels.cuda.conv.tiles import LAYER, Tile, cell_of, fitting, in_tile, side_by_side
from stepconv.kernels.cuda.machine.launch import ALIGNED, kernel, launch
from stepconv.kernels.cuda.machine.places import NOWHERE, place
from stepconv.kernels.cuda.network.ends import End
from stepconv.kernels.passes import Pass, Walk

Array = Any


def apply_pass(
    source: Array,
    w: Array,
    bias: Array,
    out: Array,
    plan: Pass,
    tables: tuple[Array, Array],
    zeros: bool,
    end: End,
) -> None:
    """Compute the cells of a pass.

    `tables` are the pass's taps and weights. `zeros` says that windows which reach outside of the
    source multiply zeros there; otherwise they end at its border, which makes a difference to
    weights that are not finite. `end` is what becomes of the sums; with any but AS_IT_IS there have
    to be `zeros`.
    """
    filters = out.shape[1] // plan.groups
    tile = fitting(LAYER, filters)
    cells = out.shape[0] * plan.grid[0] * plan.grid[1]
    blocks = -(-filters // tile.rows) * plan.groups * -(-cells // tile.columns)
    run = _kernel(out.dtype.str, tile, not zeros, end.finish)
    launch(run, blocks, tile.threads, source, w, bias, out, *tables, plan.walk, end.numbers)


@functools.cache
def _kernel(dtype: str, tile: Tile, ends_at_border: bool, finish: Any) -> Any:
    """Return the kernel for a tile: its loops are unrolled, so that sums stay in registers."""
    number = numba.from_dtype(np.dtype(dtype))
    threads, rows, columns, depth = tile.threads, tile.rows, tile.columns, tile.depth
    thread_rows, thread_columns = tile.thread_rows, tile.thread_columns
    own_rows, own_columns = tile.own_rows, tile.own_columns
    beside_row, beside_column = side_by_side(own_rows, dtype), side_by_side(own_columns, dtype)
    pitch = rows + beside_row  # see tiles.py
    cell_loads = columns // threads  # cells of each tap that a thread fetches
    weight_loads = -(-depth * rows // (beside_row * threads))  # some weights side by side each

    @kernel
    def apply(
        source: Array,
        w: Array,
        bias: Array,
        out: Array,
        taps: Array,
        weights: Array,
        plan: Walk,
        end: tuple[Any, ...],
    ) -> None:
        groups = plan.groups
        channels, filters = source.shape[1] // groups, out.shape[1] // groups
        height, width = source.shape[2], source.shape[3]
        cells = out.shape[0] * plan.grid_y * plan.grid_x

        if ALIGNED:
            weight_tile = cuda.shared.array((depth, pitch), number, 16)
            cell_tile = cuda.shared.array((depth, columns), number, 16)
        else:
            weight_tile = cuda.shared.array((depth, pitch), number)
            cell_tile = cuda.shared.array((depth, columns), number)
        places = cuda.shared.array(columns, numba.int64)  # of the cells in out, for filter 0
        sums = cuda.local.array((own_rows, own_columns), number)
        near_weights = cuda.local.array(own_rows, number)
        near_cells = cuda.local.array(own_columns, number)
        new_weights = cuda.local.array((weight_loads, beside_row), number)
        new_cells = cuda.local.array((depth, cell_loads), number)
        corners = cuda.local.array(cell_loads, numba.int64)  # of the windows in source
        tops = cuda.local.array(cell_loads, numba.int64)
        lefts = cuda.local.array(cell_loads, numba.int64)

        # Blocks side by side take other filters of the same cells, which are then close at hand.
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = np.uint32(thread // thread_columns), np.uint32(thread % thread_columns)
        row_blocks = (filters + rows - 1) // rows
        first_filter = block % row_blocks * rows
        group = block // row_blocks % groups
        first_cell = block // (row_blocks * groups) * columns
        first_weight, first_channel = group * plan.between_groups, group * channels

        for a in range(own_rows):
            for b in range(own_columns):
                sums[a, b] = 0
        for load in range(cell_loads):
            slot = thread + load * threads
            cell = first_cell + cell_of(slot, thread_columns, beside_column)
            n, q, r = place(cell, plan.grid_y, plan.grid_x)
            top, left = plan.corner_y + plan.stride_y * q, plan.corner_x + plan.stride_x * r
            tops[load], lefts[load] = top if cell < cells else NOWHERE, left
            corners[load] = ((n * source.shape[1] + first_channel) * height + top) * width + left
            i, j = plan.first_y + plan.step_y * q, plan.first_x + plan.step_x * r
            first = ((n * out.shape[1] + group * filters) * out.shape[2] + i) * out.shape[3] + j
            places[slot] = first if cell < cells else -1
        odd = 0  # whether a weight is not finite
        cuda.syncthreads()  # the places are known, also where there is no tap to wait for

        for start in range(0, weights.size + depth, depth):
            # What comes next is asked for before the tile that is there is used: it takes its time.
            for load in range(weight_loads):
                some = np.uint32(thread + load * threads)  # those side by side, of one tap
                k, first = start + some % depth, first_filter + some // depth * beside_row
                for r in range(beside_row):
                    new_weights[load, r] = 0
                    if k < weights.size and first + r < filters:
                        at = first_weight + (first + r) * plan.between_filters + weights.flat[k]
                        new_weights[load, r] = w.flat[at]
                        if ends_at_border and w.flat[at] - w.flat[at] != 0:
                            odd = 1
            for d in range(depth):
                for load in range(cell_loads):
                    new_cells[d, load] = 0
                    if start + d < weights.size:
                        tap = 3 * (start + d)
                        y, x = tops[load] + taps.flat[tap + 1], lefts[load] + taps.flat[tap + 2]
                        if 0 <= y < height and 0 <= x < width:
                            new_cells[d, load] = source.flat[corners[load] + taps.flat[tap]]
            if start > 0:
                for d in range(depth):
                    for a in range(own_rows):
                        slot = in_tile(a, row, thread_rows, beside_row)
                        near_weights[a] = weight_tile[d, slot]
                    for b in range(own_columns):
                        slot = in_tile(b, column, thread_columns, beside_column)
                        near_cells[b] = cell_tile[d, slot]
                    for a in range(own_rows):
                        for b in range(own_columns):
                            sums[a, b] += near_weights[a] * near_cells[b]
            cuda.syncthreads()  # all have read the tile
            for load in range(weight_loads):
                some = np.uint32(thread + load * threads)
                slot = some // depth * beside_row
                if slot < rows:
                    for r in range(beside_row):
                        weight_tile[some % depth, slot + r] = new_weights[load, r]
            for d in range(depth):
                for load in range(cell_loads):
                    cell_tile[d, thread + load * threads] = new_cells[d, load]
            cuda.syncthreads()  # and have written the next

        for b in range(own_columns):
            first = places[in_tile(b, column, thread_columns, beside_column)]
            for a in range(own_rows):
                m = first_filter + in_tile(a, row, thread_rows, beside_row)
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
                    n, q, r = place(cell, plan.grid_y, plan.grid_x)
                    o = group * filters + m
                    out[n, o, plan.first_y + plan.step_y * q, plan.first_x + plan.step_x * r] = (
                        sum_taps(
                            source,
                            w,
                            bias[o],
                            (
                                n,
                                first_channel,
                                plan.corner_y + plan.stride_y * q,
                                plan.corner_x + plan.stride_x * r,
                            ),
                            first_weight + m * plan.between_filters,
                            taps,
                            weights,
                            False,
                        )
                    )

    return apply
