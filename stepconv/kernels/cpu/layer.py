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
from stepconv.kernels.passes import Pass, together

Array = Any
Steps = tuple[int, int, int]

# A task's sums and its rows of the source should lie in the second-level cache, and the weights
# that a tile runs through in the first.
_CELLS = 800
_WEIGHT_BYTES = 24 * 1024


def apply_passes(
    x: Array, w: Array, bias: Array, out: Array, passes: tuple[Pass, ...], steps: Steps
) -> None:
    """Compute passes that fill `out` together, for all images and groups.

    `steps` are the numbers of weights between groups, and between output channels in a group.
    """
    plan = together(passes)
    groups, per_group = steps[2], out.shape[1] // steps[2]
    vectors = vectors_for(per_group, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-per_group // width) * width
    packed = np.empty((groups, len(plan.taps) + 1, wide), x.dtype)
    pack_filters(w.reshape(-1), bias, packed, plan.weights, steps)
    across, high = plan.step[0] * out.shape[3], int(plan.parts[:, 2].max())
    band = max(1, min(high, _CELLS // across))
    tasks = x.shape[0] * groups * -(-high // band)
    threads = thread_count()
    blocks = wide // width if tasks < 4 * threads else 1
    cells = 0
    if not all(one.stays_inside(x.shape[2:]) for one in passes):
        cells = plan.cells(band) * (x.shape[1] // groups) + lanes(x.dtype)
    room = cells + band * across * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    kernel = _kernel(x.dtype, vectors)
    kernel(x, packed, out, memory, cells, plan.parts, plan.taps, plan.numbers, band, blocks)


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
        parts: Array,
        taps: Array,
        numbers: Array,
        band: int,
        blocks: int,
    ) -> None:
        step_y, step_x, corner_y, corner_x, stride_y, stride_x, reach_y, reach_x = numbers
        groups, taps_and_bias, wide = packed.shape
        in_group, channels = x.shape[1] // groups, out.shape[1] // groups
        high, across = parts[:, 2].max(), parts[:, 3].max()
        bands = (high + band - 1) // band
        tasks = x.shape[0] * groups * bands * blocks
        source_rows = (band - 1) * stride_y + reach_y
        pitch = (across - 1) * stride_x + reach_x
        if cells == 0:
            source_rows, pitch = x.shape[2], x.shape[3]
        height_out, width_out = out.shape[2:]
        plane = height_out * width_out
        source, result = memory[share, :cells], memory[share, cells:]
        bias_places = np.zeros(height, np.int64)
        places = np.empty((parts.shape[0], 2, band * across + height), np.int64)
        placed = np.zeros(parts.shape[0], np.int64)
        table = np.empty((taps_and_bias - 1, 2), np.int64)
        for k in range(taps_and_bias - 1):
            row = taps[k, 0] * source_rows + taps[k, 1]
            table[k, 0] = (row * pitch + taps[k, 2]) * size
            table[k, 1] = k * wide * size
        for t in range(*share_of(tasks, share, shares)):
            n, g = t // (groups * bands * blocks), t // (bands * blocks) % groups
            start = t // blocks % bands * band
            image = x[n, g * in_group : (g + 1) * in_group]
            top = corner_y + start * stride_y
            windows = address(source)
            if cells == 0:
                windows = address(image) + (top * pitch + corner_x) * size
            else:
                copy_rows(image, top, corner_x, source_rows, pitch, source)
            first_filter = t % blocks * (wide // blocks)
            filters = wide // blocks
            for j in range(parts.shape[0]):
                first_y, first_x, rows, columns, first_tap, last_tap = parts[j]
                here = max(0, min(band, rows - start)) * columns
                if here != placed[j]:
                    # The last tile repeats the last cell: it sums and writes the same twice.
                    for p in range((here + height - 1) // height * height):
                        q, r = min(p, here - 1) // columns, min(p, here - 1) % columns
                        places[j, 0, p] = (q * stride_y * pitch + r * stride_x) * size
                        cell = (first_y + q * step_y) * width_out + first_x + r * step_x
                        places[j, 1, p] = cell * filters * size
                    placed[j] = here
                for m in range(0, filters, width):
                    weights = address(packed) + (g * taps_and_bias * wide + first_filter + m) * size
                    sums_at = address(result) + m * size
                    for k in range(first_tap, max(first_tap + 1, last_tap), block):
                        begin, begin_places, begin_step = sums_at, address(places[j, 1]), 8
                        if k == first_tap:
                            begin = weights + (taps_and_bias - 1) * wide * size
                            begin_places, begin_step = address(bias_places), 0
                        for p in range(0, here, height):
                            sums(
                                windows,
                                address(places[j, 0]) + p * 8,
                                weights,
                                address(table) + k * 16,
                                min(block, last_tap - k),
                                begin,
                                begin_places + p * begin_step,
                                sums_at,
                                address(places[j, 1]) + p * 8,
                            )
            mine = min(first_filter + filters, channels) - first_filter
            first = g * channels + first_filter
            target = out[n, first : first + mine].reshape(-1)
            done = start * step_y
            here = min(band * step_y, height_out - done) * width_out
            turn(result, filters, here, mine, target[done * width_out :], plane)

    return apply
