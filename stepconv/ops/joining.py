"""Join the branches of a network: two arrays added, subtracted, or one put behind the other."""

import numpy as np
from numpy.typing import ArrayLike

from stepconv.errors import ArgumentError
from stepconv.geometry import Plan
from stepconv.ops.arrays import Array, check_sums_fit, laid_out, numeric, on_host, sum_dtype
from stepconv.ops.call import Operands, cells_plan, operands


def add(x: ArrayLike, y: ArrayLike) -> Array:
    """Add two arrays of one shape, cell by cell; a residual branch ends so.

    >>> add([1, 2], [10, 20])
    array([11, 22])
    """
    return JoinCall("add", x, y).forward()


def subtract(x: ArrayLike, y: ArrayLike) -> Array:
    """Subtract y from x, cell by cell.

    >>> subtract([1, 2], [10, 20])
    array([ -9, -18])
    """
    return JoinCall("subtract", x, y).forward()


def concat(x: ArrayLike, y: ArrayLike) -> Array:
    """Put the channels of y behind those of x: both are (C, H, W) or (N, C, H, W).

    >>> concat([[[1, 2]]], [[[3, 4]], [[5, 6]]]).tolist()
    [[[1, 2]], [[3, 4]], [[5, 6]]]
    """
    return JoinCall("concat", x, y).forward()


class JoinCall:
    """One call that joins two arrays, its arguments checked; NumPy does the rest."""

    def __init__(self, name: str, x: ArrayLike, y: ArrayLike) -> None:
        self.name = name
        self.x, self.y = numeric("x", on_host(x)), numeric("y", on_host(y))
        self.shape = self.x.shape
        behind = name == "concat"
        if behind and self.x.ndim not in (3, 4):
            raise ArgumentError(f"x has {self.x.ndim} axes: (C, H, W) and (N, C, H, W) fit")
        fits = [
            shape[:-3] + shape[-2:] if behind else shape for shape in (self.shape, self.y.shape)
        ]
        if self.y.ndim != self.x.ndim or fits[0] != fits[1]:
            same = "but for the channels " if behind else ""
            raise ArgumentError(
                f"y of shape {self.y.shape} does not fit: x has shape {self.shape}, "
                f"one that is {same}the same fits"
            )
        if behind:
            channels = self.shape[-3] + self.y.shape[-3]
            self.shape = (*self.shape[:-3], channels, *self.shape[-2:])

    @property
    def plan(self) -> Plan:
        """Windows of one cell."""
        return cells_plan(self.shape[-2:])

    def forward_operands(self) -> Operands:
        """Return both arrays in the type of the result."""
        return operands({"x": self.x, "y": self.y}, sum_dtype(self.x, self.y), self.shape)

    def forward(self) -> Array:
        """Return the joined array."""
        dtype = sum_dtype(self.x, self.y)
        x, y = laid_out(self.x, dtype), laid_out(self.y, dtype)
        if self.name == "concat":
            return np.concatenate([x, y], axis=-3)
        if dtype.kind == "i":
            one = np.ones(1, dtype)
            check_sums_fit(_bounds, (x, one, y), np.empty(self.shape, dtype), 1)
        with np.errstate(all="ignore"):
            return np.asarray(x + y if self.name == "add" else x - y)


def _bounds(x: Array, one: Array, y: Array, out: Array) -> None:
    out[...] = x * one + y
