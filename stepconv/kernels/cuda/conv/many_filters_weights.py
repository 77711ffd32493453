"""Gradients of the weights of many filters on a GPU: a product of two matrices, as a layer is.

    grad_w[filter, tap] = Σ over the cells of grad_out[filter, cell] · x[tap, cell]

where x[tap, cell] is what the tap met in the window of the cell. There are far more cells than
filters and taps, so the cells are split into parts that are summed apart and then added up.

A bias is the weight of an input that is always 1. So its gradient is one more column, where the
array for the result has room for it.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda.conv.tiles import WEIGHTS, Tile, fitting, in_tile, side_by_side
from stepconv.kernels.cuda.machine.launch import ALIGNED, kernel, launch
from stepconv.kernels.cuda.machine.places import NOWHERE, place, smaller
from stepconv.kernels.cuda.machine.sums import parts_for
from stepconv.kernels.passes import Pass, Walk

Array = Any


def parts_of(filters: int, columns: int, cells: int, groups: int) -> int:
    """Return into how many parts the cells are split."""
    tile = fitting(WEIGHTS, filters)
    return parts_for(_tiles(tile, filters, columns, groups), cells, 4 * tile.depth)


def weigh_parts(x: Array, grad_out: Array, found: Array, plan: Pass, taps: Array) -> None:
    """Σ found[p, o · columns + k] = Σ grad_out[n, o, i, j] · x[n, …]; `plan` is the forward one."""
    groups = plan.groups
    filters, columns = grad_out.shape[1] // groups, found.shape[1] // grad_out.shape[1]
    tile = fitting(WEIGHTS, filters)
    blocks = found.shape[0] * _tiles(tile, filters, columns, groups)
    run = _kernel(found.dtype.str, tile)
    launch(run, blocks, tile.threads, x, grad_out, found, taps, plan.walk)


def _tiles(tile: Tile, filters: int, columns: int, groups: int) -> int:
    return groups * -(-filters // tile.rows) * -(-columns // tile.columns)


@functools.cache
def _kernel(dtype: str, tile: Tile) -> Any:
    """Return the kernel for a tile: its loops are unrolled, so that sums stay in registers."""
    number = numba.from_dtype(np.dtype(dtype))
    threads, rows, columns, depth = tile.threads, tile.rows, tile.columns, tile.depth
    thread_rows, thread_columns = tile.thread_rows, tile.thread_columns
    own_rows, own_columns = tile.own_rows, tile.own_columns
    beside_row, beside_column = side_by_side(own_rows, dtype), side_by_side(own_columns, dtype)
    row_pitch, column_pitch = rows + beside_row, columns + beside_column  # see tiles.py
    deep = np.uint64(depth)  # for indices that cannot be negative: see tiles.py
    apart = threads // depth  # threads that fetch the same cell for other filters and taps
    row_loads, column_loads = (
        -(-rows // (apart * beside_row)),
        -(-columns // (apart * beside_column)),
    )

    @kernel
    def weigh_part(x: Array, grad_out: Array, parts: Array, taps: Array, plan: Walk) -> None:
        groups = plan.groups
        filters, channels = grad_out.shape[1] // groups, x.shape[1] // groups
        grid_y, grid_x = grad_out.shape[2], grad_out.shape[3]
        height, width = x.shape[2], x.shape[3]
        cells = grad_out.shape[0] * grid_y * grid_x
        products = taps.shape[0]
        wide = parts.shape[1] // grad_out.shape[1]  # one more than products if there are biases

        if ALIGNED:
            grad_tile = cuda.shared.array((depth, row_pitch), number, 16)
            cell_tile = cuda.shared.array((depth, column_pitch), number, 16)
        else:
            grad_tile = cuda.shared.array((depth, row_pitch), number)
            cell_tile = cuda.shared.array((depth, column_pitch), number)
        own_taps = cuda.shared.array((3, columns), numba.int64)  # of the block
        sums = cuda.local.array((own_rows, own_columns), number)
        near_grads = cuda.local.array(own_rows, number)
        near_cells = cuda.local.array(own_columns, number)
        new_grads = cuda.local.array((row_loads, beside_row), number)
        new_cells = cuda.local.array((column_loads, beside_column), number)

        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = np.uint32(thread // thread_columns), np.uint32(thread % thread_columns)
        d, lane = thread % depth, thread // depth  # which cell a thread fetches, for what
        row_blocks = (filters + rows - 1) // rows
        column_blocks = (wide + columns - 1) // columns
        first_filter = block % row_blocks * rows
        first_tap = block // row_blocks % column_blocks * columns
        group = block // (row_blocks * column_blocks) % groups
        part = block // (row_blocks * column_blocks * groups)
        bias_column = products - first_tap if wide > products else -1

        # Each part has a run of cells, in whole steps of the tile's depth.
        run = (cells + depth * parts.shape[0] - 1) // (depth * parts.shape[0]) * depth
        last = smaller(cells, (part + 1) * run)

        for a in range(own_rows):
            for b in range(own_columns):
                sums[a, b] = 0
        for e in range(thread, columns, threads):
            own_taps[0, e], own_taps[1, e], own_taps[2, e] = 0, NOWHERE, 0
            if first_tap + e < products:
                for axis in range(3):
                    own_taps[axis, e] = taps[first_tap + e, axis]
        cuda.syncthreads()

        for start in range(part * run, last + depth, depth):
            # What comes next is asked for before the tile that is there is used: see many_filters.
            cell = start + d
            n, i, j = place(cell, grid_y, grid_x)
            first = (
                (n * grad_out.shape[1] + group * filters + first_filter) * grid_y + i
            ) * grid_x + j
            for load in range(row_loads):
                for s in range(beside_row):
                    e = (lane + load * apart) * beside_row + s
                    new_grads[load, s] = 0
                    if cell < last and first_filter + e < filters:
                        new_grads[load, s] = grad_out.flat[first + e * grid_y * grid_x]
            top, left = plan.corner_y + plan.stride_y * i, plan.corner_x + plan.stride_x * j
            corner = ((n * x.shape[1] + group * channels) * height + top) * width + left
            for load in range(column_loads):
                for s in range(beside_column):
                    e = (lane + load * apart) * beside_column + s
                    new_cells[load, s] = 0
                    if cell < last and e < columns:
                        y, z = top + own_taps[1, e], left + own_taps[2, e]
                        if 0 <= y < height and 0 <= z < width:
                            new_cells[load, s] = x.flat[corner + own_taps[0, e]]
                        elif e == bias_column:
                            new_cells[load, s] = 1
            if start > part * run:
                for k in range(deep):
                    for a in range(own_rows):
                        near_grads[a] = grad_tile[k, in_tile(a, row, thread_rows, beside_row)]
                    for b in range(own_columns):
                        near_cells[b] = cell_tile[
                            k, in_tile(b, column, thread_columns, beside_column)
                        ]
                    for a in range(own_rows):
                        for b in range(own_columns):
                            sums[a, b] += near_grads[a] * near_cells[b]
            cuda.syncthreads()
            for load in range(row_loads):
                slot = np.uint32((lane + load * apart) * beside_row)
                if slot < rows:
                    for s in range(beside_row):
                        grad_tile[np.uint32(d), slot + s] = new_grads[load, s]
            for load in range(column_loads):
                slot = np.uint32((lane + load * apart) * beside_column)
                if slot < columns:
                    for s in range(beside_column):
                        cell_tile[np.uint32(d), slot + s] = new_cells[load, s]
            cuda.syncthreads()

        for a in range(own_rows):
            m = first_filter + in_tile(a, row, thread_rows, beside_row)
            for b in range(own_columns):
                k = first_tap + in_tile(b, column, thread_columns, beside_column)
                if m < filters and k < wide:
                    parts[part, (group * filters + m) * wide + k] = sums[a, b]

    return weigh_part
