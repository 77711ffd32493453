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
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying, turning
from stepconv.kernels.cpu.machine.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import address, lanes
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
    rows, columns = plan.grid
    across = plan.step[0] * out.shape[3]
    band = max(1, min(rows, _CELLS // across))
    # Rows are cut only where one alone is too long, such as that of a signal.
    piece = columns if across <= 2 * _CELLS else -(-_CELLS // (plan.step[0] * plan.step[1]))
    bands, pieces = -(-rows // band), -(-columns // piece)
    tasks = x.shape[0] * groups * bands * pieces
    threads = thread_count()
    blocks = wide // width if tasks < 4 * threads else 1
    cells, (source_rows, pitch) = 0, x.shape[2:]
    if not all(one.stays_inside(x.shape[2:]) for one in passes):
        source_rows, pitch = plan.source(band, piece)
        cells = source_rows * pitch * (x.shape[1] // groups) + lanes(x.dtype)
    out_columns = min(out.shape[3], piece * plan.step[1])
    room = cells + band * plan.step[0] * out_columns * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    sizes = (band, piece, source_rows, pitch, out_columns, wide, wide // blocks)
    table, places = _tables(plan, *sizes, rows_of(vectors), x.itemsize)
    numbers = (cells, band, bands, piece, pieces, blocks, source_rows, pitch, out_columns)
    numbers = (*numbers, *plan.corner, *plan.stride, *plan.step)
    _kernel(x.dtype, vectors)(x, packed, out, memory, plan.parts, table, places, numbers)


@remembered
def _tables(
    plan: Together,
    band: int,
    piece: int,
    source_rows: int,
    pitch: int,
    out_columns: int,
    wide: int,
    filters: int,
    height: int,
    size: int,
) -> tuple[Array, Array]:
    """Return the tables of a tile, in bytes: of taps, and of the cells of each pass in a task.

    A task is whole, or the last one, with the rows or columns that are left. Its last tile repeats
    the last cell: it sums and writes the same twice. The third row is that of the biases, which lie
    at 0.
    """
    count = len(plan.taps)
    table = np.stack([tap_places(plan.taps, source_rows, pitch), np.arange(count) * wide], 1)
    places = np.zeros((len(plan.parts), 2, 3, band * piece + height), np.int64)
    for part, (first_y, first_x, rows, columns, _, _) in zip(places, plan.parts, strict=True):
        last = (rows % band, columns) if piece >= columns else (band, columns % piece)
        shapes = ((band, min(piece, columns)), last)
        for (source, to, _), (high, long) in zip(part, shapes, strict=True):
            cell = np.minimum(np.arange(len(source)), max(0, high * long - 1))
            q, r = np.divmod(cell, max(1, long))
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
        cells, band, bands, piece, pieces, blocks, source_rows, pitch, out_columns = numbers[:9]
        corner_y, corner_x, stride_y, stride_x, step_y, step_x = numbers[9:]
        groups, taps_and_bias, wide = packed.shape
        in_group, channels = x.shape[1] // groups, out.shape[1] // groups
        width_out = out.shape[3]
        plane = out.shape[2] * width_out
        filters = wide // blocks
        source = address(memory) + share * memory.shape[1] * size
        result = source + cells * size
        shape = (in_group, x.shape[2], x.shape[3])
        for task in range(*share_of(x.shape[0] * groups * bands * pieces * blocks, share, shares)):
            t, first_filter = task // blocks, task % blocks * filters
            n, g = t // (groups * bands * pieces), t // (bands * pieces) % groups
            start, start_x = t // pieces % bands * band, t % pieces * piece
            image = address(x) + (n * groups + g) * in_group * x.shape[2] * x.shape[3] * size
            top, left = corner_y + start * stride_y, corner_x + start_x * stride_x
            windows = source
            if cells == 0:
                windows = image + (top * pitch + left) * size
            else:
                copy_rows(image, shape, top, left, source_rows, pitch, source)
            for j in range(parts.shape[0]):
                rows, columns, first_tap, last_tap = parts[j, 2:]
                high, long = min(band, rows - start), min(piece, columns - start_x)
                here = max(0, high) * max(0, long)
                cells_at = address(places[j, 0 if here == band * min(piece, columns) else 1, 0])
                row = places.shape[3] * 8
                for m in range(0, filters, width):
                    weights = address(packed) + (g * taps_and_bias * wide + first_filter + m) * size
                    sums_at = result + m * size
                    for k in range(first_tap, max(first_tap + 1, last_tap), block):
                        begin, begin_places = sums_at, cells_at + row
                        if k == first_tap:
                            begin = weights + (taps_and_bias - 1) * wide * size
                            begin_places = cells_at + 2 * row
                        for p in range(0, here, height):
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
            mine = min(filters, channels - first_filter)
            done, done_x = start * step_y, start_x * step_x
            lines = min(band * step_y, out.shape[2] - done)
            run = min(out_columns, width_out - done_x)
            if pieces == 1:
                lines, run = 1, lines * run
            to = ((n * groups + g) * channels + first_filter) * plane + done * width_out + done_x
            for y in range(lines):
                line = result + y * out_columns * filters * size
                target = address(out) + (to + y * width_out) * size
                turn(line, filters, run, mine, target, plane)

    return apply
