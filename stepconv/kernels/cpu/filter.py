"""Filters: one channel goes into one channel, as in plain images, signals and depthwise layers.

A vector holds neighbouring cells of a line, and a tile computes a few lines at a time, so that a
cell that was loaded serves several windows. Where all windows of a block of columns lie inside of
the image, its lines are read where they are; elsewhere they are copied with the padding around
them. Lines above and below the image are all the same line of zeros. No image is padded as a whole.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import prange

from stepconv.kernels.compile import inner, parallel
from stepconv.kernels.cpu.filter_tiles import copy_with_zeros, window_sums
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.vector import lanes, registers

Array = Any
Pair = tuple[int, int]

# What a task works on should lie in the second-level cache.
_CACHE_BYTES = 512 * 1024
# Starting the threads takes as long as this many multiplications.
_FEW = 100_000


@dataclass(frozen=True, eq=False)
class Cut:
    """How the images of a call are cut into tasks: bands of lines, and blocks of columns.

    `rows` and `vectors` are the size of a tile. Lines i, i + step, … of the result share lines of
    the image. A block is (first column, end, 1 if its lines are copied). A copied line consists of
    one part of `pitch` cells for each remainder of a column divided by the stride. `numbers` are
    the integers that kernels ask for.
    """

    rows: int
    vectors: int
    height: int | None
    threads: int
    lines: int
    cells: int
    blocks: Array
    numbers: Array

    def memory(self, dtype: Any, more: int = 0) -> tuple[Array, Array]:
        """Return a table of addresses and a place for copies per thread."""
        table = self.threads * self.lines
        room = self.cells + more
        whole = scratch(np.int64, table + -(-self.threads * room * dtype.itemsize // 8))
        cells = whole[table:].view(dtype)[: self.threads * room]
        return whole[:table].reshape(self.threads, -1), cells.reshape(self.threads, room)


@functools.lru_cache(maxsize=256)
def cut_planes(
    dtype: Any,
    planes: int,
    image: Pair,
    grid: Pair,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    pads: Pair,
    threads: int,
) -> Cut:
    """Decide how to cut: tiles that fit the grid, and a few tasks per thread."""
    lane_count, size = lanes(dtype), dtype.itemsize
    step = dilation[0] // stride[0] if dilation[0] % stride[0] == 0 else 0
    rows, vectors = _tile(grid, step, lane_count)
    step = max(1, step)
    width = vectors * lane_count
    reach = (kernel[1] - 1) * dilation[1]
    wanted = 1 if threads == 1 else 4 * threads

    # Blocks: copied ones at the edges, and in the middle as wide as the cache allows.
    height = (rows - 1) * dilation[0] + (kernel[0] - 1) * dilation[0] + 1
    share = -(-grid[1] * planes // wanted) if grid[0] < rows * step * 4 else grid[1]
    widest = min(_CACHE_BYTES // (height * size * stride[1]) - reach, share)
    widest = max(4 * width, widest // width * width)
    first, end = _inside(image[1], grid[1], stride[1], reach, pads[1])
    first, end = -(-first // width) * width, grid[1] - -(-(grid[1] - end) // width) * width
    if stride[1] > 1 or end - first < width:
        first = end = grid[1]
    blocks = [
        *((j, min(j + widest, first), 1) for j in range(0, first, widest)),
        *_middle(first, end, widest, width),
        *((j, min(j + widest, grid[1]), 1) for j in range(end, grid[1], widest)),
    ]
    copied = max((j1 - j0 for j0, j1, copy in blocks if copy), default=0)
    direct = max((j1 - j0 for j0, j1, copy in blocks if not copy), default=0)
    pitch = -(-copied // width) * width + reach // stride[1]
    pitch = -(-pitch // lane_count) * lane_count if copied else 0

    # Bands: few, but their copies have to fit too.
    unit = rows * step
    bands = max(1, wanted // (planes * len(blocks)))
    band = min(256, -(-grid[0] // bands))
    if pitch:
        fitting = _CACHE_BYTES // (pitch * stride[1] * size) - (kernel[0] - 1) * dilation[0]
        band = min(band, fitting // stride[0])
    band = min(grid[0], max(unit, -(-band // unit) * unit))
    lines = (band - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
    zeros = max(pitch * stride[1], direct + reach + lane_count)
    numbers = (*stride, *dilation, *pads, step, band, lines, pitch, zeros)
    return Cut(
        rows,
        vectors,
        height=kernel[0] if kernel[0] < rows else None,
        threads=threads,
        lines=lines + kernel[1],
        cells=zeros + (lines * pitch * stride[1] + lane_count if pitch else 0),
        blocks=np.array(blocks, np.int64),
        numbers=np.array(numbers, np.int64),
    )


def _tile(grid: Pair, step: int, lane_count: int) -> Pair:
    """Return how many lines and vectors a tile takes: what the registers hold, with little waste.

    Beside the sums there have to be a line's vectors and a weight.
    """
    needed = -(-grid[1] // lane_count)
    most = 4 if registers() > 16 else 3
    if needed > 4 * most:
        vectors = most
    else:
        vectors = min(range(most, 0, -1), key=lambda count: -(-needed // count) * count)
    rows = min(6, (registers() - vectors - 1) // vectors)
    if step and grid[0] >= rows * step:
        return rows, vectors
    return 1, 2 * most if needed >= 2 * most else vectors


def _inside(size: int, grid: int, stride: int, reach: int, pad: int) -> Pair:
    """Return the first window that lies inside of the image, and the end of those that do."""
    first = min(grid, -(-pad // stride))
    return first, max(first, min(grid, (size - 1 - reach + pad) // stride + 1))


def _middle(first: int, end: int, widest: int, width: int) -> list[tuple[int, int, int]]:
    """Cut columns into blocks, none narrower than a tile."""
    if first == end:
        return []
    count = max(1, (end - first) // widest)
    edges = [first + (end - first) * k // count // width * width for k in range(count)]
    return [(a, b, 0) for a, b in zip(edges, [*edges[1:], end], strict=True)]


@functools.cache
def gathering(dtype: Any) -> Any:
    """Return the function that finds or copies the lines of a task."""
    copy, lane_count, size = copy_with_zeros(dtype), lanes(dtype), dtype.itemsize

    @inner
    def gather(
        x: Array,
        plane: int,
        first_y: int,
        first_x: int,
        count: int,
        copied: int,
        numbers: Array,
        table: Array,
        cells: Array,
    ) -> None:
        """table[k] = the address of cell (first_y + k, first_x), of a copy where `copied`."""
        height, width = x.shape[2], x.shape[3]
        stride, pitch, zeros = numbers[1], numbers[9], numbers[10]
        low = max(0, min(pitch, -first_x))
        have = max(0, min(pitch, width - first_x) - low)
        for k in range(count):
            y = first_y + k
            if y < 0 or y >= height:
                table[k] = cells.ctypes.data
            elif not copied:
                table[k] = x.ctypes.data + ((plane * height + y) * width + first_x) * size
            else:
                place = zeros + k * pitch * stride
                line = cells.ctypes.data + place * size
                source = (plane * height + y) * width + first_x
                table[k] = line
                if stride == 1:
                    copy(
                        x.ctypes.data + (source + low) * size,
                        have,
                        (have + lane_count - 1) // lane_count,
                        line,
                        low * size,
                        pitch // lane_count,
                    )
                else:
                    flat = x.reshape(-1)
                    for p in range(stride):
                        begin = max(0, min(pitch, (stride - 1 - first_x - p) // stride))
                        end = (width - first_x - p + stride - 1) // stride
                        end = max(begin, min(pitch, end))
                        for j in range(begin):
                            cells[place + p * pitch + j] = 0
                        for j in range(begin, end):
                            cells[place + p * pitch + j] = flat[source + p + j * stride]
                        for j in range(end, pitch):
                            cells[place + p * pitch + j] = 0

    return gather


@functools.cache
def _kernel(dtype: Any, rows: int, vectors: int, height: int | None) -> Any:
    sums = window_sums(dtype, rows, vectors, height)
    sums_of_one = window_sums(dtype, 1, vectors)
    gather = gathering(dtype)
    size = dtype.itemsize
    tile_width = vectors * lanes(dtype)

    @parallel
    def apply(
        x: Array,
        w: Array,
        bias: Array,
        out: Array,
        blocks: Array,
        numbers: Array,
        tables: Array,
        cells: Array,
    ) -> None:
        stride_y, stride_x, dilation_y, dilation_x, top, left = numbers[:6]
        step, band, lines, pitch, zeros = numbers[6:]
        kernel_height, kernel_width = w.shape[2], w.shape[3]
        channels, grid_y, grid_x = out.shape[1], out.shape[2], out.shape[3]
        bands = (grid_y + band - 1) // band
        tasks = out.shape[0] * channels * bands * len(blocks)
        threads = len(tables)
        for thread in prange(threads):
            c = np.int64(thread)
            table, mine = tables[c], cells[c]
            mine[:zeros] = 0
            columns = table[lines:]
            for b in range(kernel_width):
                shift = b * dilation_x
                columns[b] = (shift % stride_x * pitch + shift // stride_x) * size
            for t in range(c * tasks // threads, (c + 1) * tasks // threads):
                first_x, end_x, copied = blocks[t % len(blocks)]
                first_y = t // len(blocks) % bands * band
                plane = t // (len(blocks) * bands)
                here = min(band, grid_y - first_y)
                y, z = first_y * stride_y - top, first_x * stride_x - left
                count = (here - 1) * stride_y + (kernel_height - 1) * dilation_y + 1
                gather(x, plane, y, z, count, copied, numbers, table, mine)
                channel = plane % channels
                weights = w.ctypes.data + channel * kernel_height * kernel_width * size
                start = bias.ctypes.data + channel * size
                out_at = out.ctypes.data + (plane * grid_y + first_y) * grid_x * size
                for q in range(min(step, here)):
                    # These lines of the result share lines of the image: q, q + step, …
                    sharing = (here - q + step - 1) // step
                    tall = rows if sharing >= rows else 1
                    for o in range(0, sharing, tall):
                        # The last tile is shifted back and computes some lines once more.
                        i = q + min(o, sharing - tall) * step
                        at = table.ctypes.data + i * stride_y * 8
                        for k in range(first_x, end_x, tile_width):
                            j = k if copied else min(k, end_x - tile_width)
                            to = out_at + (i * grid_x + j) * size
                            if tall == rows:
                                sums(
                                    at,
                                    dilation_y * 8,
                                    (j - first_x) * size,
                                    columns.ctypes.data,
                                    weights,
                                    kernel_height,
                                    kernel_width,
                                    start,
                                    to,
                                    step * grid_x * size,
                                    min(tile_width, end_x - j),
                                )
                            else:
                                sums_of_one(
                                    at,
                                    dilation_y * 8,
                                    (j - first_x) * size,
                                    columns.ctypes.data,
                                    weights,
                                    kernel_height,
                                    kernel_width,
                                    start,
                                    to,
                                    step * grid_x * size,
                                    min(tile_width, end_x - j),
                                )

    return apply


def filter_planes(
    x: Array,
    w: Array,
    bias: Array,
    out: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """out[n, c, i, j] = bias[c] + Σ_a Σ_b x[n, c, i·stride - top + a·dilation, …] · w[c, 0, a, b].

    There is one bias and one kernel per channel. Every sum keeps the order of the weights.
    """
    if out.size == 0:
        return
    few = out.size * w[0].size < _FEW
    cut = cut_planes(
        x.dtype,
        x.shape[0] * x.shape[1],
        x.shape[2:],
        out.shape[2:],
        w.shape[2:],
        (stride_y, stride_x),
        (dilation_y, dilation_x),
        (top, left),
        1 if few else numba.get_num_threads(),
    )
    kernel = _kernel(x.dtype, cut.rows, cut.vectors, cut.height)
    tables, cells = cut.memory(x.dtype)
    (kernel.serial if few else kernel)(x, w, bias, out, cut.blocks, cut.numbers, tables, cells)
