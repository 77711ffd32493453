"""Correlation on a GPU, forward and backward: the plan decides which kernel serves it best.

    filter          one channel into one by steps of one cell: plain images, depthwise layers
    many_filters    a block of threads computes a tile of filters x cells
    loops           few filters: a thread computes a cell

and for the gradient of the weights

    many_filters_weights    a block of threads computes a tile of filters x weights
    machine/sums            few filters: a block of threads computes a weight

A gradient for x is told as a correlation of its own (`passes.py`). Integers take the same ways:
in int64 they are exact whatever the order. Each number is summed by one thread or one block, in an
order that follows from the sizes alone: the same bits every time, and on every card.

The operations call `correlate` and its gradients. Networks call `forward`, `backward` and
`weigh_parts`: they do more with each sum (`ends.py`), and add up the parts of gradients later.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels.choice import Choice
from stepconv.kernels.cuda.conv import loops, many_filters, many_filters_weights
from stepconv.kernels.cuda.conv.filter import filter_planes
from stepconv.kernels.cuda.machine import sums
from stepconv.kernels.cuda.machine.array import allocate
from stepconv.kernels.cuda.machine.transfers import on_gpu, to_card
from stepconv.kernels.cuda.network.ends import AS_IT_IS, End
from stepconv.kernels.passes import Pass, backward_passes, forward_pass, tap_places

Array = Any
Numbers = tuple[int, ...]

# From so many filters in a group on a tile is full enough to be faster than a thread for each cell.
_MANY = 3


def choice(w: Array, slide: Slide, groups: int, backwards: bool = False) -> Choice:
    """Return which kernel `correlate` takes, or `correlate_grad_x`, and why."""
    if w.shape[0] == groups and w.shape[1] == 1 and slide.stride == slide.dilation == (1, 1):
        return Choice("filter", "one channel goes into one, by steps of one cell")
    return _layer_choice(w.shape[1] if backwards else w.shape[0] // groups)


def weights_choice(w_shape: Numbers, groups: int) -> Choice:
    """Return which kernel `correlate_grad_w` takes, and why."""
    chosen = _layer_choice(w_shape[0] // groups)
    kernel = "many_filters_weights" if sums_biases(w_shape, groups) else "sums"
    return chosen._replace(kernel=kernel)


def _layer_choice(filters: int) -> Choice:
    kernel = "many_filters" if filters >= _MANY else "loops"
    return Choice(kernel, "{} filters in a group, and from {} on a tile pays", (filters, _MANY))


@on_gpu("out")
def correlate(x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int) -> None:
    """out[n, o, i, j] = bias[o] + Σ x[n, c, i·stride - top + a·dilation, …] · w[o, c, a, b]."""
    forward(x, w, bias, out, slide, groups, AS_IT_IS)


def forward(
    x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int, end: End
) -> None:
    """Correlate, with an end for every sum."""
    if choice(w, slide, groups).kernel == "filter":
        filter_planes(x, w, bias, out, slide.top, slide.left, True, end)
        return
    plan = forward_pass(w.shape, groups, out.shape[2:], slide)
    _apply(x, w, bias, out, plan, True, end)


@on_gpu("grad_x")
def correlate_grad_x(
    grad_out: Array, w: Array, bias: Array, grad_x: Array, slide: Slide, groups: int
) -> None:
    """grad_x[n, c, y, x] = bias[c] + Σ grad_out · w over the windows that read the cell."""
    backward(grad_out, w, bias, grad_x, slide, groups, False, AS_IT_IS)


def backward(
    grad_out: Array,
    w: Array,
    bias: Array,
    grad_x: Array,
    slide: Slide,
    groups: int,
    zeros: bool,
    end: End,
) -> None:
    """Compute grad_x, with an end for every sum; `zeros` and `end` as in many_filters.py."""
    if choice(w, slide, groups).kernel == "filter":
        # Read backwards, a step of one cell is a step of one cell through the mirrored kernel.
        above, before = w.shape[2] - 1 - slide.top, w.shape[3] - 1 - slide.left
        filter_planes(grad_out, w.flipped((2, 3)), bias, grad_x, above, before, zeros, end)
        return
    for plan in backward_passes(w.shape, groups, grad_x.shape[2:], slide):
        _apply(grad_out, w, bias, grad_x, plan, zeros, end)


@on_gpu("grad_w")
def correlate_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> None:
    """grad_w[o, c, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j]."""
    parts, columns = parts_of(grad_w.shape, grad_out.shape, groups, biased=False)
    found = allocate((parts, grad_w.shape[0] * columns), grad_w.dtype)
    weigh_parts(x, grad_out, grad_w.shape, found, slide, groups)
    sums.add_up(found, grad_w)


def parts_of(w_shape: Numbers, out_shape: Numbers, groups: int, biased: bool) -> tuple[int, int]:
    """Return in how many parts the gradient of a layer is found, and the numbers of a filter.

    Those are its weights, and with `biased` one more for its bias, if the kernel sums that too:
    see `sums_biases`.
    """
    filters, cells = w_shape[0] // groups, out_shape[0] * out_shape[2] * out_shape[3]
    columns = w_shape[1] * w_shape[2] * w_shape[3]
    if not sums_biases(w_shape, groups):
        return sums.parts_for(filters * groups * columns, cells, sums.LEAST), columns
    return many_filters_weights.parts_of(filters, columns + biased, cells, groups), columns + biased


def sums_biases(w_shape: Numbers, groups: int) -> bool:
    """Tell whether the weights' gradient can have the biases' beside it."""
    return w_shape[0] // groups >= _MANY


def weigh_parts(
    x: Array, grad_out: Array, w_shape: Numbers, found: Array, slide: Slide, groups: int
) -> None:
    """Find the gradient of the weights in parts: found[part, filter · columns + weight]."""
    if not sums_biases(w_shape, groups):
        sums.weigh_parts(x, grad_out, w_shape, found, slide, groups)
        return
    plan = forward_pass(w_shape, groups, grad_out.shape[2:], slide)
    taps, _ = _tables(plan, x.shape[2], x.shape[3])
    many_filters_weights.weigh_parts(x, grad_out, found, plan, taps)


@on_gpu("grad_bias")
def channel_sums(grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]."""
    sums.sum_channels(grad_out, grad_bias)


def _apply(
    source: Array, w: Array, bias: Array, out: Array, plan: Pass, zeros: bool, end: End
) -> None:
    """Compute a pass by tiles where there are filters to fill them."""
    chosen = _layer_choice(out.shape[1] // plan.groups).kernel
    kernel = many_filters if chosen == "many_filters" else loops
    tables = _tables(plan, source.shape[2], source.shape[3])
    kernel.apply_pass(source, w, bias, out, plan, tables, zeros, end)


@functools.lru_cache(maxsize=256)
def _tables(plan: Pass, height: int, width: int) -> tuple[Array, Array]:
    """Return the taps and the places of their weights on the card, where they stay.

    A tap is how many cells, rows and columns it lies behind the corner of a window, in a source of
    this height and width.
    """
    cells = tap_places(plan.taps, height, width)
    return to_card(np.column_stack((cells, plan.taps[:, 1:]))), to_card(plan.weights)
