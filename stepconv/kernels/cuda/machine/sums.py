"""Sums of very many numbers into few on a GPU, always added in the same order.

The threads of a block each add up a share, and then pair by pair what they have. Where there are
fewer results than a card needs blocks, each is summed in parts, and the parts are added up in one
order. How many parts depends on the sizes alone: every card gives the same bits.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.geometry import Slide
from stepconv.kernels.cuda.machine.array import allocate
from stepconv.kernels.cuda.machine.launch import (
    SIMULATED,
    THREADS,
    inner,
    kernel,
    launch,
    launch_each,
)
from stepconv.kernels.cuda.machine.places import place

Array = Any
Numbers = tuple[int, ...]

_BLOCKS = 3 if SIMULATED else 512  # keep a large card busy
LEAST = 16 * THREADS  # terms of a part, where a block sums one number


def parts_for(results: int, terms: int, least: int) -> int:
    """Return into how many parts sums are split, each of `least` terms or more."""
    return max(1, min(-(-_BLOCKS // results), terms // least))


def add_up(parts: Array, out: Array) -> None:
    """out[i] = Σ parts[p, i]."""
    launch_each(_add_up, out.size, parts.reshape(-1), out.reshape(-1), parts.shape[0])


@kernel
def _add_up(parts: Array, out: Array, count: int) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = sum_parts(parts, i, out.size, count)


@inner
def sum_parts(found: Array, at: int, apart: int, count: int) -> Any:
    """Return Σ found[at + p · apart] over so many parts p.

    Eight are read at a time: they need not wait for each other's way from the memory.
    """
    total = found.dtype.type(0)
    eights = count // 8
    for _ in range(eights):
        a, b = found[at] + found[at + apart], found[at + 2 * apart] + found[at + 3 * apart]
        c, d = found[at + 4 * apart] + found[at + 5 * apart], found[at + 6 * apart]
        total += (a + b) + (c + (d + found[at + 7 * apart]))
        at += 8 * apart
    for _ in range(count - 8 * eights):
        total += found[at]
        at += apart
    return total


@inner
def add_in_block(shares: Array, thread: int, share: Any) -> None:
    """shares[0] = Σ of what the threads of a block have: 8 become 4, these 2, and these 1."""
    shares[thread] = share
    half = THREADS // 2
    while half:
        cuda.syncthreads()
        if thread < half:
            shares[thread] += shares[thread + half]
        half //= 2


def sum_channels(grad_out: Array, grad_bias: Array) -> None:
    """grad_bias[o] = Σ grad_out[n, o, i, j]."""
    parts = parts_for(grad_bias.size, grad_out.size // grad_bias.size, LEAST)
    found = allocate((parts, grad_bias.size), grad_bias.dtype)
    sum_channel_parts(grad_out, found)
    add_up(found, grad_bias)


def sum_channel_parts(grad_out: Array, found: Array) -> None:
    """Σ found[p, o] = Σ grad_out[n, o, i, j]."""
    launch(_channel_kernel(found.dtype.str), found.size, THREADS, grad_out, found)


@functools.cache
def _channel_kernel(dtype: str) -> Any:
    number = numba.from_dtype(np.dtype(dtype))

    @kernel
    def sum_part(grad_out: Array, parts: Array) -> None:
        shares = cuda.shared.array(THREADS, number)
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        part, o = block // parts.shape[1], block % parts.shape[1]
        height, width = grad_out.shape[2], grad_out.shape[3]
        cells = grad_out.shape[0] * height * width
        total = grad_out.dtype.type(0)
        for cell in range(part * THREADS + thread, cells, parts.shape[0] * THREADS):
            n, i, j = place(cell, height, width)
            total += grad_out[n, o, i, j]
        add_in_block(shares, thread, total)
        if thread == 0:
            parts[part, o] = shares[0]

    return sum_part


def weigh_parts(
    x: Array, grad_out: Array, shape: Numbers, found: Array, slide: Slide, groups: int
) -> None:
    """Σ found[p, (o, c, a, b)] = Σ x[n, c, i·stride - top + a·dilation, …] · grad_out[n, o, i, j].

    `shape` is that of the weights.
    """
    run = _weight_kernel(found.dtype.str)
    launch(run, found.size, THREADS, x, grad_out, found, shape, slide, groups)


@functools.cache
def _weight_kernel(dtype: str) -> Any:
    number = numba.from_dtype(np.dtype(dtype))

    @kernel
    def weigh_part(
        x: Array, grad_out: Array, parts: Array, shape: Numbers, slide: Slide, groups: int
    ) -> None:
        filters, channels, window_y, window_x = shape
        shares = cuda.shared.array(THREADS, number)
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        part, weight = block // parts.shape[1], block % parts.shape[1]
        plane, a, b = place(weight, window_y, window_x)
        o = plane // channels
        c = o // (filters // groups) * channels + plane % channels
        height, width = grad_out.shape[2], grad_out.shape[3]
        cells = grad_out.shape[0] * height * width
        total = grad_out.dtype.type(0)
        for cell in range(part * THREADS + thread, cells, parts.shape[0] * THREADS):
            n, i, j = place(cell, height, width)
            y = i * slide.stride_y - slide.top + a * slide.dilation_y
            z = j * slide.stride_x - slide.left + b * slide.dilation_x
            value = x.dtype.type(0)
            if 0 <= y < x.shape[2] and 0 <= z < x.shape[3]:
                value = x[n, c, y, z]
            total += value * grad_out[n, o, i, j]
        add_in_block(shares, thread, total)
        if thread == 0:
            parts[part, weight] = shares[0]

    return weigh_part
