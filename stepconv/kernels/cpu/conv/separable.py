"""Filters of rank 1: sums down the columns, then along the lines, kh + kw products for kh · kw.

    1 2 1   1
    2 4 2 = 2 · 1 2 1
    1 2 1   1

A task sums a few lines downwards into memory of its own, which stays in the cache, and then sums
along them. No line of the image is copied: where it ends, the lines of sums go on with zeros, which
is what the columns of the padding sum up to; and lines above and below are one line of zeros.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.filter import (
    CACHE_BYTES,
    FEW,
    STREAMED,
    Pair,
    lines_of_tile,
    tables_and_cells,
)
from stepconv.kernels.cpu.conv.filter_tiles import (
    NO_EDGE,
    Lines,
    Result,
    Weights,
    fence,
    line_sums,
    window_sums,
)
from stepconv.kernels.cpu.machine.staging import find_columns, find_lines
from stepconv.kernels.cpu.machine.vector import lanes, registers

Array = Any
Numbers = tuple[int, ...]

# Beyond these, products of factors may overflow or lose bits where those of the kernel do not.
_SMALLEST, _LARGEST = 2.0**-40, 2.0**40


def factors(w: Array) -> tuple[Array, Array] | None:
    """Return u (C, kh) and v (C, kw) so that w (C, 1, kh, kw) is their product, or None.

    If |w[a, b] - u[a]·v[b]| <= c·e·|w[a, b]| for all a and b, e being the unit roundoff, then the
    rounded sum downwards is Σ_a u[a]·x[a, b]·(1 + δ_ab), where 1 + δ_ab is a product of at most kh
    factors within 1 ± e, for an fma rounds once. Summing along adds at most kw more, and u·v in
    place of w is one factor within 1 ± c·e. So the error is at most γ·Σ|x·w|, where
    γ = (1 + c·e)·(1 + e)^(kh + kw) - 1 <= (kh + kw + c + 1)·e as long as (kh + kw + c)²·e < 1.
    With kh + kw + c + 1 <= kh·kw it keeps within kh·kw·e·Σ|x·w|, which is what a sum of all the
    products is held to. (As there, results too small for full precision are left out.)

    c is measured, not guessed: u·v - w is computed exactly but for a rounding that the one spare e
    covers. u is scaled by a power of two to Σ|u| <= 1/2, so the sums downwards cannot overflow.
    """
    count, _, height, width = w.shape
    unit = float(np.finfo(w.dtype).eps) / 2
    allowed = height * width - height - width - 1
    if allowed < 0 or (height * width) ** 2 * unit >= 1:
        return None
    u, v = np.zeros((count, height), w.dtype), np.zeros((count, width), w.dtype)
    for c in range(count):
        found = _factors_of(w[c, 0].astype(np.float64), w.dtype, allowed * unit)
        if found is None:
            return None
        u[c], v[c] = found
    return u, v


def _factors_of(w: Array, dtype: Any, allowed: float) -> tuple[Array, Array] | None:
    """Divide the row and the column through the largest number, and measure what is missing."""
    sizes = np.abs(w)
    a, b = divmod(int(sizes.argmax()), w.shape[1])
    if not sizes.any():
        return np.zeros(w.shape[0], dtype), np.zeros(w.shape[1], dtype)
    if not (sizes[a, b] < _LARGEST and sizes[sizes > 0].min() > _SMALLEST):
        return None
    down = w[:, b] / w[a, b]
    scale = 2.0 ** -np.ceil(np.log2(2 * np.abs(down).sum() * 1.01))
    u = (down * scale).astype(dtype).astype(np.float64)
    v = (w[a] / scale).astype(dtype).astype(np.float64)
    product, rest = _exact_product(u[:, None], v[None, :])
    if (np.abs((w - product) - rest) > allowed * sizes).any():
        return None
    return u.astype(dtype), v.astype(dtype)


def _exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return p and q so that a·b = p + q exactly, where p = a·b rounded (Dekker, 1971)."""
    p = a * b
    a_high, b_high = _high(a), _high(b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def _high(a: Array) -> Array:
    """Return the upper 26 bits of a number."""
    shifted = a * (2.0**27 + 1)
    return shifted - (shifted - a)


class _Tile(NamedTuple):
    """Lines and vectors of a tile that sums downwards, vectors of one that sums along a line."""

    rows: int
    vectors: int
    along: int


class _Cut(NamedTuple):
    """How images are cut into tasks, bands of lines and blocks of columns.

    Lines i, i + step, … of the result share lines of the image, of which a task sees so many. A
    line of sums has `pitch` cells: some in front, and a part for each remainder of a column divided
    by the stride.
    """

    step: int
    bands: int
    blocks: int
    lines: int
    front: int
    part: int
    pitch: int
    streamed: int


@functools.lru_cache(maxsize=256)
def _cut(
    dtype: Any, planes: int, image: Pair, grid: Pair, kernel: Pair, slide: Slide, threads: int
) -> tuple[_Tile, _Cut]:
    """Decide how to cut: the lines that a window sees should stay in the second-level cache."""
    lane_count, size = lanes(dtype), dtype.itemsize
    stride, dilation = slide.stride, slide.dilation
    many = registers() > 16
    vectors = min(4 if many else 3, image[1] // lane_count)
    along = min(8 if many else 4, -(-grid[1] // lane_count))
    step = dilation[0] // stride[0] if dilation[0] % stride[0] == 0 else 0
    rows = lines_of_tile(vectors, kernel[0], grid[0], step)
    step = max(1, step)

    height = (rows + kernel[0] - 2) * dilation[0] + 1
    reach = (kernel[1] - 1) * dilation[1]
    widest = CACHE_BYTES // (height * size * stride[1]) - reach
    blocks = -(-grid[1] // max(widest, 4 * along * lane_count))
    wanted = 1 if threads == 1 else 4 * threads
    bands = max(1, min(-(-wanted // (planes * blocks)), grid[0] // (rows * step)))
    # The last of them are only asked for ahead.
    lines = (-(-grid[0] // bands) - 1) * stride[0] + (kernel[0] - 1 + rows) * dilation[0] + 1
    # Tiles may write before the sums that are asked for, and read behind them.
    front = vectors * lane_count
    part = -(-grid[1] // blocks) + -(-reach // stride[1]) + (along + 1) * lane_count
    part = -(-part // lane_count) * lane_count
    pitch = front + part * stride[1] + front
    line = grid[1] * size
    streamed = planes * grid[0] * line >= STREAMED and line % (lane_count * size) == 0
    cut = _Cut(step, bands, blocks, lines, front, part, pitch, int(streamed))
    return _Tile(rows, vectors, along), cut


@functools.cache
def _kernel(dtype: Any, size_of_tile: _Tile, near: bool) -> Any:
    rows, vectors, along = size_of_tile
    down_sums = window_sums(dtype, rows, vectors, width=1, near=True, ahead=True)
    along_sums = line_sums(dtype, along, near)
    size = dtype.itemsize
    lane_count = lanes(dtype)
    down_width, along_width = vectors * lane_count, along * lane_count

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        factors: tuple[Array, Array],
        bias: Array,
        out: Array,
        memory: tuple[Array, Array],
        slide_numbers: Numbers,
        cut_numbers: Numbers,
    ) -> None:
        slide, cut = Slide(*slide_numbers), _Cut(*cut_numbers)
        (u, v), (tables, cells) = factors, memory
        image_x = x.shape[3]
        channels, grid_y, grid_x = out.shape[1:]
        height, width = u.shape[1], v.shape[1]
        reach = (width - 1) * slide.dilation_x
        tasks = out.shape[0] * channels * cut.bands * cut.blocks
        table, columns = tables[worker, : cut.lines], tables[worker, cut.lines :]
        find_columns(columns, width, slide, cut.part, size)
        # A line of zeros, the sums down the columns, and a place to take a line of them apart.
        mine = cells[worker]
        mine[:] = 0
        zeros_at = mine.ctypes.data
        sums = mine[image_x : image_x + rows * cut.pitch].reshape((rows, cut.pitch))
        parts = mine[image_x + rows * cut.pitch :]
        for t in range(*share_of(tasks, share)):
            block, band = t % cut.blocks, t // cut.blocks % cut.bands
            plane = t // (cut.blocks * cut.bands)
            channel = plane % channels
            weights = v.ctypes.data + channel * width * size
            first_y = band * grid_y // cut.bands
            here = (band + 1) * grid_y // cut.bands - first_y
            first_x = block * grid_x // cut.blocks
            wide = (block + 1) * grid_x // cut.blocks - first_x
            find_lines(x, plane, first_y * slide.stride_y - slide.top, cut.lines, zeros_at, table)
            # sums[o, front + j] belongs to column begin + j; there are zeros beyond the image.
            begin = first_x * slide.stride_x - slide.left
            end = min(image_x, begin + (wide - 1) * slide.stride_x + reach + 1)
            if cut.blocks > 1:
                sums[:] = 0
            for q in range(min(cut.step, here)):
                # These lines of the result share lines of the image: q, q + step, …
                sharing = (here - q + cut.step - 1) // cut.step
                for o in range(0, sharing, rows):
                    # The last tile is shifted back and computes some lines once more.
                    i = q + min(o, sharing - rows) * cut.step
                    j = max(0, begin)
                    while j < end:
                        tiles = (end - j) // down_width
                        if tiles == 0:
                            j, tiles = max(0, end - down_width), 1
                        at = table.ctypes.data + i * slide.stride_y * 8
                        to = sums.ctypes.data + (cut.front + j - begin) * size
                        down_sums(
                            Lines(at, slide.dilation_y * 8, j * size),
                            0,
                            Weights(u.ctypes.data + channel * height * size, height, 1, zeros_at),
                            Result(to, cut.pitch * size, tiles * down_width, tiles, 0),
                            NO_EDGE,
                        )
                        j += tiles * down_width
                    for r in range(rows):
                        line = sums.ctypes.data + (r * cut.pitch + cut.front) * size
                        if slide.stride_x > 1:
                            for p in range(slide.stride_x):
                                for k in range(cut.part):
                                    cell = sums[r, cut.front + k * slide.stride_x + p]
                                    parts[p * cut.part + k] = cell
                            line = parts.ctypes.data
                        place = (plane * grid_y + first_y + i + r * cut.step) * grid_x + first_x
                        j = 0
                        while j < wide:
                            to = out.ctypes.data + (place + j) * size
                            # What is streamed begins at a multiple of a vector.
                            before = -(to // size) % lane_count if cut.streamed else 0
                            count = min(wide - j, before) if before else wide - j
                            if count > along_width:
                                count -= count % along_width
                            steps = (count + along_width - 1) // along_width
                            streamed = cut.streamed if count % along_width == 0 else 0
                            along_sums(
                                line + j * size,
                                columns.ctypes.data,
                                Weights(weights, 1, width, bias.ctypes.data + channel * size),
                                Result(to, 0, count, steps, streamed),
                            )
                            j += count
        if cut.streamed:
            fence()

    return apply


def separable_planes(
    x: Array, factors: tuple[Array, Array], bias: Array, out: Array, slide: Slide
) -> None:
    """Compute what filter_planes does for w[c, 0] = u[c]·v[c]ᵀ, `factors` being u and v.

    A line of the image has at least as many cells as a vector.
    """
    if out.size == 0:
        return
    height, width = factors[0].shape[1], factors[1].shape[1]
    few = out.size * (height + width) < FEW
    threads = 1 if few else thread_count()
    size_of_tile, cut = _cut(
        x.dtype,
        x.shape[0] * x.shape[1],
        x.shape[2:],
        out.shape[2:],
        (height, width),
        slide,
        threads,
    )
    room = x.shape[3] + (size_of_tile.rows + (slide.stride_x > 1)) * cut.pitch
    memory = tables_and_cells(x.dtype, threads, cut.lines + width, room)
    kernel = _kernel(x.dtype, size_of_tile, slide.stride_x == slide.dilation_x == 1)
    run = kernel.serial if few else kernel
    run(x, factors, bias, out, memory, slide[:], cut[:])
