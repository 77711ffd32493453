"""One channel into one on a GPU: pictures, and depthwise layers that step by one cell.

A block of threads computes a tile of the output. It fetches what the tile reads of the input, and
of the kernel as many rows and columns as fit, into memory that it shares; a larger kernel comes in
pieces. Each thread computes some cells one below the other: as a column of the kernel slides down a
strip of the input, they read the same cells, one row later each.

    strip   weights of a column      sums
      s0      w0                     s0·w0 + s1·w1
      s1      w1                     s1·w0 + s2·w1
      s2                             s2·w0 + s3·w1
      s3
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.launch import ALIGNED, SIMULATED, kernel, launch
from stepconv.kernels.cuda.machine.places import larger, place, smaller
from stepconv.kernels.cuda.network.ends import AS_IT_IS, End

Array = Any

# Threads of a block, and the cells of each, one below the other; columns of a piece of the kernel.
# A piece has as many rows as a thread has cells.
_ROWS, _COLUMNS, _OWN, _PIECE = (2, 3, 2, 2) if SIMULATED else (8, 32, 8, 32)


def filter_planes(
    x: Array,
    w: Array,
    bias: Array,
    out: Array,
    top: int,
    left: int,
    zeros: bool,
    end: End = AS_IT_IS,
) -> None:
    """out[n, c, i, j] = bias[c] + Σ x[n, c, i - top + a, j - left + b] · w[c, 0, a, b].

    `zeros` says whether the outside of x is zeros to multiply, or nothing at all. `end` is what
    becomes of the sums; with any but AS_IT_IS there have to be `zeros`.
    """
    tiles_y, tiles_x = -(-out.shape[2] // (_ROWS * _OWN)), -(-out.shape[3] // _COLUMNS)
    blocks = out.shape[0] * out.shape[1] * tiles_y * tiles_x
    run = _kernel(out.dtype.str, not zeros, end.finish)
    numbers = (top, left, tiles_y, tiles_x, end.numbers)
    launch(run, blocks, _ROWS * _COLUMNS, x, w, bias, out, *numbers)


@functools.cache
def _kernel(dtype: str, ends_at_border: bool, finish: Any) -> Any:
    number = numba.from_dtype(np.dtype(dtype))
    threads = _ROWS * _COLUMNS
    strip_cells = 2 * _OWN - 1
    tile_rows, tile_columns = _ROWS * _OWN + _OWN - 1, _COLUMNS + _PIECE - 1
    loads_down, loads_across = -(-tile_rows // _ROWS), -(-tile_columns // _COLUMNS)

    @kernel
    def filter_tile(
        x: Array,
        w: Array,
        bias: Array,
        out: Array,
        top: int,
        left: int,
        tiles_y: int,
        tiles_x: int,
        end: tuple[Any, ...],
    ) -> None:
        if ALIGNED:
            weights = cuda.shared.array((_PIECE, _OWN), number, 16)  # those of a column in a row
        else:
            weights = cuda.shared.array((_PIECE, _OWN), number)
        cells = cuda.shared.array((tile_rows, tile_columns), number)
        new_cells = cuda.local.array((loads_down, loads_across), number)
        near_weights = cuda.local.array(_OWN, number)
        sums = cuda.local.array(_OWN, number)
        strip = cuda.local.array(strip_cells, number)

        thread = cuda.threadIdx.x
        line, column = thread // _COLUMNS, thread % _COLUMNS
        row = line * _OWN
        plane, tile_i, tile_j = place(cuda.blockIdx.x, tiles_y, tiles_x)
        n, c = plane // x.shape[1], plane % x.shape[1]
        first_i, first_j = tile_i * _ROWS * _OWN, tile_j * _COLUMNS
        height, width, window_y, window_x = x.shape[2], x.shape[3], w.shape[2], w.shape[3]

        for r in range(_OWN):
            sums[r] = bias[c]
        odd = 0  # whether a weight is not finite

        for first_a in range(0, window_y, _OWN):
            for first_b in range(0, window_x, _PIECE):
                rows = smaller(_OWN, window_y - first_a)
                columns = smaller(_PIECE, window_x - first_b)
                y0, z0 = first_i - top + first_a, first_j - left + first_b
                first = (plane * height + y0) * width + z0
                # All cells are asked for before the first is written down: they come together.
                for down in range(loads_down):
                    r = line + down * _ROWS
                    y = y0 + r
                    for across in range(loads_across):
                        e = column + across * _COLUMNS
                        z = z0 + e
                        new_cells[down, across] = 0
                        if r < _ROWS * _OWN + rows - 1 and e < _COLUMNS + columns - 1:
                            if 0 <= y < height and 0 <= z < width:
                                new_cells[down, across] = x.flat[first + r * width + e]
                for down in range(loads_down):
                    for across in range(loads_across):
                        r, e = line + down * _ROWS, column + across * _COLUMNS
                        if r < tile_rows and e < tile_columns:
                            cells[r, e] = new_cells[down, across]
                for e in range(thread, rows * columns, threads):
                    weight = w[c, 0, first_a + e // columns, first_b + e % columns]
                    weights[e % columns, e // columns] = weight
                    if ends_at_border and weight - weight != 0:
                        odd = 1
                cuda.syncthreads()
                for b in range(columns):
                    for s in range(strip_cells):
                        strip[s] = cells[row + s, column + b]
                    for a in range(_OWN):
                        near_weights[a] = weights[b, a]
                    for a in range(_OWN):
                        if a < rows:
                            for r in range(_OWN):
                                sums[r] += near_weights[a] * strip[r + a]
                cuda.syncthreads()

        j = first_j + column
        for r in range(_OWN):
            i = first_i + row + r
            if i < out.shape[2] and j < out.shape[3]:
                at = (plane * out.shape[2] + i) * out.shape[3] + j
                out.flat[at] = finish(sums[r], out, at, end)

        # Zeros times a weight that is not finite make NaNs: see many_filters.py.
        if ends_at_border and cuda.syncthreads_or(odd) and j < out.shape[3]:
            for i in range(first_i + row, smaller(out.shape[2], first_i + row + _OWN)):
                total = bias[c]
                for a in range(larger(0, top - i), smaller(window_y, height + top - i)):
                    for b in range(larger(0, left - j), smaller(window_x, width + left - j)):
                        total += x[n, c, i - top + a, j - left + b] * w[c, 0, a, b]
                out[n, c, i, j] = total

    return filter_tile
