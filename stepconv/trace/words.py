"""A step as a sentence: every number that a picture would show, for those who listen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from stepconv.trace.model import Step

# Beyond so many terms a sum is cut short with dots.
_TERMS = 9


def sentence(step: Step, terms: int = _TERMS) -> str:
    """Return the step in one sentence.

    >>> import stepconv
    >>> stepconv.record(stepconv.max_pool, [[2, 3], [4, 7]], 2)[0].in_words()
    'step 1 of 1, row 0, column 0: the largest of 2, 3, 4, 7 is 7, at row 1, column 1'
    """
    return f"{heading(step)}: {_told(step, terms)}"


def heading(step: Step) -> str:
    """Return which step it is, as people count, and its place in the output."""
    return f"step {step.index + 1} of {len(step.trace)}, {place(step)}"


def place(step: Step) -> str:
    """Return where in the output the step's cell is.

    >>> import stepconv
    >>> place(stepconv.record(stepconv.flip, [[1, 2], [3, 4]])[1])
    'row 0, column 1'
    """
    index = step.output_index
    axes = step.trace.gather.axes
    family = step.trace.call.operation.family
    if family == "total":
        return f"filter {index[0]}" if index else "the only cell"
    spatial = [f"row {index[-2]}", f"column {index[-1]}"] if axes == 2 else [f"cell {index[-1]}"]
    leading = index[:-axes]
    names = (["filter", "channel"] if family == "weigh" else ["image", "channel"])[-len(leading) :]
    if family in ("share", "balance") and axes == 1:
        names = ["row"] * len(leading)
    if len(leading) > len(names):
        names = [*(f"axis {axis}" for axis in range(len(leading) - 2)), *names]
    sizes = step.trace.output.shape
    told = [f"{name} {i}" for name, i, n in zip(names, leading, sizes, strict=False) if n > 1]
    return ", ".join([*told, *spatial])


def number(value: Any) -> str:
    """Return a number as one says it: six digits that matter, never a minus before zero.

    >>> number(np.float32(-0.0)), number(1 / 3), number(225)
    ('0', '0.333333', '225')
    """
    if isinstance(value, np.bool_ | bool):
        return str(int(value))
    if isinstance(value, np.integer | int):
        return str(value)
    return f"{value + 0.0:.6g}"


def factor(value: Any) -> str:
    """Return a number as a factor or summand: a negative one in brackets."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def equation(step: Step) -> str:
    """Return how the channels' sums, the bias and the divisor make the result.

    >>> import stepconv
    >>> equation(stepconv.record(stepconv.correlate, [3, 4], [1, 1], 5)[0])
    '7 + 5 = 12'
    """
    terms, ending = total(step)
    if len(terms) == 1 and step.trace.gather.finish is None:
        return number(step.result)
    return f"{' + '.join(terms)} {ending}"


def total(step: Step) -> tuple[list[str], str]:
    """Return the summands of the result, its bias the last of them, and what is done to their sum.

    >>> import stepconv
    >>> total(stepconv.record(stepconv.avg_pool, [3, 4], 2)[0])
    (['7'], '/ 2 = 3.5')
    """
    terms, result = [factor(value) for value in step.channel_sums], number(step.result)
    if "bias" in step.trace.arrays and not step.trace.call.is_backward:
        terms.append(factor(step.bias))
    if step.divisor is not None:
        return terms, f"/ {step.divisor} = {result}"
    if step.trace.gather.finish is None:
        return terms, f"= {result}"
    with np.errstate(all="ignore"):
        whole = factor(step.channel_sums.sum())
    if step.trace.call.operation.family == "share":
        own, ending = number(step.product_planes[_own(step)]), f"/ {whole} = {result}"
    else:
        share, gradient = _share_and_gradient(step)
        own, ending = f"{factor(share)}·({number(gradient)} - {whole})", f"= {result}"
    return (terms, f"= {whole}, {own} {ending}") if len(terms) > 1 else ([own], ending)


def channel_names(step: Step) -> list[str]:
    """Return what the planes that flowed in are called."""
    trace = step.trace
    if not trace.gather.channels:
        return [""]
    if trace.call.operation.family in ("weigh", "total"):
        return [f"image {n}" for n in range(len(step.pairs))]
    # A plan of the way back has the channels of the correlation that it leads back through.
    back = trace.call.operation.family == "return"
    of = trace.plan.out_channels if back else trace.plan.in_channels
    channels = (step.pairs[:, 0] % of).tolist()
    if back and trace.call.is_backward:
        return [f"filter {o}" for o in channels]
    known = trace.about.channels
    return [known[c] if c < len(known) else f"channel {c}" for c in channels]


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
    }
    return tellers[family](step, terms) if family in tellers else _sums(step, terms)


def _sums(step: Step, terms: int) -> str:
    """Tell the products of the first channel, then the sums of all."""
    if step.products.size == 0:
        return f"nothing flows in, {number(step.result)}"
    kernel, names = step.kernel_planes, channel_names(step)
    assert kernel is not None
    sums = [number(total) for total in step.channel_sums]
    patch, weights = (planes[0].reshape(-1) for planes in (step.patch_planes, kernel))
    named = [f"{name}: " if name else "" for name in names]
    told = [f"{named[0]}{_products(patch, weights, terms)} = {sums[0]}"]
    told += [f"{name}{total}" for name, total in zip(named[1:], sums[1:], strict=True)]
    if len(told) == 1 and "bias" not in step.trace.arrays:
        return told[0]
    bias = [f"bias: {number(step.bias)}"] if "bias" in step.trace.arrays else []
    return ", ".join([*told, *bias, f"total: {number(step.result)}"])


def _products(patch: Any, kernel: Any, terms: int) -> str:
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
    return f"the largest of {listed} is {number(step.result)}, at {_spot(step.winner)}"


def _average(step: Step, terms: int) -> str:
    total = number(step.channel_sums[0])
    cells = " + ".join(factor(value) for value in step.patch.reshape(-1)[:terms])
    dots = " + …" if step.patch.size > terms else ""
    return f"({cells}{dots}) = {total}, {total} / {step.divisor} = {number(step.result)}"


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
        return f"{number(x)} is {sign}: {passes}, {number(step.result)}"
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
    return f"{formula} = {number(step.result)}"


def _slope(step: Step, terms: int) -> str:
    x, steep = step.trace.arrays["x"].reshape(-1)[step.index], np.asarray(step.kernel).reshape(-1)
    return f"{_sums(step, terms)}, where {number(steep[0])} is the slope at x = {number(x)}"


def _share(step: Step, terms: int) -> str:
    powers = [_power(x) for x in step.patch.reshape(-1)[:terms]]
    dots = " + …" if step.patch.size > terms else ""
    own = _power(step.patch_planes[_own(step)])
    return f"{own} / ({' + '.join(powers)}{dots}) = {number(step.result)}"


def _balance(step: Step, terms: int) -> str:
    y, own = _share_and_gradient(step)
    patch, kernel = step.patch.reshape(-1), np.asarray(step.kernel).reshape(-1)
    with np.errstate(all="ignore"):
        mean = step.channel_sums.sum()
    told = f"{factor(y)}x({number(own)} - {factor(mean)}) = {number(step.result)}"
    return f"{told}, where {number(mean)} = {_products(patch, kernel, terms)}"


def _own(step: Step) -> tuple[int, int, int]:
    """Return where among all that flow in, by channel, row and column, the step's own cell is."""
    plane, _, column = step.place
    return (
        (plane % step.trace.plan.in_channels, 0, 0)
        if step.trace.gather.channels
        else (0, 0, column)
    )


def _share_and_gradient(step: Step) -> tuple[Any, Any]:
    """Return the share that a softmax gave the step's own cell, and the gradient of that."""
    shares = step.kernel_planes
    assert shares is not None
    return shares[_own(step)], step.patch_planes[_own(step)]


def _power(exponent: Any) -> str:
    """Return a power of e: a negative exponent in brackets."""
    return f"e^{factor(exponent)}"


def _route(step: Step, terms: int) -> str:
    handed = [number(g) for g in step.patch.reshape(-1)[step.kernel.reshape(-1) != 0]]  # type: ignore[union-attr]
    if not handed:
        return f"wins no window, {number(step.result)}"
    windows = "1 window" if len(handed) == 1 else f"{len(handed)} windows"
    sums = f"{' + '.join(handed)} = {number(step.result)}" if len(handed) > 1 else handed[0]
    return f"wins {windows}: {sums}"


def _fold(step: Step, terms: int) -> str:
    parts = [factor(value) for value in step.patch.reshape(-1)]
    if len(parts) < 2:
        return f"{number(step.result)} comes back" if parts else "nothing comes back, 0"
    return f"{' + '.join(parts)} = {number(step.result)} come back"
