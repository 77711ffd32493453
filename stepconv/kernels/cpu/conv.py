"""Correlation on the CPU, forward and backward: the plan decides which kernel serves it best.

    many filters   layer.py    a vector holds one cell of as many filters as it has lanes
    few filters    few.py      a vector holds neighbouring cells of one filter
    integers       plain.py    loops, exact in int64

Every cell is summed in one fixed order, whichever thread takes it: the same bits on any number of
threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from stepconv.kernels.compile import parallel
from stepconv.kernels.cpu import few, few_weights, layer, layer_weights, plain
from stepconv.kernels.cpu.passes import Pass, backward_passes, forward_pass
from stepconv.kernels.cpu.vector import lanes

Array = Any


def correlate(
    x: Array,
    w: Array,
    bias: Array,
    out: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
    groups: int,
) -> None:
    """out[n, o, i, j] = bias[o] + Σ x[n, c, i·stride - top + a·dilation, …] · w[o, c, a, b]."""
    numbers = (stride_y, stride_x, dilation_y, dilation_x, top, left)
    if x.dtype.kind != "f":
        plain.correlate(x, w, bias, out, *numbers, groups)
        return
    plan = forward_pass(w.shape, out.shape[2:], numbers)
    weights = w[0].size
    _apply(x, w, bias, out, plan, (weights * (w.shape[0] // groups), weights, groups))


def correlate_grad_x(
    grad_out: Array,
    w: Array,
    bias: Array,
    grad_x: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
    groups: int,
) -> None:
    """grad_x[n, c, y, x] = bias[c] + Σ grad_out · w over the windows that read the cell."""
    numbers = (stride_y, stride_x, dilation_y, dilation_x, top, left)
    if w.dtype.kind != "f":
        plain.correlate_grad_x(grad_out, w, bias, grad_x, *numbers, groups)
        return
    steps = (w[0].size * (w.shape[0] // groups), w.shape[2] * w.shape[3], groups)
    for plan in backward_passes(w.shape, groups, grad_x.shape[2:], numbers):
        _apply(grad_out, w, bias, grad_x, plan, steps)


def correlate_grad_w(
    x: Array,
    grad_out: Array,
    grad_w: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    top: int,
    left: int,
    groups: int,
) -> None:
    """grad_w[o, c, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j]."""
    numbers = (stride_y, stride_x, dilation_y, dilation_x, top, left)
    if x.dtype.kind != "f":
        plain.correlate_grad_w(x, grad_out, grad_w, *numbers, groups)
        return
    plan = forward_pass(grad_w.shape, grad_out.shape[2:], numbers)
    width = lanes(x.dtype)
    rest = _rounded(plan.grid[1], width) / plan.grid[1]
    few_filters = plan.stride[1] == 1 and rest < _waste(grad_w.shape[0] // groups, width)
    (few_weights if few_filters else layer_weights).weigh(x, grad_out, grad_w, plan, groups)


@parallel
def channel_sums(grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]."""
    batch, filters, height, width = grad_out.shape
    for task in prange(filters):
        o = np.int64(task)
        total = grad_out.dtype.type(0)
        for n in range(batch):
            for i in range(height):
                for j in range(width):
                    total += grad_out[n, o, i, j]
        grad_bias[o] = total


def _apply(
    x: Array, w: Array, bias: Array, out: Array, plan: Pass, steps: tuple[int, int, int]
) -> None:
    """Compute a pass where fewer lanes are left without work.

    `steps` are the numbers of weights from group to group and from filter to filter, and the
    number of groups.
    """
    width = lanes(x.dtype)
    run = (plan.grid[0] - 1) * (plan.grid[1] + plan.reach[1] - 1) + plan.grid[1]
    between_rows = run / (plan.grid[0] * plan.grid[1])
    few_filters = plan.stride[1] == 1 and between_rows < _waste(out.shape[1] // steps[2], width)
    (few if few_filters else layer).apply_pass(x, w, bias, out, plan, steps)


def _waste(filters: int, width: int) -> float:
    """Return how many lanes a vector of filters has for each that it uses."""
    return _rounded(filters, width) / filters


def _rounded(count: int, width: int) -> int:
    return -(-count // width) * width
