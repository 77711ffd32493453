"""A convolution in NumPy whose parts can be done wrongly, one at a time.

All is seen as a layer on images: N, C, H, W and O, I, rows, columns; what lacks an axis has one of
size 1 here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stepconv import geometry
from stepconv.testing.evidence import Evidence
from stepconv.testing.forms.slots import NUMPY_MODES
from stepconv.testing.slips import theory

Array = NDArray[Any]
Two = tuple[int, int]


@dataclass(frozen=True)
class Sliding:
    """The numbers of one call: the kernel as it slides, and (rows, columns) of each option."""

    x: Array
    w: Array
    bias: Array
    stride: Two
    pads: tuple[Two, Two]
    dilation: Two
    groups: int
    mode: str
    rank: int
    grad: Array | None = None

    def but(self, **other: Any) -> Sliding:
        """Return the same call with something else."""
        return replace(self, **other)

    @property
    def padded(self) -> Array:
        """The input with its border."""
        if not any(map(any, self.pads)):
            return self.x
        return np.pad(self.x, ((0, 0), (0, 0), *self.pads), NUMPY_MODES[self.mode])  # type: ignore[call-overload]

    @property
    def windows(self) -> Array:
        """All windows: (N, C, output rows, output columns, kernel rows, kernel columns)."""
        (rows, columns), (dy, dx), (sy, sx) = self.w.shape[2:], self.dilation, self.stride
        spans = (dy * (rows - 1) + 1, dx * (columns - 1) + 1)
        every = sliding_window_view(self.padded, spans, (2, 3))
        return every[:, :, ::sy, ::sx, ::dy, ::dx]

    @property
    def plain(self) -> Array:
        """The result without its bias."""
        n, c, high, wide = self.windows.shape[:4]
        groups = self.groups
        windows = self.windows.reshape(n, groups, c // groups, high, wide, *self.w.shape[2:])
        w = self.w.reshape(groups, -1, *self.w.shape[1:])
        return np.einsum("ngchwij,gocij->ngohw", windows, w).reshape(n, -1, high, wide)

    @property
    def out(self) -> Array:
        """The result: windows times kernel, summed, and the bias."""
        return self.plain + self.bias[:, None, None]

    @property
    def planar(self) -> bool:
        """Whether there are rows to slide over, and not only columns."""
        return self.rank % 2 == 0

    def back(self, out: Array) -> Array:
        """Return a result with the axes that the call has."""
        return _natural(out, self.rank)


def _natural(array: Array, rank: int) -> Array:
    if rank == 1:
        return array[0, 0, 0]
    if rank == 2:
        return array[0, 0]
    return array[:, :, 0] if rank == 3 else array


def of(one: Evidence) -> Sliding:
    """Return the call of a piece of evidence."""
    if "sliding" not in one.memo:
        one.memo["sliding"] = _of(one)
    found: Sliding = one.memo["sliding"]
    return found


def _of(one: Evidence) -> Sliding:
    call = one.case.call
    x, w = (call.arrays[name].astype(float) for name in ("x", "w"))
    rank = w.ndim
    options = call.options
    axes = 2 - rank % 2
    sizes, kernel = x.shape[-axes:], w.shape[-axes:]
    plan = geometry.correlation_plan(
        sizes,
        kernel,
        stride=options.get("stride", 1),
        padding=options.get("padding", 0),
        dilation=options.get("dilation", 1),
    )
    found = [(a.stride, (a.before, a.after), a.dilation) for a in plan.axes]
    if axes == 1:
        found = [(1, (0, 0), 1), *found]
    strides, pads, dilations = zip(*found, strict=True)
    if one.op.startswith("convolve"):
        w = np.flip(w, tuple(range(-axes, 0)))
    x, w = _as_layer(x, rank), _as_layer(w, rank)
    bias = np.broadcast_to(call.arrays.get("bias", np.zeros(1)).astype(float).reshape(-1), len(w))
    grad = call.arrays.get("grad_out")
    return Sliding(
        *(x, w, bias, strides, pads, dilations, options.get("groups", 1)),
        options.get("mode", "zeros"),
        rank,
        None if grad is None else _as_layer(grad.astype(float), rank),
    )


def _as_layer(array: Array, rank: int) -> Array:
    if rank < 3:
        array = array[None, None]
    return array[..., None, :] if rank % 2 else array


Wrong = Callable[[Sliding], Array | None]


def slides(
    name: str, says: str, ops: str = "correlate|convolve", result: int = 0, *, raw: bool = False
) -> Callable[[Wrong], Wrong]:
    """Register a slip that is made on a `Sliding`; a `raw` result keeps its own axes."""

    def registered(wrong: Wrong) -> Wrong:
        def make(one: Evidence) -> Array | None:
            sliding = of(one)
            made = wrong(sliding)
            return made if made is None or raw else sliding.back(made)

        theory.slip(name, says, ops, result)(make)
        return wrong

    return registered
