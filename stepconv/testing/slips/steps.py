"""Slips with what moves the window: stride, dilation, and where the loops begin and end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.slips.sliding import Sliding, slides

Array = NDArray[Any]


@slides("stride-ignored", "the stride was left out")
def no_stride(s: Sliding) -> Array:
    return s.but(stride=(1, 1)).out


@slides("stride-rows", "the stride was used on the rows alone")
def stride_on_rows(s: Sliding) -> Array:
    return s.but(stride=(s.stride[0], 1)).out


@slides("stride-rows", "the stride was used on the rows alone")
def stride_on_rows_in_the_size(s: Sliding) -> Array:
    high, wide = s.out.shape[2:]
    return s.but(stride=(s.stride[0], 1)).out[:, :, :high, :wide]


@slides("stride-columns", "the stride was used on the columns alone")
def stride_on_columns(s: Sliding) -> Array:
    return s.but(stride=(1, s.stride[1])).out


@slides("stride-columns", "the stride was used on the columns alone")
def stride_on_columns_in_the_size(s: Sliding) -> Array:
    high, wide = s.out.shape[2:]
    return s.but(stride=(1, s.stride[1])).out[:, :, :high, :wide]


@slides("stride-exchanged", "the strides of rows and columns were exchanged")
def exchanged(s: Sliding) -> Array:
    return s.but(stride=s.stride[::-1]).out


@slides("stride-first", "the stride of the rows was used for the columns as well")
def first_for_both(s: Sliding) -> Array:
    return s.but(stride=(s.stride[0], s.stride[0])).out


@slides("stride-size-alone", "the stride is in the size alone: the windows move by one cell")
def only_in_the_size(s: Sliding) -> Array:
    high, wide = s.out.shape[2:]
    return s.but(stride=(1, 1)).out[:, :, :high, :wide]


@slides("stride-output-index", "the stride is in the index of the output, too")
def in_the_output_index(s: Sliding) -> Array:
    (sy, sx), right = s.stride, s.out
    out = np.zeros_like(right)
    for i in range(-(-right.shape[2] // sy)):
        for j in range(-(-right.shape[3] // sx)):
            out[:, :, i * sy, j * sx] = right[:, :, i, j]
    return out


@slides("stride-output-index", "the stride is in the index of the output, too")
def spread_over_a_large_output(s: Sliding) -> Array:
    one = s.but(stride=(1, 1)).out
    out = np.zeros_like(one)
    out[:, :, :: s.stride[0], :: s.stride[1]] = one[:, :, :: s.stride[0], :: s.stride[1]]
    return out


@slides("stride-output-index", "the stride is in the index of the output alone")
def spread_unmoved(s: Sliding) -> Array:
    (sy, sx), high, wide = s.stride, *s.out.shape[2:]
    one, out = s.but(stride=(1, 1)).out, np.zeros_like(s.out)
    for i in range(0, high, sy):
        for j in range(0, wide, sx):
            out[:, :, i, j] = one[:, :, i, j]
    return out


@slides("square-input", "it is right for square inputs alone: the rows are counted for both axes")
def rows_for_both(s: Sliding) -> Array:
    """Slide over as many columns as there are rows; those that are missing break it."""
    rows, columns = s.x.shape[2:]
    if rows > columns:
        raise IndexError("more columns are read than there are")
    return s.but(x=s.x[:, :, :, :rows]).out if s.planar else s.out


@slides("square-kernel", "it is right for square kernels alone: the rows are counted for both axes")
def kernel_rows_for_both(s: Sliding) -> Array:
    rows, columns = s.w.shape[2:]
    if rows > columns:
        raise IndexError("more columns are read than there are")
    return s.but(w=s.w[:, :, :, :rows]).out if s.planar else s.out


_SHORT = "a loop stops one window early: (size - window + 2·padding) / stride + 1 fit"


@slides("size-without-1", _SHORT)
def without_one(s: Sliding) -> Array:
    return s.out[:, :, : -1 if s.planar else None, :-1]


@slides("size-without-1", _SHORT)
def one_row_less(s: Sliding) -> Array | None:
    return s.out[:, :, :-1] if s.planar else None


@slides("size-without-1", _SHORT)
def one_column_less(s: Sliding) -> Array | None:
    return s.out[:, :, :, :-1] if s.planar else None


def _sized(s: Sliding, size: Any) -> Array:
    """Return the first windows, as many as a wrong formula counts, or zeros beyond them."""
    numbers = zip(s.padded.shape[2:], s.w.shape[2:], s.stride, s.dilation, strict=True)
    sizes = [size(n, k, st, d) for n, k, st, d in numbers]
    high, wide = (max(sizes[0], 0) if s.planar else 1), max(sizes[1], 0)
    out, right = np.zeros((*s.out.shape[:2], high, wide)), s.out
    high, wide = min(high, right.shape[2]), min(wide, right.shape[3])
    out[:, :, :high, :wide] = right[:, :, :high, :wide]
    return out


@slides("size-without-1", _SHORT)
def size_without_one(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: (n - d * (k - 1) - 1) // stride)


@slides("size-rounded-up", "the size was rounded up, where it has to be rounded down")
def size_rounded_up(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: -(-(n - d * (k - 1) - 1) // stride) + 1)


@slides("size-by-stride", "the size is the input's divided by the stride")
def size_by_stride(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: n // stride)


@slides("size-one-more", "the size has one row and one column too many")
def one_more(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: (n - d * (k - 1) - 1) // stride + 2)


def _zeroed(name: str, says: str, *parts: tuple[Any, ...]) -> None:
    @slides(name, says)
    def zeroed(s: Sliding) -> Array:
        out = s.out
        for part in parts:
            if s.planar or part[0] == slice(None):
                out[(..., *part)] = 0
        return out


_ALL = slice(None)
_zeroed("last-row", "the last row was not computed", (-1, _ALL))
_zeroed("last-column", "the last column was not computed", (_ALL, -1))
_zeroed("last-both", "the last row and column were not computed", (-1, _ALL), (_ALL, -1))
_zeroed("first-row", "the first row was not computed", (0, _ALL))
_zeroed("first-column", "the first column was not computed", (_ALL, 0))
_zeroed("first-both", "the first row and column were not computed", (0, _ALL), (_ALL, 0))


def _moved(rows: int, columns: int, says: str) -> None:
    @slides("moved", says)
    def moved(s: Sliding) -> Array:
        """Read each window some cells further on, with what is not there as zeros."""
        padded = np.pad(s.padded, ((0, 0), (0, 0), (1, 1), (1, 1)))
        high, wide = s.padded.shape[2:]
        top, left = 1 + rows, 1 + columns
        part = padded[:, :, top : top + high, left : left + wide]
        return s.but(x=part, pads=((0, 0), (0, 0))).out


for _rows, _columns, _where in (
    *((1, 1, "one row and one column too far on"), (-1, -1, "one row and one column too early")),
    *((0, 1, "one column too far on"), (1, 0, "one row too far on")),
    *((0, -1, "one column too early"), (-1, 0, "one row too early")),
):
    _moved(_rows, _columns, f"each window starts {_where}")


@slides("loop-from-1", "a loop begins at 1: the first window is left out")
def without_the_first(s: Sliding) -> Array:
    return s.out[:, :, 1 if s.planar else 0 :, 1:]


def _kernel_cut(name: str, says: str, *parts: Any) -> None:
    @slides(name, says)
    def cut(s: Sliding) -> Array | None:
        w = s.w.copy()
        for rows, columns in parts:
            if s.planar or rows == _ALL:
                w[:, :, rows, columns] = 0
        return s.but(w=w).out


_kernel_cut(
    "kernel-last", "the last row and column of the kernel were left out", (-1, _ALL), (_ALL, -1)
)
_kernel_cut("kernel-last-row", "the last row of the kernel was left out", (-1, _ALL))
_kernel_cut("kernel-last-column", "the last column of the kernel was left out", (_ALL, -1))
_kernel_cut(
    "kernel-first", "the first row and column of the kernel were left out", (0, _ALL), (_ALL, 0)
)
_kernel_cut("kernel-first-row", "the first row of the kernel was left out", (0, _ALL))
_kernel_cut("kernel-first-column", "the first column of the kernel was left out", (_ALL, 0))


@slides("dilation-ignored", "the dilation was left out")
def no_dilation(s: Sliding) -> Array:
    return s.but(dilation=(1, 1)).out


@slides("dilation-size-alone", "the dilation is in the size alone: windows have no gaps")
def dilation_in_the_size(s: Sliding) -> Array:
    high, wide = s.out.shape[2:]
    return s.but(dilation=(1, 1)).out[:, :, :high, :wide]


@slides("dilation-not-in-size", "the dilation is missing in the size")
def dilation_not_in_the_size(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: (n - k) // stride + 1)


@slides("dilation-not-in-size", "the dilation is missing in the size")
def dilated_beyond_the_end(s: Sliding) -> Array:
    """Windows that reach beyond the end have fewer cells there."""
    reach = [(0, (d - 1) * (k - 1)) for d, k in zip(s.dilation, s.w.shape[2:], strict=True)]
    padded = np.pad(s.padded, ((0, 0), (0, 0), *reach))
    return s.but(x=padded, pads=((0, 0), (0, 0))).out


@slides("dilation-size-times", "the kernel's size was taken as dilation times its size")
def dilation_times_size(s: Sliding) -> Array:
    return _sized(s, lambda n, k, stride, d: (n - d * k) // stride + 1)


@slides("dilation-rows", "the dilation was used on the rows alone")
def dilation_on_rows(s: Sliding) -> Array:
    return s.but(dilation=(s.dilation[0], 1)).out


@slides("dilation-columns", "the dilation was used on the columns alone")
def dilation_on_columns(s: Sliding) -> Array:
    return s.but(dilation=(1, s.dilation[1])).out


@slides("dilation-one-more", "dilation=1 was taken for one cell between")
def dilation_one_more(s: Sliding) -> Array:
    return s.but(dilation=tuple(d + 1 for d in s.dilation)).out
