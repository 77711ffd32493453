"""Correlations and their gradients: cells that meet weights, each at a place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.geometry import Axis, Plan, reading
from stepconv.trace.call import Call
from stepconv.trace.gather.form import Gather, Rule, layered, rules, stack

Array = NDArray[Any]


def slide(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out[n, o] = bias[o] + Σ over the group's channels k of the windows of x[n, c] · w[o, k]."""
    plan, w = call.plan, _filters(call, arrays)
    source = _images(arrays[call.operation.source], plan, w)
    k = np.arange(plan.in_channels // plan.groups)

    def pairs(planes: Array) -> Array:
        n, o = np.divmod(planes[:, None], plan.out_channels)
        c = o // (plan.out_channels // plan.groups) * k.size + k
        return np.stack([n * plan.in_channels + c, o * k.size + k], axis=-1)

    batch = len(source) // plan.in_channels
    return Gather(
        source,
        w,
        k.size,
        pairs,
        _bias(arrays, plan.out_channels, source.dtype),
        *rules(reading.window, plan, call.mode),
        (batch * plan.out_channels, *plan.output_plane),
        *layered(arrays["w"]),
        bordered=True,
    )


def return_(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x[n, c] = bias[c] + Σ over the group's filters k of what came from c · w[k, c]."""
    plan, w = call.plan, _filters(call, arrays)
    source = _images(arrays[call.operation.source], plan, w)
    in_group = plan.in_channels // plan.groups
    k = np.arange(plan.out_channels // plan.groups)

    def pairs(planes: Array) -> Array:
        n, c = np.divmod(planes[:, None], plan.in_channels)
        o = c // in_group * k.size + k
        return np.stack([n * plan.out_channels + o, o * in_group + c % in_group], axis=-1)

    batch = len(source) // plan.out_channels
    return Gather(
        source,
        w,
        k.size,
        pairs,
        _bias(arrays, plan.in_channels, source.dtype),
        *rules(reading.returned, plan, call.mode),
        (batch * plan.in_channels, plan.rows.size, plan.columns.size),
        *layered(arrays["w"]),
    )


def weigh(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_w[o, k] = Σ over the images n of the cells that met the weight · their grad[n, o]."""
    plan, w = call.plan, arrays["w"]
    source = _images(arrays[call.operation.source], plan, w)
    weights = _images(arrays[str(call.operation.weights)], plan, w)
    n = np.arange(len(source) // plan.in_channels)
    in_group = plan.in_channels // plan.groups

    def pairs(planes: Array) -> Array:
        o, k = np.divmod(planes[:, None], in_group)
        c = o // (plan.out_channels // plan.groups) * in_group + k
        return np.stack([n * plan.in_channels + c, n * plan.out_channels + o], axis=-1)

    read = rules(reading.weighed, plan, call.mode)
    if call.operation.mirrored:
        read = _turned(read[0], plan.rows), _turned(read[1], plan.columns)
    return Gather(
        source,
        weights,
        n.size,
        pairs,
        np.zeros(1, source.dtype),
        *read,
        (plan.out_channels * in_group, *plan.window),
        *layered(w),
        bordered=True,
    )


def total(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_bias[o] = Σ over the images n of all cells of grad[n, o]: each meets a weight of 1."""
    w, grad = arrays["w"], arrays["grad_out"]
    transposed = call.op.startswith("correlate_transpose")
    plan = call.plan
    # The result of a transposed correlation has the sizes of what its plan reads.
    axes = tuple(Axis(axis.size, 1) if transposed else Axis(axis.output, 1) for axis in plan.axes)
    channels = plan.in_channels if transposed else plan.out_channels
    source = _images(grad, Plan(axes), w)
    n = np.arange(len(source) // channels)

    def pairs(planes: Array) -> Array:
        images = n * channels + planes[:, None]
        return np.stack([images, np.zeros_like(images)], axis=-1)

    rows, columns = Plan(axes).rows, Plan(axes).columns
    return Gather(
        source,
        np.ones((1, 1, 1), source.dtype),
        n.size,
        pairs,
        np.zeros(1, source.dtype),
        lambda _: reading.whole(rows),
        lambda _: reading.whole(columns),
        (channels, 1, 1),
        *layered(w),
    )


def _turned(rule: Rule, axis: Axis) -> Rule:
    """Return the rule for an output that is mirrored."""
    return lambda index: rule(axis.window - 1 - index)


def _filters(call: Call, arrays: Mapping[str, Array]) -> Array:
    """Return the kernel as it is applied, one plane for each filter and channel."""
    w = ops.flip(arrays["w"]) if call.operation.mirrored else arrays["w"]
    return stack(w, w.shape[-2:] if w.ndim in (2, 4) else w.shape[-1:])


def _images(array: Array, plan: Plan, w: Array) -> Array:
    return stack(array, array.shape[-len(plan.axes) :])


def _bias(arrays: Mapping[str, Array], channels: int, dtype: Any) -> Array:
    if "bias" not in arrays:
        return np.zeros(channels, dtype)
    return arrays["bias"].reshape(channels)
