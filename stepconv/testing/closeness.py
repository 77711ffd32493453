"""How far a result may be from the exact one, and which numbers are farther."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call
from stepconv.testing.forms.names import CURVES
from stepconv.testing.tasks import Task

Array = NDArray[Any]

# Sums of integers up to here are exact even in float32.
_EXACT = 2.0**24
# Transforms round all numbers alike, by some units of the largest sum.
_TRANSFORMED = 2.0
# A power is right but for a few units.
_CURVED = 16.0
# Means, roots and logarithms of a few numbers lose a few digits.
_TRAINED = 256.0


def bound(task: Task, call: Call) -> tuple[Array, ...]:
    """Return for each number of each result n·Σ|a·b|, of which a rounding unit is the share.

    The sums are those of the same call on the sizes of its numbers. What should come was rounded
    as well as what came, so that they may lie two bounds apart: a unit is twice the rounding.
    Of the largest sum two units are allowed everywhere.

    >>> from stepconv.testing.tasks import TASKS
    >>> w, x = np.array([1.0, -3.0]), np.array([2.0, 5.0, 1.0])
    >>> bound(TASKS["correlate"], Call({"x": x, "w": w}, {}))
    (array([68., 34.]),)
    >>> bound(TASKS["relu"], Call({"x": np.array([3.0, -1.0])}, {}))
    (array([0., 0.]),)
    """
    if task.axes:
        every = task.answers(call)
        return tuple(
            np.full(one.shape, _TRAINED * (1 + float(np.abs(one).max(initial=0)))) for one in every
        )
    name = task.function.__name__.replace("_", "-")
    sizes = {name: np.abs(array.astype(float)) for name, array in call.arrays.items()}
    most = {name: float(np.max(size, initial=0)) for name, size in sizes.items()}
    forward, terms = name.removesuffix("-backward"), _terms(name, call)
    if terms is None:
        each = 0.0
        if forward in CURVES and name == forward:
            each = _CURVED * (1 + most["x"])
        elif forward in CURVES:
            each = 2 * most["grad_out"] * sizes["grad_out"].size
        return tuple(np.full(one.shape, each) for one in task.answers(call))
    if name == "max-pool-backward":
        sizes["x"] = call.arrays["x"]  # which decides where the gradients go
    summed = task.answers(Call(sizes, call.options))
    integers = all(array.dtype.kind in "biu" for array in call.arrays.values())
    found = []
    for count, one in zip(terms, summed, strict=False):
        top = float(np.max(one, initial=0))
        rounded = 0 if integers and top < _EXACT else count + 2
        found.append(np.maximum(rounded * one, _TRANSFORMED * top))
    return tuple(found)


def _terms(name: str, call: Call) -> tuple[int, ...] | None:
    """Return how many terms a number of each result sums, at most; None where nothing is summed."""
    sizes = {name: array.size for name, array in call.arrays.items()}
    w, grad = call.arrays.get("w"), sizes.get("grad_out", 0)
    if w is not None and "x" in sizes:
        filters = 1 if w.ndim < 3 or "transpose" in name else len(w)
        if not grad:
            return (w.size // filters,)
        return w.size, grad, grad
    if "pool" in name and name != "max-pool":
        return (grad or _cells(call),)
    return None


def _cells(call: Call) -> int:
    window = call.options.get("window", 0)
    return int(np.prod(window if isinstance(window, tuple) else (window,) * 2))


def apart(expected: Array, got: Array, most: Array, unit: float) -> NDArray[np.bool_]:
    """Tell for each number whether it is farther off than so many rounding units."""
    with np.errstate(all="ignore"):
        same = (got == expected) | (np.isnan(got.astype(float)) & np.isnan(expected.astype(float)))
        near = np.abs(got.astype(float) - expected) <= unit * most
    return np.asarray(~(same | near))


def unit_of(call: Call) -> float:
    """Return the rounding unit of the arrays of a call."""
    kinds = [array.dtype for array in call.arrays.values() if array.dtype.kind == "f"]
    return max((float(np.finfo(kind).eps) for kind in kinds), default=2.0**-53)


SINGLE = float(np.finfo(np.float32).eps)
