"""3x3 layers with fewer multiplications: Winograd's F(4x4, 3x3), a named choice.

The products of transformed numbers (kernels/winograd.py) are summed over the channels before the
last transform, so that all the transforms cost little beside them. Lanes hold channels
while d is transformed and filters afterwards. Sums of transformed numbers round worse than direct
ones, so this serves only those who ask for it.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.many_filters import packed_filters, vectors_for
from stepconv.kernels.cpu.machine.scratch import scratch
from stepconv.kernels.cpu.machine.staging import copying, turning
from stepconv.kernels.cpu.machine.tiles import multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, address, lanes, tile
from stepconv.kernels.passes import Pass, Walk
from stepconv.kernels.winograd import INPUT, KERNEL, OUTPUT, both_sides

Array = Any

# The transformed squares of a task and their products: the third-level cache holds those of all
# threads, and the more squares, the less often the kernels are read.
_BYTES = 4 * 2**20


def suits(plan: Pass, channels: int) -> bool:
    """Tell whether a pass is a 3x3 window without gaps that moves by one cell."""
    one = plan.stride == plan.step == (1, 1)
    return one and plan.reach == (3, 3) and len(plan.taps) == 9 * channels


def apply_pass(x: Array, w: Array, bias: Array, out: Array, plan: Pass) -> None:
    """Compute one pass for all images and groups."""
    groups = plan.groups
    channels, filters = x.shape[1] // groups, out.shape[1] // groups
    vectors = vectors_for(filters, x.dtype)
    width = vectors * lanes(x.dtype)
    wide = -(-filters // width) * width
    deep = -(-channels // lanes(x.dtype)) * lanes(x.dtype)
    packed = packed_filters(w, bias, plan, wide)
    transformed = np.empty((groups, 36, channels, wide), x.dtype)
    _transform_filters(x.dtype)(packed, transformed)
    across, down = -(-plan.grid[1] // 4), -(-plan.grid[0] // 4)
    most = _BYTES // (36 * (deep + wide) * x.itemsize)
    band = max(1, min(down, most // across))
    threads = thread_count()
    source = (4 * band + 2) * (4 * across + 2)
    tiles = band * across
    room = source * (channels + deep) + tiles * 36 * (deep + wide) + tiles * 16 * wide
    memory = scratch(x.dtype, threads * room).reshape(threads, room)
    kernel = _kernel(x.dtype, vectors)
    kernel(x, packed, transformed, out, memory, plan.walk[:], (band, across, deep))


def _combine(v: Vectors, row: list[float], given: list[Vector]) -> Vector:
    """Return Σ row[j] · given[j], without what is multiplied by 0."""
    terms = [(factor, vector) for factor, vector in zip(row, given, strict=True) if factor]
    # Ones first: a sum has to begin with a vector as it is, or with a product.
    terms.sort(key=lambda term: abs(term[0]) != 1 or term[0] < 0)
    factor, total = terms[0]
    if factor != 1:
        total = total * v.constant(factor)
    for factor, vector in terms[1:]:
        if factor == 1:
            total = total + vector
        elif factor == -1:
            total = total - vector
        else:
            total = v.fma(v.constant(factor), vector, total)
    return total


@functools.cache
def _change(dtype: Any, name: str) -> Any:
    """Return the tile that transforms squares of vectors by one of the matrices.

    out[r][s] = M · source · M' (+ start), with steps in bytes between rows and cells
    """
    matrix = {"input": INPUT, "kernel": KERNEL, "output": OUTPUT}[name]
    side = len(matrix[0])

    @tile(dtype)
    def change(
        v: Vectors,
        source: Int,
        source_row: Int,
        source_cell: Int,
        out: Int,
        out_row: Int,
        out_cell: Int,
        start: Int,
    ) -> None:
        square = [
            [v.load(source + source_row * i + source_cell * j) for j in range(side)]
            for i in range(side)
        ]
        rows = both_sides(lambda given: [_combine(v, row, given) for row in matrix], square)
        for i, row in enumerate(rows):
            for j, vector in enumerate(row):
                total = vector + v.load(start) if name == "output" else vector
                v.store(out + out_row * i + out_cell * j, total)

    return change


@functools.cache
def _transform_filters(dtype: Any) -> Any:
    change, lane_count, size = _change(dtype, "kernel"), lanes(dtype), np.dtype(dtype).itemsize

    @parallel
    def transform(worker: int, share: int, packed: Array, transformed: Array) -> None:
        groups, _, channels, wide = transformed.shape
        for t in range(*share_of(groups * channels, share)):
            g, c = t // channels, t % channels
            plane = channels * wide * size
            for m in range(0, wide, lane_count):
                change(
                    address(packed[g, 9 * c]) + m * size,
                    3 * wide * size,
                    wide * size,
                    address(transformed[g, 0, c]) + m * size,
                    6 * plane,
                    plane,
                    0,
                )

    return transform


@functools.cache
def _kernel(dtype: Any, vectors: int) -> Any:
    height = rows_of(vectors)
    sums = multiply_add(dtype, height, vectors)
    copy_rows, turn = copying(dtype), turning(dtype)
    change_in, change_out = _change(dtype, "input"), _change(dtype, "output")
    lane_count, size = lanes(dtype), np.dtype(dtype).itemsize
    width = vectors * lane_count

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        packed: Array,
        transformed: Array,
        out: Array,
        memory: Array,
        numbers: tuple[int, ...],
        sizes: tuple[int, int, int],
    ) -> None:
        plan, (band, across, deep) = Walk(*numbers), sizes
        rows, columns = plan.grid_y, plan.grid_x
        groups, _, channels, wide = transformed.shape
        filters = out.shape[1] // groups
        bands = ((rows + 3) // 4 + band - 1) // band
        tasks = x.shape[0] * groups * bands
        pitch, tiles = 4 * across + 2, band * across
        cells = (4 * band + 2) * pitch
        shape = (channels, x.shape[2], x.shape[3])
        plane = out.shape[2] * out.shape[3]
        own = memory[worker]
        planes, own = own[: cells * channels], own[cells * channels :]
        turned, own = own[: cells * deep], own[cells * deep :]
        squares, own = own[: tiles * 36 * deep], own[tiles * 36 * deep :]
        products, result = own[: tiles * 36 * wide], own[tiles * 36 * wide :]
        turned[:] = 0
        products[:width] = 0
        places = np.zeros((3, tiles + height), np.int64)
        for p in range(tiles + height):
            place = min(p, tiles - 1)
            places[0, p] = place * deep * size
            places[1, p] = place * wide * size
        taps = np.empty((channels, 2), np.int64)
        for k in range(channels):
            taps[k, 0], taps[k, 1] = k * size, k * wide * size
        zero = np.zeros(width, x.dtype)
        for t in range(*share_of(tasks, share)):
            n, g, start = t // (groups * bands), t // bands % groups, t % bands * band * 4
            image = address(x) + (n * groups + g) * channels * x.shape[2] * x.shape[3] * size
            top = plan.corner_y + start
            copy_rows(image, shape, top, plan.corner_x, 4 * band + 2, pitch, address(planes))
            turn(address(planes), cells, channels, cells, address(turned), deep)
            for p in range(tiles):
                corner = (p // across * 4 * pitch + p % across * 4) * deep
                for m in range(0, deep, lane_count):
                    change_in(
                        address(turned) + (corner + m) * size,
                        pitch * deep * size,
                        deep * size,
                        address(squares) + (p * deep + m) * size,
                        6 * tiles * deep * size,
                        tiles * deep * size,
                        0,
                    )
            for q in range(36):
                for m in range(0, wide, width):
                    for p in range(0, tiles, height):
                        sums(
                            address(squares) + q * tiles * deep * size,
                            address(places[0]) + p * 8,
                            address(transformed[g, q]) + m * size,
                            address(taps),
                            channels,
                            address(zero),
                            address(places[2]),
                            address(products) + (q * tiles * wide + m) * size,
                            address(places[1]) + p * 8,
                        )
            for p in range(tiles):
                corner = (p // across * 4 * across * 4 + p % across * 4) * wide
                for m in range(0, wide, lane_count):
                    change_out(
                        address(products) + (p * wide + m) * size,
                        6 * tiles * wide * size,
                        tiles * wide * size,
                        address(result) + (corner + m) * size,
                        4 * across * wide * size,
                        wide * size,
                        address(packed[g, 9 * channels]) + m * size,
                    )
            target = address(out) + ((n * groups + g) * filters * plane + start * columns) * size
            here = min(4 * band, rows - start)
            if columns == 4 * across:
                turn(address(result), wide, here * columns, filters, target, plane)
            else:
                for q in range(here):
                    line = address(result) + q * 4 * across * wide * size
                    turn(line, wide, columns, filters, target + q * columns * size, plane)

    return apply
