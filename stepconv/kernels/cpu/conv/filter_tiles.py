"""The small pieces of vector code that slide one filter over one image."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, registers, tile

# In a kernel these hold numbers, in a tile what LLVM will compute.
Number = Any


class Lines(NamedTuple):
    """A table of the addresses of lines, from entry to entry, and where in a line to begin."""

    table: Number
    step: Number
    begin: Number


class Weights(NamedTuple):
    """The address of a kernel, its height and width, and the address of its bias."""

    at: Number
    rows: Number
    columns: Number
    bias: Number


class Result(NamedTuple):
    """The address of some lines, from line to line, and how a tile goes along them.

    It writes `count` numbers of each in so many steps; all that these hold, past the caches, if
    they are `streamed`.
    """

    at: Number
    step: Number
    count: Number
    steps: Number
    streamed: Number


class Edge(NamedTuple):
    """Whether a tile is at the edge of an image, the first cell it reads there, and the width."""

    near: Number
    column: Number
    width: Number


NO_EDGE = Edge(0, 0, 0)


@functools.cache
def window_sums(
    dtype: Any,
    rows: int,
    vectors: int,
    height: int | None = None,
    width: int | None = None,
    near: bool = False,
    ahead: bool = False,
    edges: bool = False,
) -> Any:
    """Return the tile that computes `rows` lines of a filtered image, `vectors` vectors at a time.

        out[o][j] = bias + Σ_a Σ_b weights[a, b] · lines[o + a][columns[b] + j]    for j < count

    A vector of the image is loaded once per column of the kernel and used for every line of the
    result that it belongs to:

        line 0 of the image    weights row 0 -> out 0
        line 1                           row 1 -> out 0    row 0 -> out 1
        line 2                           row 2 -> out 0    row 1 -> out 1    row 0 -> out 2
        ...

    so a tile may not be higher than the kernel, unless it is made for one `height`. A loop over
    a height or width that is given is unrolled. The order of a sum is that of the weights, wherever
    the tile begins. `columns` is a table of offsets in bytes, which is not read where columns are
    `near`: columns[b] = b. All the numbers that the steps along the lines hold are loaded. With
    `ahead` each step asks for what the next tile downwards is going to read and this one does not.
    With `edges` there are zeros for what lies outside of the image.
    """

    @tile(dtype)
    def sums(
        v: Vectors, lines: Lines, columns: Int, weights: Weights, result: Result, edge: Edge
    ) -> None:
        weight_row = weights.columns * v.size
        start = v.splat(weights.bias)
        places = [(o, u) for o in range(rows) for u in range(vectors)]

        def line_at(r: Int | int) -> Int:
            return v.integer(lines.table + lines.step * r) + lines.begin

        def column_at(b: Int | int) -> Int:
            return lines.begin * 0 + b * v.size if near else v.integer(columns + b * 8)

        def weight_at(a: Int | int, b: Int | int) -> Vector:
            return v.splat(weights.at + weight_row * a + b * v.size)

        # What does not change from step to step is loaded once, as far as registers hold it.
        known: list[Int] = [line_at(r) for r in range(height + rows - 1)] if height else []
        held: dict[Any, Vector] = {}
        taps = [(a, b) for a in range(height or 0) for b in range(width or 0)]
        if len(taps) + len(places) + vectors < registers():
            held = {(a, b): weight_at(a, b) for a, b in taps}

        def step(k: Int, at_edge: bool) -> list[Vector]:
            along = k * (vectors * v.bytes)

            def load(at: Int, b: Int | int, u: int) -> Vector:
                if not at_edge:
                    return v.load(at)
                first = edge.column + (k * vectors + u) * v.lanes + b
                inside = v.lanes_between(first * -1, edge.width - first)
                return v.load_where(inside, at, v.zero())

            def add_line(r: Int | int, served: range, state: list[Vector]) -> list[Vector]:
                """Add what line r gives to the lines `served`."""
                line = (known[r] if isinstance(r, int) and known else line_at(r)) + along

                def add_column(b: Int | int, state: list[Vector]) -> list[Vector]:
                    at = line + column_at(b)
                    cells = [load(at + u * v.bytes, b, u) for u in range(vectors)]
                    for o in served:
                        weight = held[r - o, b] if held else weight_at(r - o, b)
                        for c, cell in enumerate(cells, o * vectors):
                            state[c] = v.fma(weight, cell, state[c])
                    return state

                if width is None:
                    return v.loop(weights.columns, state, add_column)
                for b in range(width):
                    state = add_column(b, state)
                return state

            if ahead:
                for o in range(rows):
                    line = line_at(weights.rows + (rows - 1 + o)) + along
                    for u in range(vectors):
                        v.prefetch(line + u * v.bytes)
            state = [start] * len(places)
            if height is None:
                for r in range(rows - 1):
                    state = add_line(r, range(r + 1), state)
                state = v.loop(
                    weights.rows - (rows - 1),
                    state,
                    lambda i, state: add_line(i + (rows - 1), range(rows), state),
                )
                for o in range(1, rows):
                    state = add_line(weights.rows + (o - 1), range(o, rows), state)
            else:
                for r in range(height + rows - 1):
                    served = range(max(0, r - height + 1), min(rows, r + 1))
                    state = add_line(r, served, state)

            def stream() -> None:
                for (o, u), total in zip(places, state, strict=True):
                    v.stream(result.at + result.step * o + along + u * v.bytes, total)

            def store() -> None:
                for (o, u), total in zip(places, state, strict=True):
                    rest = result.count - (k * vectors + u) * v.lanes
                    v.store_some(result.at + result.step * o + along + u * v.bytes, total, rest)

            v.when(result.streamed, stream, store)
            return []

        def run(at_edge: bool) -> None:
            v.loop(result.steps, [], lambda k, _: step(k, at_edge))

        if edges:
            v.when(edge.near, lambda: run(True), lambda: run(False))
        else:
            run(False)

    return sums


@functools.cache
def line_sums(dtype: Any, vectors: int, near: bool) -> Any:
    """Return the tile that slides one row of weights along a line, `vectors` vectors at a time.

        out[j] = bias + Σ_b weights[b] · line[columns[b] + j]    for j < count

    Where columns are `near`, columns[b] = b, one that is loaded serves two weights that lie a
    vector apart, for two neighbouring vectors of sums:

        line[j + b …]    weights[b] -> out[j …]    weights[b + lanes] -> out[j - lanes …]

    The order of a sum is that in which the pairs come, wherever the tile begins. All numbers that
    the steps along the line hold are read.
    """

    @tile(dtype)
    def sums(v: Vectors, line: Int, columns: Int, weights: Weights, result: Result) -> None:
        start, width = v.splat(weights.bias), weights.columns

        def step(k: Int, _: list[Vector]) -> list[Vector]:
            along = k * (vectors * v.bytes)
            cells = line + along

            def add(b: Int, at: Int, state: list[Vector]) -> list[Vector]:
                weight = v.splat(weights.at + b * v.size)
                return [v.fma(weight, v.load(at + u * v.bytes), state[u]) for u in range(vectors)]

            def add_pair(b: Int, state: list[Vector]) -> list[Vector]:
                at = cells + b * v.size
                first, second = (v.splat(weights.at + (b + s) * v.size) for s in (0, v.lanes))
                loaded = [v.load(at + u * v.bytes) for u in range(vectors + 1)]
                state = [v.fma(first, loaded[u], state[u]) for u in range(vectors)]
                return [v.fma(second, loaded[u + 1], state[u]) for u in range(vectors)]

            def add_group(g: Int, state: list[Vector]) -> list[Vector]:
                """Add the weights from b on: those that have a partner, then the others."""
                b = g * (2 * v.lanes)
                rest = width - b
                pairs = v.most(0, v.least(rest - v.lanes, v.lanes))
                single = v.least(rest, v.lanes) - pairs
                state = v.loop(pairs, state, lambda s, state: add_pair(b + s, state))
                return v.loop(
                    single,
                    state,
                    lambda s, state: add(b + pairs + s, cells + (b + pairs + s) * v.size, state),
                )

            state = [start] * vectors
            if near:
                groups = v.quotient_up(width, 2 * v.lanes)
                state = v.loop(groups, state, add_group)
            else:
                state = v.loop(
                    width, state, lambda b, state: add(b, cells + v.integer(columns + b * 8), state)
                )

            def stream() -> None:
                for u, total in enumerate(state):
                    v.stream(result.at + along + u * v.bytes, total)

            def store() -> None:
                for u, total in enumerate(state):
                    rest = result.count - (k * vectors + u) * v.lanes
                    v.store_some(result.at + along + u * v.bytes, total, rest)

            v.when(result.streamed, stream, store)
            return []

        v.loop(result.steps, [], step)

    return sums


@functools.cache
def poured(dtype: Any) -> Any:
    """Return the tile that writes numbers past the caches: out[i] = source[i] for i < count.

    So many come `before` an address of the result that is a multiple of a vector's size. A vector
    more of the source may be read than is written.
    """

    @tile(dtype)
    def pour(v: Vectors, source: Int, out: Int, count: Int, before: Int) -> None:
        before = v.least(before, count)
        whole = v.quotient_up(count - before - (v.lanes - 1), v.lanes)
        first, last = before * v.size, before * v.size + whole * v.bytes

        def step(i: Int, _: list[Vector]) -> list[Vector]:
            at = first + i * v.bytes
            v.stream(out + at, v.load(source + at))
            return []

        v.store_some(out, v.load(source), before)
        v.loop(whole, [], step)
        v.store_some(out + last, v.load(source + last), count - before - whole * v.lanes)

    return pour


@tile(np.float32)
def fence(v: Vectors) -> None:
    """Let other threads see what was streamed."""
    v.fence()


@functools.cache
def separate(dtype: Any) -> Any:
    """Return the tile that parts a line into its even and its odd cells, by vectors."""

    @tile(dtype)
    def parts(v: Vectors, line: Int, even: Int, odd: Int, vectors: Int) -> None:
        def step(i: Int, _: list[Vector]) -> list[Vector]:
            at, to = line + i * (2 * v.bytes), i * v.bytes
            first, second = v.unzipped(v.load(at), v.load(at + v.bytes))
            v.store(even + to, first)
            v.store(odd + to, second)
            return []

        v.loop(vectors, [], step)

    return parts
