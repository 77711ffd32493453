"""The gradients of pools in vectors, for small windows of float32 and float64.

A task owns a band of rows of one plane of grad_x, and of a long row a strip. It goes through all
windows over its cells; what they send to cells of other tasks is left out. So no two tasks write
the same cell, and each cell is summed in the textbook's order.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.vector import address, lanes
from stepconv.kernels.cpu.pool.backward_tiles import Band, kept, returned
from stepconv.kernels.cpu.pool.windows import (
    CELLS,
    NO_COUNTS,
    STRIP,
    Array,
    Counts,
    Rows,
    Windows,
    as_type,
    band_rows,
)


class Cut(NamedTuple):
    """How the planes of a call are cut into tasks, and what memory a thread needs.

    A task takes `band` rows of windows and `strip` columns of them. The tile has `own` numbers for
    itself, and `spare` ones for the rows of cells that nobody asked for; then come the lanes that
    tell of doubt. `masks` are those of the first strip, the second, the last but one, the last.
    What is read in place of rows that are not there is in `padding` and `zeros`.
    """

    top: int
    left: int
    band: int
    strip: int
    own: int
    spare: int
    masks: Array
    padding: Array
    zeros: Array


@functools.lru_cache(maxsize=64)
def cut_planes(
    dtype: Any,
    shape: tuple[int, int, int],
    windows: Windows,
    top: int,
    left: int,
    outputs: int,
    average: bool,
    cells: int,
) -> Cut:
    """Decide how to cut the planes of grad_x, where a row has so many `outputs`, or windows."""
    planes, height, width = shape
    lane_count = lanes(dtype)
    # The grid of windows is carried on to the last cells, which may belong to no window.
    rows = (height + top - 1) // windows.stride_y + 1
    columns = (width + left - 1) // windows.stride_x + 1
    strip = min(STRIP, columns)
    first = left // windows.stride_x
    strips = -(-(columns - first) // strip)
    masks = [
        _masks(dtype, windows, left, width, outputs, first + n * strip, strip)
        for n in (0, min(1, strips - 1), max(0, strips - 2), strips - 1)
    ]
    vectors = -(-(strip + windows.reach[1]) // lane_count)
    spare = (vectors + 1) * lane_count * windows.stride_x + windows.width
    return Cut(
        top=top,
        left=left,
        band=band_rows(planes, rows, width * windows.stride_y, cells),
        strip=strip,
        own=vectors * lane_count * kept(windows, average).vectors,
        spare=spare,
        masks=np.array(masks, np.int64),
        padding=np.full(spare, -np.inf, dtype),
        zeros=np.zeros(spare, dtype),
    )


def backward(
    x: Array,
    grad_out: Array,
    grad_x: Array,
    windows: Windows,
    top: int,
    left: int,
    counts: tuple[Array, Array] = NO_COUNTS,
) -> Array:
    """Hand each window's gradient to its winner, or with counts to all of its cells.

    Return the planes in which a winner is in doubt, because of NaN or of a window of -inf alone.
    """
    dtype, average = grad_x.dtype, counts is not NO_COUNTS
    shape, outputs = grad_x.shape, grad_out.shape[2]
    cut = cut_planes(dtype, shape, windows, top, left, outputs, average, CELLS)
    threads = thread_count()
    room = cut.own + cut.spare + 2 * lanes(dtype)
    memory = scratch(dtype, threads * room).reshape(threads, room)
    doubtful = np.zeros(len(grad_x), np.bool_)
    kernel = _backward(dtype, windows, average)
    kernel(x, grad_out, grad_x, as_type(counts, dtype), cut[:], memory, doubtful)
    return np.flatnonzero(doubtful)


def _masks(
    dtype: Any, windows: Windows, left: int, width: int, outputs: int, low_j: int, strip: int
) -> list[int]:
    """Return the masks of a strip for the tile, whose bit l stands for lane l."""
    lane_count, stride, before = lanes(dtype), windows.stride_x, windows.reach[1]
    begin, high_j = max(0, low_j - before), low_j + strip
    low, high = max(0, low_j * stride - left), min(width, high_j * stride - left)

    def between(first: int, last: int, start: int) -> int:
        low, high = (min(max(end - start, 0), lane_count) for end in (first, last))
        return max(0, (1 << high) - (1 << low))

    masks = []
    for j in range(begin, begin + -(-(strip + before) // lane_count) * lane_count, lane_count):
        z = j * stride - left
        masks.append(between(0, outputs, j))
        masks += [between(low, high, z + u * lane_count) for u in range(stride)]
        masks += [between(0, width, z + b) for b in windows.read_at(lane_count)]
    return masks


@functools.cache
def _backward(dtype: Any, windows: Windows, average: bool) -> Any:
    back = returned(dtype, windows, average)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    stride_y, stride_x = windows.stride_y, windows.stride_x
    before_i, before_j = windows.reach
    # Rows before the first one find the largest cells of the rows that it shares with them.
    lead = 0 if average else before_i

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        grad_out: Array,
        grad_x: Array,
        counts: tuple[Array, Array],
        numbers: tuple[Any, ...],
        memory: Array,
        doubtful: Array,
    ) -> None:
        cut = Cut(*numbers)
        planes, height, width = grad_x.shape
        rows, columns = grad_out.shape[1:]
        top, left, pitch, out_pitch = cut.top, cut.left, width * size, columns * size
        # Cells are counted from the padding: row i · stride_y + q starts window row i if q is 0.
        first_i, last_i = top // stride_y, (top + height - 1) // stride_y + 1
        first_j, last_j = left // stride_x, (left + width - 1) // stride_x + 1
        bands = (last_i - first_i + cut.band - 1) // cut.band
        strips = (last_j - first_j + cut.strip - 1) // cut.strip
        mine = memory[worker]
        # The tile's memory begins at a multiple of a vector's size.
        begin = -address(mine) // size % lane_count
        own_at = address(mine) + begin * size
        dump_at, doubt = own_at + cut.own * size, begin + cut.own + cut.spare
        for t in range(*share_of(planes * bands * strips, share)):
            plane, n = t // (bands * strips), t % strips
            low_i, low_j = first_i + t // strips % bands * cut.band, first_j + n * cut.strip
            high_i, high_j = min(last_i, low_i + cut.band), min(last_j, low_j + cut.strip)
            begin_i, begin_j = max(0, low_i - before_i), max(0, low_j - before_j)
            vectors = (high_j - begin_j + lane_count - 1) // lane_count
            low_y, high_y = max(0, low_i * stride_y - top), min(height, high_i * stride_y - top)
            masks = cut.masks[0 if n == 0 else max(1, n - strips + 4)]
            corner = ((plane * height - top) * width + begin_j * stride_x - left) * size
            window = (plane * rows * columns + begin_j) * size
            back(
                Band(begin_i - lead, high_i - begin_i + lead, vectors, address(masks)),
                Rows(address(x) + corner, pitch, top, top + height, address(cut.padding)),
                Counts(address(counts[0]), address(counts[1]) + begin_j * size),
                Rows(address(grad_out) + window, out_pitch, begin_i, rows, address(cut.zeros)),
                Rows(address(grad_x) + corner, pitch, top + low_y, top + high_y, dump_at),
                own_at,
                own_at + (cut.own + cut.spare) * size,
            )
            for lane in range(lane_count):
                if mine[doubt + lane] != 0:
                    doubtful[plane] = True

    return apply
