"""A step as a sentence: every number that a picture would show, for those who listen."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from stepconv.trace.model import Step
from stepconv.trace.words import (
    channel_names,
    equals,
    factor,
    number,
    own_cell,
    place,
    share_and_gradient,
    total,
)

# Beyond so many terms a sum is cut short with dots.
_TERMS = 9
# Where a function has no slope of its own, a subgradient is chosen.
_KINK = " (a choice: at 0 there is a kink, any subgradient would do)"
_TIE = " (a choice: of equal cells the first takes all)"


def sentence(step: Step, terms: int = _TERMS) -> str:
    """Return the step in one sentence.

    >>> import stepconv
    >>> stepconv.record(stepconv.max_pool, [[2, 3], [4, 7]], 2)[0].in_words()
    'step 0 of 1, row 0, column 0: the largest of 2, 3, 4, 7 is 7, at row 1, column 1'
    """
    return f"{heading(step)}: {_told(step, terms)}"


def heading(step: Step) -> str:
    """Return which step it is and its place in the output."""
    return f"step {step.index} of {len(step.trace)}, {place(step)}"


def _told(step: Step, terms: int) -> str:
    family = step.trace.call.operation.family
    tellers = {
        "largest": _largest,
        "average": _average,
        "border": _border,
        "gate": _gate,
        "curve": _curve,
        "slope": _slope,
        "share": _share,
        "balance": _balance,
        "mirror": _mirror,
        "route": _route,
        "fold": _fold,
        "join": _join,
        "append": _append,
    }
    return tellers[family](step, terms) if family in tellers else _sums(step, terms)


def _sums(step: Step, terms: int) -> str:
    """Tell the products of the first channel, then the sums of all."""
    if step.products.size == 0:
        return f"nothing flows in, {number(step.result)}"
    kernel, names = step.kernel_planes, channel_names(step)
    assert kernel is not None
    sums = list(map(number, step.channel_sums))
    patch, weights = (each[0].reshape(-1) for each in (step.patch_planes, kernel))
    sign = equals(zip(patch, weights, strict=True), step.channel_sums[0])
    named = [f"{name}: " if name else "" for name in names]
    told = [f"{named[0]}{spelled_products(patch, weights, terms)} {sign} {sums[0]}"]
    told += [f"{name}{summed}" for name, summed in zip(named[1:], sums[1:], strict=True)]
    if len(told) == 1 and "bias" not in step.trace.arrays:
        return told[0]
    bias = [f"bias: {number(step.bias)}"] if "bias" in step.trace.arrays else []
    sign = "≈ " if "≈" in total(step)[1] else ""
    return ", ".join([*told, *bias, f"total: {sign}{number(step.result)}"])


def spelled_products(patch: Any, kernel: Any, terms: int = _TERMS) -> str:
    """Return a sum of products written out, cut short after so many.

    >>> spelled_products([25, -1], [1, 2])
    '25x1 + (-1)x2'
    """
    shown = [f"{factor(x)}x{factor(w)}" for x, w in zip(patch[:terms], kernel[:terms], strict=True)]
    return " + ".join([*shown, "…"] if len(patch) > terms else shown)


def _listed(step: Step, terms: int) -> str:
    """Return the window's real cells, separated by commas."""
    real = step.patch.reshape(-1)[~step.in_padding.reshape(-1)].tolist()
    shown = [number(value) for value in real[:terms]]
    return ", ".join([*shown, "…"] if len(real) > terms else shown)


def _spot(place: Sequence[int]) -> str:
    return f"row {place[0]}, column {place[1]}" if len(place) == 2 else f"cell {place[0]}"


def _largest(step: Step, terms: int) -> str:
    if step.winner is None:
        return f"the window holds padding alone, {number(step.result)}"
    listed = _listed(step, terms)
    tied = np.count_nonzero(step.patch[~step.in_padding.reshape(step.patch.shape)] == step.result)
    first = f", the first of {tied}" if tied > 1 else ""
    return f"the largest of {listed} is {number(step.result)}, at {_spot(step.winner)}{first}"


def _average(step: Step, terms: int) -> str:
    summed = number(step.channel_sums[0])
    cells = " + ".join(factor(value) for value in step.patch.reshape(-1)[:terms])
    dots = " + …" if step.patch.size > terms else ""
    sign = equals(((value,) for value in step.patch.reshape(-1)), step.channel_sums[0])
    return f"({cells}{dots}) {sign} {summed}, {summed} {total(step)[1]}"


def _source_place(step: Step) -> str:
    return _spot([reading.cells[0] for reading in step.axis_readings])


def _border(step: Step, terms: int) -> str:
    if any(reading.cells[0] < 0 for reading in step.axis_readings):
        return f"in the border, {number(step.result)}"
    if step.touches_padding:
        return f"in the border, a copy of {_source_place(step)}: {number(step.result)}"
    return f"{number(step.result)}, from {_source_place(step)}"


def _mirror(step: Step, terms: int) -> str:
    return f"{number(step.result)}, from {_source_place(step)}"


def _gate(step: Step, terms: int) -> str:
    x = step.trace.arrays["x"].reshape(-1)[step.index]
    if step.trace.call.is_backward:
        passes = "the gradient passes" if not x <= 0 else "the gradient stops"
        sign = "positive" if x > 0 else "not a number" if x != x else "not positive"
        choice = _KINK if x == 0 else ""
        return f"{number(x)} is {sign}: {passes}, {number(step.result)}{choice}"
    return f"max(0, {number(x)}) = {number(step.result)}"


def _curve(step: Step, terms: int) -> str:
    x, call = step.patch.reshape(-1)[0], step.trace.call
    if call.op == "sigmoid":
        formula = f"1 / (1 + {_power(-x)})"
    elif call.op == "leaky_relu":
        if not x <= 0:
            return f"{number(x)} {'is positive and stays' if x > 0 else 'stays'}"
        formula = f"{number(x)} is not positive: {factor(call.slope)}x{factor(x)}"
    else:
        formula = f"{call.op}({number(x)})"
    exact = x == 0 or not np.isfinite(x)
    if call.op == "leaky_relu":
        exact = equals([(call.slope, x)], step.result) == "="
    return f"{formula} {'=' if exact else '≈'} {number(step.result)}"


def _slope(step: Step, terms: int) -> str:
    x, steep = step.trace.arrays["x"].reshape(-1)[step.index], np.asarray(step.kernel).reshape(-1)
    choice = _KINK if x == 0 and step.trace.call.op == "leaky_relu_backward" else ""
    slope = f"{number(steep[0])} is the slope at x = {number(x)}{choice}"
    return f"{_sums(step, terms)}, where {slope}"


def _share(step: Step, terms: int) -> str:
    powers = [_power(x) for x in step.patch.reshape(-1)[:terms]]
    dots = " + …" if step.patch.size > terms else ""
    own = _power(step.patch_planes[own_cell(step)])
    sign = "=" if step.patch.size == 1 or np.isnan(step.result) else "≈"
    return f"{own} / ({' + '.join(powers)}{dots}) {sign} {number(step.result)}"


def _balance(step: Step, terms: int) -> str:
    y, own = share_and_gradient(step)
    patch, kernel = step.patch.reshape(-1), np.asarray(step.kernel).reshape(-1)
    with np.errstate(all="ignore"):
        mean = step.channel_sums.sum()
    sign = equals([(y, own), (-1, y, mean)], step.result)
    told = f"{factor(y)}x({number(own)} - {factor(mean)}) {sign} {number(step.result)}"
    made = equals(zip(patch, kernel, strict=True), mean)
    return f"{told}, where {number(mean)} {made} {spelled_products(patch, kernel, terms)}"


def _power(exponent: Any) -> str:
    """Return a power of e: a negative exponent in brackets."""
    return f"e^{factor(exponent)}"


def _route(step: Step, terms: int) -> str:
    handed = [number(g) for g in step.patch.reshape(-1)[step.kernel.reshape(-1) != 0]]  # type: ignore[union-attr]
    if not handed:
        return f"wins no window, {number(step.result)}"
    windows = "1 window" if len(handed) == 1 else f"{len(handed)} windows"
    sign = equals(((value,) for value in step.product_planes.reshape(-1)), step.result)
    told = f"{' + '.join(handed)} {sign} {number(step.result)}"
    sums = told if len(handed) > 1 else handed[0]
    return f"wins {windows}: {sums}{_TIE if _shares_a_window(step) else ''}"


def _shares_a_window(step: Step) -> bool:
    """Tell whether another cell of a window is as large as this one."""
    plane, *place = step.place
    gather, plan = step.trace.gather, step.trace.plan
    x = step.trace.arrays["x"].reshape(gather.shape)[plane]
    for i in step.readings[0].cells:
        for j in step.readings[1].cells:
            windows = [
                axis.taps(k) for axis, k in zip(plan.axes, (i, j)[-gather.axes :], strict=True)
            ]
            rows, columns = windows if gather.axes == 2 else [(0,), *windows]
            inside = [
                [cell for cell in cells if 0 <= cell < size]
                for cells, size in zip((rows, columns), x.shape, strict=True)
            ]
            window = x[np.ix_(*inside)]
            own = x[place[0], place[1]]
            if window.max() == own and np.count_nonzero(window == own) > 1:
                return True
    return False


def _fold(step: Step, terms: int) -> str:
    parts = [factor(value) for value in step.patch.reshape(-1)]
    if len(parts) < 2:
        return f"{number(step.result)} comes back" if parts else "nothing comes back, 0"
    sign = equals(((value,) for value in step.patch.reshape(-1)), step.result)
    return f"{' + '.join(parts)} {sign} {number(step.result)} come back"


def _join(step: Step, terms: int) -> str:
    x, y = step.patch.reshape(-1)
    minus = step.trace.op == "subtract"
    sign = equals([(x,), (-1 if minus else 1, y)], step.result)
    return f"{number(x)} {'-' if minus else '+'} {factor(y)} {sign} {number(step.result)}"


def _append(step: Step, terms: int) -> str:
    x = step.trace.arrays["x"].size // max(prod(step.trace.gather.shape[1:]), 1)
    return f"{number(step.result)}, from {'x' if step.pairs[0, 0] < x else 'y'}"
