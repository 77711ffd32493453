"""Filters of rank 1: sums down the columns, then along the lines, kh + kw products for kh · kw.

    1 2 1   1
    2 4 2 = 2 · 1 2 1
    1 2 1   1

A task sums a few lines downwards into memory of its own, which stays in the cache, and then sums
along it. Blocks, bands and padding are those of filter.py.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.filter import FEW, cut_planes, gathering
from stepconv.kernels.cpu.filter_tiles import fence, window_sums
from stepconv.kernels.cpu.vector import lanes, registers

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


@functools.cache
def _kernel(dtype: Any, rows: int, vectors: int, along: int) -> Any:
    down_sums = window_sums(dtype, rows, vectors, width=1, near=True)
    along_sums = window_sums(dtype, 1, along, height=1)
    gather = gathering(dtype)
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
        blocks: Array,
        numbers: Array,
        tables: Array,
        cells: Array,
        pitch: int,
    ) -> None:
        stride_y, stride_x, dilation_y, dilation_x, top, left = numbers[:6]
        step, bands, lines, part, zeros, streamed = numbers[6:]
        height, width = u.shape[1], v.shape[1]
        channels, grid_y, grid_x = out.shape[1:]
        tasks = out.shape[0] * channels * bands * len(blocks)
        sums_from = cells.shape[1] - rows * pitch
        table, mine = tables[share], cells[share]
        mine[:zeros] = 0
        mine[sums_from:] = 0
        columns, between = table[3 * lines :], table[3 * lines + width :]
        for b in range(width):
            shift = b * dilation_x
            columns[b] = (shift % stride_x * part + shift // stride_x) * size
        sums_at = mine.ctypes.data + sums_from * size
        between[0] = 0
        for o in range(rows):
            between[1 + o] = sums_at + o * pitch * size
        edges = np.empty(4, np.int64)
        for t in range(*share_of(tasks, share, shares)):
            for p in range(4):
                edges[p] = blocks[t % len(blocks), p]
            band, plane = t // len(blocks) % bands, t // (len(blocks) * bands)
            first_y = band * grid_y // bands
            here = (band + 1) * grid_y // bands - first_y
            out_at = out.ctypes.data + (plane * grid_y + first_y) * grid_x * size
            if streamed and edges[1] < edges[2]:
                edges[1] += -(out_at // size + edges[1]) % lane_count
            y = first_y * stride_y - top
            count = (here - 1) * stride_y + (height - 1) * dilation_y + 1
            for p in range(3):
                if edges[p] < edges[p + 1]:
                    z = edges[p] * stride_x - left
                    gather(x, plane, y, z, count, p, numbers, table[p * lines :], mine)
            channel = plane % channels
            start = bias.ctypes.data + channel * size
            for q in range(min(step, here)):
                sharing = (here - q + step - 1) // step
                for o in range(0, sharing, rows):
                    i = q + min(o, sharing - rows) * step
                    for p in range(3):
                        cells_here = edges[p + 1] - edges[p]
                        # As many cells as the sums along the lines are going to read.
                        reach = cells_here + (width - 1) * dilation_x
                        if p != 1:
                            reach = part * stride_x
                        if cells_here == 0:
                            reach = 0
                        j = 0
                        while j < reach:
                            some = reach - j
                            if some > down_width:
                                some -= some % down_width
                            elif reach > down_width:
                                # The last tile computes some cells once more.
                                j, some = reach - down_width, down_width
                            down_sums(
                                table.ctypes.data + (p * lines + i * stride_y) * 8,
                                dilation_y * 8,
                                j * size,
                                between.ctypes.data,
                                u.ctypes.data + channel * height * size,
                                height,
                                1,
                                mine.ctypes.data,
                                sums_at + j * size,
                                pitch * size,
                                some,
                                (some + down_width - 1) // down_width,
                                0,
                            )
                            j += some
                        for r in range(rows if cells_here else 0):
                            to = out_at + ((i + r * step) * grid_x + edges[p]) * size
                            j = 0
                            while j < cells_here:
                                some = cells_here - j
                                if some > along_width:
                                    some -= some % along_width
                                along_sums(
                                    between.ctypes.data + (1 + r) * 8,
                                    8,
                                    j * size,
                                    columns.ctypes.data,
                                    v.ctypes.data + channel * width * size,
                                    1,
                                    width,
                                    start,
                                    to + j * size,
                                    0,
                                    some,
                                    (some + along_width - 1) // along_width,
                                    int(streamed and p == 1 and some % along_width == 0),
                                )
                                j += some
        if streamed:
            fence()

    return apply


def separable_planes(
    x: Array,
    u: Array,
    v: Array,
    bias: Array,
    out: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
) -> None:
    """Compute what filter_planes does for w[c, 0] = u[c]·v[c]ᵀ."""
    if out.size == 0:
        return
    height, width, dtype = u.shape[1], v.shape[1], x.dtype
    few = out.size * (height + width) < FEW
    cut = cut_planes(
        dtype,
        x.shape[0] * x.shape[1],
        x.shape[2:],
        out.shape[2:],
        (height, width),
        (stride_y, stride_x),
        (dilation_y, dilation_x),
        (top, left),
        height,
        1 if few else thread_count(),
    )
    lane_count = lanes(dtype)
    along = 2 if -(-out.shape[3] // lane_count) < 8 else (8 if registers() > 16 else 4)
    # A line of sums holds what the widest block reads, and what its last tile reads without need.
    pitch = int(np.diff(cut.blocks).max()) + 2 * (along + cut.vectors + 1) * lane_count
    pitch = max(pitch + (width - 1) * dilation_x, int(cut.numbers[9]) * stride_x + pitch)
    pitch = -(-pitch // lane_count) * lane_count + lane_count
    tables, cells = cut.memory(dtype, more=cut.rows * pitch, entries=1 + cut.rows)
    kernel = _kernel(dtype, cut.rows, cut.vectors, along)
    run = kernel.serial if few else kernel
    run(x, u, v, bias, out, cut.blocks, cut.numbers, tables, cells, pitch)
