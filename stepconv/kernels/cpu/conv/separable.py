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
from dataclasses import dataclass
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.filter import _CACHE_BYTES, _STREAMED, FEW, Pair, find_lines
from stepconv.kernels.cpu.conv.filter_tiles import fence, line_sums, window_sums
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.vector import lanes, registers

Array = Any

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


@dataclass(frozen=True, eq=False)
class _Cut:
    """How images are cut into tasks, bands of lines and blocks of columns, and the tiles' sizes.

    `numbers` are the integers that kernels ask for.
    """

    rows: int
    vectors: int
    along: int
    lines: int
    pitch: int
    numbers: Array


@functools.lru_cache(maxsize=256)
def _cut(
    dtype: Any, planes: int, image: Pair, grid: Pair, kernel: Pair, slide: Slide, threads: int
) -> _Cut:
    """Decide how to cut: the lines that a window sees should stay in the second-level cache."""
    lane_count, size = lanes(dtype), dtype.itemsize
    stride, dilation = slide.stride, slide.dilation
    many = registers() > 16
    vectors = min(4 if many else 3, image[1] // lane_count)
    along = min(8 if many else 4, -(-grid[1] // lane_count))
    # Beside the sums there have to be a line's vectors and a weight.
    held = min((registers() - vectors - 1) // vectors, kernel[0])
    step = dilation[0] // stride[0] if dilation[0] % stride[0] == 0 else 0
    held = min(held, grid[0] // step) if step else 1
    rows = max((count for count in (1, 2, 3, 4, 6) if count <= held), default=1)
    step = max(1, step)

    height = (rows + kernel[0] - 2) * dilation[0] + 1
    reach = (kernel[1] - 1) * dilation[1]
    widest = _CACHE_BYTES // (height * size * stride[1]) - reach
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
    streamed = planes * grid[0] * line >= _STREAMED and line % (lane_count * size) == 0
    numbers = (*slide, step, bands, blocks, lines, front, part, pitch, streamed)
    return _Cut(rows, vectors, along, lines, pitch, np.array(numbers, np.int64))


@functools.cache
def _kernel(dtype: Any, rows: int, vectors: int, along: int, near: bool) -> Any:
    down_sums = window_sums(dtype, rows, vectors, width=1, near=True, ahead=True)
    along_sums = line_sums(dtype, along, near)
    size = dtype.itemsize
    lane_count = lanes(dtype)
    down_width, along_width = vectors * lane_count, along * lane_count

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        u: Array,
        v: Array,
        bias: Array,
        out: Array,
        numbers: Array,
        tables: Array,
        cells: Array,
    ) -> None:
        stride_y, stride_x, dilation_y, dilation_x, top, left = numbers[:6]
        step, bands, blocks, lines, front, part, pitch, streamed = numbers[6:]
        image_x = x.shape[3]
        channels, grid_y, grid_x = out.shape[1:]
        height, width = u.shape[1], v.shape[1]
        reach = (width - 1) * dilation_x
        tasks = out.shape[0] * channels * bands * blocks
        table, columns = tables[share, :lines], tables[share, lines:]
        for b in range(width):
            shift = b * dilation_x
            columns[b] = (shift % stride_x * part + shift // stride_x) * size
        # A line of zeros, the sums down the columns, and a place to take a line of them apart.
        mine = cells[share]
        mine[:] = 0
        zeros_at = mine.ctypes.data
        sums = mine[image_x : image_x + rows * pitch].reshape((rows, pitch))
        parts = mine[image_x + rows * pitch :]
        for t in range(*share_of(tasks, share, shares)):
            block, band, plane = t % blocks, t // blocks % bands, t // (blocks * bands)
            channel = plane % channels
            first_y = band * grid_y // bands
            here = (band + 1) * grid_y // bands - first_y
            first_x = block * grid_x // blocks
            wide = (block + 1) * grid_x // blocks - first_x
            find_lines(x, plane, first_y * stride_y - top, lines, zeros_at, table)
            # sums[o, front + j] belongs to column begin + j; there are zeros beyond the image.
            begin = first_x * stride_x - left
            end = min(image_x, begin + (wide - 1) * stride_x + reach + 1)
            if blocks > 1:
                sums[:] = 0
            for q in range(min(step, here)):
                # These lines of the result share lines of the image: q, q + step, …
                sharing = (here - q + step - 1) // step
                for o in range(0, sharing, rows):
                    # The last tile is shifted back and computes some lines once more.
                    i = q + min(o, sharing - rows) * step
                    j = max(0, begin)
                    while j < end:
                        tiles = (end - j) // down_width
                        if tiles == 0:
                            j, tiles = max(0, end - down_width), 1
                        down_sums(
                            table.ctypes.data + i * stride_y * 8,
                            dilation_y * 8,
                            j * size,
                            0,
                            u.ctypes.data + channel * height * size,
                            height,
                            1,
                            zeros_at,
                            sums.ctypes.data + (front + j - begin) * size,
                            pitch * size,
                            tiles * down_width,
                            tiles,
                            0,
                            0,
                            0,
                            0,
                        )
                        j += tiles * down_width
                    for r in range(rows):
                        line = sums.ctypes.data + (r * pitch + front) * size
                        if stride_x > 1:
                            for p in range(stride_x):
                                for k in range(part):
                                    parts[p * part + k] = sums[r, front + k * stride_x + p]
                            line = parts.ctypes.data
                        place = (plane * grid_y + first_y + i + r * step) * grid_x + first_x
                        j = 0
                        while j < wide:
                            to = out.ctypes.data + (place + j) * size
                            # What is streamed begins at a multiple of a vector.
                            before = -(to // size) % lane_count if streamed else 0
                            count = min(wide - j, before) if before else wide - j
                            if count > along_width:
                                count -= count % along_width
                            along_sums(
                                line + j * size,
                                columns.ctypes.data,
                                v.ctypes.data + channel * width * size,
                                width,
                                bias.ctypes.data + channel * size,
                                to,
                                count,
                                (count + along_width - 1) // along_width,
                                streamed if count % along_width == 0 else 0,
                            )
                            j += count
        if streamed:
            fence()

    return apply


def separable_planes(x: Array, u: Array, v: Array, bias: Array, out: Array, slide: Slide) -> None:
    """Compute what filter_planes does for w[c, 0] = u[c]·v[c]ᵀ.

    A line of the image has at least as many cells as a vector.
    """
    if out.size == 0:
        return
    height, width = u.shape[1], v.shape[1]
    few = out.size * (height + width) < FEW
    threads = 1 if few else thread_count()
    cut = _cut(
        x.dtype,
        x.shape[0] * x.shape[1],
        x.shape[2:],
        out.shape[2:],
        (height, width),
        slide,
        threads,
    )
    table = threads * (cut.lines + width)
    room = x.shape[3] + (cut.rows + (slide.stride_x > 1)) * cut.pitch
    whole = scratch(np.int64, table + -(-threads * room * x.dtype.itemsize // 8))
    tables = whole[:table].reshape(threads, -1)
    cells = whole[table:].view(x.dtype)[: threads * room].reshape(threads, room)
    near = slide.stride_x == slide.dilation_x == 1
    kernel = _kernel(x.dtype, cut.rows, cut.vectors, cut.along, near)
    run = kernel.serial if few else kernel
    run(x, u, v, bias, out, cut.numbers, tables, cells)
