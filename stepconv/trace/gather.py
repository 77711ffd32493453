"""Gather: which cells and weights flow into each output cell of a call, forwards or backwards.

The recorder walks it, and a step looks its numbers up in it, so that both mean the same cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import kernels, ops
from stepconv.geometry import Axis, Plan, Reading, reading
from stepconv.ops import arrays as laying
from stepconv.ops import sliding
from stepconv.trace.call import Call

Array = NDArray[Any]
Rule = Callable[[int], Reading]
AxisRule = Callable[[Axis, int, str], Reading]


@dataclass(frozen=True, eq=False)
class Gather:
    """How the output cells of one call come about; arrays are (planes, rows, columns).

    Output cell (plane, i, j) reads along the rows what `row(i)` says and along the columns what
    `column(j)` says, in `fan_in` pairs (plane of the source, plane of the weights): `pairs` gives
    them for an array of planes. The channels of the output take turns at the biases. `finish` makes
    results of totals, those of the output cells `at` an index; an average has its `divisors`.
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
    bordered: bool = False
    divisors: Array | None = None
    finish: Callable[[Array, Any], Array] | None = None

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
        *_layered(w),
    )


def _largest(call: Call, arrays: Mapping[str, Array]) -> Gather:
    plan = call.plan
    return _alone(call, arrays["x"], plan.input, reading.window, plan.output_plane, bordered=True)


def _average(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = Σ of the window / counts_y[i] · counts_x[j]: each cell meets a weight of 1."""
    form, (rows, columns) = _largest(call, arrays), _counts(call)
    divisors = np.broadcast_to(rows[:, None] * columns, form.shape)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(totals / divisors[at].astype(totals.dtype))

    ones = np.ones((1, *call.plan.window), form.source.dtype)
    return replace(form, weights=ones, divisors=divisors, finish=finish)


def _route(call: Call, arrays: Mapping[str, Array]) -> Gather:
    plan = call.plan
    return _alone(call, arrays["grad_out"], plan.output, _by_window, _plane(plan))


def _spread(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = Σ over the windows that read the cell of grad_out · 1 / counts of the window."""
    form = _route(call, arrays)
    rows, columns = (counts.astype(form.source.dtype) for counts in _counts(call))
    return replace(form, weights=(1 / (rows[:, None] * columns))[None])


def _border(call: Call, arrays: Mapping[str, Array]) -> Gather:
    plan, padded = call.plan, (call.plan.rows.padded, call.plan.columns.padded)
    return _alone(call, arrays["x"], plan.input, reading.bordered, padded, bordered=True)


def _fold(call: Call, arrays: Mapping[str, Array]) -> Gather:
    plan, padded = call.plan, tuple(axis.padded for axis in call.plan.axes)
    form = _alone(call, arrays["grad_out"], padded, reading.folded, _plane(plan))
    return replace(form, weights=np.ones((1, 1, 1), form.source.dtype))


def _mirror(call: Call, arrays: Mapping[str, Array]) -> Gather:
    return _alone(call, arrays["w"], call.plan.input, reading.mirrored, _plane(call.plan))


def _cell(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """Every cell becomes one cell."""
    array = arrays[call.operation.source]
    return _alone(call, array, call.plan.input, _itself, _plane(call.plan))


def _join(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = x + y, or x - y: the two cells at a place meet weights of 1 and of 1 or -1."""
    form, dtype = _both(call, arrays), arrays["x"].dtype
    planes = len(form.source) // 2
    signs = np.array([1, -1 if call.op == "subtract" else 1], dtype)

    def pairs(at: Array) -> Array:
        first = np.stack([at, np.zeros_like(at)], axis=-1)
        return np.stack([first, first + np.array([planes, 1])], axis=1)

    weights, shape = signs[:, None, None], (planes, *form.shape[1:])
    return replace(form, weights=weights, pairs=pairs, fan_in=2, channels=True, shape=shape)


def _append(call: Call, arrays: Mapping[str, Array]) -> Gather:
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
        _alone(call, arrays[name], call.plan.input, _by_one, _plane(call.plan))
        for name in call.operation.sources
    ]
    source = np.concatenate([form.source for form in forms])
    return replace(forms[0], source=source, shape=(len(source), *_plane(call.plan)))


def _slope(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = grad_out · how steep the curve is at x, which is what becomes of a gradient of 1."""
    form, x = _cell(call, arrays), arrays["x"]
    steep = by_the_book(call, x, np.ones_like(x))
    return replace(form, weights=steep.reshape(form.shape), pairs=_twice)


def by_the_book(call: Call, x: Array, *arrays: Array) -> Array:
    """Return what the textbook makes of numbers that go through a curve, each alone."""
    out = np.empty_like(x)
    numbers = [x.dtype.type(call.slope)] if call.operation.of == "leaky_relu" else []
    kernels.find(call.op, "textbook")(x, *arrays, out, *numbers)
    return out


def _share(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """out = e^own / Σ e^cell over a row, or over the channels at one place."""
    form, (powers, _) = _together(call, arrays["x"]), _shares(call, arrays)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(powers[at] / totals)

    return replace(form, finish=finish)


def _balance(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """grad_x = y · (own - Σ of the gradients · their y), where y = softmax(x)."""
    form, (_, y) = _together(call, arrays["grad_out"]), _shares(call, arrays)

    def finish(totals: Array, at: Any) -> Array:
        return np.asarray(y[at] * (form.source[at] - totals))

    return replace(form, weights=y, finish=finish)


def _together(call: Call, array: Array) -> Gather:
    """Every cell becomes one cell, and all of its row flow in, or all channels at its place."""
    plan = call.plan
    if len(plan.axes) == 1:
        return replace(_alone(call, array, plan.input, _whole, _plane(plan)), pairs=_twice)
    form, k = _cell(call, {call.operation.source: array}), np.arange(plan.in_channels)

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
    "gate": _cell,
    "mirror": _mirror,
    "curve": _cell,
    "join": _join,
    "append": _append,
    "slope": _slope,
    "share": _share,
    "balance": _balance,
}
# Those whose cells meet weights, each at a place of its own.
WEIGHTED = ("slide", "return", "weigh")
# Those that add up: a record keeps the sum of each channel at each step.
SUMMING = (
    *("slide", "return", "weigh", "total", "average", "spread", "fold"),
    *("slope", "share", "balance", "join", "append"),
)


def _plane(plan: Plan) -> tuple[int, int]:
    """Return the rows and columns of what the plan reads."""
    return plan.rows.size, plan.columns.size


def _rules(rule: AxisRule, plan: Plan, mode: str) -> tuple[Rule, Rule]:
    """Return what a row and what a column of the output reads."""
    return lambda i: rule(plan.rows, i, mode), lambda j: rule(plan.columns, j, mode)


def _turned(rule: Rule, axis: Axis) -> Rule:
    """Return the rule for an output that is mirrored."""
    return lambda index: rule(axis.window - 1 - index)


def _by_window(axis: Axis, cell: int, mode: str) -> Reading:
    """Return the windows that read a cell; weights belong to windows, not to the cells in them."""
    windows = reading.returned(axis, cell, mode).cells
    return Reading(windows, windows, windows)


def _itself(axis: Axis, cell: int, mode: str) -> Reading:
    return Reading((cell,), (cell,), (cell,))


def _by_one(axis: Axis, cell: int, mode: str) -> Reading:
    """Return the cell itself, which meets the one weight that there is for all."""
    return Reading((cell,), (cell,), (0,))


def _whole(axis: Axis, cell: int, mode: str) -> Reading:
    every = tuple(range(axis.size))
    return Reading(every, every, every)


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


def _alone(
    call: Call,
    array: Array,
    plane: tuple[int, ...],
    rule: AxisRule,
    result: tuple[int, int],
    bordered: bool = False,
) -> Gather:
    """Return how planes that go their own way gather, each into one of `result`."""
    source = _stack(array, plane)

    def pairs(planes: Array) -> Array:
        return np.stack([planes, np.zeros_like(planes)], axis=-1)[:, None]

    return Gather(
        source,
        None,
        1,
        pairs,
        np.zeros(1, source.dtype),
        *_rules(rule, call.plan, call.mode),
        (len(source), *result),
        len(call.plan.axes),
        bordered=bordered,
    )


def _twice(planes: Array) -> Array:
    """Return the pairs of planes whose weights lie at the same places in planes of their own."""
    return np.stack([planes, planes], axis=-1)[:, None]


def _bias(arrays: Mapping[str, Array], channels: int, dtype: Any) -> Array:
    if "bias" not in arrays:
        return np.zeros(channels, dtype)
    return arrays["bias"].reshape(channels)


def _counts(call: Call) -> tuple[Array, Array]:
    """Return the cells that each window divides by, along the rows and along the columns."""
    axes, include = (call.plan.rows, call.plan.columns), call.count_include_pad
    rows, columns = (axis.counts(include_pad=include) for axis in axes)
    return np.array(rows, np.int64), np.array(columns, np.int64)


def _layered(w: Array) -> tuple[int, bool]:
    """Return how many axes the kernel slides along, and whether the arrays have channels."""
    return sliding.spatial_axes(w), w.ndim > 2
