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

from stepconv.kernels.cuda._launch import kernel, launch
from stepconv.kernels.cuda.places import place, smaller
from stepconv.kernels.cuda.sums import parts_for
from stepconv.kernels.cuda.tiles import WEIGHTS, Tile, fitting
from stepconv.kernels.passes import Pass

Array = Any
Numbers = tuple[int, ...]


def parts_of(filters: int, columns: int, cells: int, groups: int) -> int:
    """Return into how many parts the cells are split."""
    tile = fitting(WEIGHTS, filters)
    return parts_for(_tiles(tile, filters, columns, groups), cells, 4 * tile.depth)


def weigh_parts(
    x: Array, grad_out: Array, found: Array, plan: Pass, taps: Array, groups: int
) -> None:
    """Σ found[p, o · columns + k] = Σ grad_out[n, o, i, j] · x[n, …]; `plan` is the forward one."""
    filters, columns = grad_out.shape[1] // groups, found.shape[1] // grad_out.shape[1]
    tile = fitting(WEIGHTS, filters)
    blocks = found.shape[0] * _tiles(tile, filters, columns, groups)
    run = _kernel(found.dtype.str, tile)
    numbers = (*map(int, plan.corner), *map(int, plan.stride), groups)
    launch(run, blocks, tile.threads, x, grad_out, found, taps, numbers)


def _tiles(tile: Tile, filters: int, columns: int, groups: int) -> int:
    return groups * -(-filters // tile.rows) * -(-columns // tile.columns)


@functools.cache
def _kernel(dtype: str, tile: Tile) -> Any:
    """Return the kernel for a tile: its loops are unrolled, so that sums stay in registers."""
    number = numba.from_dtype(np.dtype(dtype))
    threads, rows, columns, depth = tile.threads, tile.rows, tile.columns, tile.depth
    thread_rows, thread_columns = tile.thread_rows, tile.thread_columns
    own_rows, own_columns = tile.own_rows, tile.own_columns
    apart = threads // depth  # threads that fetch the same cell for other filters and taps
    row_pitch, column_pitch = rows + 1, columns + 1  # see layer.py

    @kernel
    def weigh_part(x: Array, grad_out: Array, parts: Array, taps: Array, numbers: Numbers) -> None:
        corner_y, corner_x, stride_y, stride_x, groups = numbers
        filters, channels = grad_out.shape[1] // groups, x.shape[1] // groups
        grid_y, grid_x = grad_out.shape[2], grad_out.shape[3]
        height, width = x.shape[2], x.shape[3]
        cells = grad_out.shape[0] * grid_y * grid_x
        products = taps.shape[0]
        wide = parts.shape[1] // grad_out.shape[1]  # one more than products if there are biases

        grad_tile = cuda.shared.array((depth, row_pitch), number)
        cell_tile = cuda.shared.array((depth, column_pitch), number)
        sums = cuda.local.array((own_rows, own_columns), number)
        near = cuda.local.array(own_columns, number)

        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = thread // thread_columns, thread % thread_columns
        d, lane = thread % depth, thread // depth  # which cell a thread fetches, for what
        row_blocks = (filters + rows - 1) // rows
        column_blocks = (wide + columns - 1) // columns
        first_filter = block % row_blocks * rows
        first_tap = block // row_blocks % column_blocks * columns
        group = block // (row_blocks * column_blocks) % groups
        part = block // (row_blocks * column_blocks * groups)

        # Each part has a run of cells, in whole steps of the tile's depth.
        run = (cells + depth * parts.shape[0] - 1) // (depth * parts.shape[0]) * depth
        last = smaller(cells, (part + 1) * run)

        for a in range(own_rows):
            for b in range(own_columns):
                sums[a, b] = 0
        for start in range(part * run, last, depth):
            cell = start + d
            n, i, j = place(cell, grid_y, grid_x)
            top, left = corner_y + stride_y * i, corner_x + stride_x * j
            for e in range(lane, rows, apart):
                grad_tile[d, e] = 0
                if cell < last and first_filter + e < filters:
                    grad_tile[d, e] = grad_out[n, group * filters + first_filter + e, i, j]
            for e in range(lane, columns, apart):
                cell_tile[d, e] = 0
                if cell < last and first_tap + e < products:
                    y, z = top + taps[first_tap + e, 1], left + taps[first_tap + e, 2]
                    if 0 <= y < height and 0 <= z < width:
                        c = group * channels + taps[first_tap + e, 0]
                        cell_tile[d, e] = x[n, c, y, z]
                elif cell < last and first_tap + e < wide:
                    cell_tile[d, e] = 1
            cuda.syncthreads()
            for k in range(depth):
                for b in range(own_columns):
                    near[b] = cell_tile[k, column + b * thread_columns]
                for a in range(own_rows):
                    gradient = grad_tile[k, row + a * thread_rows]
                    for b in range(own_columns):
                        sums[a, b] += gradient * near[b]
            cuda.syncthreads()

        for a in range(own_rows):
            m = first_filter + row + a * thread_rows
            for b in range(own_columns):
                k = first_tap + column + b * thread_columns
                if m < filters and k < wide:
                    parts[part, (group * filters + m) * wide + k] = sums[a, b]

    return weigh_part
