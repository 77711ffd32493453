"""Layers of many filters: a vector holds one output cell of as many filters as it has lanes.

A cell of the source meets the weights of all these filters at once, so windows may lie anywhere:
stride, dilation and padding cost nothing. Each task takes some rows of one image, puts the padding
round them in memory of its own, sums, and turns the result to have one filter after the other.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.scratch import scratch
from stepconv.kernels.cpu.staging import copying, turning
from stepconv.kernels.cpu.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.vector import address, lanes
from stepconv.kernels.passes import Pass

Array = Any
Steps = tuple[int, int, int]

# A task's sums and its rows of the source should lie in the second-level cache, and the weights
# that a tile runs through in the first.
_CELLS = 800
_WEIGHT_BYTES = 24 * 1024


def apply_pass(x: Array, w: Array, bias: Array, out: Array, plan: Pass, steps: Steps) -> None:
    """Compute one pass for all images and groups.

    `steps` are the numbers of weights between groups, and between output channels in a group.
    """
    groups, per_group = steps[2], out.shape[1] // steps[2]
    vectors = vectors_for(per_group, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-per_group // width) * width
    packed = np.empty((groups, len(plan.taps) + 1, wide), x.dtype)
    pack_filters(w.reshape(-1), bias, packed, plan.weights, steps)
    rows = max(1, min(plan.grid[0], _CELLS // plan.grid[1]))
    tasks = x.shape[0] * groups * -(-plan.grid[0] // rows)
    threads = thread_count()
    blocks = wide // width if tasks < 4 * threads else 1
    cells = 0
    if not plan.stays_inside(x.shape[2:]):
        cells = plan.cells(rows) * (x.shape[1] // groups) + lanes(x.dtype)
    room = cells + rows * plan.grid[1] * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    _kernel(x.dtype, vectors)(x, packed, out, memory, cells, plan.taps, plan.numbers, rows, blocks)


def vectors_for(filters: int, dtype: Any) -> int:
    """Return how many vectors of filters a tile takes: four, or fewer if those hold all."""
    needed = -(-filters // lanes(dtype))
    return 4 if needed > 2 else needed


@parallel
def pack_filters(
    share: int, shares: int, flat: Array, bias: Array, packed: Array, weights: Array, steps: Array
) -> None:
    """packed[g, k, m] = weight k of output channel m of group g; the last k is the bias."""
    groups, rows, _ = packed.shape
    channels = bias.size // groups
    for t in range(*share_of(groups * rows, share, shares)):
        g, k = t // rows, t % rows
        row = packed[g, k]
        row[channels:] = 0
        if k == rows - 1:
            for m in range(channels):
                row[m] = bias[g * channels + m]
        else:
            first = g * steps[0] + weights[k]
            for m in range(channels):
                row[m] = flat[first + m * steps[1]]


@functools.cache
def _kernel(dtype: Any, vectors: int) -> Any:
    height = rows_of(vectors)
    sums = multiply_add(dtype, height, vectors)
    copy_rows, turn = copying(dtype), turning(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    width = vectors * lane_count
    block = _WEIGHT_BYTES // (width * size)

    @parallel
    def apply(
        share: int,
        shares: int,
        x: Array,
        packed: Array,
        out: Array,
        memory: Array,
        cells: int,
        taps: Array,
        numbers: Array,
        band: int,
        blocks: int,
    ) -> None:
        rows, columns, first_y, first_x, step_y, step_x = numbers[:6]
        corner_y, corner_x, stride_y, stride_x, reach_y, reach_x = numbers[6:]
        groups, taps_and_bias, wide = packed.shape
        count = taps_and_bias - 1
        in_group, channels = x.shape[1] // groups, out.shape[1] // groups
        bands = (rows + band - 1) // band
        tasks = x.shape[0] * groups * bands * blocks
        source_rows = (band - 1) * stride_y + reach_y
        pitch = (columns - 1) * stride_x + reach_x
        if cells == 0:
            source_rows, pitch = x.shape[2], x.shape[3]
        plane = out.shape[2] * out.shape[3]
        source, result = memory[share, :cells], memory[share, cells:]
        places = np.zeros((3, band * columns + height), np.int64)
        placed = 0
        table = np.empty((count, 2), np.int64)
        for k in range(count):
            row = taps[k, 0] * source_rows + taps[k, 1]
            table[k, 0] = (row * pitch + taps[k, 2]) * size
            table[k, 1] = k * wide * size
        for t in range(*share_of(tasks, share, shares)):
            n, g = t // (groups * bands * blocks), t // (bands * blocks) % groups
            start = t // blocks % bands * band
            here = min(band, rows - start) * columns
            image = x[n, g * in_group : (g + 1) * in_group]
            top = corner_y + start * stride_y
            windows = address(source)
            if cells == 0:
                windows = address(image) + (top * pitch + corner_x) * size
            else:
                copy_rows(image, top, corner_x, source_rows, pitch, source)
            low = t % blocks * (wide // blocks)
            high = low + wide // blocks
            if here != placed:
                # The last tile repeats the last cell: it sums and writes the same twice.
                for p in range((here + height - 1) // height * height):
                    cell = min(p, here - 1)
                    q, r = cell // columns, cell % columns
                    places[0, p] = (q * stride_y * pitch + r * stride_x) * size
                    places[1, p] = cell * (high - low) * size
                placed = here
            for m in range(low, high, width):
                weights = address(packed) + (g * taps_and_bias * wide + m) * size
                sums_at = address(result) + (m - low) * size
                for k in range(0, max(1, count), block):
                    begin = weights + count * wide * size if k == 0 else sums_at
                    begin_places = address(places[2 if k == 0 else 1])
                    for p in range(0, here, height):
                        sums(
                            windows,
                            address(places[0]) + p * 8,
                            weights,
                            address(table) + k * 16,
                            min(block, count - k),
                            begin,
                            begin_places + p * 8,
                            sums_at,
                            address(places[1]) + p * 8,
                        )
            mine = min(high, channels) - low
            target = out[n, g * channels + low : g * channels + low + mine].reshape(-1)
            if step_y == 1 and step_x == 1:
                turn(result, high - low, here, mine, target[start * columns :], plane)
            else:
                for m in range(mine):
                    for p in range(here):
                        y = first_y + (start + p // columns) * step_y
                        z = first_x + p % columns * step_x
                        target[m * plane + y * out.shape[3] + z] = result[p * (high - low) + m]

    return apply
