"""What becomes of a sum before a GPU writes it: nothing, an activation, a step of a way back.

A kernel is compiled for each of these ends, so that a layer and its activation are one launch, and
nobody pays for what is not asked for. `finish` is given the sum, the array that it goes into, its
place there, and the end's own numbers.
"""

from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cuda.machine.launch import inner

Array = Any


class End(NamedTuple):
    """How a sum ends, and what that needs."""

    finish: Any
    numbers: Any


class Slope(NamedTuple):
    """By what a sum is multiplied that is not positive."""

    slope: Any


class Sign(NamedTuple):
    """By what a gradient is multiplied where the activated values are not positive."""

    values: Array
    slope: Any


def activation(slope: float) -> End:
    """Return the end that keeps what is positive and multiplies the rest by `slope`."""
    return AS_IT_IS if slope == 1 else End(_activated, Slope(np.float32(slope)))


def way_back(values: Array, slope: float, adds: bool) -> End:
    """Return the end of a gradient for what an activation made `values` of.

    It is written, or added to the gradient that is there.
    """
    sign = Sign(values, np.float32(slope))
    if adds:
        return End(_added, sign)
    return AS_IT_IS if slope == 1 else End(_let_through, sign)


@inner
def _as_it_is(total: Any, out: Array, at: int, numbers: tuple[Any, ...]) -> Any:
    return total


@inner
def _activated(total: Any, out: Array, at: int, numbers: Slope) -> Any:
    return total if total > 0 else numbers.slope * total


@inner
def _let_through(total: Any, out: Array, at: int, numbers: Sign) -> Any:
    return total if numbers.values[at] > 0 else numbers.slope * total


@inner
def _added(total: Any, out: Array, at: int, numbers: Sign) -> Any:
    return out.flat[at] + (total if numbers.values[at] > 0 else numbers.slope * total)


AS_IT_IS = End(_as_it_is, (0,))
