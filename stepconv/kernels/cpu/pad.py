"""Padding on the CPU: two tables say which cell each padded row and column copies."""

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    address,
    tile,
    vector_bits,
)

Array = Any

_CELLS = 1 << 13  # in the rows of a task, about
_VECTOR = vector_bits() // 8


def pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    """out[b, i, j] = x[b, rows[i], columns[j]], or `value` where an index is -1."""
    # Numbers of one size are moved in one way, whatever they mean.
    bits = np.dtype(f"u{out.dtype.itemsize}")
    filler = np.full(1, value, out.dtype).view(bits)
    _padding(bits.itemsize)(x.view(bits), out.view(bits), rows, columns, filler)


class Lines(NamedTuple):
    """Rows in memory: where the first one begins, and how many bytes on the next."""

    first: Any
    pitch: Any


class Border(NamedTuple):
    """What each row has beside its run: from where in its `cells`, to where in the result."""

    cells: Lines
    places: Any
    count: Any


@functools.cache
def _padding(size: int) -> Any:
    copy = rows_copy(size)

    @parallel
    def apply(
        worker: int, share: int, x: Array, out: Array, rows: Array, columns: Array, filler: Array
    ) -> None:
        planes, out_height, out_width = out.shape
        height, width = x.shape[1:]
        pitch, out_pitch = width * size, out_width * size
        first, last = rising(columns)
        run = (last - first) * size
        border = np.empty((out_width - (last - first), 2), np.int64)
        for k in range(len(border)):
            j = k if k < first else k + last - first
            border[k, 0], border[k, 1] = max(0, columns[j]) * size, j * size
        # Either all columns of a border are copies, or none is.
        filled = len(border) > 0 and columns[0 if first else last] < 0
        band = max(1, _CELLS // out_width)
        bands = (out_height + band - 1) // band
        for t in range(*share_of(planes * bands, share)):
            b, i = t // bands, t % bands * band
            high = min(out_height, i + band)
            plane = address(x) + b * height * pitch
            while i < high:
                count = 0
                while run >= _VECTOR and i + count < high and rows[i + count] >= 0:
                    count += 1
                if count > 0:
                    to = address(out) + (b * out_height + i) * out_pitch
                    cells = address(filler) if filled else plane
                    copy(
                        Lines(plane + columns[first] * size, pitch),
                        address(rows) + i * 8,
                        count,
                        Lines(to, out_pitch),
                        first * size,
                        run,
                        Border(Lines(cells, 0 if filled else pitch), address(border), len(border)),
                    )
                    i += count
                    continue
                if rows[i] < 0:
                    out[b, i] = filler[0]
                else:
                    for j in range(out_width):
                        out[b, i, j] = x[b, rows[i], columns[j]] if columns[j] >= 0 else filler[0]
                i += 1

    return apply


@functools.cache
def rows_copy(size: int) -> Any:
    """Return the tile that copies `count` rows with a border at both ends.

        out[i][start + k] = source[rows[i]][k]                            for k < run
        out[i][places[n, 1]] = border.cells[rows[i]][places[n, 0]]        for n < border.count

    All places are counted in bytes, and a number of the border has `size` of them. The run is
    copied by vectors: whole ones, then one that ends with the run and may overlap the last.
    """

    @tile(np.float32)
    def copy(
        v: Vectors,
        source: Lines,
        rows: Int,
        count: Int,
        out: Lines,
        start: Int,
        run: Int,
        border: Border,
    ) -> None:
        whole = v.quotient_up(run, v.bytes) - 1

        def row(i: Int, _: list[Vector]) -> list[Vector]:
            r = v.integer(rows + i * 8)
            here, to = source.first + source.pitch * r, out.first + out.pitch * i
            cells = border.cells.first + border.cells.pitch * r

            def vector(k: Int, _: list[Vector]) -> list[Vector]:
                v.store(to + start + k * v.bytes, v.load(here + k * v.bytes))
                return []

            def edge(n: Int, _: list[Vector]) -> list[Vector]:
                at = border.places + n * 16
                v.move(cells + v.integer(at), to + v.integer(at + 8), size)
                return []

            v.loop(whole, [], vector)
            v.store(to + start + (run - v.bytes), v.load(here + (run - v.bytes)))
            return v.loop(border.count, [], edge)

        v.loop(count, [], row)

    return copy


@inner
def rising(columns: Array) -> tuple[int, int]:
    """Return [first, last) of the longest run of columns that copies neighbours in their order.

    Where reflect has `2 1 0 1 2 3 2 1`, that is `0 1 2 3`.
    """
    first, last, start = 0, 0, 0
    for j in range(columns.size):
        if columns[j] < 0:
            start = j + 1
        elif j > start and columns[j] != columns[j - 1] + 1:
            start = j
        if j + 1 - start > last - first:
            first, last = start, j + 1
    return first, last


@parallel
def pad_backward(
    worker: int, share: int, grad_out: Array, grad_x: Array, rows: Array, columns: Array
) -> None:
    """Add the gradient of every padded cell to the cell that it is a copy of."""
    planes, out_height, out_width = grad_out.shape
    height, width = grad_x.shape[1:]
    first, last = rising(columns)
    grad, to = grad_out.reshape(-1), grad_x.reshape(-1)
    # A task owns some rows of grad_x, and looks through all of grad_out for what is theirs.
    band = max((height + 15) // 16, _CELLS // max(1, width), 1)
    bands = (height + band - 1) // band
    for t in range(*share_of(planes * bands, share)):
        b, low = t // bands, t % bands * band
        high = min(height, low + band)
        to[(b * height + low) * width : (b * height + high) * width] = 0
        for i in range(out_height):
            if low <= rows[i] < high:
                source, row = (b * out_height + i) * out_width, (b * height + rows[i]) * width
                for j in range(first):
                    if columns[j] >= 0:
                        to[row + columns[j]] += grad[source + j]
                if first < last:
                    start = row + columns[first]
                    middle = to[start : start + last - first]
                    given = grad[source + first : source + last]
                    for j in range(middle.size):
                        middle[j] += given[j]
                for j in range(last, out_width):
                    if columns[j] >= 0:
                        to[row + columns[j]] += grad[source + j]


def zero_border(x: Array, top: int, left: int, height: int, width: int) -> Array:
    """Return (batch, channels, height, width) with x at row `top`, column `left`, zeros around.

    What lies beyond the height and width asked for is left out; x itself is returned where it
    reaches as far as asked.
    """
    if top == 0 and left == 0 and height <= x.shape[2] and width <= x.shape[3]:
        return x
    padded = np.empty((*x.shape[:2], height, width), x.dtype)
    _zero_border.for_work(padded.size)(x, padded, top, left)
    return padded


@parallel
def _zero_border(worker: int, share: int, x: Array, padded: Array, top: int, left: int) -> None:
    channels, height, width = padded.shape[1:]
    first, last = min(left, width), min(width, left + x.shape[3])
    for t in range(*share_of(padded.shape[0] * channels, share)):
        n, c = t // channels, t % channels
        for i in range(height):
            row, y = padded[n, c, i], i - top
            if 0 <= y < x.shape[2]:
                row[:first] = 0
                for j in range(first, last):
                    row[j] = x[n, c, y, j - left]
                row[last:] = 0
            else:
                row[:] = 0
