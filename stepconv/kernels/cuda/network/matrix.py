"""A product of two matrices on a GPU: dense layers, forward and both ways back.

    out[i, j] = Σ over the terms k of a[i, k] · b[k, j]

Each matrix is a row of numbers with a step from row to row and one from column to column, so that
one kernel serves a matrix and its transpose. A block of threads computes a square tile of out:

    for every few terms:
        all threads together ask for the next columns of a and rows of b
        each thread adds the products of these to the few sums that it keeps in registers
        all write down what has come, in memory that the block shares

Where there are many terms for few tiles, blocks share the terms of a tile: each finds a part.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda.conv.tiles import in_tile, side_by_side
from stepconv.kernels.cuda.machine.array import allocate
from stepconv.kernels.cuda.machine.launch import (
    ALIGNED,
    SIMULATED,
    inner,
    kernel,
    launch,
    launch_each,
)
from stepconv.kernels.cuda.machine.sums import parts_for, sum_parts
from stepconv.kernels.cuda.network.ends import AS_IT_IS, End

Array = Any

# Threads along a side of a tile, sums of each in both directions, terms between loads, and the
# fewest terms of a part.
_SIDE, _OWN, _DEPTH, _LEAST = (2, 2, 3, 4) if SIMULATED else (8, 4, 16, 128)
_TILE = _SIDE * _OWN
_THREADS = _SIDE * _SIDE


class Matrix(NamedTuple):
    """Numbers in a row, as a matrix: the steps from one row and from one column to the next."""

    numbers: Array
    row: int
    column: int


class Sizes(NamedTuple):
    """Of a product: rows and columns of out, the terms of a sum, and in how many parts they are.

    With `ones` the last column of b is 1 all over, and not stored.
    """

    rows: int
    columns: int
    terms: int
    parts: int = 1
    ones: int = 0


def parts_of(rows: int, columns: int, terms: int) -> int:
    """Return into how many parts the terms are split."""
    return parts_for(-(-rows // _TILE) * -(-columns // _TILE), terms, _LEAST)


def multiply(a: Matrix, b: Matrix, bias: Array, out: Array, terms: int, end: End) -> None:
    """out[i, j] = end(bias[j] + Σ a[i, k] · b[k, j]); out has rows and columns."""
    rows, columns = out.shape
    parts = parts_of(rows, columns, terms)
    if parts == 1:
        _launch_tiles(a, b, bias, out, Sizes(rows, columns, terms), end)
        return
    found = allocate((parts, out.size), out.dtype)
    _launch_tiles(a, b, bias, found, Sizes(rows, columns, terms, parts), AS_IT_IS)
    launch_each(_collect(end.finish), out.size, found.reshape(-1), bias, out, parts, end.numbers)


def multiply_parts(a: Matrix, b: Matrix, found: Array, terms: int, rows: int, ones: int) -> None:
    """Σ found[p, i · columns + j] = Σ a[i, k] · b[k, j]; `ones` give biases' gradients."""
    parts, columns = found.shape[0], found.shape[1] // rows
    _launch_tiles(a, b, found, found, Sizes(rows, columns, terms, parts, ones), AS_IT_IS)


def _launch_tiles(a: Matrix, b: Matrix, bias: Array, out: Array, sizes: Sizes, end: End) -> None:
    blocks = sizes.parts * -(-sizes.rows // _TILE) * -(-sizes.columns // _TILE)
    biased = out is not bias and sizes.parts == 1
    run = _kernel(out.dtype.str, biased, a.column == 1, b.row == 1, end.finish)
    launch(run, blocks, _THREADS, a, b, bias, out, sizes, end.numbers)


@inner
def _fetched(e: int, lies_by_terms: bool, across_tile: int) -> tuple[int, int]:
    """Return of which term, and for which rows or columns of a tile, a thread fetches numbers.

    Threads side by side read numbers side by side, whichever way a matrix lies.
    """
    if lies_by_terms:
        return e % _DEPTH, e // _DEPTH
    return e // across_tile, e % across_tile


@functools.cache
def _kernel(
    dtype: str, biased: bool, a_lies_by_terms: bool, b_lies_by_terms: bool, finish: Any
) -> Any:
    number = numba.from_dtype(np.dtype(dtype))
    beside = side_by_side(_OWN, dtype)
    pitch, deep = _TILE + beside, np.uint64(_DEPTH)  # see tiles.py
    across_tile = _TILE // beside  # what lies side by side is fetched by one thread
    loads = -(-_DEPTH * across_tile // _THREADS)

    @kernel
    def multiply_tile(
        a: Matrix, b: Matrix, bias: Array, out: Array, sizes: Sizes, end: Any
    ) -> None:
        rows, columns, terms, parts, ones = sizes
        if ALIGNED:
            a_tile = cuda.shared.array((_DEPTH, pitch), number, 16)
            b_tile = cuda.shared.array((_DEPTH, pitch), number, 16)
        else:
            a_tile = cuda.shared.array((_DEPTH, pitch), number)
            b_tile = cuda.shared.array((_DEPTH, pitch), number)
        sums = cuda.local.array((_OWN, _OWN), number)
        near_a, near_b = cuda.local.array(_OWN, number), cuda.local.array(_OWN, number)
        new_a = cuda.local.array((loads, beside), number)
        new_b = cuda.local.array((loads, beside), number)

        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        row, column = np.uint32(thread // _SIDE), np.uint32(thread % _SIDE)
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
        for start in range(part * run, last + _DEPTH, _DEPTH):
            # What comes next is asked for before the tile that is there is used, as in
            # conv/many_filters.py.
            for load in range(loads):
                e = thread + load * _THREADS
                k, i = _fetched(e, a_lies_by_terms, across_tile)
                for s in range(beside):
                    at = first_i + i * beside + s
                    new_a[load, s] = 0
                    if start + k < last and at < rows:
                        new_a[load, s] = a.numbers.flat[at * a.row + (start + k) * a.column]
                k, j = _fetched(e, b_lies_by_terms, across_tile)
                for s in range(beside):
                    at = first_j + j * beside + s
                    new_b[load, s] = 0
                    if start + k < last and at < columns - ones:
                        new_b[load, s] = b.numbers.flat[(start + k) * b.row + at * b.column]
                    elif start + k < last and at < columns:
                        new_b[load, s] = 1
            if start > part * run:
                for k in range(deep):
                    for y in range(_OWN):
                        near_a[y] = a_tile[k, in_tile(y, row, _SIDE, beside)]
                    for x in range(_OWN):
                        near_b[x] = b_tile[k, in_tile(x, column, _SIDE, beside)]
                    for y in range(_OWN):
                        for x in range(_OWN):
                            sums[y, x] += near_a[y] * near_b[x]
            cuda.syncthreads()
            for load in range(loads):
                e = thread + load * _THREADS
                if e < _DEPTH * across_tile:
                    k, i = _fetched(e, a_lies_by_terms, across_tile)
                    for s in range(beside):
                        a_tile[np.uint32(k), np.uint32(i * beside) + s] = new_a[load, s]
                    k, j = _fetched(e, b_lies_by_terms, across_tile)
                    for s in range(beside):
                        b_tile[np.uint32(k), np.uint32(j * beside) + s] = new_b[load, s]
            cuda.syncthreads()

        for y in range(_OWN):
            for x in range(_OWN):
                i = first_i + in_tile(y, row, _SIDE, beside)
                j = first_j + in_tile(x, column, _SIDE, beside)
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
    def collect(found: Array, bias: Array, out: Array, parts: int, end: Any) -> None:
        """out[i, j] = end(bias[j] + Σ found[p, (i, j)])."""
        at = cuda.grid(1)
        if at < out.size:
            total = bias[at % out.shape[1]] + sum_parts(found, at, out.size, parts)
            out.flat[at] = finish(total, out, at, end)

    return collect
