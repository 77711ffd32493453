"""The sizes of a result as formulas, filled in with the numbers of a call."""

from __future__ import annotations

from stepconv.geometry import Axis
from stepconv.trace.model import Trace


def formulas(trace: Trace, letters: bool = False) -> tuple[str, ...]:
    """Return the size of the result along each axis as a formula; each formula once.

    A gradient has that of its operation: which sizes, strides and pads it leads back through.

    >>> import stepconv
    >>> formulas(stepconv.record(stepconv.max_pool, [[1, 2], [3, 4]], 2))
    ('1 = (2 - 2 + 2·0) / 2 + 1',)
    """
    found = [size_formula(forward(trace), axis, letters) for axis in trace.plan.axes]
    told = "forward: " if trace.call.is_backward else ""
    return tuple(dict.fromkeys(f"{told}{formula}" for formula in found if formula))


def forward(trace: Trace) -> str:
    """Return the operation of a trace, or the one that it is a gradient of."""
    return trace.op.partition("_grad_")[0].removesuffix("_backward")


def size_formula(operation: str, axis: Axis, letters: bool = False) -> str:
    """Return how an operation's result gets its size along an axis; nothing if each cell stays.

    >>> size_formula("correlate", Axis(5, 3)), size_formula("correlate_transpose", Axis(5, 3))
    ('3 = (5 - 3 + 2·0) / 1 + 1', '5 = (3 - 1)·1 - 2·0 + 3')
    """
    if operation in ("correlate", "convolve", "max_pool", "avg_pool"):
        return axis.formula_in_letters() if letters else axis.formula()
    if operation == "correlate_transpose":
        extra = axis.before - axis.after
        size = f"({axis.output} - 1)·{axis.stride} - 2·{axis.before} + {axis.span}"
        return f"{axis.size} = {size}" + (f" + {extra}" if extra else "")
    if operation == "pad":
        return f"{axis.padded} = {axis.before} in front + {axis.size} cells + {axis.after} behind"
    return ""
