"""Pixels that a task goes through, and tiles that make one pixel of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.kernels.cpu.lanes.tiles import sloped
from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors, tile


class Row(NamedTuple):
    """Pixels one after another: the first one, and how many bytes lie between them."""

    at: Any
    step: Any


class Size(NamedTuple):
    """How many pixels, and how many channels: whole vectors, and the numbers that are left."""

    pixels: Any
    whole: Any
    rest: Any


class Bend(NamedTuple):
    """An activation: what is not positive is multiplied by `slope`, what is above `limit` is it."""

    slope: Any
    limit: Any


def bent(v: Vectors, bend: Bend, a: Vector) -> Vector:
    """Return what an activation makes of a."""
    a, limit = sloped(v, a, a, v.splat(bend.slope)), v.splat(bend.limit)
    return v.select(v.above(a, limit), limit, a)


def each_pixel(v: Vectors, out: Row, size: Size, made: Callable[[Int, Int], Vector]) -> None:
    """Write made(p, at) for each pixel p and each vector of channels, `at` bytes from its first."""

    def pixel(p: Int, _: list[Vector]) -> list[Vector]:
        to = out.at + p * out.step

        def vector(i: Int, _: list[Vector]) -> list[Vector]:
            v.store(to + i * v.bytes, made(p, i * v.bytes))
            return []

        v.loop(size.whole, [], vector)
        end = size.whole * v.bytes
        v.when(size.rest, lambda: v.store_some(to + end, made(p, end), size.rest), lambda: None)
        return []

    v.loop(size.pixels, [], pixel)


@inner
def share(task: int, tasks: int, count: int) -> tuple[int, int]:
    """Return the first of `count` things that a task has, and the one after its last."""
    return task * count // tasks, (task + 1) * count // tasks


@inner
def size_of(pixels: int, channels: int) -> Size:
    """Return how many vectors a number of channels takes."""
    return Size(pixels, channels // LANES, channels % LANES)


@tile(np.float32)
def activated(v: Vectors, x: Row, out: Row, size: Size, bend: Bend) -> None:
    """out[p] = activation(x[p])."""
    each_pixel(v, out, size, lambda p, at: bent(v, bend, v.load(x.at + p * x.step + at)))
