"""The small pieces of vector code that slide one filter over one image."""

from __future__ import annotations

import functools
from typing import Any

from stepconv.kernels.cpu.vector import Int, Vector, Vectors, tile


@functools.cache
def window_sums(
    dtype: Any, rows: int, vectors: int, height: int | None = None, width: int | None = None
) -> Any:
    """Return the tile that computes `rows` lines of `vectors` vectors of a filtered image.

        out[o][j] = bias + Σ_a Σ_b weights[a, b] · lines[o + a][columns[b] + j]

    A vector of the image is loaded once per column of the kernel and used for every line of the
    result that it belongs to:

        line 0 of the image    weights row 0 -> out 0
        line 1                           row 1 -> out 0    row 0 -> out 1
        line 2                           row 2 -> out 0    row 1 -> out 1    row 0 -> out 2
        ...

    so a tile may not be higher than the kernel, unless it is made for one `height`. A loop over
    a height or width that is given is unrolled. The order of a sum is that of the weights, wherever
    the tile begins. `lines` is a table of addresses, `columns` one of offsets in bytes; `count`
    numbers of each line are written.
    """

    @tile(dtype)
    def sums(
        v: Vectors,
        lines: Int,
        line_step: Int,
        shift: Int,
        columns: Int,
        weights: Int,
        kernel_height: Int,
        kernel_width: Int,
        bias: Int,
        out: Int,
        out_step: Int,
        count: Int,
    ) -> None:
        weight_row = kernel_width * v.size

        def add_line(r: Int | int, served: range, state: list[Vector]) -> list[Vector]:
            """Add what line r gives to the lines `served`."""
            line = v.integer(lines + line_step * r) + shift
            rows_at = {o: weights + weight_row * (r - o) for o in served}

            def add_column(b: Int | int, state: list[Vector]) -> list[Vector]:
                at = line + v.integer(columns + b * 8)
                cells = [v.load(at + c * v.bytes) for c in range(vectors)]
                for o in served:
                    weight = v.splat(rows_at[o] + b * v.size)
                    for c, cell in enumerate(cells, o * vectors):
                        state[c] = v.fma(weight, cell, state[c])
                return state

            if width is None:
                return v.loop(kernel_width, state, add_column)
            for b in range(width):
                state = add_column(b, state)
            return state

        state = [v.splat(bias)] * (rows * vectors)
        if height is None:
            for r in range(rows - 1):
                state = add_line(r, range(r + 1), state)
            state = v.loop(
                kernel_height - (rows - 1),
                state,
                lambda i, state: add_line(i + (rows - 1), range(rows), state),
            )
            for o in range(1, rows):
                state = add_line(kernel_height + (o - 1), range(o, rows), state)
        else:
            for r in range(height + rows - 1):
                served = range(max(0, r - height + 1), min(rows, r + 1))
                state = add_line(r, served, state)
        for c, total in enumerate(state):
            o, u = divmod(c, vectors)
            v.store_some(out + out_step * o + u * v.bytes, total, count - u * v.lanes)

    return sums


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


@functools.cache
def copy_with_zeros(dtype: Any) -> Any:
    """Return the tile that writes a line of `vectors` vectors with a piece of an image in it.

        0 0 0 | source[0] … source[count - 1] | 0 0 …

    The piece begins at byte `place` of the line. Up to a vector of zeros is written behind it,
    which may lie behind the line.
    """

    @tile(dtype)
    def copy(
        v: Vectors, source: Int, count: Int, pieces: Int, line: Int, place: Int, vectors: Int
    ) -> None:
        def clear(i: Int, _: list[Vector]) -> list[Vector]:
            v.store(line + i * v.bytes, v.zero())
            return []

        def write(i: Int, _: list[Vector]) -> list[Vector]:
            at = i * v.bytes
            v.store(line + place + at, v.load_some(source + at, count - i * v.lanes))
            return []

        v.loop(vectors, [], clear)
        v.loop(pieces, [], write)

    return copy
