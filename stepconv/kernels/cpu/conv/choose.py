"""Correlation on the CPU, forward and backward: the plan decides which kernel serves it best.

    many filters   many_filters.py    a vector holds one cell of as many filters as it has lanes
    few filters    few_filters.py      a vector holds neighbouring cells of one filter
    one to one     filter.py   one channel goes into one: plain images, depthwise layers
                   separable.py, fourier.py: the same for kernels that split, or are large
    3x3 layers     winograd.py by name
    few products   loops.py    loops; also for integers, which are exact in int64

Every cell is summed in one fixed order, whichever thread takes it: the same bits on any number of
threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels import chosen_algorithm
from stepconv.kernels.compile import parallel, share_of
from stepconv.kernels.cpu.conv import (
    few_filters,
    few_filters_weights,
    filter_weights,
    fourier,
    loops,
    many_filters,
    many_filters_weights,
    winograd,
)
from stepconv.kernels.cpu.conv.filter import filter_planes
from stepconv.kernels.cpu.conv.separable import factors, separable_planes
from stepconv.kernels.cpu.machine.vector import lanes
from stepconv.kernels.passes import Pass, backward_passes, forward_pass

Array = Any

# So few products plain loops sum while a kernel of tiles would still be starting.
_FEW = 100_000

# From 5x5 on, two passes of a column and a row beat one of the whole kernel.
_WORTH_SPLITTING = 25
# To look whether a kernel splits takes as long as so many products.
_SEARCH = 2_000_000


def correlate(x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int) -> None:
    """out[n, o, i, j] = bias[o] + Σ x[n, c, i·stride - top + a·dilation, …] · w[o, c, a, b]."""
    if x.dtype.kind != "f" or out.size * w.size // w.shape[0] < _FEW:
        loops.correlate(x, w, bias, out, slide, groups)
        return
    if w.shape[0] == groups and w.shape[1] == 1:
        _filter(x, w, bias, out, slide)
        return
    passes = (forward_pass(w.shape, out.shape[2:], slide),)
    weights = w[0].size
    _apply(x, w, bias, out, passes, (weights * (w.shape[0] // groups), weights, groups))


def correlate_grad_x(
    grad_out: Array, w: Array, bias: Array, grad_x: Array, slide: Slide, groups: int
) -> None:
    """grad_x[n, c, y, x] = bias[c] + Σ grad_out · w over the windows that read the cell."""
    products = grad_out.size * w[0].size
    if w.dtype.kind != "f" or products < _FEW:
        kernel = loops.correlate_grad_x.for_work(products)
        kernel(grad_out, w, bias, grad_x, slide[:], groups)
        return
    # Read backwards, a step of one cell is a step of one cell through the mirrored kernel.
    above = (w.shape[2] - 1) * slide.dilation_y - slide.top
    before = (w.shape[3] - 1) * slide.dilation_x - slide.left
    depthwise = w.shape[0] == groups and w.shape[1] == 1
    if depthwise and slide.stride == (1, 1) and min(above, before) >= 0:
        mirrored = np.ascontiguousarray(w[:, :, ::-1, ::-1])
        _filter(grad_out, mirrored, bias, grad_x, slide._replace(top=above, left=before))
        return
    steps = (w[0].size * (w.shape[0] // groups), w.shape[2] * w.shape[3], groups)
    passes = backward_passes(w.shape, groups, grad_x.shape[2:], slide)
    _apply(grad_out, w, bias, grad_x, passes, steps)


def correlate_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> None:
    """grad_w[o, c, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j]."""
    if x.dtype.kind != "f" or grad_out.size * grad_w[0].size < _FEW:
        loops.correlate_grad_w(x, grad_out, grad_w, slide, groups)
        return
    if grad_w.shape[0] == groups and grad_w.shape[1] == 1:
        filter_weights.weigh(x, grad_out, grad_w, slide)
        return
    plan = forward_pass(grad_w.shape, grad_out.shape[2:], slide)
    width = lanes(x.dtype)
    rest = _rounded(plan.grid[1], width) / plan.grid[1]
    few = plan.stride[1] == 1 and rest < _waste(grad_w.shape[0] // groups, width)
    chosen = few_filters_weights if few else many_filters_weights
    chosen.weigh(x, grad_out, grad_w, plan, groups)


@parallel
def channel_sums(share: int, shares: int, grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]."""
    batch, filters, height, width = grad_out.shape
    for o in range(*share_of(filters, share, shares)):
        total = grad_out.dtype.type(0)
        for n in range(batch):
            for i in range(height):
                for j in range(width):
                    total += grad_out[n, o, i, j]
        grad_bias[o] = total


def _filter(x: Array, w: Array, bias: Array, out: Array, slide: Slide) -> None:
    """Let one channel go into one by the algorithm that is admitted."""
    algorithm = chosen_algorithm()
    if algorithm == "fft":
        fourier.fft_planes(x, w, bias, out, slide)
        return
    spared = out.size // len(w) * (w[0].size - w.shape[2] - w.shape[3])
    searched = algorithm == "separable" or (algorithm == "auto" and spared > _SEARCH)
    split = w[0].size >= _WORTH_SPLITTING and x.shape[3] >= lanes(x.dtype)
    found = factors(w) if searched and split else None
    if found is not None:
        separable_planes(x, *found, bias, out, slide)
    elif algorithm == "auto" and fourier.pays(w, out, slide):
        fourier.proven_planes(x, w, bias, out, slide)
    else:
        filter_planes(x, w, bias, out, slide)


def _apply(
    x: Array,
    w: Array,
    bias: Array,
    out: Array,
    passes: tuple[Pass, ...],
    steps: tuple[int, int, int],
) -> None:
    """Compute the passes that fill `out`, where fewer lanes are left without work.

    `steps` are the numbers of weights from group to group and from filter to filter, and the
    number of groups.
    """
    plan = passes[0]
    if chosen_algorithm() == "winograd" and winograd.suits(plan, x.shape[1] // steps[2]):
        winograd.apply_pass(x, w, bias, out, plan, steps)
        return
    width = lanes(x.dtype)
    run = (plan.grid[0] - 1) * (plan.grid[1] + plan.reach[1] - 1) + plan.grid[1]
    between_rows = run / (plan.grid[0] * plan.grid[1])
    if plan.stride[1] == 1 and between_rows < _waste(out.shape[1] // steps[2], width):
        for plan in passes:
            few_filters.apply_pass(x, w, bias, out, plan, steps)
    else:
        many_filters.apply_passes(x, w, bias, out, passes, steps)


def _waste(filters: int, width: int) -> float:
    """Return how many lanes a vector of filters has for each that it uses."""
    return _rounded(filters, width) / filters


def _rounded(count: int, width: int) -> int:
    return -(-count // width) * width
