"""What things are called in words: cells, planes, channels, numbers, sums and their results.

Steps, rows and columns, filters and channels are all counted from 0, as NumPy counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from stepconv.trace.model import Step


def place(step: Step) -> str:
    """Return where in the output the step's cell is.

    >>> import stepconv
    >>> place(stepconv.record(stepconv.flip, [[1, 2], [3, 4]])[1])
    'row 0, column 1'
    """
    index = step.output_index
    if step.trace.call.operation.family == "total":
        return ", ".join(_short(planes(step))) or "the only cell"
    two = step.trace.gather.axes == 2
    spatial = [f"row {index[-2]}", f"column {index[-1]}"] if two else [f"cell {index[-1]}"]
    return ", ".join([*_short(planes(step)), *spatial])


def _short(counted: list[str]) -> list[str]:
    return [each.partition(" of ")[0] for each in counted]


def planes(step: Step) -> list[str]:
    """Return in which plane of the output the step's cell is: image, filter or channel.

    >>> import numpy as np, stepconv
    >>> planes(stepconv.record(stepconv.correlate, np.ones((1, 2)), np.ones((4, 1, 2)))[2])
    ['filter 2 of 4']
    """
    operation, sizes = step.trace.call.operation, step.trace.output.shape
    if operation.family == "total":
        return [f"filter {i} of {n}" for i, n in zip(step.output_index, sizes, strict=True)]
    axes = step.trace.gather.axes
    leading = step.output_index[:-axes]
    filters = operation.gradient is None and operation.weights == "w"
    names = ["image", "filter" if filters else "channel"]
    if operation.family in ("weigh", "mirror"):
        names = ["filter", "channel"]
    if operation.family in ("share", "balance") and axes == 1:
        names = ["row"] * len(leading)
    names = names[-len(leading) :]
    if len(leading) > len(names):
        names = [*(f"axis {axis}:" for axis in range(len(leading) - 2)), *names]
    told = zip(names, leading, sizes, strict=False)
    return [f"{name} {i} of {n}" for name, i, n in told if n > 1]


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


def equals(terms: Iterable[Sequence[Any]], result: Any, divisor: Any = 1) -> str:
    """Return "=" where the printed terms make the printed result exactly, else "≈".

    Each term is a product of the numbers in it; their sum is divided. A sum of integers that int64
    cannot hold has wrapped round: "≡".

    >>> equals([(0.5, 3), (1, 2)], 3.5), equals([(1 / 3, 3)], 1.0), equals([(1,)], 1 / 3, 3)
    ('=', '≈', '≈')
    >>> equals([(2, 3)], 6), equals([(2**62, 4)], 0)
    ('=', '≡')
    """
    if isinstance(result, np.integer | int):
        products = [prod(map(int, term)) for term in terms]
        return "=" if sum(products) == int(result) * int(divisor) else "≡"
    try:
        total = sum(prod(Fraction(number(each)) for each in term) for term in terms)
        exact = total == Fraction(number(result)) * Fraction(number(divisor))
    except ValueError:
        return "="  # infinity, and what is not a number, cannot be rounded
    return "=" if exact else "≈"


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
    values, result = [*step.channel_sums], number(step.result)
    if "bias" in step.trace.arrays and not step.trace.call.is_backward:
        values.append(step.bias)
    terms, single = [factor(value) for value in values], [(value,) for value in values]
    if step.divisor is not None:
        return terms, f"/ {step.divisor} {equals(single, step.result, step.divisor)} {result}"
    if step.trace.gather.finish is None:
        return terms, f"{equals(single, step.result)} {result}"
    with np.errstate(all="ignore"):
        whole = step.channel_sums.sum()
    if step.trace.call.operation.family == "share":
        share = step.product_planes[own_cell(step)]
        own, sign = number(share), equals([(share,)], step.result, whole)
        ending = f"/ {factor(whole)} {sign} {result}"
    else:
        share, gradient = share_and_gradient(step)
        own = f"{factor(share)}·({number(gradient)} - {factor(whole)})"
        ending = f"{equals([(share, gradient), (-1, share, whole)], step.result)} {result}"
    added = f"{equals(single, whole)} {factor(whole)}"
    return (terms, f"{added}, {own} {ending}") if len(terms) > 1 else ([own], ending)


def channel_names(step: Step) -> list[str]:
    """Return what the planes that flowed in are called."""
    kind, numbers, _ = _inflow(step)
    known = step.trace.about.channels if kind == "channel" else ()
    return [known[n] if n < len(known) else f"{kind} {n}" if kind else "" for n in numbers]


def channel_title(step: Step, channel: int) -> str:
    """Return what one of the planes that flowed in is called, and of how many it is one."""
    kind, numbers, of = _inflow(step)
    if channel >= len(numbers):
        return ""
    name, counted = channel_names(step)[channel], f"{kind} {numbers[channel]}"
    if name != counted:
        return name
    return f"{counted} of {of}" if of > 1 else ""


def _inflow(step: Step) -> tuple[str, list[int], int]:
    """Return of which kind the planes are that flowed in, their numbers, and how many there are."""
    trace = step.trace
    operation = trace.call.operation
    if not trace.gather.channels:
        return "", [0], 1
    if operation.family == "join":
        return "input", [0, 1], 2
    if operation.family in ("weigh", "total"):
        return "image", list(range(len(step.pairs))), len(step.pairs)
    # A plan of the way back has the channels of the correlation that it leads back through.
    back = operation.family == "return"
    of = trace.plan.out_channels if back else trace.plan.in_channels
    kind = "filter" if back and trace.call.is_backward else "channel"
    return kind, (step.pairs[:, 0] % of).tolist(), of


def own_cell(step: Step) -> tuple[int, int, int]:
    """Return where among all that flow in, by channel, row and column, the step's own cell is."""
    plane, _, column = step.place
    return (
        (plane % step.trace.plan.in_channels, 0, 0)
        if step.trace.gather.channels
        else (0, 0, column)
    )


def share_and_gradient(step: Step) -> tuple[Any, Any]:
    """Return the share that a softmax gave the step's own cell, and the gradient of that."""
    shares = step.kernel_planes
    assert shares is not None
    return shares[own_cell(step)], step.patch_planes[own_cell(step)]
