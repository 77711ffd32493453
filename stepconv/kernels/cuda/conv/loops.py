"""A pass without tiles: a thread for each cell, which sums the taps of its window one by one.

For so few filters that a tile would stay empty, such as the one of each group of a depthwise layer.
"""

import functools
from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import inner, kernel, launch_each
from stepconv.kernels.cuda.machine.places import place
from stepconv.kernels.cuda.network.ends import End
from stepconv.kernels.passes import Pass, Walk

Array = Any
Numbers = tuple[int, ...]


def apply_pass(
    source: Array,
    w: Array,
    bias: Array,
    out: Array,
    plan: Pass,
    tables: tuple[Array, Array],
    zeros: bool,
    end: End,
) -> None:
    """Compute the cells of a pass; the arguments are those of `many_filters.apply_pass`."""
    cells = out.shape[0] * out.shape[1] * plan.grid[0] * plan.grid[1]
    given = (source, w, bias, out, *tables, plan.walk, zeros, end.numbers)
    launch_each(_kernel(end.finish), cells, *given)


@functools.cache
def _kernel(finish: Any) -> Any:
    @kernel
    def apply(
        source: Array,
        w: Array,
        bias: Array,
        out: Array,
        taps: Array,
        weights: Array,
        plan: Walk,
        zeros: bool,
        end: tuple[Any, ...],
    ) -> None:
        channels, filters = source.shape[1] // plan.groups, out.shape[1] // plan.groups
        cell = cuda.grid(1)
        if cell < out.shape[0] * out.shape[1] * plan.grid_y * plan.grid_x:
            plane, q, r = place(cell, plan.grid_y, plan.grid_x)
            n, o = plane // out.shape[1], plane % out.shape[1]
            group, m = o // filters, o % filters
            top, left = plan.corner_y + plan.stride_y * q, plan.corner_x + plan.stride_x * r
            total = sum_taps(
                source,
                w,
                bias[o],
                (n, group * channels, top, left),
                group * plan.between_groups + m * plan.between_filters,
                taps,
                weights,
                zeros,
            )
            i, j = plan.first_y + plan.step_y * q, plan.first_x + plan.step_x * r
            at = (plane * out.shape[2] + i) * out.shape[3] + j
            out.flat[at] = finish(total, out, at, end)

    return apply


@inner
def sum_taps(
    source: Array,
    w: Array,
    start: Any,
    corner: Numbers,
    first_weight: int,
    taps: Array,
    weights: Array,
    zeros: bool,
) -> Any:
    """Return start + Σ over the taps of source[corner + tap] · weight.

    Outside of the source there are `zeros` to multiply, or nothing at all: with a weight that is
    not finite the former gives a NaN.
    """
    n, c, top, left = corner
    height, width = source.shape[2], source.shape[3]
    first = ((n * source.shape[1] + c) * height + top) * width + left
    total = start
    for k in range(weights.size):
        y, x = top + taps[k, 1], left + taps[k, 2]
        weight = w.flat[first_weight + weights[k]]
        if 0 <= y < height and 0 <= x < width:
            total += source.flat[first + taps[k, 0]] * weight
        elif zeros:
            total += source.dtype.type(0) * weight
    return total
