"""The gradient for the weights of filters: one channel goes into one, as in depthwise layers.

A weight's gradient is one long scalar product: a plane of gradients with a plane of the image,
shifted. A tile sums it for all weights of a small kernel at once, which stay in registers while
the planes pass. The lanes of a vector are added up only at the end. What a channel sums is split
into parts whose number does not depend on the threads, and which are added in order.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.compile import parallel, share_of, thread_count
from stepconv.kernels.cpu.conv.filter import cut_planes, find_lines, gathering
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
    cut = cut_planes(
        dtype, batch * channels, x.shape[2:], grad_out.shape[2:], size, slide, 1, _TASKS, in_place
    )
    cut = replace(cut, threads=thread_count())
    tables, cells = cut.memory(dtype)
    side = 5 if registers() > 16 else 3
    height, width = min(side, size[0]), min(side, size[1])
    blocks = -(-size[0] // height), -(-size[1] // width)
    parts = min(_TASKS, batch * int(cut.numbers[7]) * len(cut.blocks))
    sums = np.zeros((parts, channels, *blocks, height, width, lanes(dtype)), dtype)
    rows = _ROWS if slide.stride_y == slide.dilation_y == 1 else 1
    kernel = _kernel(dtype, rows, height, width, near, in_place)
    kernel(x, grad_out, sums, cut.blocks, cut.numbers, tables, cells, *size)
    _add_parts(sums, grad_w)


@parallel
def _add_parts(share: int, shares: int, sums: Array, grad_w: Array) -> None:
    """grad_w[c, 0, a, b] = Σ of the parts and lanes, in order."""
    parts, _, _, _, height, width, lane_count = sums.shape
    channels, _, kernel_height, kernel_width = grad_w.shape
    for c in range(*share_of(channels, share, shares)):
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


@functools.cache
def weight_sums(
    dtype: Any, rows: int, height: int, width: int, near: bool = False, edges: bool = False
) -> Any:
    """Return the tile that sums what `groups` groups of `rows` lines give to a block of weights.

        sums[a, b] += Σ_i Σ_j grads[i][j] · lines[i + a][columns[b] + j]

    `lines` is a table of addresses, of lines that begin `shift` bytes further on, and `columns` one
    of offsets in bytes, which is not read where columns are `near`: columns[b] = b. A vector of the
    image is loaded once for all the lines of a group. A line has `whole` vectors, and one of `rest`
    numbers if `some` is 1; the lanes of a sum are left apart.

    With `edges`, a tile may be told that it is `at_edge` of an image `image_width` wide, of whose
    lines it reads cell number `column` first: then there are zeros for what lies outside.
    """

    @tile(dtype)
    def add(
        v: Vectors,
        lines: Int,
        line_step: Int,
        group_step: Int,
        shift: Int,
        columns: Int,
        grads: Int,
        grad_step: Int,
        groups: Int,
        whole: Int,
        rest: Int,
        some: Int,
        sums: Int,
        at_edge: Int,
        column: Int,
        image_width: Int,
    ) -> None:
        offset: list[Int | int] = [
            b * v.size if near else v.integer(columns + b * 8) for b in range(width)
        ]

        def group(q: Int, state: list[Vector], edge: bool) -> list[Vector]:
            table = lines + group_step * q
            line = [v.integer(table + line_step * r) + shift for r in range(rows + height - 1)]
            grad = [grads + grad_step * (q * rows + o) for o in range(rows)]

            def add_vectors(state: list[Vector], j: Int, count: Int | None) -> list[Vector]:
                at = j * v.bytes

                def load(address: Int) -> Vector:
                    return v.load(address) if count is None else v.load_some(address, count)

                def load_cells(address: Int, b: int) -> Vector:
                    if not edge:
                        return load(address)
                    first = column + j * v.lanes + b
                    high = image_width - first
                    high = high if count is None else v.least(high, count)
                    return v.load_where(v.lanes_between(first * -1, high), address, v.zero())

                given = [load(place + at) for place in grad]
                for b in range(width):
                    for r, place in enumerate(line):
                        cell = load_cells(place + at + offset[b], b)
                        for o in range(max(0, r - height + 1), min(rows, r + 1)):
                            k = (r - o) * width + b
                            state[k] = v.fma(given[o], cell, state[k])
                return state

            state = v.loop(whole, state, lambda j, state: add_vectors(state, j, None))
            return v.loop(some, state, lambda _, state: add_vectors(state, whole, rest))

        def run(edge: bool) -> None:
            places = [sums + k * v.bytes for k in range(height * width)]
            state = [v.load(place) for place in places]
            totals = v.loop(groups, state, lambda q, state: group(q, state, edge))
            for place, total in zip(places, totals, strict=True):
                v.store(place, total)

        if edges:
            v.when(at_edge, lambda: run(True), lambda: run(False))
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
        share: int,
        shares: int,
        x: Array,
        grad_out: Array,
        sums: Array,
        blocks: Array,
        numbers: Array,
        tables: Array,
        cells: Array,
        kernel_height: int,
        kernel_width: int,
    ) -> None:
        stride_y, stride_x, dilation_y, dilation_x, top, left = numbers[:6]
        bands, lines, pitch, zeros = numbers[7:11]
        image_x = x.shape[3]
        batch, channels, grid_y, grid_x = grad_out.shape
        parts = sums.shape[0]
        units = batch * bands * len(blocks)
        table, mine = tables[share], cells[share]
        mine[:zeros] = 0
        columns = table[3 * lines :]
        for b in range(kernel_width):
            shift = b * dilation_x
            columns[b] = (shift % stride_x * pitch + shift // stride_x) * size
        # Planes are read in the order in which they lie.
        chunks = min(channels, (_TASKS + parts - 1) // parts)
        for t in range(*share_of(parts * chunks, share, shares)):
            part, chunk = t // chunks, t % chunks
            low, high = chunk * channels // chunks, (chunk + 1) * channels // chunks
            first, last = part * units // parts, (part + 1) * units // parts
            for u in range(first * (high - low), last * (high - low)):
                unit, c = u // (high - low), low + u % (high - low)
                result = sums[part, c]
                edges = blocks[unit % len(blocks)]
                band, n = unit // len(blocks) % bands, unit // (len(blocks) * bands)
                first_y = band * grid_y // bands
                here = (band + 1) * grid_y // bands - first_y
                y = first_y * stride_y - top
                count = (here - 1) * stride_y + (kernel_height - 1) * dilation_y + 1
                if in_place:
                    find_lines(x, n * channels + c, y, count, address(mine), table)
                for p in range(3):
                    cells_here = edges[p + 1] - edges[p]
                    if cells_here == 0:
                        continue
                    z = edges[p] * stride_x - left
                    found = table[0 if in_place else p * lines :]
                    if not in_place:
                        gather(x, n * channels + c, y, z, count, p, numbers, found, mine)
                    grads = address(grad_out[n, c, first_y]) + edges[p] * size
                    for block in range(sums.shape[2] * sums.shape[3]):
                        i, j = block // sums.shape[3], block % sums.shape[3]
                        a = min(i * height, kernel_height - height)
                        b = min(j * width, kernel_width - width)
                        # Where in the lines a tile begins to read.
                        column = z + b if in_place else b
                        first = column * size if near else 0
                        line = address(found) + a * dilation_y * 8
                        whole, rest = cells_here // lane_count, cells_here % lane_count
                        together(
                            line,
                            dilation_y * 8,
                            rows * stride_y * 8,
                            first,
                            address(columns) + b * 8,
                            grads,
                            grid_x * size,
                            here // rows,
                            whole,
                            rest,
                            min(1, rest),
                            address(result[i, j]),
                            0 if p == 1 else 1,
                            column,
                            image_x,
                        )
                        done = here - here % rows
                        single(
                            line + done * stride_y * 8,
                            dilation_y * 8,
                            stride_y * 8,
                            first,
                            address(columns) + b * 8,
                            grads + done * grid_x * size,
                            grid_x * size,
                            here - done,
                            whole,
                            rest,
                            min(1, rest),
                            address(result[i, j]),
                            0 if p == 1 else 1,
                            column,
                            image_x,
                        )

    return apply
