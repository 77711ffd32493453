"""Batch normalisation on lanes: each chunk sums its images, all add up the sums in one order.

The sums have to be complete before anybody uses them, so a stage of the program ends in between.
Sums are taken of x - shift, the shift being the mean that is remembered: squares of small numbers
lose nothing when the mean is far from 0.

A channel has nine numbers in each chunk: two sums of the way forward, two of the way back, the mean
and 1 / the spread that all chunks found, and up to three factors of what is computed with them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import (
    CHUNKS,
    IMAGES,
    VECTOR,
    operands,
)
from stepconv.kernels.cpu.lanes.tiles import sloped
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
        at, goal = i * v.bytes, dx + i * v.bytes
        cell = v.load(x + at)
        g = v.fma(a, v.load(dy + at), v.fma(b, cell, c)) * there
        g = sloped(v, cell, g, flat)

        def over() -> None:
            v.store(goal, g)

        def onto() -> None:
            v.store(goal, v.load(goal) + g)

        v.when(adds, onto, over)
        return []

    v.loop(count, [], cell)


@inner
def _total(sums: int, sums_task: int, chunks: int, number: int) -> float:
    """Return the sum of one number over all chunks, always in the same order."""
    total = 0.0
    for chunk in range(chunks):
        total += float32s(sums + chunk * sums_task)[number]
    return total


@operands("x x_task sums sums_task mask mask_task remembered channels cells")
def norm_sums(row: int, task: int) -> None:
    """Sum a chunk's cells and their squares, channel by channel."""
    r = int64s(row)
    x, sums, mask = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    channels, cells = r[8], r[9]
    for channel in range(channels):
        numbers = float32s(sums + channel * CHANNEL)
        numbers[FORWARD] = numbers[FORWARD + 1] = 0
        at = x + channel * cells * VECTOR
        goal = sums + channel * CHANNEL + 4 * FORWARD
        _spread(at, cells // _AT_ONCE, cells % _AT_ONCE, r[7] + 4 * channel, mask, goal)


@operands(
    "x x_task out out_task sums sums_task remembered control weight bias channels cells "
    "epsilon slope"
)
def norm(row: int, task: int) -> None:
    """out = activation(weight · (x - mean) / √(variance + epsilon) + bias), as the batch is."""
    r = int64s(row)
    x, out = r[1] + task * r[2], r[3] + task * r[4]
    mine, control = float32s(r[5] + task * r[6]), int64s(r[8])
    remembered, weight, bias = float32s(r[7]), float32s(r[9]), float32s(r[10])
    channels, cells, epsilon = r[11], r[12], float32s(row + 13 * 8)[0]
    count = control[IMAGES] * cells
    for channel in range(channels):
        first = channel * NUMBERS + FORWARD
        shift = _total(r[5], r[6], control[CHUNKS], first) / count
        square = _total(r[5], r[6], control[CHUNKS], first + 1) / count
        mean = remembered[channel] + shift
        scale = 1 / np.sqrt(square - shift * shift + epsilon)
        mine[channel * NUMBERS + MEAN] = mean
        mine[channel * NUMBERS + SCALE] = scale
        mine[channel * NUMBERS + LINE] = weight[channel] * scale
        mine[channel * NUMBERS + LINE + 1] = bias[channel] - mean * scale * weight[channel]
        plane, at = channel * cells * VECTOR, r[5] + task * r[6] + channel * CHANNEL + 4 * LINE
        _line(x + plane, out + plane, cells, at, row + 14 * 8)


@operands(
    "x x_task out out_task sums sums_task means variances weight bias channels cells epsilon slope"
)
def norm_known(row: int, task: int) -> None:
    """The same with the mean and variance that are remembered: after the training."""
    r = int64s(row)
    x, out = r[1] + task * r[2], r[3] + task * r[4]
    numbers, means, variances = r[5] + task * r[6], float32s(r[7]), float32s(r[8])
    weight, bias = float32s(r[9]), float32s(r[10])
    channels, cells, epsilon = r[11], r[12], float32s(row + 13 * 8)[0]
    for channel in range(channels):
        at = numbers + channel * CHANNEL + 4 * LINE
        scale = weight[channel] / np.sqrt(np.float64(variances[channel]) + epsilon)
        line = float32s(at)
        line[0] = scale
        line[1] = bias[channel] - means[channel] * scale
        plane = channel * cells * VECTOR
        _line(x + plane, out + plane, cells, at, row + 14 * 8)


@operands("x x_task dy dy_task sums sums_task dweight dbias d_task channels cells")
def norm_back_sums(row: int, task: int) -> None:
    """Sum dy and dy · (x - mean) over a chunk: also its part of the gradients."""
    r = int64s(row)
    x, dy, sums = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    dweight, dbias = float32s(r[7] + task * r[9]), float32s(r[8] + task * r[9])
    channels, cells = r[10], r[11]
    for channel in range(channels):
        at, plane = sums + channel * CHANNEL, channel * cells * VECTOR
        numbers = float32s(at)
        numbers[BACK] = numbers[BACK + 1] = 0
        fours, rest = cells // _AT_ONCE, cells % _AT_ONCE
        _slants(x + plane, dy + plane, fours, rest, at + 4 * MEAN, at + 4 * BACK)
        dbias[channel] = numbers[BACK]
        dweight[channel] = numbers[BACK + 1] * numbers[SCALE]


@operands(
    "x x_task dy dy_task dx dx_task sums sums_task mask mask_task control weight channels cells "
    "adds slope"
)
def norm_back(row: int, task: int) -> None:
    """dx = weight · scale · (dy - mean of dy - normal x · mean of dy · normal x)."""
    r = int64s(row)
    x, dy, dx = r[1] + task * r[2], r[3] + task * r[4], r[5] + task * r[6]
    mine, mask, control = float32s(r[7] + task * r[8]), r[9] + task * r[10], int64s(r[11])
    weight, channels, cells, adds = float32s(r[12]), r[13], r[14], r[15]
    count = control[IMAGES] * cells
    for channel in range(channels):
        first = channel * NUMBERS
        pull = _total(r[7], r[8], control[CHUNKS], first + BACK) / count
        slant = _total(r[7], r[8], control[CHUNKS], first + BACK + 1) / count
        mean, scale = mine[first + MEAN], np.float64(mine[first + SCALE])
        a = weight[channel] * scale
        b = -a * slant * scale * scale
        mine[first + LINE] = a
        mine[first + LINE + 1] = b
        mine[first + LINE + 2] = -a * pull - b * mean
        plane, at = channel * cells * VECTOR, r[7] + task * r[8] + 4 * (first + LINE)
        _line_back(x + plane, dy + plane, dx + plane, cells, at, mask, adds, row + 16 * 8)


@operands("sums sums_task means variances control channels cells momentum")
def remember(row: int, task: int) -> None:
    """Move the remembered mean and variance a little towards the batch's."""
    if task > 0:
        return
    r = int64s(row)
    means, variances, control = float32s(r[3]), float32s(r[4]), int64s(r[5])
    momentum = float32s(row + 8 * 8)[0]
    count = control[IMAGES] * r[7]
    for channel in range(r[6]):
        first = channel * NUMBERS + FORWARD
        shift = _total(r[1], r[2], control[CHUNKS], first) / count
        square = _total(r[1], r[2], control[CHUNKS], first + 1) / count
        # What few images spread lets one guess how much all images do.
        guess = (square - shift * shift) * count / max(count - 1, 1)
        means[channel] += momentum * shift
        variances[channel] += momentum * (guess - variances[channel])
