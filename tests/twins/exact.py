"""Every operation as a list of wires, summed in fractions: an exact judge that borrows no loop.

A wire joins one cell of x, one weight and one cell of the result. The forward sum and all the
gradients follow the same wires: out += x·w, grad_x += grad·w, grad_w += x·grad.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import groupby, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from stepconv.geometry import (
    Axis,
    Plan,
    correlation_plan,
    padding_plan,
    pooling_plan,
    transposed_plan,
)
from stepconv.testing.calls import Array, Call

Index = tuple[int, ...]

NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
PADDING, BEYOND = -1, -2  # where a window reads no cell of the input


class Wire(NamedTuple):
    """What is multiplied and where it is added; a weight that is no cell is a number."""

    out: Index
    x: Index
    w: Index | Fraction


class Sums:
    """For each cell its exact sum, the sum of its absolute values, and the count of its terms."""

    def __init__(self, shape: Index) -> None:
        self.total = np.full(shape, Fraction(0))
        self.size = np.full(shape, Fraction(0))
        self.terms = np.zeros(shape, int)

    def add(self, cell: Index, *factors: Any) -> None:
        """Add one product."""
        term = prod((Fraction(factor) for factor in factors), start=Fraction(1))
        self.total[cell] += term
        self.size[cell] += abs(term)
        self.terms[cell] += 1


def forward(operation: str, call: Call) -> Sums:
    """Return what `operation` is, exactly; of max_pool only windows that see a real cell."""
    x, w, plan = _cells(operation, call)
    sums = Sums(_out_shape(operation, x, plan))
    for wire in WIRES[operation](call, x, plan):
        weight = wire.w if isinstance(wire.w, Fraction) else w[wire.w].item()
        sums.add(wire.out, x[wire.x].item(), weight)
    if operation == "pad":
        sums.total[sums.terms == 0] = Fraction(call.options.get("value", 0))
    for o, number in enumerate(call.arrays.get("bias", ())):
        for cell in np.ndindex(sums.total.shape):
            if cell[1] == o:
                sums.add(cell, number.item())
    return sums


def backward(operation: str, call: Call) -> tuple[Sums, Sums, Sums]:
    """Return grad_x, grad_w (empty where there is no w) and grad_bias, exactly."""
    x, w, plan = _cells(operation, call)
    out_shape = _out_shape(operation, x, plan)
    grad = call.arrays["grad_out"].reshape(out_shape)
    grad_x, grad_w, grad_bias = Sums(x.shape), Sums(w.shape), Sums(out_shape[1:2])
    for wire in WIRES[operation](call, x, plan):
        gradient = grad[wire.out].item()
        if isinstance(wire.w, Fraction):
            grad_x.add(wire.x, gradient, wire.w)
        else:
            grad_x.add(wire.x, gradient, w[wire.w].item())
            grad_w.add(wire.w, gradient, x[wire.x].item())
    for cell in np.ndindex(out_shape):
        grad_bias.add(cell[1:2], grad[cell].item())
    return grad_x, grad_w, grad_bias


# Where the wires run, in the coordinates (batch, channel, cell…) and (filter, channel, tap…).


def _correlate(call: Call, x: Array, plan: Plan, *, mirrored: bool = False) -> Iterator[Wire]:
    in_group, out_group = plan.in_channels // plan.groups, plan.out_channels // plan.groups
    last = [axis.window - 1 for axis in plan.axes]
    for out, tap, source in _windows(plan.axes, call.options.get("mode", "zeros")):
        if min(source) < 0:
            continue
        weight = tuple(m - t for m, t in zip(last, tap, strict=True)) if mirrored else tap
        for n, o, k in product(range(len(x)), range(plan.out_channels), range(in_group)):
            c = o // out_group * in_group + k
            yield Wire((n, o, *out), (n, c, *source), (o, k, *weight))


def _convolve(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    return _correlate(call, x, plan, mirrored=True)


def _transpose(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    for out, source, weight in _correlate(call, x, plan):
        yield Wire(source, out, weight)


def _pad(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    for out, _, source in _windows(plan.axes, call.options["mode"]):
        for n in range(len(x)):
            if min(source) >= 0:
                yield Wire((n, 0, *out), (n, 0, *source), Fraction(1))


def _avg_pool(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    divided_by = BEYOND if call.options["count_include_pad"] else PADDING
    for out, reads in groupby(_windows(plan.axes, "zeros"), key=lambda read: read[0]):
        sources = [source for _, _, source in reads]
        share = Fraction(1, sum(min(source) > divided_by for source in sources))
        for n, source in product(range(len(x)), sources):
            if min(source) >= 0:
                yield Wire((n, 0, *out), (n, 0, *source), share)


def _max_pool(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    for out, reads in groupby(_windows(plan.axes, "zeros"), key=lambda read: read[0]):
        sources = [source for _, _, source in reads if min(source) >= 0]
        for n in range(len(x) if sources else 0):
            winner = max(sources, key=lambda source: x[(n, 0, *source)])
            yield Wire((n, 0, *out), (n, 0, *winner), Fraction(1))


def _relu(call: Call, x: Array, plan: Plan) -> Iterator[Wire]:
    for cell in np.ndindex(x.shape):
        if x[cell] > 0:
            yield Wire(cell, cell, Fraction(1))


WIRES: dict[str, Callable[[Call, Array, Plan], Iterator[Wire]]] = {
    "correlate": _correlate,
    "convolve": _convolve,
    "correlate_transpose": _transpose,
    "pad": _pad,
    "avg_pool": _avg_pool,
    "max_pool": _max_pool,
    "relu": _relu,
}


def _windows(axes: tuple[Axis, ...], mode: str) -> Iterator[tuple[Index, Index, Index]]:
    """Yield (window, tap, cell of the input) for all taps of all windows, in reading order."""
    every: list[list[tuple[int, int, int]]] = []
    for axis in axes:
        border = _numbered(axis, mode)
        every.append(
            [
                (i, a, border[i * axis.stride + a * axis.dilation])
                for i in range(axis.output)
                for a in range(axis.window)
            ]
        )
    reads = []
    for each in product(*every):
        out, tap, source = zip(*each, strict=True)
        reads.append((out, tap, source))
    yield from sorted(reads)  # no two share their window and their tap


def _numbered(axis: Axis, mode: str) -> list[int]:
    """Return for each padded cell, and some beyond, which cell of the input is there."""
    constant = {"constant_values": PADDING} if mode == "zeros" else {}
    pads = (axis.before, max(0, axis.after))
    cells = np.pad(np.arange(axis.size), pads, NUMPY_MODES[mode], **constant)  # type: ignore[call-overload]
    return [*cells.tolist(), *[BEYOND] * (axis.span + axis.stride)]


def _cells(operation: str, call: Call) -> tuple[Array, Array, Plan]:
    """Return x as (batch, channels, …), w as (filters, channels, …), and the plan."""
    x, w = call.arrays["x"], call.arrays.get("w")
    options = {
        name: value
        for name, value in call.options.items()
        if name not in ("mode", "value", "count_include_pad")
    }
    if operation == "relu":
        return x.reshape(-1, 1, 1), np.empty((0, 0, 0)), Plan((Axis(1, 1),))
    if w is None:
        plan = (padding_plan if operation == "pad" else pooling_plan)(x.shape, **options)
        sides = x.shape[x.ndim - len(plan.axes) :]
        return x.reshape(-1, 1, *sides), np.empty((0, 0, *sides)), plan
    back = operation == "correlate_transpose"
    plan = (transposed_plan if back else correlation_plan)(x.shape, w.shape, **options)
    axes = len(plan.axes)
    channels = plan.out_channels if back else plan.in_channels
    filters = w.shape[:2] if w.ndim > 2 else (1, 1)
    return (
        x.reshape(-1, channels, *x.shape[x.ndim - axes :]),
        w.reshape(*filters, *w.shape[w.ndim - axes :]),
        plan,
    )


def _out_shape(operation: str, x: Array, plan: Plan) -> Index:
    if operation == "relu":
        return x.shape
    if operation == "correlate_transpose":
        return (len(x), plan.in_channels, *plan.input)
    return (len(x), plan.out_channels, *plan.output)
