"""Filters: one channel goes into one channel, as in plain images, signals and depthwise layers.

A vector holds neighbouring cells of a line, and a tile computes a few lines at a time, so that a
cell that was loaded serves several windows. Lines are read where they are; at their ends masks put
zeros for what lies beyond the image. Where the columns of a window are not neighbours, with a
stride or a dilation, or where the machine has no masks, the ends are copied with the padding around
them. Lines above and below the image are all the same line of zeros. No image is padded as a whole.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import inner, parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.filter_tiles import (
    Edge,
    Lines,
    Result,
    Weights,
    fence,
    poured,
    separate,
    window_sums,
)
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import find_columns, find_lines
from stepconv.kernels.cpu.machine.tiles import padded_row
from stepconv.kernels.cpu.machine.vector import address, has_masks, lanes, registers

Array = Any
Pair = tuple[int, int]
Numbers = tuple[int, ...]

# What a task works on should lie in the second-level cache.
CACHE_BYTES = 512 * 1024
# A result of so many bytes is written past the caches: directly where its lines are so long that
# their ends hardly count, which cannot be; else in bands of whole lines, of so many bytes.
STREAMED, LONG, STAGED = 8 * 2**20, 512, 16 * 2**10
# Starting the threads takes as long as this many multiplications.
FEW = 100_000
# A task has so many at most: between two Ctrl-C comes through.
A_TASK = 200_000_000
# Up to this height and width, a kernel has tiles of its own without loops.
SMALL = 5


class Bands(NamedTuple):
    """How an image is cut into bands of lines.

    Lines i, i + step, … of the result share lines of the image, of which a band sees so many. A
    copied line consists of one part of `pitch` cells for each remainder of a column divided by the
    stride. Beyond the image all lines are one line of zeros. A large result is written past the
    caches: `streamed` where it is made, or made in `staged` cells of a thread's own and poured out.
    """

    step: int
    number: int
    lines: int
    pitch: int
    zeros: int
    streamed: int
    staged: int


@dataclass(frozen=True, eq=False)
class Cut:
    """How the images of a call are cut into tasks: bands of lines, and blocks of columns.

    `rows` and `vectors` are the size of a tile. A block is three pieces between four columns:
    windows of the one in the middle lie inside of the image; for the outer two, lines are copied or
    masked. A task has a table of `entries` addresses and columns, and room for `cells` copies.
    """

    rows: int
    vectors: int
    entries: int
    cells: int
    blocks: Array
    bands: Bands


def tables_and_cells(dtype: Any, threads: int, entries: int, cells: int) -> tuple[Array, Array]:
    """Return a table of so many addresses and room for so many cells, per thread."""
    table = threads * entries
    whole = scratch(np.int64, table + -(-threads * cells * dtype.itemsize // 8))
    room = whole[table:].view(dtype)[: threads * cells]
    return whole[:table].reshape(threads, -1), room.reshape(threads, cells)


@functools.lru_cache(maxsize=256)
def cut_planes(
    dtype: Any,
    planes: int,
    image: Pair,
    grid: Pair,
    kernel: Pair,
    slide: Slide,
    highest: int,
    threads: int,
    in_place: bool = False,
    written: bool = True,
) -> Cut:
    """Decide how to cut: tiles no higher than `highest`, and a few tasks per thread.

    With `in_place` no line is copied, for the tiles mask what lies beyond the image. The grid is
    `written` or only read.
    """
    lane_count, size = lanes(dtype), dtype.itemsize
    stride, dilation = slide.stride, slide.dilation
    step = dilation[0] // stride[0] if dilation[0] % stride[0] == 0 else 0
    rows, vectors = _tile(grid, highest, step, lane_count, max(kernel) <= SMALL)
    step = max(1, step)
    width = vectors * lane_count
    reach = (kernel[1] - 1) * dilation[1]
    products = planes * prod(grid) * prod(kernel)
    wanted = max(1 if threads == 1 else 4 * threads, products // A_TASK)

    # Blocks: copied at the edges and read in place in the middle, as wide as the cache allows.
    height = (rows + kernel[0] - 2) * dilation[0] + 1
    share = -(-grid[1] * planes // wanted) if grid[0] < rows * step * 4 else grid[1]
    widest = min(CACHE_BYTES // (height * size * stride[1]) - reach, share)
    widest = max(4 * width, widest // width * width)
    first, end = _inside(image[1], grid[1], stride[1], reach, slide.left)
    line = grid[1] * size
    large = written and planes * grid[0] * line >= STREAMED
    streamed = large and grid[1] >= LONG and line % (lane_count * size) == 0
    staged = large and not streamed and rows * step * line <= STAGED
    if not streamed:
        first, end = -(-first // width) * width, grid[1] - -(-(grid[1] - end) // width) * width
    if stride[1] > 1 or end - first < width:
        first = end = grid[1]
    count = 1 if staged else max(1, grid[1] // widest)
    edges = [grid[1] * k // count // width * width for k in range(count)] + [grid[1]]
    blocks = [_pieces(*ends, first, end, width) for ends in itertools.pairwise(edges)]
    copied = 0 if in_place else max(max(b[1] - b[0], b[3] - b[2]) for b in blocks)
    direct = max(b[2] - b[1] for b in blocks)
    # What is streamed begins at a multiple of a vector and ends with a whole tile.
    if streamed and direct and copied:
        copied += width + lane_count
    pitch = -(-copied // width) * width + reach // stride[1]
    pitch = -(-pitch // lane_count) * lane_count if copied else 0
    pieces = 2 if pitch and direct else 1

    # Bands: few, but their copies have to fit too. None is lower than a tile.
    bands = -(-wanted // (planes * len(blocks)))
    above = (kernel[0] - 1) * dilation[0]
    if pitch:
        fitting = CACHE_BYTES // (pieces * pitch * stride[1] * size) - above
        bands = max(bands, grid[0] * stride[0] // max(1, fitting))
        # The lines of a band are read twice where their ends are copied.
        bands = max(bands, grid[0] * image[1] * size // CACHE_BYTES)
    if staged:
        bands = max(bands, -(-grid[0] * line // STAGED))
    bands = max(1, min(bands, grid[0] // (rows * step)))
    high = -(-grid[0] // bands)
    lines = high * stride[0] + above
    stage = high * grid[1] + 2 * lane_count if staged else 0
    zeros = max(pitch * stride[1], direct + reach + lane_count, image[1] if in_place else 0)
    return Cut(
        rows,
        vectors,
        entries=3 * lines + kernel[1] + 4,
        cells=zeros + (pieces * lines + 1) * pitch * stride[1] + lane_count + stage,
        blocks=np.array(blocks, np.int64),
        bands=Bands(step, bands, lines, pitch, zeros, int(streamed), stage),
    )


def _tile(grid: Pair, highest: int, step: int, lane_count: int, small: bool) -> Pair:
    """Return how many lines and vectors a tile takes: what the registers hold, with little waste.

    All the weights of a small kernel stay there too.
    """
    needed = -(-grid[1] // lane_count)
    most = 2 if small else 4 if registers() > 16 else 3
    if needed > 4 * most:
        vectors = most
    else:
        vectors = min(range(most, 0, -1), key=lambda count: -(-needed // count) * count)
    rows = lines_of_tile(vectors, highest, grid[0], step)
    return rows, 2 * most if rows == 1 and needed >= 2 * most else vectors


def lines_of_tile(vectors: int, highest: int, lines: int, step: int) -> int:
    """Return how many lines of so many vectors a tile takes, which lie `step` apart if it is not 0.

    Beside the sums there have to be a line's vectors and a weight.
    """
    held = min((registers() - vectors - 1) // vectors, highest)
    held = min(held, lines // step) if step else 1
    return max((count for count in (1, 2, 3, 4, 6) if count <= held), default=1)


def _inside(size: int, grid: int, stride: int, reach: int, pad: int) -> Pair:
    """Return the first window that lies inside of the image, and the end of those that do."""
    first = min(grid, -(-pad // stride))
    return first, max(first, min(grid, (size - 1 - reach + pad) // stride + 1))


def _pieces(begin: int, stop: int, first: int, end: int, width: int) -> tuple[int, ...]:
    """Divide a block: copied, in place from `first` to `end` if that is a tile or more, copied."""
    first = max(begin, min(first, stop))
    end = max(first, min(end, stop))
    return (begin, first, end, stop) if end - first >= width else (begin, stop, stop, stop)


@functools.cache
def gathering(dtype: Any) -> Any:
    """Return the function that finds or copies the lines of a task."""
    row, parts, lane_count = padded_row(dtype), separate(dtype), lanes(dtype)
    size = dtype.itemsize

    @inner
    def gather(
        x: Array,
        plane: int,
        first_y: int,
        first_x: int,
        count: int,
        piece: int,
        stride: int,
        bands: Bands,
        table: Array,
        cells: Array,
    ) -> None:
        """table[k] = the address of cell (first_y + k, first_x), in place in piece 1."""
        height, width = x.shape[2], x.shape[3]
        pitch, wide = bands.pitch, bands.pitch * stride
        begin = bands.zeros if piece == 0 else bands.zeros + bands.lines * wide
        low = max(0, min(wide, -first_x))
        have = max(0, min(wide, width - first_x) - low)
        for k in range(count):
            y = first_y + k
            if y < 0 or y >= height:
                table[k] = cells.ctypes.data
            elif piece == 1:
                table[k] = x.ctypes.data + ((plane * height + y) * width + first_x) * size
            else:
                place = begin + k * wide
                line = cells.ctypes.data + place * size
                table[k] = line
                # The parts of a line are made from a copy where the next line will be.
                whole = line if stride == 1 else line + wide * size
                row(
                    x.ctypes.data + ((plane * height + y) * width + first_x + low) * size,
                    whole,
                    (low + lane_count - 1) // lane_count,
                    whole + low * size,
                    have // lane_count,
                    have % lane_count,
                    max(0, (wide - low) // lane_count - have // lane_count),
                )
                if stride == 2:
                    parts(whole, line, line + pitch * size, pitch // lane_count)
                elif stride > 2:
                    for p in range(stride):
                        for j in range(pitch):
                            cells[place + p * pitch + j] = cells[place + wide + j * stride + p]

    return gather


@functools.cache
def _kernel(dtype: Any, rows: int, vectors: int, near: bool, in_place: bool, *small: int) -> Any:
    kernel = small or (None, None)
    sums = window_sums(dtype, rows, vectors, *kernel, near, ahead=True, edges=in_place)
    gather, pour = gathering(dtype), poured(dtype)
    size = dtype.itemsize
    lane_count = lanes(dtype)
    tile_width = vectors * lane_count

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        w: Array,
        bias: Array,
        out: Array,
        blocks: Array,
        memory: tuple[Array, Array],
        slide_numbers: Numbers,
        band_numbers: Numbers,
    ) -> None:
        slide, bands = Slide(*slide_numbers), Bands(*band_numbers)
        kernel_height, kernel_width = w.shape[2], w.shape[3]
        image_x = x.shape[3]
        channels, grid_y, grid_x = out.shape[1:]
        tasks = out.shape[0] * channels * bands.number * len(blocks)
        table, mine = memory[0][worker], memory[1][worker]
        mine[: bands.zeros] = 0
        edges, columns = table[3 * bands.lines : 3 * bands.lines + 4], table[3 * bands.lines + 4 :]
        find_columns(columns, kernel_width, slide, bands.pitch, size)
        for t in range(*share_of(tasks, share)):
            for p in range(4):
                edges[p] = blocks[t % len(blocks), p]
            band, plane = t // len(blocks) % bands.number, t // (len(blocks) * bands.number)
            first_y = band * grid_y // bands.number
            here = (band + 1) * grid_y // bands.number - first_y
            out_at = out.ctypes.data + (plane * grid_y + first_y) * grid_x * size
            made_at = out_at
            if bands.staged > 0:
                made_at = address(mine) + (mine.size - bands.staged) * size
                made_at += (out_at - made_at) % (lane_count * size)
            if bands.streamed and edges[1] < edges[2]:
                edges[1] += -(out_at // size + edges[1]) % lane_count
                edges[2] -= max(0, edges[2] - edges[1]) % tile_width
            y = first_y * slide.stride_y - slide.top
            count = (here - 1) * slide.stride_y + (kernel_height - 1) * slide.dilation_y + 1
            if in_place:
                find_lines(x, plane, y, count, mine.ctypes.data, table)
            else:
                for p in range(3):
                    if edges[p] < edges[p + 1]:
                        z = edges[p] * slide.stride_x - slide.left
                        found = table[p * bands.lines :]
                        gather(x, plane, y, z, count, p, slide.stride_x, bands, found, mine)
            channel = plane % channels
            weights = Weights(
                w.ctypes.data + channel * kernel_height * kernel_width * size,
                kernel_height,
                kernel_width,
                bias.ctypes.data + channel * size,
            )
            step = bands.step
            for q in range(min(step, here)):
                # These lines of the result share lines of the image: q, q + step, …
                sharing = (here - q + step - 1) // step
                for o in range(0, sharing, rows):
                    # The last tile is shifted back and computes some lines once more.
                    i = q + min(o, sharing - rows) * step
                    to = made_at + i * grid_x * size
                    for p in range(3):
                        j, end = edges[p], edges[p + 1]
                        while j < end:
                            count = end - j
                            if p == 1 and count > tile_width:
                                count -= count % tile_width
                            elif p == 1:
                                # The last tile computes some cells once more.
                                j, count = end - tile_width, tile_width
                            # Where in which lines the tile begins to read.
                            column = j - slide.left if in_place else j - edges[p]
                            lines_from = 0 if in_place else p * bands.lines
                            streamed = bands.streamed if p == 1 else 0
                            steps = (count + tile_width - 1) // tile_width
                            sums(
                                Lines(
                                    table.ctypes.data + (lines_from + i * slide.stride_y) * 8,
                                    slide.dilation_y * 8,
                                    column * size,
                                ),
                                columns.ctypes.data,
                                weights,
                                Result(to + j * size, step * grid_x * size, count, steps, streamed),
                                Edge(1 if in_place and p != 1 else 0, column, image_x),
                            )
                            j += count
            if bands.staged > 0:
                pour(made_at, out_at, here * grid_x, -(out_at // size) % lane_count)
        if bands.streamed or bands.staged > 0:
            fence()

    return apply


def filter_planes(x: Array, w: Array, bias: Array, out: Array, slide: Slide) -> None:
    """out[n, c, i, j] = bias[c] + Σ_a Σ_b x[n, c, i·stride - top + a·dilation, …] · w[c, 0, a, b].

    There is one bias and one kernel per channel. Every sum keeps the order of the weights.
    """
    if out.size == 0:
        return
    few = out.size * w[0].size < FEW
    threads = 1 if few else thread_count()
    small = w.shape[2:] if max(w.shape[2:]) <= SMALL else ()
    near = slide.stride_x == slide.dilation_x == 1
    in_place = near and has_masks()
    cut = cut_planes(
        x.dtype,
        x.shape[0] * x.shape[1],
        x.shape[2:],
        out.shape[2:],
        w.shape[2:],
        slide,
        4 if small else w.shape[2],
        threads,
        in_place,
    )
    kernel = _kernel(x.dtype, cut.rows, cut.vectors, near, in_place, *small)
    memory = tables_and_cells(x.dtype, threads, cut.entries, cut.cells)
    run = kernel.serial if few else kernel.for_work(out.size * w[0].size)
    run(x, w, bias, out, cut.blocks, memory, slide[:], cut.bands[:])
