"""Correlation on the CPU, forward and backward: the plan decides which kernel serves it best.

    loops          integers, which are exact in int64, and few products
    one channel into one: plain images, depthwise layers
        fourier        by the name "fft"; or where a kernel is so large that transforms take less,
                       and are proven to be as good
        separable      by name, or where it pays: a column times a row
        filter         all others
    layers
        winograd       by name: 3x3 windows that move by one cell
        few_filters    where fewer lanes stay without work if they hold neighbouring cells
        many_filters   all others

A gradient for x is a correlation too, read backwards or told in passes; that for the weights goes
the same ways. Where an algorithm that was named does not fit, sums of products take over.
Every cell is summed in one fixed order, whichever thread takes it: the same bits on any number of
threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels import chosen_algorithm
from stepconv.kernels.choice import Choice
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
_UNPROVEN = "only float32 by steps of one cell is proven to be as good"


def correlate(x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int) -> None:
    """out[n, o, i, j] = bias[o] + Σ x[n, c, i·stride - top + a·dilation, …] · w[o, c, a, b]."""
    if x.dtype.kind != "f" or out.size * w.size // w.shape[0] < _FEW:
        loops.correlate(x, w, bias, out, slide, groups)
    elif w.shape[0] == groups and w.shape[1] == 1:
        _filter(x, w, bias, out, slide)
    else:
        _apply(x, w, bias, out, (forward_pass(w.shape, groups, out.shape[2:], slide),))


def correlate_grad_x(
    grad_out: Array, w: Array, bias: Array, grad_x: Array, slide: Slide, groups: int
) -> None:
    """grad_x[n, c, y, x] = bias[c] + Σ grad_out · w over the windows that read the cell."""
    products = grad_out.size * w[0].size
    if w.dtype.kind != "f" or products < _FEW:
        kernel = loops.correlate_grad_x.for_work(products)
        kernel(grad_out, w, bias, grad_x, slide[:], groups)
        return
    backwards = _backwards(w, slide, groups)
    if backwards is not None:
        _filter(grad_out, _mirrored(w), bias, grad_x, backwards)
    else:
        passes = backward_passes(w.shape, groups, grad_x.shape[2:], slide)
        _apply(grad_out, w, bias, grad_x, passes)


def correlate_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> None:
    """grad_w[o, c, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j]."""
    if x.dtype.kind != "f" or grad_out.size * grad_w[0].size < _FEW:
        loops.correlate_grad_w(x, grad_out, grad_w, slide, groups)
    elif grad_w.shape[0] == groups and grad_w.shape[1] == 1:
        filter_weights.weigh(x, grad_out, grad_w, slide)
    else:
        plan = forward_pass(grad_w.shape, groups, grad_out.shape[2:], slide)
        chosen = _weights_kernel(plan, grad_w.shape[0], x.dtype).kernel
        module = few_filters_weights if chosen == "few_filters" else many_filters_weights
        module.weigh(x, grad_out, grad_w, plan)


@parallel
def channel_sums(worker: int, share: int, grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]."""
    batch, filters, height, width = grad_out.shape
    for o in range(*share_of(filters, share)):
        total = grad_out.dtype.type(0)
        for n in range(batch):
            for i in range(height):
                for j in range(width):
                    total += grad_out[n, o, i, j]
        grad_bias[o] = total


# What an algorithm that is asked for by name is called here, and what it serves.
_NAMED = {
    "winograd": ("winograd", "layers of 3x3 windows that move by one cell"),
    "separable": ("separable", "one channel into one, by a kernel that is a column times a row"),
    "fft": ("fourier", "one channel into one"),
}


def told(chosen: Choice) -> Choice:
    """Return a choice that says so if an algorithm was asked for by name and does not serve."""
    kernel, served = _NAMED.get(chosen_algorithm(), ("", ""))
    if kernel in ("", chosen.kernel):
        return chosen
    no = f"{chosen_algorithm()} serves {served}, of floats and not too few; so sums: "
    return chosen._replace(rule=no + chosen.rule)


def _backwards(w: Array, slide: Slide, groups: int) -> Slide | None:
    """Return how one mirrored kernel reads a gradient backwards; None where none can.

    Read backwards, a step of one cell is a step of one cell through the mirrored kernel.
    """
    above = (w.shape[2] - 1) * slide.dilation_y - slide.top
    before = (w.shape[3] - 1) * slide.dilation_x - slide.left
    depthwise = w.shape[0] == groups and w.shape[1] == 1
    if depthwise and slide.stride == (1, 1) and min(above, before) >= 0:
        return slide._replace(top=above, left=before)
    return None


def _mirrored(w: Array) -> Array:
    return np.ascontiguousarray(w[:, :, ::-1, ::-1])


def choice(x: Array, w: Array, out: Array, slide: Slide, groups: int) -> Choice:
    """Return which kernel `correlate` takes, and why."""
    few = _few(x.dtype, out.size * w[0].size)
    if few is not None:
        return few
    if w.shape[0] == groups and w.shape[1] == 1:
        return _filter_choice(x, w, out, slide)
    return _layer_choice(x, out, forward_pass(w.shape, groups, out.shape[2:], slide))


def choice_grad_x(grad_out: Array, w: Array, grad_x: Array, slide: Slide, groups: int) -> Choice:
    """Return which kernel `correlate_grad_x` takes, and why."""
    few = _few(w.dtype, grad_out.size * w[0].size)
    if few is not None:
        return few
    backwards = _backwards(w, slide, groups)
    if backwards is not None:
        return _filter_choice(grad_out, _mirrored(w), grad_x, backwards)
    passes = backward_passes(w.shape, groups, grad_x.shape[2:], slide)
    return _layer_choice(grad_out, grad_x, passes[0])


def choice_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> Choice:
    """Return which kernel `correlate_grad_w` takes, and why."""
    few = _few(x.dtype, grad_out.size * grad_w[0].size)
    if few is not None:
        return few
    if grad_w.shape[0] == groups and grad_w.shape[1] == 1:
        return Choice("filter_weights", "one channel goes into one")
    plan = forward_pass(grad_w.shape, groups, grad_out.shape[2:], slide)
    chosen = _weights_kernel(plan, grad_w.shape[0], x.dtype)
    return chosen._replace(kernel=f"{chosen.kernel}_weights")


def _few(dtype: Any, products: int) -> Choice | None:
    """Return the choice of plain loops, if they serve."""
    if dtype.kind != "f":
        return Choice("loops", "integers are summed exactly")
    if products < _FEW:
        return Choice("loops", "{:,} products are fewer than {:,}", (products, _FEW))
    return None


def _filter_choice(x: Array, w: Array, out: Array, slide: Slide) -> Choice:
    algorithm = chosen_algorithm()
    taps, cells = w[0].size, out.size // len(w)
    if algorithm == "fft":
        return Choice("fourier", "it was asked for by name")
    if algorithm not in ("auto", "separable"):
        return Choice("filter", "{} products a cell", (taps,))
    spared = cells * (taps - w.shape[2] - w.shape[3])
    if taps < _WORTH_SPLITTING:
        unsplit = "below 5x5 a kernel is as fast whole"
    elif algorithm == "auto" and spared <= _SEARCH:
        unsplit = "it must spare more than {0:,} products, not {1:,}"
    elif x.shape[3] < lanes(x.dtype):
        unsplit = "a row is shorter than a vector"
    else:
        found = factors(w)
        if found is not None:
            return Choice("separable", "a column and a row spare {:,} products", (spared,), found)
        unsplit = "the kernel is no column times a row"
    rule = f"{{2}} products a cell; separable: {unsplit}"
    if algorithm == "auto":
        summed, transformed = out[0, 0].size * taps, fourier.cost(w, out, slide)
        if transformed < summed:
            rule = "transforms of a plane take as long as {:,} products of {:,}, and are as good"
            return Choice("proven fourier", rule, (round(transformed), summed))
        proof = "a plane takes as long as {3:,.0f} products, of {4:,}"
        rule += f"; fft: {_UNPROVEN if transformed == math.inf else proof}"
        return Choice("filter", rule, (_SEARCH, spared, taps, transformed, summed))
    return Choice("filter", rule, (_SEARCH, spared, taps))


def _filter(x: Array, w: Array, bias: Array, out: Array, slide: Slide) -> None:
    """Let one channel go into one by the way that is chosen."""
    chosen = _filter_choice(x, w, out, slide)
    if chosen.kernel == "separable":
        separable_planes(x, chosen.found, bias, out, slide)
    elif chosen.kernel == "fourier":
        fourier.fft_planes(x, w, bias, out, slide)
    elif chosen.kernel == "proven fourier":
        fourier.proven_planes(x, w, bias, out, slide)
    else:
        filter_planes(x, w, bias, out, slide)


def _layer_choice(x: Array, out: Array, plan: Pass) -> Choice:
    if chosen_algorithm() == "winograd" and winograd.suits(plan, x.shape[1] // plan.groups):
        return Choice("winograd", "it was asked for by name")
    # What vectors sum between two rows of the source is left behind.
    run = (plan.grid[0] - 1) * (plan.grid[1] + plan.reach[1] - 1) + plan.grid[1]
    return _layer_kernel(plan, run / (plan.grid[0] * plan.grid[1]), out.shape[1], x.dtype)


def _apply(x: Array, w: Array, bias: Array, out: Array, passes: tuple[Pass, ...]) -> None:
    """Compute the passes that fill `out`."""
    chosen = _layer_choice(x, out, passes[0])
    if chosen.kernel == "winograd":
        winograd.apply_pass(x, w, bias, out, passes[0])
    elif chosen.kernel == "few_filters":
        for plan in passes:
            few_filters.apply_pass(x, w, bias, out, plan)
    else:
        many_filters.apply_passes(x, w, bias, out, passes)


def _layer_kernel(plan: Pass, of_cells: float, filters: int, dtype: Any) -> Choice:
    """Choose what a vector holds, given how many lanes there are for each cell if it is cells."""
    of_filters = _waste(filters // plan.groups, lanes(dtype))
    if plan.stride[1] > 1:
        return Choice("many_filters", "windows move by {} cells along a row", (plan.stride[1],))
    kernel = "few_filters" if of_cells < of_filters else "many_filters"
    rule = "vectors need {:.2f} lanes for each cell of a row, {:.2f} for each filter"
    return Choice(kernel, rule, (of_cells, of_filters))


def _weights_kernel(plan: Pass, filters: int, dtype: Any) -> Choice:
    """Choose what a vector holds where weights are summed."""
    rest = _rounded(plan.grid[1], lanes(dtype)) / plan.grid[1]
    return _layer_kernel(plan, rest, filters, dtype)


def _waste(filters: int, width: int) -> float:
    """Return how many lanes a vector of filters has for each that it uses."""
    return _rounded(filters, width) / filters


def _rounded(count: int, width: int) -> int:
    return -(-count // width) * width
