"""The small pieces of vector code in which a layer spends nearly all of its time."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    registers,
    tile,
)


@functools.cache
def multiply_add(dtype: Any, rows: int, vectors: int) -> Any:
    """Return the tile that sums products of scalars and vectors.

        out[i][u] = start[i][u] + Σ_k scalars[places[i] + taps[k].s] · wide[taps[k].t][u]

    for `rows` rows i of `vectors` vectors u. Places and taps are tables of offsets in bytes, so
    stride, dilation, padding and groups are nothing but other tables. `start` and `out` have a
    place for each row too. The sums stay in registers while k runs.
    """

    @tile(dtype)
    def sums(
        v: Vectors,
        scalars: Int,
        places: Int,
        wide: Int,
        taps: Int,
        count: Int,
        start: Int,
        start_places: Int,
        out: Int,
        out_places: Int,
    ) -> None:
        cells = [(i, u) for i in range(rows) for u in range(vectors)]
        at = [scalars + v.integer(places + 8 * i) for i in range(rows)]
        first = [start + v.integer(start_places + 8 * i) for i in range(rows)]

        def step(k: Int, sums: list[Vector]) -> list[Vector]:
            tap = taps + k * 16
            s, t = v.integer(tap), wide + v.integer(tap + 8)
            row = [v.load(t + u * v.bytes) for u in range(vectors)]
            scalar = [v.splat(place + s) for place in at]
            return [v.fma(scalar[i], row[u], sums[i * vectors + u]) for i, u in cells]

        totals = v.loop(count, [v.load(first[i] + u * v.bytes) for i, u in cells], step)
        to = [out + v.integer(out_places + 8 * i) for i in range(rows)]
        for (i, u), total in zip(cells, totals, strict=True):
            v.store(to[i] + u * v.bytes, total)

    return sums


def rows_of(vectors: int) -> int:
    """Return how many rows of `vectors` sums the registers hold.

    A row of vectors and a scalar need room beside the sums; with more than eight rows the
    addresses would run out of registers.
    """
    return min(8, (registers() - vectors - 2) // vectors)


@functools.cache
def padded_row(dtype: Any) -> Any:
    """Return the tile that copies a row with zeros before and behind it.

        to[:before] = 0;  at[: whole + 1] = source[:whole] and `rest` numbers;  then `behind` zeros

    counted in vectors, but for `rest`. A vector may reach into what the next one writes, and the
    last into the row that is copied next, so that no store needs a mask.
    """

    @tile(dtype)
    def row(
        v: Vectors, source: Int, to: Int, before: Int, at: Int, whole: Int, rest: Int, behind: Int
    ) -> None:
        def clear(start: Int, count: Int) -> None:
            def step(i: Int, _: list[Vector]) -> list[Vector]:
                v.store(start + i * v.bytes, v.zero())
                return []

            v.loop(count, [], step)

        def copy(i: Int, _: list[Vector]) -> list[Vector]:
            v.store(at + i * v.bytes, v.load(source + i * v.bytes))
            return []

        clear(to, before)
        v.loop(whole, [], copy)
        v.store(at + whole * v.bytes, v.load_some(source + whole * v.bytes, rest))
        clear(at + (whole + 1) * v.bytes, behind)

    return row


@functools.cache
def row_of_numbers(dtype: Any) -> Any:
    """Return the tile that copies a row of `whole` vectors and `rest` numbers."""

    @tile(dtype)
    def row(v: Vectors, source: Int, to: Int, whole: Int, rest: Int) -> None:
        def copy(i: Int, _: list[Vector]) -> list[Vector]:
            v.store(to + i * v.bytes, v.load(source + i * v.bytes))
            return []

        v.loop(whole, [], copy)
        end = whole * v.bytes
        v.store_some(to + end, v.load_some(source + end, rest), rest)

    return row


@functools.cache
def transpose(dtype: Any) -> Any:
    """Return the tile that turns a square, as wide as a vector, by its diagonal."""

    @tile(dtype)
    def square(v: Vectors, source: Int, source_row: Int, out: Int, out_row: Int) -> None:
        rows = [v.load(source + source_row * i) for i in range(v.lanes)]
        for i in range(v.lanes):
            v.prefetch(out + out_row * i + 2 * v.bytes)  # where the next squares will be written
        for i, column in enumerate(v.transposed(rows)):
            v.store(out + out_row * i, column)

    return square


@functools.cache
def transpose_some(dtype: Any) -> Any:
    """Return the tile that turns the part of a square that has so many rows and columns."""

    @tile(dtype)
    def square(
        v: Vectors, source: Int, source_row: Int, out: Int, out_row: Int, high: Int, wide: Int
    ) -> None:
        none = high - high
        numbers = range(v.lanes)
        rows = [
            v.load_some(source + source_row * i, v.within(i, 0, high, wide, none)) for i in numbers
        ]
        for i, column in enumerate(v.transposed(rows)):
            v.store_some(out + out_row * i, column, v.within(i, 0, wide, high, none))

    return square


class Side(NamedTuple):
    """One side of a scalar product: where it begins, a table of places there, bytes per row."""

    at: Any
    places: Any
    row: Any


@functools.cache
def dot(dtype: Any, rows: int, columns: int) -> Any:
    """Return the tile that sums products of vectors: a block of scalar products, in lanes.

        sums[i][k] += Σ_q Σ_r left[i][q][r] · right[k][q][r]

    over `count` rows q of `whole` vectors r and, if there are `some`, a vector of which only `rest`
    lanes count. The lanes of sums[i][k] are left apart: their total is the scalar product.
    """

    @tile(dtype)
    def products(
        v: Vectors,
        left: Side,
        right: Side,
        count: Int,
        whole: Int,
        rest: Int,
        some: Int,
        sums: Int,
        sums_row: Int,
    ) -> None:
        cells = [(i, k) for i in range(rows) for k in range(columns)]
        lefts = [left.at + v.integer(left.places + 8 * i) for i in range(rows)]
        rights = [right.at + v.integer(right.places + 8 * k) for k in range(columns)]

        def row(q: Int, sums: list[Vector]) -> list[Vector]:
            l_at, r_at = [a + left.row * q for a in lefts], [a + right.row * q for a in rights]

            def add(ls: list[Vector], rs: list[Vector], sums: list[Vector]) -> list[Vector]:
                return [v.fma(ls[i], rs[k], sums[i * columns + k]) for i, k in cells]

            def full(r: Int, sums: list[Vector]) -> list[Vector]:
                at = r * v.bytes
                return add([v.load(a + at) for a in l_at], [v.load(a + at) for a in r_at], sums)

            def last(_: Int, sums: list[Vector]) -> list[Vector]:
                at = whole * v.bytes
                ls = [v.load_some(a + at, rest) for a in l_at]
                return add(ls, [v.load_some(a + at, rest) for a in r_at], sums)

            return v.loop(some, v.loop(whole, sums, full), last)

        at = [sums + sums_row * i + k * v.bytes for i, k in cells]
        for address, total in zip(at, v.loop(count, [v.load(a) for a in at], row), strict=True):
            v.store(address, total)

    return products
