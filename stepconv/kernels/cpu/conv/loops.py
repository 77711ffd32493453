"""Correlation on the CPU in plain loops, forward and backward: one task computes one row.

For integers, and for calls so small that nothing else is worth its compile time. Zero padding is
put round the input once (`zero_border`), so the loops meet no edge. A product is added to its sum
with one rounding, as in the vector tiles.
"""

from typing import Any

from stepconv.geometry import Slide
from stepconv.kernels.compile import inner, parallel, share_of
from stepconv.kernels.cpu.machine.scalar import fused
from stepconv.kernels.cpu.pad import zero_border

Array = Any


def correlate(x: Array, w: Array, bias: Array, out: Array, slide: Slide, groups: int) -> None:
    """out[n, o, i, j] = bias[o] + Σ x[n, c, i·stride - top + a·dilation, …] · w[o, c, a, b]."""
    padded = _under_windows(x, w, out, slide)
    kernel = _correlate_rows.for_work(out.size * w.size // w.shape[0])
    kernel(padded, w, bias, out, slide[:], groups)


def _under_windows(x: Array, w: Array, out: Array, slide: Slide) -> Array:
    """Return the cells that the windows reach, with zeros for the padding."""
    rows = (out.shape[2] - 1) * slide.stride_y + (w.shape[2] - 1) * slide.dilation_y + 1
    columns = (out.shape[3] - 1) * slide.stride_x + (w.shape[3] - 1) * slide.dilation_x + 1
    return zero_border(x, slide.top, slide.left, rows, columns)


@parallel
def _correlate_rows(
    worker: int,
    share: int,
    padded: Array,
    w: Array,
    bias: Array,
    out: Array,
    numbers: tuple[int, ...],
    groups: int,
) -> None:
    slide = Slide(*numbers)
    batch, filters, height = out.shape[:3]
    in_group, kernel_height, kernel_width = w.shape[1:]
    out_group = filters // groups
    for t in range(*share_of(batch * filters * height, share)):
        n, o, i = t // (filters * height), t // height % filters, t % height
        row = out[n, o, i]
        row[:] = bias[o]
        for k in range(in_group):
            c = o // out_group * in_group + k
            for a in range(kernel_height):
                source = padded[n, c, i * slide.stride_y + a * slide.dilation_y]
                for b in range(kernel_width):
                    _add_row(row, source, w[o, k, a, b], b * slide.dilation_x, slide.stride_x)


@inner
def _add_row(row: Array, source: Array, weight: Any, start: int, stride: int) -> None:
    """row[j] += weight · source[start + j·stride]."""
    if stride == 1:
        near = source[start : start + row.size]
        for j in range(row.size):
            row[j] = fused(weight, near[j], row[j])
    else:
        for j in range(row.size):
            row[j] = fused(weight, source[start + j * stride], row[j])


@parallel
def correlate_grad_x(
    worker: int,
    share: int,
    grad_out: Array,
    w: Array,
    bias: Array,
    grad_x: Array,
    numbers: tuple[int, ...],
    groups: int,
) -> None:
    """grad_x[n, c, y, x] = bias[c] + Σ grad_out · w over the windows that read the cell.

    Row y was read through kernel row a by window row i = (y + top - a·dilation) / stride, where
    that is a whole number.
    """
    slide = Slide(*numbers)
    batch, channels, height, _ = grad_x.shape
    in_group, kernel_height, kernel_width = w.shape[1:]
    out_group = w.shape[0] // groups
    for t in range(*share_of(batch * channels * height, share)):
        n, c, y = t // (channels * height), t // height % channels, t % height
        row = grad_x[n, c, y]
        row[:] = bias[c]
        k = c % in_group
        first = c // in_group * out_group
        for a in range(kernel_height):
            scaled = y + slide.top - a * slide.dilation_y
            i = scaled // slide.stride_y
            if scaled % slide.stride_y == 0 and 0 <= i < grad_out.shape[2]:
                for o in range(first, first + out_group):
                    for b in range(kernel_width):
                        weight, start = w[o, k, a, b], b * slide.dilation_x - slide.left
                        _spread_row(row, grad_out[n, o, i], weight, start, slide.stride_x)


@inner
def _spread_row(row: Array, source: Array, weight: Any, start: int, stride: int) -> None:
    """row[start + j·stride] += weight · source[j], for the cells that lie inside the row."""
    low = max(0, -(start // stride))
    high = min(source.size, (row.size - 1 - start) // stride + 1)
    if stride == 1:
        near = row[start + low : start + max(low, high)]
        for j in range(near.size):
            near[j] = fused(weight, source[low + j], near[j])
    else:
        for j in range(low, high):
            at = start + j * stride
            row[at] = fused(weight, source[j], row[at])


def correlate_grad_w(x: Array, grad_out: Array, grad_w: Array, slide: Slide, groups: int) -> None:
    """grad_w[o, c, a, b] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j]."""
    padded = _under_windows(x, grad_w, grad_out, slide)
    kernel = _grad_w_rows.for_work(grad_out.size * grad_w[0].size)
    kernel(padded, grad_out, grad_w, slide[:], groups)


@parallel
def _grad_w_rows(
    worker: int,
    share: int,
    padded: Array,
    grad_out: Array,
    grad_w: Array,
    numbers: tuple[int, ...],
    groups: int,
) -> None:
    slide = Slide(*numbers)
    filters, in_group, kernel_height, kernel_width = grad_w.shape
    batch, _, height, width = grad_out.shape
    out_group = filters // groups
    for t in range(*share_of(filters * in_group * kernel_height, share)):
        o, k, a = t // (in_group * kernel_height), t // kernel_height % in_group, t % kernel_height
        c = o // out_group * in_group + k
        row = grad_w[o, k, a]
        row[:] = 0
        for n in range(batch):
            for i in range(height):
                source = padded[n, c, i * slide.stride_y + a * slide.dilation_y]
                for j in range(width):
                    gradient = grad_out[n, o, i, j]
                    for b in range(kernel_width):
                        cell = source[j * slide.stride_x + b * slide.dilation_x]
                        row[b] = fused(cell, gradient, row[b])
