"""What becomes of each cell alone, of two that are joined, and of a row that is shared out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import kernels
from stepconv.geometry import Axis, Reading, reading
from stepconv.trace.call import Call
from stepconv.trace.gather.form import Gather, alone, plane_of

Array = NDArray[Any]


def mirror(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = w after a half turn of each of its planes."""
    return alone(call, arrays["w"], call.plan.input, reading.mirrored, plane_of(call.plan))


def cell(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """Every cell becomes one cell."""
    array = arrays[call.operation.source]
    return alone(call, array, call.plan.input, _itself, plane_of(call.plan))


def join(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = x + y, or x - y: the two cells at a place meet weights of 1 and of 1 or -1."""
    form, dtype = _both(call, arrays), arrays["x"].dtype
    planes = len(form.source) // 2
    signs = np.array([1, -1 if call.op == "subtract" else 1], dtype)

    def pairs(at: Array) -> Array:
        first = np.stack([at, np.zeros_like(at)], axis=-1)
        return np.stack([first, first + np.array([planes, 1])], axis=1)

    weights, shape = signs[:, None, None], (planes, *form.shape[1:])
    return replace(form, weights=weights, pairs=pairs, fan_in=2, channels=True, shape=shape)


def append(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out[n, c] = x[n, c], and behind the channels of x those of y: each meets a weight of 1."""
    form = _both(call, arrays)
    x, y = (arrays[name].shape[-3] for name in call.operation.sources)
    images = len(form.source) // max(x + y, 1)

    def pairs(at: Array) -> Array:
        n, c = np.divmod(at, x + y)
        planes = np.where(c < x, n * x + c, images * x + n * y + c - x)
        return np.stack([planes, np.zeros_like(planes)], axis=-1)[:, None]

    return replace(form, weights=np.ones((1, 1, 1), form.source.dtype), pairs=pairs)


def _both(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """Return how cells gather from the planes of x and, behind all of them, those of y."""
    forms = [
        alone(call, arrays[name], call.plan.input, _by_one, plane_of(call.plan))
        for name in call.operation.sources
    ]
    source = np.concatenate([form.source for form in forms])
    return replace(forms[0], source=source, shape=(len(source), *plane_of(call.plan)))


def slope(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = grad_out · how steep the curve is at x, which is what becomes of a gradient of 1."""
    form, x = cell(call, arrays), arrays["x"]
    steep = by_the_book(call, x, np.ones_like(x))
    return replace(form, weights=steep.reshape(form.shape), pairs=_twice)


def by_the_book(call: Call, x: Array, *arrays: Array) -> Array:
    """Return what the textbook makes of numbers that go through a curve, each alone."""
    out = np.empty_like(x)
    numbers = [x.dtype.type(call.slope)] if call.operation.of == "leaky_relu" else []
    kernels.find(call.op, "textbook")(x, *arrays, out, *numbers)
    return out


def share(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = e^own / Σ e^cell over a row, or over the channels at one place."""
    form, (powers, _) = _together(call, arrays["x"]), _shares(call, arrays)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(powers[at] / totals)

    return replace(form, finish=finish)


def balance(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = y · (own - Σ of the gradients · their y), where y = softmax(x)."""
    form, (_, y) = _together(call, arrays["grad_out"]), _shares(call, arrays)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(y[at] * (form.source[at] - totals))

    return replace(form, weights=y, finish=finish)


def _together(call: Call, array: Array) -> Gather:
    """Every cell becomes one cell, and all of its row flow in, or all channels at its place."""
    plan = call.plan
    if len(plan.axes) == 1:
        return replace(alone(call, array, plan.input, _whole, plane_of(plan)), pairs=_twice)
    form, k = cell(call, {call.operation.source: array}), np.arange(plan.in_channels)

    def pairs(planes: Array) -> Array:
        flowing = planes[:, None] // k.size * k.size + k
        return np.stack([flowing, flowing], axis=-1)

    return replace(form, fan_in=k.size, pairs=pairs, channels=True)


def _shares(call: Call, arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return e^(x - the largest that flows in with it) for every cell, and its share of the sum."""
    x = _together(call, arrays["x"]).source
    rows = len(call.plan.axes) == 1
    members = x if rows else x.reshape(-1, call.plan.in_channels, *x.shape[1:])
    axis = -1 if rows else 1
    with np.errstate(all="ignore"):
        largest = np.fmax.reduce(members, axis, keepdims=True, initial=-np.inf)
        powers = np.exp(members - largest)
        shares = powers / powers.sum(axis, keepdims=True)
    return powers.reshape(x.shape), shares.reshape(x.shape)


def _itself(axis: Axis, cell: int, mode: str) -> Reading:
    return Reading((cell,), (cell,), (cell,))


def _by_one(axis: Axis, cell: int, mode: str) -> Reading:
    """Return the cell itself, which meets the one weight that there is for all."""
    return Reading((cell,), (cell,), (0,))


def _whole(axis: Axis, cell: int, mode: str) -> Reading:
    every = tuple(range(axis.size))
    return Reading(every, every, every)


def _twice(planes: Array) -> Array:
    """Return the pairs of planes whose weights lie at the same places in planes of their own."""
    return np.stack([planes, planes], axis=-1)[:, None]
