"""Batch normalisation on lanes: each chunk sums its images, all add up the sums in one order.

The sums have to be complete before anybody uses them, so a stage of the program ends in between.
Sums are taken of x - shift, the shift being the mean that is remembered: squares of small numbers
lose nothing when the mean is far from 0.

A channel has nine numbers in each chunk: two sums of the way forward, two of the way back, the mean
and 1 / the spread that all chunks found, and up to three factors of what is computed with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import (
    CHUNKS,
    IMAGES,
    VECTOR,
    operands,
)
from stepconv.kernels.cpu.lanes.tiles import put, sloped
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)

NUMBERS = 9  # per channel
CHANNEL = 4 * NUMBERS
FORWARD, BACK, MEAN, SCALE, LINE = 0, 2, 4, 5, 6

_AT_ONCE = 4  # sums that need not wait for each other


def _sum_pairs(
    v: Vectors, fours: Int, rest: Int, add: Callable[[Int, Vector, Vector], list[Vector]], out: Int
) -> None:
    """out[0], out[1] += two sums over 4 · fours + rest vectors and their lanes."""

    def some(i: Int, sums: list[Vector]) -> list[Vector]:
        new = []
        for j in range(_AT_ONCE):
            new += add(i * _AT_ONCE + j, sums[2 * j], sums[2 * j + 1])
        return new

    def one(i: Int, sums: list[Vector]) -> list[Vector]:
        return add(fours * _AT_ONCE + i, *sums)

    sums = v.loop(fours, [v.zero()] * (2 * _AT_ONCE), some)
    first, second = sums[0::2], sums[1::2]
    both = [(s[0] + s[1]) + (s[2] + s[3]) for s in (first, second)]
    v.add_totals([out, out + 4], v.loop(rest, both, one))


@tile(np.float32)
def _spread(v: Vectors, x: Int, fours: Int, rest: Int, shift: Int, mask: Int, out: Int) -> None:
    """out[0] += Σ (x - shift), out[1] += Σ (x - shift)², in the lanes that hold an image."""
    mean, there = v.splat(shift), v.load(mask)

    def add(i: Int, first: Vector, second: Vector) -> list[Vector]:
        a = (v.load(x + i * v.bytes) - mean) * there
        return [first + a, v.fma(a, a, second)]

    _sum_pairs(v, fours, rest, add, out)


@tile(np.float32)
def _slants(v: Vectors, x: Int, dy: Int, fours: Int, rest: Int, mean: Int, out: Int) -> None:
    """out[0] += Σ dy, out[1] += Σ dy · (x - mean)."""
    middle = v.splat(mean)

    def add(i: Int, first: Vector, second: Vector) -> list[Vector]:
        g = v.load(dy + i * v.bytes)
        return [first + g, v.fma(g, v.load(x + i * v.bytes) - middle, second)]

    _sum_pairs(v, fours, rest, add, out)


@tile(np.float32)
def _line(v: Vectors, x: Int, out: Int, count: Int, numbers: Int, slope: Int) -> None:
    """out = activation(numbers[0] · x + numbers[1])."""
    a, b, flat = v.splat(numbers), v.splat(numbers + 4), v.splat(slope)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        y = v.fma(a, v.load(x + i * v.bytes), b)
        v.store(out + i * v.bytes, sloped(v, y, y, flat))
        return []

    v.loop(count, [], cell)


@tile(np.float32)
def _line_back(
    v: Vectors,
    x: Int,
    dy: Int,
    dx: Int,
    count: Int,
    numbers: Int,
    mask: Int,
    adds: Int,
    slope: Int,
) -> None:
    """dx = numbers[0] · dy + numbers[1] · x + numbers[2], where there is an image."""
    a, b, c = (v.splat(numbers + 4 * i) for i in range(3))
    there, flat = v.load(mask), v.splat(slope)

    def cell(i: Int, _: list[Vector]) -> list[Vector]:
        at = i * v.bytes
        cell = v.load(x + at)
        g = v.fma(a, v.load(dy + at), v.fma(b, cell, c)) * there
        put(v, dx + at, sloped(v, cell, g, flat), adds)
        return []

    v.loop(count, [], cell)


@inner
def _total(o: Any, chunks: int, number: int) -> float:
    """Return the sum of one number over all chunks, always in the same order."""
    first, total = o.sums - o.task * o.sums_task, 0.0
    for chunk in range(chunks):
        total += float32s(first + chunk * o.sums_task)[number]
    return total


@operands(spots="x sums mask", integers="remembered channels cells")
def norm_sums(o: Any) -> None:
    """Sum a chunk's cells and their squares, channel by channel."""
    fours, rest = o.cells // _AT_ONCE, o.cells % _AT_ONCE
    for channel in range(o.channels):
        at, plane = o.sums + channel * CHANNEL, o.x + channel * o.cells * VECTOR
        numbers = float32s(at)
        numbers[FORWARD] = numbers[FORWARD + 1] = 0
        _spread(plane, fours, rest, o.remembered + 4 * channel, o.mask, at + 4 * FORWARD)


@operands(
    spots="x out sums",
    integers="remembered control weight bias channels cells",
    floats="epsilon slope",
)
def norm(o: Any) -> None:
    """out = activation(weight · (x - mean) / √(variance + epsilon) + bias), as the batch is."""
    mine, control, remembered = float32s(o.sums), int64s(o.control), float32s(o.remembered)
    weight, bias, epsilon = float32s(o.weight), float32s(o.bias), float32s(o.epsilon)[0]
    count = control[IMAGES] * o.cells
    for channel in range(o.channels):
        first = channel * NUMBERS
        shift = _total(o, control[CHUNKS], first + FORWARD) / count
        square = _total(o, control[CHUNKS], first + FORWARD + 1) / count
        mean = remembered[channel] + shift
        scale = 1 / np.sqrt(square - shift * shift + epsilon)
        mine[first + MEAN] = mean
        mine[first + SCALE] = scale
        mine[first + LINE] = weight[channel] * scale
        mine[first + LINE + 1] = bias[channel] - mean * scale * weight[channel]
        plane, at = channel * o.cells * VECTOR, o.sums + 4 * (first + LINE)
        _line(o.x + plane, o.out + plane, o.cells, at, o.slope)


@operands(
    spots="x out sums",
    integers="means variances weight bias channels cells",
    floats="epsilon slope",
)
def norm_known(o: Any) -> None:
    """The same with the mean and variance that are remembered: after the training."""
    means, variances, epsilon = float32s(o.means), float32s(o.variances), float32s(o.epsilon)[0]
    weight, bias = float32s(o.weight), float32s(o.bias)
    for channel in range(o.channels):
        at = o.sums + channel * CHANNEL + 4 * LINE
        scale = weight[channel] / np.sqrt(np.float64(variances[channel]) + epsilon)
        line = float32s(at)
        line[0] = scale
        line[1] = bias[channel] - means[channel] * scale
        plane = channel * o.cells * VECTOR
        _line(o.x + plane, o.out + plane, o.cells, at, o.slope)


@operands(spots="x dy sums dweight dbias", integers="channels cells")
def norm_back_sums(o: Any) -> None:
    """Sum dy and dy · (x - mean) over a chunk: also its part of the gradients."""
    dweight, dbias = float32s(o.dweight), float32s(o.dbias)
    fours, rest = o.cells // _AT_ONCE, o.cells % _AT_ONCE
    for channel in range(o.channels):
        at, plane = o.sums + channel * CHANNEL, channel * o.cells * VECTOR
        numbers = float32s(at)
        numbers[BACK] = numbers[BACK + 1] = 0
        _slants(o.x + plane, o.dy + plane, fours, rest, at + 4 * MEAN, at + 4 * BACK)
        dbias[channel] = numbers[BACK]
        dweight[channel] = numbers[BACK + 1] * numbers[SCALE]


@operands(spots="x dy dx sums mask", integers="control weight channels cells adds", floats="slope")
def norm_back(o: Any) -> None:
    """dx = weight · scale · (dy - mean of dy - normal x · mean of dy · normal x)."""
    mine, control, weight = float32s(o.sums), int64s(o.control), float32s(o.weight)
    count = control[IMAGES] * o.cells
    for channel in range(o.channels):
        first = channel * NUMBERS
        pull = _total(o, control[CHUNKS], first + BACK) / count
        slant = _total(o, control[CHUNKS], first + BACK + 1) / count
        mean, scale = mine[first + MEAN], np.float64(mine[first + SCALE])
        a = weight[channel] * scale
        b = -a * slant * scale * scale
        mine[first + LINE] = a
        mine[first + LINE + 1] = b
        mine[first + LINE + 2] = -a * pull - b * mean
        plane, at = channel * o.cells * VECTOR, o.sums + 4 * (first + LINE)
        x, dy, dx = o.x + plane, o.dy + plane, o.dx + plane
        _line_back(x, dy, dx, o.cells, at, o.mask, o.adds, o.slope)


@operands(spots="sums", integers="means variances control channels cells", floats="momentum")
def remember(o: Any) -> None:
    """Move the remembered mean and variance a little towards the batch's."""
    if o.task > 0:
        return
    means, variances, control = float32s(o.means), float32s(o.variances), int64s(o.control)
    momentum = float32s(o.momentum)[0]
    count = control[IMAGES] * o.cells
    for channel in range(o.channels):
        first = channel * NUMBERS + FORWARD
        shift = _total(o, control[CHUNKS], first) / count
        square = _total(o, control[CHUNKS], first + 1) / count
        # What few images spread lets one guess how much all images do.
        guess = (square - shift * shift) * count / max(count - 1, 1)
        means[channel] += momentum * shift
        variances[channel] += momentum * (guess - variances[channel])
