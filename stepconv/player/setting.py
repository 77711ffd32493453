"""Setting: a call as plain data that can be made again with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.operations import OPERATIONS
from stepconv.trace import About, Trace, record
from stepconv.trace.jobs import function_of, job, spelled
from stepconv.trace.recorder import FEW

Array = NDArray[Any]

# So many products are recorded while somebody waits for what a key does.
_MOST = 20_000_000

# A half turn has no window to move and no option to change, and what joins has two inputs.
EDITED = tuple(
    one.name for one in OPERATIONS.values() if one.arrays[0] == "x" and not one.forward.beside
)


@dataclass(frozen=True, eq=False)
class Setting:
    """A call that can be made: the operation, its arrays, its options.

    What the operation does not take is kept for another that does.
    """

    op: str
    arrays: dict[str, Array]
    options: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arrays and options that the operation takes."""
        one = OPERATIONS[self.op]
        known = {**self.arrays, **self.options}
        return {name: known[name] for name in (*one.arrays, *one.options) if name in known}

    def trace(self, about: About) -> Trace:
        """Record the call; a small one in plain Python, which no compiler delays."""
        given, function = self.arguments, function_of(self.op)[0]
        w, window = given.get("w"), given.get("window", 1)
        # Each cell of the result meets the weights of its filter, or the cells of its window.
        meets = prod(np.broadcast_to(window, 2)) if w is None else w.size
        meets //= w.shape[0] if w is not None and w.ndim > 2 and w.shape[0] else 1
        cells = prod(job(function, (), given, None).shape)
        if cells * meets > _MOST:
            raise ArgumentError(f"{cells:,} cells of a result are too many to follow every key")
        backend = "textbook" if cells * meets <= FEW else None
        return record(function, **given, about=about, backend=backend)

    def with_array(self, name: str, array: Array) -> Setting:
        """Return the setting with another array."""
        return replace(self, arrays={**self.arrays, name: array})

    def with_option(self, name: str, value: Any) -> Setting:
        """Return the setting with another option."""
        return replace(self, options={**self.options, name: value})


def setting_of(trace: Trace) -> Setting:
    """Return the setting that a trace was recorded from.

    >>> import stepconv
    >>> setting_of(stepconv.record(stepconv.correlate, [1, 2, 3], [1, 1], padding="same")).options
    {'window': 2, 'stride': 1, 'padding': ((0, 1),), 'dilation': 1, 'groups': 1, 'mode': 'zeros'}
    """
    if trace.call.is_backward or trace.op not in EDITED:
        fits = "its call forward is" if trace.call.is_backward else "a call on one picture is"
        raise ArgumentError(f"a {trace.call.operation.title} is not edited: {fits}")
    _, _, options = spelled(trace.call)
    plain = {name: _plain(value) for name, value in options.items()}
    # For an operation that needs what this one has not.
    x = trace.arrays["x"]
    shape = (3,) * min(x.ndim, 2) if x.ndim < 3 else (1, x.shape[-3], 3, 3)
    arrays = {"w": np.ones(shape, np.int64), **trace.arrays}
    return Setting(trace.op, arrays, {"window": 2, **plain})


def _plain(value: Any) -> Any:
    """Return one number for all axes and sides, where it is the same for all."""
    if not isinstance(value, tuple):
        return value
    flat = {end for side in value for end in (side if isinstance(side, tuple) else (side,))}
    return flat.pop() if len(flat) == 1 else value


def number(text: str) -> int | float | None:
    """Return the number, or the fraction, that is typed; None for what is none yet."""
    try:
        value = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        return None
    try:
        whole = value.denominator == 1 and "." not in text and abs(value) < 2**63
        return int(value) if whole else float(value)
    except OverflowError:
        return None


def numbers(text: str) -> Any:
    """Return one whole number, one for each axis ("1,2"), or two ("0:1,2:2"); None for none."""
    try:
        sides = [tuple(map(int, part.split(":"))) for part in text.split(",")]
    except ValueError:
        return None
    if ":" in text:
        return tuple((side[0], side[-1]) for side in sides)
    numbers = tuple(side[0] for side in sides)
    return numbers[0] if len(numbers) == 1 else numbers


def as_typed(value: Any) -> str:
    """Return an option as one types it.

    >>> as_typed(((1, 2), (0, 1))), as_typed((2, 1)), as_typed("same")
    ('1:2,0:1', '2,1', 'same')
    """
    if isinstance(value, tuple):
        sides = (
            ":".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value
        )
        return ",".join(sides)
    return str(value)


def fitted(setting: Setting, name: str, array: Array) -> Setting:
    """Return the setting with another kernel or input, laid out as the other one needs it."""
    other = setting.arrays.get("w") if name == "x" else setting.arrays["x"]
    if name == "w":
        assert other is not None
        if array.ndim == 1 and other.ndim == 2:
            array = array[np.newaxis]
        if array.ndim == 2 and other.ndim > 2:
            groups = setting.options.get("groups", 1)
            w = setting.arrays.get("w", np.ones((groups, 1, 1, 1)))
            filters = w.shape[0] if w.ndim > 2 else groups
            shape = (filters, other.shape[-3] // groups, *array.shape)
            array = np.broadcast_to(array, shape).copy()
    elif other is not None and other.ndim > 2 and array.ndim == 2:
        channels = setting.arrays["x"].shape[-3] if setting.arrays["x"].ndim > 2 else 1
        array = np.broadcast_to(array, (channels, *array.shape)).copy()
    fresh = setting.with_array(name, array)
    bias = setting.arrays.get("bias")
    if name == "w" and bias is not None and bias.size != (array.shape[0] if array.ndim > 2 else 1):
        fresh = replace(fresh, arrays={k: v for k, v in fresh.arrays.items() if k != "bias"})
    return fresh
