"""A product of two matrices on a GPU: dense layers, forward and both ways back.

    out[i, j] = Σ over the terms k of a[i, k] · b[k, j]

Each matrix is a row of numbers with a step from row to row and one from column to column, so that
one kernel serves a matrix and its transpose. A block of threads computes a square tile of out:

    for every few terms:
        all threads together fetch these columns of a and these rows of b
        each thread adds their products to the few sums that it keeps in registers

Where there are many terms for few tiles, blocks share the terms of a tile: each finds a part.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda._launch import SIMULATED, allocate, kernel, launch, launch_each
from stepconv.kernels.cuda.ends import AS_IT_IS, End
from stepconv.kernels.cuda.sums import parts_for, sum_parts

Array = Any
Numbers = tuple[int, ...]

# Threads along a side of a tile, sums of each in both directions, terms between loads, and the
# fewest terms of a part.
_SIDE, _OWN, _DEPTH, _LEAST = (2, 2, 3, 4) if SIMULATED else (16, 2, 32, 128)
_TILE = _SIDE * _OWN
_PITCH = _TILE + 1  # so that threads side by side write to memory banks side by side
_THREADS = _SIDE * _SIDE


class Matrix(NamedTuple):
    """Numbers in a row, as a matrix: the steps from one row and from one column to the next."""

    numbers: Array
    row: int
    column: int


def parts_of(rows: int, columns: int, terms: int) -> int:
    """Return into how many parts the terms are split."""
    return parts_for(-(-rows // _TILE) * -(-columns // _TILE), terms, _LEAST)


def multiply(a: Matrix, b: Matrix, bias: Array, out: Array, terms: int, end: End) -> None:
    """out[i, j] = end(bias[j] + Σ a[i, k] · b[k, j]); out has rows and columns."""
    rows, columns = out.shape
    parts = parts_of(rows, columns, terms)
    if parts == 1:
        _launch_tiles(a, b, bias, out, (rows, columns, terms, 1, 0), end)
        return
    found = allocate((parts, out.size), out.dtype)
    _launch_tiles(a, b, bias, found, (rows, columns, terms, parts, 0), AS_IT_IS)
    launch_each(_collect(end.finish), out.size, found.reshape(-1), bias, out, parts, end.numbers)


def multiply_parts(a: Matrix, b: Matrix, found: Array, terms: int, rows: int, ones: int) -> None:
    """Σ found[p, i · columns + j] = Σ a[i, k] · b[k, j].

    With `ones` the last column of b is 1 all over, and not stored: a gradient's column of biases.
    """
    parts, columns = found.shape[0], found.shape[1] // rows
    _launch_tiles(a, b, found, found, (rows, columns, terms, parts, ones), AS_IT_IS)


def _launch_tiles(a: Matrix, b: Matrix, bias: Array, out: Array, sizes: Numbers, end: End) -> None:
    rows, columns, _, parts, _ = sizes
    blocks = parts * -(-rows // _TILE) * -(-columns // _TILE)
    biased = out is not bias and parts == 1
    steps = (a.row, a.column, b.row, b.column)
    run = _kernel(out.dtype.str, biased, end.finish)
    launch(run, blocks, _THREADS, a.numbers, b.numbers, bias, out, sizes, steps, end.numbers)


@functools.cache
def _kernel(dtype: str, biased: bool, finish: Any) -> Any:
    number = numba.from_dtype(np.dtype(dtype))

    @kernel
    def multiply_tile(
        a: Array,
        b: Array,
        bias: Array,
        out: Array,
        sizes: Numbers,
        steps: Numbers,
        end: tuple[Any, ...],
    ) -> None:
        rows, columns, terms, parts, ones = sizes
        a_row, a_column, b_row, b_column = steps
        a_tile = cuda.shared.array((_DEPTH, _PITCH), number)
        b_tile = cuda.shared.array((_DEPTH, _PITCH), number)
        sums = cuda.local.array((_OWN, _OWN), number)

        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = thread // _SIDE, thread % _SIDE
        across = (columns + _TILE - 1) // _TILE
        down = (rows + _TILE - 1) // _TILE
        first_j = block % across * _TILE
        first_i = block // across % down * _TILE
        part = block // (across * down)

        # Each part has a run of terms, in whole steps of the tile's depth.
        run = (terms + _DEPTH * parts - 1) // (_DEPTH * parts) * _DEPTH
        last = (part + 1) * run if (part + 1) * run < terms else terms

        for y in range(_OWN):
            for x in range(_OWN):
                sums[y, x] = 0
        for start in range(part * run, last, _DEPTH):
            for e in range(thread, _DEPTH * _TILE, _THREADS):
                # Threads side by side read numbers side by side, whichever way a matrix lies.
                k, i = (e % _DEPTH, e // _DEPTH) if a_column == 1 else (e // _TILE, e % _TILE)
                a_tile[k, i] = 0
                if start + k < last and first_i + i < rows:
                    a_tile[k, i] = a[(first_i + i) * a_row + (start + k) * a_column]
                k, j = (e % _DEPTH, e // _DEPTH) if b_row == 1 else (e // _TILE, e % _TILE)
                b_tile[k, j] = 0
                if start + k < last and first_j + j < columns - ones:
                    b_tile[k, j] = b[(start + k) * b_row + (first_j + j) * b_column]
                elif start + k < last and first_j + j < columns:
                    b_tile[k, j] = 1
            cuda.syncthreads()
            for k in range(_DEPTH):
                for y in range(_OWN):
                    for x in range(_OWN):
                        sums[y, x] += a_tile[k, row + y * _SIDE] * b_tile[k, column + x * _SIDE]
            cuda.syncthreads()

        for y in range(_OWN):
            for x in range(_OWN):
                i, j = first_i + row + y * _SIDE, first_j + column + x * _SIDE
                if i < rows and j < columns:
                    total = sums[y, x]
                    if biased:
                        total += bias[j]
                    at = (part * rows + i) * columns + j
                    out.flat[at] = finish(total, out, at, end)

    return multiply_tile


@functools.cache
def _collect(finish: Any) -> Any:
    @kernel
    def collect(found: Array, bias: Array, out: Array, parts: int, end: tuple[Any, ...]) -> None:
        """out[i, j] = end(bias[j] + Σ found[p, (i, j)])."""
        at = cuda.grid(1)
        if at < out.size:
            total = bias[at % out.shape[1]] + sum_parts(found, at, out.size, parts)
            out.flat[at] = finish(total, out, at, end)

    return collect
