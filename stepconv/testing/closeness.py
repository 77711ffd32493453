"""How far a result may be from the exact one, and which numbers are farther."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call
from stepconv.testing.forms.names import CURVES
from stepconv.testing.tasks import Task

Array = NDArray[Any]

# Fast algorithms (Winograd, FFT) round a few times where loops round once.
_SLACK = 2
# A power is right but for a few units.
_CURVED = 16.0
# Means, roots and logarithms of a few numbers lose a few digits.
_TRAINED = 256.0


def bound(task: Task, call: Call) -> tuple[float, ...]:
    """Return for each result n times the largest sum of |a·b|, of which rounding is a share.

    >>> from stepconv.testing.tasks import TASKS
    >>> w, x = np.array([1.0, -3.0]), np.array([2.0, 5.0, 1.0])
    >>> bound(TASKS["correlate"], Call({"x": x, "w": w}, {}))
    (160.0,)
    >>> bound(TASKS["relu"], Call({"x": x}, {}))
    (0.0,)
    """
    if task.axes:
        largest = (np.abs(each).max(initial=0) for each in task.answers(call))
        return tuple(_TRAINED * (1 + float(most)) for most in largest)
    sizes = {name: np.abs(array.astype(float)) for name, array in call.arrays.items()}
    most = {name: float(np.max(size, initial=0)) for name, size in sizes.items()}
    w, grad = sizes.get("w"), sizes.get("grad_out")
    if grad is not None and task.function.__name__ == "relu_backward":
        return (0.0,)
    if grad is not None:
        terms = grad.size + (1 if w is None else w.size)
        weights = 1.0 if w is None else float(w.sum())
        every = (most["grad_out"] * weights, most.get("x", 1.0) * grad.sum(), grad.sum())
        return tuple(float(each) * terms * _SLACK for each in every[: len(task.results)])
    if w is not None and "x" in sizes:
        filters = w.reshape(len(w), -1) if w.ndim > 2 else w.reshape(1, -1)
        summed = most["x"] * float(filters.sum(1).max(initial=0)) + most.get("bias", 0.0)
        # A transposed kernel adds filters, too.
        terms = (w.size if "transpose" in task.function.__name__ else filters.shape[1]) + 2
        return (summed * terms * _SLACK,)
    if "pool" not in task.function.__name__:
        curved = task.function.__name__.replace("_", "-") in CURVES
        return (_CURVED * (1 + most.get("x", 0.0)) if curved else 0.0,)
    window = call.options.get("window", 0)
    cells = int(np.prod(window if isinstance(window, tuple) else (window,) * 2))
    return (most.get("x", 0.0) * cells * _SLACK,)


def apart(expected: Array, got: Array, most: float, unit: float) -> NDArray[np.bool_]:
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
