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
from stepconv.kernels.cpu.tables import remembered
from stepconv.kernels.cpu.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.vector import address, lanes
from stepconv.kernels.passes import Pass, Together, tap_places, together

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
    across, rows = plan.step[0] * out.shape[3], int(plan.parts[:, 2].max())
    band = max(1, min(rows, _CELLS // across))
    bands = -(-rows // band)
    tasks = x.shape[0] * groups * bands
    threads = thread_count()
    blocks = wide // width if tasks < 4 * threads else 1
    cells, (source_rows, pitch) = 0, x.shape[2:]
    if not all(one.stays_inside(x.shape[2:]) for one in passes):
        source_rows, pitch = plan.source(band)
        cells = source_rows * pitch * (x.shape[1] // groups) + lanes(x.dtype)
    room = cells + band * across * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    sizes = (band, source_rows, pitch, out.shape[3], wide, wide // blocks)
    table, places = _tables(plan, *sizes, rows_of(vectors), x.itemsize)
    numbers = (cells, band, bands, blocks, source_rows, pitch)
    numbers = (*numbers, *plan.corner, plan.stride[0], plan.step[0])
    _kernel(x.dtype, vectors)(x, packed, out, memory, plan.parts, table, places, numbers)


@remembered
def _tables(
    plan: Together,
    band: int,
    source_rows: int,
    pitch: int,
    out_columns: int,
    wide: int,
    filters: int,
    height: int,
    size: int,
) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of taps, and of the cells of each pass in a band.

    A band is whole, or the last one, with the rows that are left. Its last tile repeats the last
    cell: it sums and writes the same twice. The third row is that of the biases, which lie at 0.
    """
    count = len(plan.taps)
    table = np.stack([tap_places(plan.taps, source_rows, pitch), np.arange(count) * wide], 1)
    places = np.zeros((len(plan.parts), 2, 3, band * int(plan.parts[:, 3].max()) + height), int)
    for part, (first_y, first_x, rows, columns, _, _) in zip(places, plan.parts, strict=True):
        for (source, to, _), rows_here in zip(part, (band, rows % band), strict=True):
            cell = np.minimum(np.arange(len(source)), max(0, rows_here * columns - 1))
            q, r = np.divmod(cell, columns)
            source[:] = q * plan.stride[0] * pitch + r * plan.stride[1]
            y, x = first_y + q * plan.step[0], first_x + r * plan.step[1]
            to[:] = (y * out_columns + x) * filters
    return table * size, places * size


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
        parts: Array,
        table: Array,
        places: Array,
        numbers: Array,
    ) -> None:
        cells, band, bands, blocks, source_rows, pitch = numbers[:6]
        corner_y, corner_x, stride_y, step_y = numbers[6:]
        groups, taps_and_bias, wide = packed.shape
        in_group, channels = x.shape[1] // groups, out.shape[1] // groups
        width_out = out.shape[3]
        plane = out.shape[2] * width_out
        filters = wide // blocks
        source = address(memory) + share * memory.shape[1] * size
        result = source + cells * size
        shape = (in_group, x.shape[2], x.shape[3])
        for t in range(*share_of(x.shape[0] * groups * bands * blocks, share, shares)):
            n, g = t // (groups * bands * blocks), t // (bands * blocks) % groups
            start, first_filter = t // blocks % bands * band, t % blocks * filters
            image = address(x) + (n * groups + g) * in_group * x.shape[2] * x.shape[3] * size
            top = corner_y + start * stride_y
            windows = source
            if cells == 0:
                windows = image + (top * pitch + corner_x) * size
            else:
                copy_rows(image, shape, top, corner_x, source_rows, pitch, source)
            for j in range(parts.shape[0]):
                rows, columns, first_tap, last_tap = parts[j, 2:]
                rows_here = max(0, min(band, rows - start))
                cells_at = address(places[j, 0 if rows_here == band else 1, 0])
                row = places.shape[3] * 8
                for m in range(0, filters, width):
                    weights = address(packed) + (g * taps_and_bias * wide + first_filter + m) * size
                    sums_at = result + m * size
                    for k in range(first_tap, max(first_tap + 1, last_tap), block):
                        begin, begin_places = sums_at, cells_at + row
                        if k == first_tap:
                            begin = weights + (taps_and_bias - 1) * wide * size
                            begin_places = cells_at + 2 * row
                        for p in range(0, rows_here * columns, height):
                            sums(
                                windows,
                                cells_at + p * 8,
                                weights,
                                address(table) + k * 16,
                                min(block, last_tap - k),
                                begin,
                                begin_places + p * 8,
                                sums_at,
                                cells_at + row + p * 8,
                            )
            done = start * step_y * width_out
            here = min(band * step_y * width_out, plane - done)
            target = (
                address(out) + (((n * groups + g) * channels + first_filter) * plane + done) * size
            )
            turn(result, filters, here, min(filters, channels - first_filter), target, plane)

    return apply
