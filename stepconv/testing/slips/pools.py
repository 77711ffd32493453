"""Slips of pools: where the largest is looked for, and what an average is divided by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.testing.evidence import Evidence
from stepconv.testing.slips import theory
from stepconv.testing.tasks import TASKS, by_the_book

Array = NDArray[Any]
Two = tuple[int, int]


@dataclass(frozen=True)
class Pool:
    """One call of a pool on planes (planes, rows, columns); `window` and the others per axis."""

    one: Evidence
    x: Array
    window: Two
    stride: Two
    padding: Two
    high: int
    wide: int
    grad: Array | None

    def windows(self, fill: float = np.nan) -> Array:
        """All windows: (planes, output rows, output columns, rows, columns)."""
        ends = [
            max(0, (out - 1) * step + span - side - pad)
            for out, step, span, side, pad in zip(
                *((self.high, self.wide), self.stride, self.window),
                *(self.x.shape[1:], self.padding),
                strict=True,
            )
        ]
        sides = zip(self.padding, ends, strict=True)
        padded = np.pad(self.x, ((0, 0), *sides), constant_values=fill)
        every = sliding_window_view(padded, self.window, (1, 2))
        return every[:, :: self.stride[0], :: self.stride[1]][:, : self.high, : self.wide]

    def means(self) -> Array:
        """The averages of all windows over their real cells."""
        windows = self.windows()
        cells: Array = np.nansum(windows, (3, 4)) / (~np.isnan(windows)).sum((3, 4))
        return cells

    def back(self, planes: Array) -> Array:
        """Return a result with the axes that the call has."""
        leading = self.one.case.call.arrays["x"].shape[: -self.axes]
        return planes.reshape(*leading, *planes.shape[1:][-self.axes :])

    @property
    def axes(self) -> int:
        """The axes over which the window slides."""
        window = self.one.case.call.options["window"]
        ndim = self.one.case.call.arrays["x"].ndim
        return len(window) if isinstance(window, tuple) else min(2, ndim)

    def places(self) -> Iterator[tuple[int, int, int, Array, slice, slice]]:
        """Yield plane, output row and column, the window, and where it lies in the padded input."""
        windows = self.windows()
        for plane in range(len(self.x)):
            for i in range(self.high):
                for j in range(self.wide):
                    top, left = i * self.stride[0], j * self.stride[1]
                    rows = slice(top, top + self.window[0])
                    columns = slice(left, left + self.window[1])
                    yield plane, i, j, windows[plane, i, j], rows, columns


def of(one: Evidence) -> Pool:
    """Return the call of a piece of evidence; a dilated one is none of these."""
    options = one.case.call.options
    if options.get("dilation", 1) != 1:
        raise ArgumentError("dilation is not for these slips")
    x = one.case.call.arrays["x"].astype(float)
    axes = len(options["window"]) if isinstance(options["window"], tuple) else min(2, x.ndim)

    def two(value: Any, usual: int) -> Two:
        found = value if isinstance(value, tuple) else (value,) * axes
        return found if axes == 2 else (usual, *found)

    padding = options.get("padding", 0)
    if isinstance(padding, str):
        raise ArgumentError("words are not for these slips")
    sides = x.shape[-axes:] if axes == 2 else (1, x.shape[-1])
    grad = one.case.call.arrays.get("grad_out")
    shape = one.expected[0].shape if grad is None else grad.shape
    high, wide = shape[-axes:] if axes == 2 else (1, shape[-1])
    return Pool(
        one,
        x.reshape(-1, *sides),
        two(options["window"], 1),
        two(options.get("stride", options["window"]), 1),
        two(padding, 0),
        high,
        wide,
        None if grad is None else grad.astype(float).reshape(-1, high, wide),
    )


Wrong = Callable[[Pool], Array | None]
_MAX, _AVG, _BOTH = "max-pool", "avg-pool", "max-pool|avg-pool"


def pools(name: str, says: str, pattern: str) -> Callable[[Wrong], Wrong]:
    """Register a slip that is made on a `Pool`."""

    def registered(wrong: Wrong) -> Wrong:
        def make(one: Evidence) -> Array | None:
            pool = of(one)
            made = wrong(pool)
            return None if made is None else pool.back(made)

        theory.slip(name, says, pattern)(make)
        return wrong

    return registered


@pools("zeros-won", "the zeros of the padding won", _MAX)
def zeros_won(p: Pool) -> Array:
    return p.windows(0).max((3, 4))


def _from(start: float) -> None:
    @pools("max-from", f"the largest was looked for from {start:g} upwards", _MAX)
    def from_a_number(p: Pool) -> Array:
        return np.maximum(p.windows(-np.inf).max((3, 4)), start)


for _start in (0, -1, -10, -99, -100, -128, -255, -256, -500, -999, -1000, -9999, 1e-6, 2.0**-1022):
    _from(_start)


@pools("min-for-max", "the smallest was taken", _MAX)
def smallest(p: Pool) -> Array:
    return p.windows(np.inf).min((3, 4))


@pools("mean-for-max", "the average was taken", _MAX)
def average(p: Pool) -> Array:
    return p.means()


@pools("mean-for-max", "the average was taken, over the padding as well", _MAX)
def average_with_zeros(p: Pool) -> Array:
    return p.windows(0).mean((3, 4))


@pools("largest-size", "the largest in size was taken, whatever its sign", _MAX)
def largest_in_size(p: Pool) -> Array:
    return np.abs(p.windows(0)).max((3, 4))


@pools("first-for-max", "the first of each window was taken", _BOTH)
def first_of_window(p: Pool) -> Array:
    return p.windows(0)[:, :, :, 0, 0]


@pools("max-for-mean", "the largest was taken", _AVG)
def largest(p: Pool) -> Array:
    return p.windows(-np.inf).max((3, 4))


@pools("max-for-mean", "the largest was taken, zeros of the padding among them", _AVG)
def largest_with_zeros(p: Pool) -> Array:
    return p.windows(0).max((3, 4))


@pools("sum-for-mean", "the sum was not divided", _AVG)
def not_divided(p: Pool) -> Array:
    return np.nansum(p.windows(), (3, 4))


@pools("divisor-rows", "the sum was divided by the rows of the window alone", _AVG)
def divided_by_rows(p: Pool) -> Array:
    return np.nansum(p.windows(), (3, 4)) / p.window[0]


def _counted(p: Pool) -> bool:
    return bool(p.one.case.call.options.get("count_include_pad"))


@pools("divisor-with-padding", "cells of the padding were counted in the average", _AVG)
def padding_counted(p: Pool) -> Array | None:
    return None if _counted(p) else p.windows(0).mean((3, 4))


@pools("divisor-without-padding", "real cells alone were counted in the average", _AVG)
def padding_not_counted(p: Pool) -> Array | None:
    return p.means() if _counted(p) else None


@pools("average-floored", "the averages were rounded down: integer division", _AVG)
def floored(p: Pool) -> Array:
    return np.floor(p.one.expected[0].reshape(-1, p.high, p.wide))


@pools(
    "average-truncated", "digits behind the point were lost: an array of integers has none", _AVG
)
def truncated_for_integers(p: Pool) -> Array | None:
    if p.one.case.call.arrays["x"].dtype.kind not in "iu":
        return None
    return np.trunc(p.one.expected[0].reshape(-1, p.high, p.wide))


@pools("average-floored", "the averages of integers were rounded down: integer division", _AVG)
def floored_for_integers(p: Pool) -> Array | None:
    if p.one.case.call.arrays["x"].dtype.kind not in "iu":
        return None
    return np.floor(p.one.expected[0].reshape(-1, p.high, p.wide))


def _called(name: str, says: str, change: Any, pattern: str = _BOTH + "|.*pool-backward") -> None:
    """Register the textbook's call with other options as a slip."""

    def make(one: Evidence) -> Array | None:
        call = change(one.case.call)
        if call is None:
            return None
        made = call.run(by_the_book(TASKS[one.op].function))
        return np.asarray(made)

    theory.slip(name, says, pattern)(make)


_called(
    *("pool-stride-ignored", "the windows moved by one cell, whatever the stride"),
    lambda call: call.with_options(stride=1),
    _BOTH,
)
_called(
    *("pool-stride-is-window", "the windows moved by their own size, whatever the stride"),
    lambda call: call.with_options(stride=call.options["window"]),
    _BOTH,
)


def _stride(call: Any, rows: bool) -> Any:
    stride = call.options.get("stride", call.options["window"])
    pair = stride if isinstance(stride, tuple) else (stride,) * 2
    return call.with_options(stride=(pair[0], 1) if rows else (1, pair[1]))


_called(
    *("stride-rows", "the stride was used on the rows alone"), lambda c: _stride(c, True), _BOTH
)
_called(
    *("stride-columns", "the stride was used on the columns alone"),
    lambda c: _stride(c, False),
    _BOTH,
)
_called(
    *("padding-ignored", "the padding was left out"),
    lambda call: call.with_options(padding=0) if call.options.get("padding") else None,
    _BOTH,
)


def _cut(change: Callable[[Any], Any], name: str, says: str) -> None:
    """Register windows that lie elsewhere, as many as there should be."""

    def make(one: Evidence) -> Array:
        made = np.asarray(change(one.case.call).run(by_the_book(TASKS[one.op].function)))
        return made[tuple(map(slice, one.expected[0].shape))]

    theory.slip(name, says, _BOTH)(make)


_cut(lambda c: _stride(c, True), "stride-rows", "the stride was used on the rows alone")
_cut(lambda c: _stride(c, False), "stride-columns", "the stride was used on the columns alone")
_cut(
    lambda call: call.with_options(stride=1),
    *("stride-size-alone", "the stride is in the size alone: the windows move by one cell"),
)


@pools(
    "windows-cut", "windows that begin in the input were kept, though they do not fit whole", _BOTH
)
def cut_at_the_end(p: Pool) -> Array:
    sides = zip(p.x.shape[1:], p.padding, p.stride, strict=True)
    high, wide = (-(-(side + 2 * pad) // step) for side, pad, step in sides)
    whole = replace(p, high=high if p.axes == 2 else 1, wide=wide)
    return whole.windows(-np.inf).max((3, 4)) if p.one.op == _MAX else whole.means()


def _other_window(call: Any, change: Any) -> Any:
    window = call.options["window"]
    if not isinstance(window, tuple) or len(window) != 2:
        return None
    return call.with_options(window=change(window), stride=call.options.get("stride", window))


_called(
    *("window-exchanged", "rows and columns of the window were exchanged"),
    lambda call: _other_window(call, lambda window: window[::-1]),
    _BOTH,
)
_called(
    *("window-square", "the rows of the window were used for its columns as well"),
    lambda call: (
        call.with_options(window=(call.options["window"][0],) * 2)
        if isinstance(call.options["window"], tuple)
        else None
    ),
    _BOTH,
)


_called(
    *("ceil", "the last window, which does not fit whole, was kept"),
    lambda call: call.with_options(ceil_mode=True),
    _BOTH,
)
_called(
    *("ceil", "the last window, which does not fit whole, was left out"),
    lambda call: call.with_options(ceil_mode=False),
    _BOTH,
)


@pools("size-without-1", "a loop stops one window early: (size - window) / stride + 1 fit", _BOTH)
def pool_without_one(p: Pool) -> Array:
    out = p.one.expected[0].reshape(-1, p.high, p.wide)
    return out[:, : -1 if p.axes == 2 else None, :-1]


def _left_zero(name: str, says: str, *parts: tuple[Any, ...]) -> None:
    @pools(name, says, _BOTH)
    def left(p: Pool) -> Array:
        out = np.array(p.one.expected[0], float).reshape(-1, p.high, p.wide)
        for part in parts:
            out[(..., *part)] = 0
        return out


_ALL = slice(None)
_left_zero("last-row", "the last row was not computed", (-1, _ALL))
_left_zero("last-column", "the last column was not computed", (_ALL, -1))
_left_zero("last-both", "the last row and column were not computed", (-1, _ALL), (_ALL, -1))


@pools("transposed-result", "rows and columns of the result were exchanged", _BOTH)
def pool_turned(p: Pool) -> Array | None:
    return p.one.expected[0].reshape(-1, p.high, p.wide).swapaxes(1, 2) if p.axes == 2 else None


theory.slip(
    "nhwc-result",
    "the channels of the result come last: (N, H, W, C) in place of (N, C, H, W)",
    _BOTH,
)(lambda one: one.expected[0].transpose(0, 2, 3, 1) if one.expected[0].ndim == 4 else None)
theory.slip("pool-channels", "the pool went over the channels as well", _BOTH)(
    lambda one: (
        (np.max if one.op == _MAX else np.mean)(one.expected[0], axis=1)
        if one.expected[0].ndim == 4
        else None
    )
)
