"""The gradient for the weights of filters: one channel goes into one, as in depthwise layers.

A weight's gradient is one long scalar product: a plane of gradients with a plane of the image,
shifted. A tile sums it for all weights of a small kernel at once, which stay in registers while
the planes pass. The lanes of a vector are added up only at the end. What a channel sums is split
into parts whose number does not depend on the threads, and which are added in order.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.filter import (
    Bands,
    cut_planes,
    gathering,
    tables_and_cells,
)
from stepconv.kernels.cpu.conv.filter_tiles import Edge, Lines, Number
from stepconv.kernels.cpu.machine.staging import find_columns, find_lines
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    address,
    has_masks,
    lanes,
    registers,
    tile,
)

Array = Any
Numbers = tuple[int, ...]

_ROWS = 4
# So many tasks there are at least where a single plane is large enough.
_TASKS = 16


def weigh(x: Array, grad_out: Array, grad_w: Array, slide: Slide) -> None:
    """grad_w[c, 0, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, c, i, j]."""
    if grad_out.size == 0:
        grad_w[:] = 0
        return
    dtype, size = x.dtype, grad_w.shape[2:]
    batch, channels = x.shape[:2]
    near = slide.stride_x == slide.dilation_x == 1
    in_place = near and has_masks()
    # As many bands as for so many threads, on any number of them.
    planes, grid = batch * channels, grad_out.shape[2:]
    cut = cut_planes(
        dtype, planes, x.shape[2:], grid, size, slide, 1, _TASKS, in_place, written=False
    )
    memory = tables_and_cells(dtype, thread_count(), cut.entries, cut.cells)
    side = 5 if registers() > 16 else 3
    height, width = min(side, size[0]), min(side, size[1])
    blocks = -(-size[0] // height), -(-size[1] // width)
    parts = min(_TASKS, batch * cut.bands.number * len(cut.blocks))
    sums = np.zeros((parts, channels, *blocks, height, width, lanes(dtype)), dtype)
    rows = _ROWS if slide.stride_y == slide.dilation_y == 1 else 1
    kernel = _kernel(dtype, rows, height, width, near, in_place)
    numbers = (slide[:], cut.bands[:], size)
    kernel(x, grad_out, sums, cut.blocks, memory, numbers)
    _add_parts(sums, grad_w)


@parallel
def _add_parts(worker: int, share: int, sums: Array, grad_w: Array) -> None:
    """grad_w[c, 0, a, b] = Σ of the parts and lanes, in order."""
    parts, _, _, _, height, width, lane_count = sums.shape
    channels, _, kernel_height, kernel_width = grad_w.shape
    for c in range(*share_of(channels, share)):
        for a in range(kernel_height):
            for b in range(kernel_width):
                # The last block is shifted back to end with the kernel.
                p, q = a // height, b // width
                i = a - min(p * height, kernel_height - height)
                j = b - min(q * width, kernel_width - width)
                total = grad_w.dtype.type(0)
                for part in range(parts):
                    for lane in range(lane_count):
                        total += sums[part, c, p, q, i, j, lane]
                grad_w[c, 0, a, b] = total


class Grads(NamedTuple):
    """The address of lines of gradients, from line to line, and how many groups of lines.

    A line has so many whole vectors, and one more of `rest` numbers if `some` is 1.
    """

    at: Number
    step: Number
    groups: Number
    whole: Number
    rest: Number
    some: Number


@functools.cache
def weight_sums(
    dtype: Any, rows: int, height: int, width: int, near: bool = False, edges: bool = False
) -> Any:
    """Return the tile that sums what groups of `rows` lines give to a block of weights.

        sums[a, b] += Σ_i Σ_j grads[i][j] · lines[i + a][columns[b] + j]

    `columns` is a table of offsets in bytes, which is not read where columns are `near`:
    columns[b] = b. A vector of the image is loaded once for all the lines of a group, which begin
    `group_step` entries of their table further on. The lanes of a sum are left apart. With `edges`
    there are zeros for what lies outside of the image.
    """

    @tile(dtype)
    def add(
        v: Vectors, lines: Lines, group_step: Int, columns: Int, grads: Grads, sums: Int, edge: Edge
    ) -> None:
        offset: list[Int | int] = [
            b * v.size if near else v.integer(columns + b * 8) for b in range(width)
        ]

        def group(q: Int, state: list[Vector], at_edge: bool) -> list[Vector]:
            table = lines.table + group_step * q
            places = [table + lines.step * r for r in range(rows + height - 1)]
            line = [v.integer(place) + lines.begin for place in places]
            grad = [grads.at + grads.step * (q * rows + o) for o in range(rows)]
            # The next group but one, or the next plane: lines of the image are about as long.
            ahead = grads.step * (2 * rows)

            def add_vectors(state: list[Vector], j: Int, count: Int | None) -> list[Vector]:
                at = j * v.bytes

                def load(address: Int) -> Vector:
                    return v.load(address) if count is None else v.load_some(address, count)

                def load_cells(address: Int, b: int) -> Vector:
                    if not at_edge:
                        return load(address)
                    first = edge.column + j * v.lanes + b
                    high = edge.width - first
                    high = high if count is None else v.least(high, count)
                    return v.load_where(v.lanes_between(first * -1, high), address, v.zero())

                for place in (*grad, *line[-rows:]) if registers() > 16 else ():
                    v.prefetch(place + (at + ahead))
                given = [load(place + at) for place in grad]
                for b in range(width):
                    for r, place in enumerate(line):
                        cell = load_cells(place + at + offset[b], b)
                        for o in range(max(0, r - height + 1), min(rows, r + 1)):
                            k = (r - o) * width + b
                            state[k] = v.fma(given[o], cell, state[k])
                return state

            state = v.loop(grads.whole, state, lambda j, state: add_vectors(state, j, None))
            whole, rest = grads.whole, grads.rest
            return v.loop(grads.some, state, lambda _, state: add_vectors(state, whole, rest))

        def run(at_edge: bool) -> None:
            places = [sums + k * v.bytes for k in range(height * width)]
            state = [v.load(place) for place in places]
            totals = v.loop(grads.groups, state, lambda q, state: group(q, state, at_edge))
            for place, total in zip(places, totals, strict=True):
                v.store(place, total)

        if edges:
            v.when(edge.near, lambda: run(True), lambda: run(False))
        else:
            run(False)

    return add


@functools.cache
def _kernel(dtype: Any, rows: int, height: int, width: int, near: bool, in_place: bool) -> Any:
    together, single = (
        weight_sums(dtype, count, height, width, near, in_place) for count in (rows, 1)
    )
    gather, lane_count, size = gathering(dtype), lanes(dtype), dtype.itemsize

    @parallel
    def apply(
        worker: int,
        share: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        blocks: Array,
        memory: tuple[Array, Array],
        numbers: tuple[Numbers, Numbers, tuple[int, int]],
    ) -> None:
        slide, bands = Slide(*numbers[0]), Bands(*numbers[1])
        kernel_height, kernel_width = numbers[2]
        image_x = x.shape[3]
        batch, channels, grid_y, grid_x = grad_out.shape
        parts = sums.shape[0]
        units = batch * bands.number * len(blocks)
        table, mine = memory[0][worker], memory[1][worker]
        mine[: bands.zeros] = 0
        columns = table[3 * bands.lines :]
        find_columns(columns, kernel_width, slide, bands.pitch, size)
        # Planes are read in the order in which they lie.
        chunks = min(channels, (_TASKS + parts - 1) // parts)
        for t in range(*share_of(parts * chunks, share)):
            part, chunk = t // chunks, t % chunks
            low, high = chunk * channels // chunks, (chunk + 1) * channels // chunks
            first, last = part * units // parts, (part + 1) * units // parts
            for u in range(first * (high - low), last * (high - low)):
                unit, c = u // (high - low), low + u % (high - low)
                result = sums[part, c]
                edges = blocks[unit % len(blocks)]
                band, n = unit // len(blocks) % bands.number, unit // (len(blocks) * bands.number)
                first_y = band * grid_y // bands.number
                here = (band + 1) * grid_y // bands.number - first_y
                y = first_y * slide.stride_y - slide.top
                count = (here - 1) * slide.stride_y + (kernel_height - 1) * slide.dilation_y + 1
                if in_place:
                    find_lines(x, n * channels + c, y, count, address(mine), table)
                for p in range(3):
                    cells_here = edges[p + 1] - edges[p]
                    if cells_here == 0:
                        continue
                    z = edges[p] * slide.stride_x - slide.left
                    found = table[0 if in_place else p * bands.lines :]
                    if not in_place:
                        plane = n * channels + c
                        gather(x, plane, y, z, count, p, slide.stride_x, bands, found, mine)
                    grads = address(grad_out[n, c, first_y]) + edges[p] * size
                    for block in range(sums.shape[2] * sums.shape[3]):
                        i, j = block // sums.shape[3], block % sums.shape[3]
                        a = min(i * height, kernel_height - height)
                        b = min(j * width, kernel_width - width)
                        # Where in the lines a tile begins to read.
                        column = z + b if in_place else b
                        first = column * size if near else 0
                        line = address(found) + a * slide.dilation_y * 8
                        to, at = address(result[i, j]), address(columns) + b * 8
                        whole, rest = cells_here // lane_count, cells_here % lane_count
                        edge = Edge(0 if p == 1 else 1, column, image_x)
                        groups, step = here // rows, slide.stride_y * 8
                        together(
                            Lines(line, slide.dilation_y * 8, first),
                            rows * step,
                            at,
                            Grads(grads, grid_x * size, groups, whole, rest, min(1, rest)),
                            to,
                            edge,
                        )
                        done = groups * rows
                        left = grads + done * grid_x * size
                        single(
                            Lines(line + done * step, slide.dilation_y * 8, first),
                            step,
                            at,
                            Grads(left, grid_x * size, here - done, whole, rest, min(1, rest)),
                            to,
                            edge,
                        )

    return apply
