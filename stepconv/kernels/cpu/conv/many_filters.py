"""Layers of many filters: a vector holds one output cell of as many filters as it has lanes.

A cell of the source meets the weights of all these filters at once, so windows may lie anywhere:
stride, dilation and padding cost nothing. Each task takes some rows of one image, puts the padding
round them in memory of its own, sums, and turns the result to have one filter after the other.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner, parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.tasks import Bands, bands_of, sourcing, task_at
from stepconv.kernels.cpu.machine.remembered import remembered
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import turning
from stepconv.kernels.cpu.machine.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import address, lanes
from stepconv.kernels.passes import Part, Pass, Together, Walk, tap_places, together

Array = Any
Numbers = tuple[int, ...]

# A task's sums and its rows of the source should lie in the second-level cache, and the weights
# that a tile runs through in the first.
_CELLS = 800
_WEIGHT_BYTES = 24 * 1024


class Blocks(NamedTuple):
    """A task sums one of so many blocks of filters, in rows of so many cells."""

    number: int
    out_columns: int


def apply_passes(x: Array, w: Array, bias: Array, out: Array, passes: tuple[Pass, ...]) -> None:
    """Compute passes that fill `out` together, for all images and groups."""
    plan = together(passes)
    groups, per_group = plan.groups, out.shape[1] // plan.groups
    vectors = vectors_for(per_group, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-per_group // width) * width
    packed = packed_filters(w, bias, plan, wide)
    rows, columns = plan.grid
    across = plan.step[0] * out.shape[3]
    # Rows are cut only where one alone is too long, such as that of a signal.
    long = across > 2 * _CELLS
    size = (
        max(1, min(rows, _CELLS // across)),
        -(-_CELLS // (plan.step[0] * plan.step[1])) if long else columns,
    )
    inside = all(one.stays_inside(x.shape[2:]) for one in passes)
    bands = bands_of(x, plan, size, lanes(x.dtype), inside)
    threads, tasks = thread_count(), x.shape[0] * groups * bands.tasks
    blocks = Blocks(
        number=wide // width if tasks < 4 * threads else 1,
        out_columns=min(out.shape[3], bands.columns * plan.step[1]),
    )
    room = bands.copied + bands.rows * plan.step[0] * blocks.out_columns * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    tables = _tables(plan, bands, blocks, wide // blocks.number, wide, rows_of(vectors), x.itemsize)
    numbers = (plan.walk[:], bands[:], blocks[:])
    kernel = _kernel(x.dtype, vectors).for_work(out.size * w[0].size)
    kernel(x, packed, out, memory, tables, numbers)


@remembered
def _tables(
    plan: Together, bands: Bands, blocks: Blocks, filters: int, wide: int, height: int, size: int
) -> tuple[Array, Array, Array]:
    """Return the parts, and the tables of a tile, in bytes: of taps, and of the cells of each part.

    A task is whole, or the last one, with the rows or columns that are left. Its last tile repeats
    the last cell: it sums and writes the same twice. The third row is that of the biases, which lie
    at 0.
    """
    band, piece = bands.rows, bands.columns
    at = tap_places(plan.taps, bands.source_rows, bands.pitch)
    table = np.stack([at, np.arange(len(at)) * wide], 1)
    places = np.zeros((len(plan.parts), 2, 3, band * piece + height), np.int64)
    for part, own in zip(plan.parts, places, strict=True):
        last = (part.grid_y % band, part.grid_x)
        if piece < part.grid_x:
            last = (band, part.grid_x % piece)
        shapes = ((band, min(piece, part.grid_x)), last)
        for (source, to, _), (high, long) in zip(own, shapes, strict=True):
            cell = np.minimum(np.arange(len(source)), max(0, high * long - 1))
            q, r = np.divmod(cell, max(1, long))
            source[:] = q * plan.stride[0] * bands.pitch + r * plan.stride[1]
            y, x = part.first_y + q * plan.step[0], part.first_x + r * plan.step[1]
            to[:] = (y * blocks.out_columns + x) * filters
    return np.array(plan.parts, np.int64), table * size, places * size


def vectors_for(filters: int, dtype: Any) -> int:
    """Return how many vectors of filters a tile takes: four, or fewer if those hold all."""
    needed = -(-filters // lanes(dtype))
    return 4 if needed > 2 else needed


def packed_filters(w: Array, bias: Array, plan: Pass, wide: int) -> Array:
    """Return weight k of output channel m of group g at [g, k, m]; the last k is the bias."""
    packed = np.empty((plan.groups, len(plan.taps) + 1, wide), w.dtype)
    _pack(w.reshape(-1), bias, packed, plan.weights, plan.walk[:])
    return packed


@parallel
def _pack(
    worker: int, share: int, flat: Array, bias: Array, packed: Array, weights: Array, walk: Numbers
) -> None:
    plan = Walk(*walk)
    groups, rows, _ = packed.shape
    channels = bias.size // groups
    for t in range(*share_of(groups * rows, share)):
        g, k = t // rows, t % rows
        row = packed[g, k]
        row[channels:] = 0
        if k == rows - 1:
            for m in range(channels):
                row[m] = bias[g * channels + m]
        else:
            first = g * plan.between_groups + weights[k]
            for m in range(channels):
                row[m] = flat[first + m * plan.between_filters]


@inner
def _part(parts: Array, j: int) -> Part:
    """Return part j, from a table."""
    p = parts[j]
    return Part(p[0], p[1], p[2], p[3], p[4], p[5])


@functools.cache
def _kernel(dtype: Any, vectors: int) -> Any:
    height = rows_of(vectors)
    sums = multiply_add(dtype, height, vectors)
    source_of, turn = sourcing(dtype), turning(dtype)
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    width = vectors * lane_count
    block = _WEIGHT_BYTES // (width * size)

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        packed: Array,
        out: Array,
        memory: Array,
        tables: tuple[Array, Array, Array],
        numbers: tuple[Numbers, Numbers, Numbers],
    ) -> None:
        plan, bands, blocks = Walk(*numbers[0]), Bands(*numbers[1]), Blocks(*numbers[2])
        parts, table, places = tables
        groups, taps_and_bias, wide = packed.shape
        channels = out.shape[1] // groups
        width_out = out.shape[3]
        plane = out.shape[2] * width_out
        filters = wide // blocks.number
        source = address(memory) + worker * memory.shape[1] * size
        result = source + bands.copied * size
        tasks = x.shape[0] * groups * bands.tasks * blocks.number
        for t in range(*share_of(tasks, share)):
            task = task_at(t // blocks.number, plan, bands)
            first_filter, g = t % blocks.number * filters, task.group
            windows = source_of(x, task, plan, bands, source)
            for j in range(parts.shape[0]):
                part = _part(parts, j)
                high = min(bands.rows, part.grid_y - task.row)
                long = min(bands.columns, part.grid_x - task.column)
                here = max(0, high) * max(0, long)
                whole = here == bands.rows * min(bands.columns, part.grid_x)
                cells_at = address(places[j, 0 if whole else 1, 0])
                row = places.shape[3] * 8
                for m in range(0, filters, width):
                    weights = address(packed) + (g * taps_and_bias * wide + first_filter + m) * size
                    sums_at = result + m * size
                    for k in range(part.first_tap, max(part.first_tap + 1, part.end_tap), block):
                        begin, begin_places = sums_at, cells_at + row
                        if k == part.first_tap:
                            begin = weights + (taps_and_bias - 1) * wide * size
                            begin_places = cells_at + 2 * row
                        for p in range(0, here, height):
                            sums(
                                windows,
                                cells_at + p * 8,
                                weights,
                                address(table) + k * 16,
                                min(block, part.end_tap - k),
                                begin,
                                begin_places + p * 8,
                                sums_at,
                                cells_at + row + p * 8,
                            )
            mine = min(filters, channels - first_filter)
            done, done_x = task.row * plan.step_y, task.column * plan.step_x
            lines = min(bands.rows * plan.step_y, out.shape[2] - done)
            run = min(blocks.out_columns, width_out - done_x)
            if bands.columns >= plan.grid_x:
                lines, run = 1, lines * run
            to = ((task.image * groups + g) * channels + first_filter) * plane
            to += done * width_out + done_x
            for y in range(lines):
                line = result + y * blocks.out_columns * filters * size
                target = address(out) + (to + y * width_out) * size
                turn(line, filters, run, mine, target, plane)

    return apply
