"""Batch normalisation on a GPU: sums of each channel in parts, then what they tell every cell.

A block of threads has a part of a channel: the sums have to be complete before anybody uses them,
so each way takes two launches. Every block of the second adds up the parts of its channel, always
in the same order, and the block of the first part writes down what others need.

Sums are taken of x - shift, the shift being the mean that is remembered: squares of small numbers
lose nothing when the mean is far from 0. Arrays are (images, channels, cells).
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numba
from numba import cuda

from stepconv.kernels.cuda.machine.launch import THREADS, inner, kernel, launch, launch_each
from stepconv.kernels.cuda.machine.sums import LEAST, add_in_block, parts_for
from stepconv.kernels.cuda.network.ends import End

Array = Any


class Line(NamedTuple):
    """Weight and bias of each channel, or their gradients."""

    weight: Array
    bias: Array


class Remembered(NamedTuple):
    """Mean and variance of each channel, as those of the batches left them."""

    means: Array
    variances: Array


SHIFT, MEAN, SCALE = range(3)  # what is known of a channel: mean and 1 / spread of the batch


def parts_of(images: int, channels: int, cells: int) -> int:
    """Return into how many parts a channel is split."""
    return parts_for(channels, images * cells, LEAST)


def normalise(
    x: Array,
    out: Array,
    sums: Array,
    known: Array,
    remembered: Remembered,
    line: Line,
    epsilon: float,
    momentum: float,
    end: End,
) -> None:
    """out = end(weight · (x - mean) / √(variance + epsilon) + bias), both of the batch.

    `sums` (parts, channels, 2) and `known` (channels, 3) are for the way back; the `remembered`
    means and variances follow those of the batch.
    """
    blocks = sums.shape[0] * sums.shape[1]
    launch(_sum_spread, blocks, THREADS, x, sums, known, remembered.means)
    run = _normalise(end.finish)
    options = (epsilon, momentum, end.numbers)
    launch(run, blocks, THREADS, x, out, sums, known, remembered, line, *options)


@kernel
def _sum_spread(x: Array, sums: Array, known: Array, means: Array) -> None:
    """sums = Σ (x - shift), Σ (x - shift)²."""
    first_shares = cuda.shared.array(THREADS, numba.float32)
    second_shares = cuda.shared.array(THREADS, numba.float32)
    thread, block = cuda.threadIdx.x, cuda.blockIdx.x
    part, c = block // sums.shape[1], block % sums.shape[1]
    shift = means[c]
    first = second = x.dtype.type(0)
    for cell in range(part * THREADS + thread, x.shape[0] * x.shape[2], sums.shape[0] * THREADS):
        off = x[cell // x.shape[2], c, cell % x.shape[2]] - shift
        first += off
        second += off * off
    add_in_block(first_shares, thread, first)
    add_in_block(second_shares, thread, second)
    if thread == 0:
        sums[part, c, 0], sums[part, c, 1] = first_shares[0], second_shares[0]
        if part == 0:
            known[c, SHIFT] = shift


@inner
def _total(sums: Array, c: int, which: int) -> float:
    """Return the sum over all parts, always in the same order."""
    total = 0.0
    for part in range(sums.shape[0]):
        total += sums[part, c, which]
    return total


@functools.cache
def _normalise(finish: Any) -> Any:
    @kernel
    def normalise(
        x: Array,
        out: Array,
        sums: Array,
        known: Array,
        remembered: Remembered,
        line: Line,
        epsilon: float,
        momentum: float,
        end: Any,
    ) -> None:
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        part, c = block // sums.shape[1], block % sums.shape[1]
        channels, cells = x.shape[1], x.shape[2]
        count = x.shape[0] * cells
        shift, square = _total(sums, c, 0) / count, _total(sums, c, 1) / count
        variance = square - shift * shift
        mean, scale = known[c, SHIFT] + shift, 1 / math.sqrt(variance + epsilon)
        a = x.dtype.type(line.weight[c] * scale)
        b = x.dtype.type(line.bias[c] - mean * scale * line.weight[c])
        for cell in range(part * THREADS + thread, count, sums.shape[0] * THREADS):
            n, at = cell // cells, cell % cells
            total = a * x[n, c, at] + b
            out[n, c, at] = finish(total, out, (n * channels + c) * cells + at, end)
        if part == 0 and thread == 0:
            known[c, MEAN], known[c, SCALE] = mean, scale
            # What few images spread lets one guess how much all images do.
            guess = variance * count / (count - 1 if count > 1 else 1)
            remembered.means[c] += momentum * shift
            remembered.variances[c] += momentum * (guess - remembered.variances[c])

    return normalise


def normalise_known(
    x: Array,
    out: Array,
    remembered: Remembered,
    line: Line,
    epsilon: float,
    end: End,
) -> None:
    """The same with the mean and variance that are remembered: after the training."""
    run = _normalise_known(end.finish)
    launch_each(run, x.size, x, out, remembered, line, epsilon, end.numbers)


@functools.cache
def _normalise_known(finish: Any) -> Any:
    @kernel
    def normalise_known(
        x: Array,
        out: Array,
        remembered: Remembered,
        line: Line,
        epsilon: float,
        end: Any,
    ) -> None:
        i = cuda.grid(1)
        if i < x.size:
            plane, at = i // x.shape[2], i % x.shape[2]
            n, c = plane // x.shape[1], plane % x.shape[1]
            a = x.dtype.type(line.weight[c] / math.sqrt(remembered.variances[c] + epsilon))
            total = a * x[n, c, at] + (line.bias[c] - remembered.means[c] * a)
            out[n, c, at] = finish(total, out, i, end)

    return normalise_known


def normalise_back(
    x: Array,
    dy: Array,
    dx: Array,
    sums: Array,
    known: Array,
    weight: Array,
    gradients: Line,
    end: End,
) -> None:
    """dx = end(weight · scale · (dy - mean of dy - normal x · mean of dy · normal x)).

    A dx of no cells is not asked for.
    """
    blocks = sums.shape[0] * sums.shape[1]
    launch(_sum_slants, blocks, THREADS, x, dy, sums, known)
    run = _normalise_back(end.finish)
    launch(run, blocks, THREADS, x, dy, dx, sums, known, weight, gradients, end.numbers)


@kernel
def _sum_slants(x: Array, dy: Array, sums: Array, known: Array) -> None:
    """sums = Σ dy, Σ dy · (x - mean)."""
    first_shares = cuda.shared.array(THREADS, numba.float32)
    second_shares = cuda.shared.array(THREADS, numba.float32)
    thread, block = cuda.threadIdx.x, cuda.blockIdx.x
    part, c = block // sums.shape[1], block % sums.shape[1]
    mean = known[c, MEAN]
    first = second = x.dtype.type(0)
    for cell in range(part * THREADS + thread, x.shape[0] * x.shape[2], sums.shape[0] * THREADS):
        n, at = cell // x.shape[2], cell % x.shape[2]
        first += dy[n, c, at]
        second += dy[n, c, at] * (x[n, c, at] - mean)
    add_in_block(first_shares, thread, first)
    add_in_block(second_shares, thread, second)
    if thread == 0:
        sums[part, c, 0], sums[part, c, 1] = first_shares[0], second_shares[0]


@functools.cache
def _normalise_back(finish: Any) -> Any:
    @kernel
    def normalise_back(
        x: Array,
        dy: Array,
        dx: Array,
        sums: Array,
        known: Array,
        weight: Array,
        gradients: Line,
        end: Any,
    ) -> None:
        thread, block = cuda.threadIdx.x, cuda.blockIdx.x
        part, c = block // sums.shape[1], block % sums.shape[1]
        channels, cells = x.shape[1], x.shape[2]
        count = x.shape[0] * cells
        pull, slant = _total(sums, c, 0), _total(sums, c, 1)
        mean, scale = known[c, MEAN], known[c, SCALE]
        # dx = a · dy + b · x + rest: the formula above, sorted by what differs from cell to cell
        a = weight[c] * scale
        b = -a * (slant / count) * scale * scale
        rest = x.dtype.type(-a * (pull / count) - b * mean)
        slope = x.dtype.type(b)
        for cell in range(part * THREADS + thread, count, sums.shape[0] * THREADS):
            n, at = cell // cells, cell % cells
            if dx.size:
                total = a * dy[n, c, at] + slope * x[n, c, at] + rest
                dx[n, c, at] = finish(total, dx, (n * channels + c) * cells + at, end)
        if part == 0 and thread == 0:
            gradients.weight[c], gradients.bias[c] = slant * scale, pull

    return normalise_back
