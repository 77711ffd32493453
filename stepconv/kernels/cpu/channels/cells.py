"""Kernels with channels in the lanes that make one pixel of another: norms, sums, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.channels.pixels import (
    Bend,
    Row,
    Size,
    activated,
    bent,
    each_pixel,
    share,
    size_of,
)
from stepconv.kernels.cpu.lanes.cells import exponential
from stepconv.kernels.cpu.lanes.rows import LANES, operands
from stepconv.kernels.cpu.machine.addresses import float32s
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, tile
from stepconv.kernels.kinds import TANH


@operands(integers="x x_step out out_step pixels channels parts", floats="slope limit")
def hand_on(o: Any) -> None:
    """out[p] = activation(x[p]); without one, a copy."""
    first, stop = share(o.task, o.parts, o.pixels)
    x, out = Row(o.x + first * o.x_step, o.x_step), Row(o.out + first * o.out_step, o.out_step)
    activated(x, out, size_of(stop - first, o.channels), Bend(o.slope, o.limit))


@tile(np.float32)
def _sums(v: Vectors, a: Row, b: Row, out: Row, size: Size, bend: Bend) -> None:
    def total(p: Int, at: Int) -> Vector:
        return bent(v, bend, v.load(a.at + p * a.step + at) + v.load(b.at + p * b.step + at))

    each_pixel(v, out, size, total)


@operands(integers="a a_step b b_step out out_step pixels channels parts", floats="slope limit")
def add(o: Any) -> None:
    """out[p] = activation(a[p] + b[p])."""
    first, stop = share(o.task, o.parts, o.pixels)
    a, b = Row(o.a + first * o.a_step, o.a_step), Row(o.b + first * o.b_step, o.b_step)
    out = Row(o.out + first * o.out_step, o.out_step)
    _sums(a, b, out, size_of(stop - first, o.channels), Bend(o.slope, o.limit))


@tile(np.float32)
def _scaled(v: Vectors, x: Row, scale: Int, shift: Int, out: Row, size: Size, bend: Bend) -> None:
    def cell(p: Int, at: Int) -> Vector:
        a = v.load(x.at + p * x.step + at)
        return bent(v, bend, v.fma(a, v.load(scale + at), v.load(shift + at)))

    each_pixel(v, out, size, cell)


@operands(integers="x x_step scale shift out out_step pixels channels parts", floats="slope limit")
def scale(o: Any) -> None:
    """out[p][c] = activation(scale[c] · x[p][c] + shift[c])."""
    first, stop = share(o.task, o.parts, o.pixels)
    x, out = Row(o.x + first * o.x_step, o.x_step), Row(o.out + first * o.out_step, o.out_step)
    size = size_of(stop - first, o.channels)
    _scaled(x, o.scale, o.shift, out, size, Bend(o.slope, o.limit))


@operands(integers="x x_step out out_step pixels channels parts kind")
def squeeze(o: Any) -> None:
    """out[p] = tanh(x[p]) or 1 / (1 + e^-x[p])."""
    growth = 2.0 if o.kind == TANH else 1.0
    for p in range(*share(o.task, o.parts, o.pixels)):
        x, out = float32s(o.x + p * o.x_step), float32s(o.out + p * o.out_step)
        for c in range(o.channels):
            z = growth * x[c]
            z = 40.0 if z > 40.0 else z  # from there on both are 1 in float32; a NaN stays one
            z = -40.0 if z < -40.0 else z
            part = 1 / (1 + exponential(-z))  # tanh(x) = 2 / (1 + e^-2x) - 1
            out[c] = np.float32(2 * part - 1 if o.kind == TANH else part)


@tile(np.float32)
def _squares(v: Vectors, x: Int, out: Int, size: Size) -> None:
    def square(_: Int, at: Int) -> Vector:
        a = v.load(x + at)
        return a * a

    none = size.pixels - size.pixels
    each_pixel(v, Row(out, none), size, square)


@tile(np.float32)
def _strengths(
    v: Vectors, squares: Int, out: Int, neighbours: Int, size: Size, alpha: Int, bias: Int
) -> None:
    """out[c] = bias + alpha · Σ_k squares[c + k]."""
    factor, first, none = v.splat(alpha), v.splat(bias), size.pixels - size.pixels

    def strength(_: Int, at: Int) -> Vector:
        [total] = v.loop(
            neighbours, [v.zero()], lambda k, sums: [sums[0] + v.load(squares + at + k * 4)]
        )
        return v.fma(factor, total, first)

    each_pixel(v, Row(out, none), size, strength)


@tile(np.float32)
def _divided(v: Vectors, x: Int, strengths: Int, out: Int, size: Size) -> None:
    """out[c] = x[c] / strengths[c]^(3/4)."""
    none = size.pixels - size.pixels

    def cell(_: Int, at: Int) -> Vector:
        root = v.sqrt(v.load(strengths + at))
        return v.quotient(v.load(x + at), root * v.sqrt(root))

    each_pixel(v, Row(out, none), size, cell)


@operands(
    spots="room",
    integers="x x_step out out_step pixels channels parts before neighbours",
    floats="alpha beta bias",
)
def local_norm(o: Any) -> None:
    """out[c] = x[c] / (bias + alpha · Σ x² of the `neighbours` from c - before on)^beta.

    In `room` zeros stand before and behind the squares of a pixel.
    """
    beta, size = float32s(o.beta)[0], size_of(1, o.channels)
    squares = o.room
    numbers = float32s(squares)
    for i in range(o.channels + o.neighbours + LANES):
        numbers[i] = 0
    strengths = squares + (o.channels + o.neighbours + LANES) * 4
    for p in range(*share(o.task, o.parts, o.pixels)):
        x, out = o.x + p * o.x_step, o.out + p * o.out_step
        _squares(x, squares + o.before * 4, size)
        _strengths(squares, strengths, o.neighbours, size, o.alpha, o.bias)
        if beta == 0.75:
            _divided(x, strengths, out, size)
        else:
            given, found, made = float32s(x), float32s(strengths), float32s(out)
            for c in range(o.channels):
                made[c] = given[c] * np.float32(found[c] ** -beta)


@operands(integers="x x_step out out_step pixels channels groups parts")
def deal(o: Any) -> None:
    """out[p]: channel c of group g of x[p] goes into place g of group c."""
    each = o.channels // o.groups
    for p in range(*share(o.task, o.parts, o.pixels)):
        x, out = float32s(o.x + p * o.x_step), float32s(o.out + p * o.out_step)
        for g in range(o.groups):
            for c in range(each):
                out[c * o.groups + g] = x[g * each + c]


@operands(integers="x x_step out out_step pictures pixels channels")
def flatten(o: Any) -> None:
    """out[n][c · pixels + p] = x[n][p][c]: a flat row has channel after channel."""
    for n in range(o.pictures):
        out = float32s(o.out + n * o.out_step)
        for p in range(o.pixels):
            x = float32s(o.x + (n * o.pixels + p) * o.x_step)
            for c in range(o.channels):
                out[c * o.pixels + p] = x[c]
