"""Gather: which cells and weights flow into each output cell of a call, forwards or backwards.

The recorder walks it, and a step looks its numbers up in it, so that both mean the same cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.geometry import Axis, Plan, Reading, reading
from stepconv.ops import arrays as laying
from stepconv.ops import sliding
from stepconv.trace.call import Call

Array = NDArray[Any]
Rule = Callable[[int], Reading]

# The mode of a border without copies.
_ZEROS = "zeros"


@dataclass(frozen=True, eq=False)
class Gather:
    """How the output cells of one call come about; arrays are (planes, rows, columns).

    Output cell (plane, i, j) reads along the rows what `row(i)` says and along the columns what
    `column(j)` says, in `fan_in` pairs (plane of the source, plane of the weights): `pairs` gives
    them for an array of planes. The channels of the output take turns at the biases.
    """

    source: Array
    weights: Array | None
    fan_in: int
    pairs: Callable[[Array], Array]
    bias: Array
    row: Rule
    column: Rule
    shape: tuple[int, int, int]
    axes: int
    channels: bool = False
    counts: tuple[Array, Array] | None = None
    bordered: bool = False

    @property
    def steps(self) -> int:
        """Output cells."""
        return prod(self.shape)

    def place(self, step: int) -> tuple[int, int, int]:
        """Return the output cell that a step computes."""
        _, height, width = self.shape
        return step // (height * width), step // width % height, step % width


def gather(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """Return how the call on these arrays gathers.

    `arrays` has x, w, bias and grad_out, as far as the operation knows them, in the caller's shape
    and in the type that is computed in.
    """
    return _FAMILIES[call.operation.family](call, arrays)


def _slide(call: Call, arrays: Mapping[str, Array]) -> Gather:
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
        *_rules(reading.window, plan, call.mode),
        (batch * plan.out_channels, *plan.output_plane),
        *_layered(arrays["w"]),
        bordered=True,
    )


def _return(call: Call, arrays: Mapping[str, Array]) -> Gather:
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
        *_rules(reading.returned, plan, call.mode),
        (batch * plan.in_channels, plan.rows.size, plan.columns.size),
        *_layered(arrays["w"]),
    )


def _weigh(call: Call, arrays: Mapping[str, Array]) -> Gather:
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

    rules = _rules(reading.weighed, plan, call.mode)
    if call.operation.mirrored:
        rules = _turned(rules[0], plan.rows), _turned(rules[1], plan.columns)
    return Gather(
        source,
        weights,
        n.size,
        pairs,
        np.zeros(1, source.dtype),
        *rules,
        (plan.out_channels * in_group, *plan.window),
        *_layered(w),
        bordered=True,
    )


def _total(call: Call, arrays: Mapping[str, Array]) -> Gather:
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

    rows, columns = _both(Plan(axes))
    return Gather(
        source,
        np.ones((1, 1, 1), source.dtype),
        n.size,
        pairs,
        np.zeros(1, source.dtype),
        lambda _: reading.whole(rows),
        lambda _: reading.whole(columns),
        (channels, 1, 1),
        *_layered(w),
    )


def _largest(call: Call, arrays: Mapping[str, Array]) -> Gather:
    return _pooling(call, arrays["x"], None)


def _average(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = Σ of the window / counts_y[i] · counts_x[j]: each cell meets a weight of 1."""
    ones = np.ones((1, *call.plan.window), arrays["x"].dtype)
    return _pooling(call, arrays["x"], ones, _counts(call))


def _pooling(
    call: Call, x: Array, weights: Array | None, counts: tuple[Array, Array] | None = None
) -> Gather:
    source = _stack(x, call.plan.input)
    return Gather(
        source,
        weights,
        *_alone(source),
        *_rules(reading.window, call.plan, _ZEROS),
        (len(source), *call.plan.output_plane),
        len(call.plan.axes),
        counts=counts,
        bordered=True,
    )


def _route(call: Call, arrays: Mapping[str, Array]) -> Gather:
    return _handing_back(call, arrays["grad_out"], None)


def _spread(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = Σ over the windows that read the cell of grad_out · 1 / counts of the window."""
    grad = arrays["grad_out"]
    rows, columns = (counts.astype(grad.dtype) for counts in _counts(call))
    return _handing_back(call, grad, (1 / (rows[:, None] * columns))[None])


def _handing_back(call: Call, grad: Array, weights: Array | None) -> Gather:
    source = _stack(grad, call.plan.output)
    # The weights, if any, belong to windows, not to the cells under them.
    row, column = _rules(reading.returned, call.plan, _ZEROS)
    return Gather(
        source,
        weights,
        *_alone(source),
        _by_window(row),
        _by_window(column),
        (len(source), call.plan.rows.size, call.plan.columns.size),
        len(call.plan.axes),
    )


def _border(call: Call, arrays: Mapping[str, Array]) -> Gather:
    source = _stack(arrays["x"], call.plan.input)
    rows, columns = _both(call.plan)
    return Gather(
        source,
        None,
        *_alone(source),
        *_rules(reading.bordered, call.plan, call.mode),
        (len(source), rows.padded, columns.padded),
        len(call.plan.axes),
        bordered=True,
    )


def _fold(call: Call, arrays: Mapping[str, Array]) -> Gather:
    rows, columns = _both(call.plan)
    source = _stack(arrays["grad_out"], tuple(axis.padded for axis in call.plan.axes))
    return Gather(
        source,
        np.ones((1, 1, 1), source.dtype),
        *_alone(source),
        *_rules(reading.folded, call.plan, call.mode),
        (len(source), rows.size, columns.size),
        len(call.plan.axes),
    )


def _gate(call: Call, arrays: Mapping[str, Array]) -> Gather:
    return _in_place(call, arrays[call.operation.source], reading.bordered)


def _mirror(call: Call, arrays: Mapping[str, Array]) -> Gather:
    return _in_place(call, arrays["w"], lambda axis, index, mode: reading.mirrored(axis, index))


def _in_place(call: Call, array: Array, rule: Callable[[Axis, int, str], Reading]) -> Gather:
    """Every cell becomes one cell."""
    source = _stack(array, call.plan.input)
    return Gather(
        source,
        None,
        *_alone(source),
        *_rules(rule, call.plan, _ZEROS),
        source.shape,
        len(call.plan.axes),
    )


_FAMILIES: dict[str, Callable[[Call, Mapping[str, Array]], Gather]] = {
    "slide": _slide,
    "return": _return,
    "weigh": _weigh,
    "total": _total,
    "largest": _largest,
    "average": _average,
    "route": _route,
    "spread": _spread,
    "border": _border,
    "fold": _fold,
    "gate": _gate,
    "mirror": _mirror,
}


def _both(plan: Plan) -> tuple[Axis, Axis]:
    return plan.rows, plan.columns


def _rules(rule: Callable[[Axis, int, str], Reading], plan: Plan, mode: str) -> tuple[Rule, Rule]:
    """Return what a row and what a column of the output reads."""
    return lambda i: rule(plan.rows, i, mode), lambda j: rule(plan.columns, j, mode)


def _turned(rule: Rule, axis: Axis) -> Rule:
    """Return the rule for an output that is mirrored."""
    return lambda index: rule(axis.window - 1 - index)


def _by_window(rule: Rule) -> Rule:
    def read(index: int) -> Reading:
        found = rule(index)
        return Reading(found.positions, found.cells, found.cells)

    return read


def _filters(call: Call, arrays: Mapping[str, Array]) -> Array:
    """Return the kernel as it is applied, one plane for each filter and channel."""
    w = ops.flip(arrays["w"]) if call.operation.mirrored else arrays["w"]
    return _stack(w, w.shape[-2:] if w.ndim in (2, 4) else w.shape[-1:])


def _images(array: Array, plan: Plan, w: Array) -> Array:
    return _stack(array, array.shape[-len(plan.axes) :])


def _stack(array: Array, plane: tuple[int, ...]) -> Array:
    """Return an array as (planes, rows, columns), in a type that kernels compute in."""
    shape = (prod(array.shape[: array.ndim - len(plane)]), *((1,) * (2 - len(plane))), *plane)
    return laying.laid_out(array, laying.moving_dtype(array), shape)


def _alone(source: Array) -> tuple[int, Callable[[Array], Array], Array]:
    """Return fan-in, pairs and biases of planes that each go their own way."""

    def pairs(planes: Array) -> Array:
        return np.stack([planes, np.zeros_like(planes)], axis=-1)[:, None]

    return 1, pairs, np.zeros(1, source.dtype)


def _bias(arrays: Mapping[str, Array], channels: int, dtype: Any) -> Array:
    if "bias" not in arrays:
        return np.zeros(channels, dtype)
    return arrays["bias"].reshape(channels)


def _counts(call: Call) -> tuple[Array, Array]:
    """Return the cells that each window divides by, along the rows and along the columns."""
    rows, columns = (axis.counts(include_pad=call.count_include_pad) for axis in _both(call.plan))
    return np.array(rows, np.int64), np.array(columns, np.int64)


def _layered(w: Array) -> tuple[int, bool]:
    """Return how many axes the kernel slides along, and whether the arrays have channels."""
    return sliding.spatial_axes(w), w.ndim > 2
