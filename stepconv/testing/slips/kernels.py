"""Slips with the kernel: mirrored or not, turned, and laid out against the order of the windows."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.slips.sliding import Sliding, slides

Array = NDArray[Any]

_FLIPPED = "the kernel was mirrored: this is a convolution"
_NOT = "the kernel was not mirrored: this is a correlation"


@slides("flip", _FLIPPED, "correlate")
@slides("no-flip", _NOT, "convolve")
def mirrored(s: Sliding) -> Array:
    return s.but(w=s.w[:, :, ::-1, ::-1]).out


@slides("flip-columns", "the kernel was mirrored left to right")
def mirrored_columns(s: Sliding) -> Array:
    return s.but(w=s.w[:, :, :, ::-1]).out


@slides("flip-rows", "the kernel was mirrored top to bottom")
def mirrored_rows(s: Sliding) -> Array:
    return s.but(w=s.w[:, :, ::-1]).out


@slides("transposed-kernel", "rows and columns of the kernel were exchanged")
def turned_kernel(s: Sliding) -> Array:
    return s.but(w=s.w.swapaxes(2, 3)).out


@slides("transposed-kernel", "rows and columns of the kernel were exchanged")
def turned_flat_kernel(s: Sliding) -> Array:
    turned = s.w.swapaxes(2, 3).reshape(s.w.shape)
    return s.but(w=turned).out


@slides("turned-kernel", "the kernel was turned by a quarter")
def quarter_turn(s: Sliding) -> Array:
    return s.but(w=np.rot90(s.w, axes=(2, 3))).out


@slides("turned-kernel", "the kernel was turned by a quarter")
def other_quarter_turn(s: Sliding) -> Array:
    return s.but(w=np.rot90(s.w, -1, axes=(2, 3))).out


@slides("transposed-result", "rows and columns of the result were exchanged")
def turned_result(s: Sliding) -> Array | None:
    return s.out.swapaxes(2, 3) if s.planar else None


@slides("im2col-result", "the result of the matrix product was not turned before it got its shape")
def folded_as_positions_last(s: Sliding) -> Array:
    return s.out.transpose(0, 2, 3, 1).reshape(s.out.shape)


@slides("im2col-result", "the result of the matrix product was not turned before it got its shape")
def folded_as_filters_first(s: Sliding) -> Array:
    return s.out.transpose(1, 0, 2, 3).reshape(s.out.shape)


@slides("im2col-result", "the result of the matrix product was not turned before it got its shape")
def folded_as_images_last(s: Sliding) -> Array:
    return s.out.transpose(1, 2, 3, 0).reshape(s.out.shape)


@slides("im2col-result", "the result of the matrix product was not turned before it got its shape")
def folded_as_columns_first(s: Sliding) -> Array | None:
    return s.out.swapaxes(2, 3).reshape(s.out.shape) if s.planar else None


@slides("im2col-result", "the result of the matrix product was not turned before it got its shape")
def folded_as_positions_first(s: Sliding) -> Array:
    return s.out.transpose(2, 3, 0, 1).reshape(s.out.shape)


def _order(order: tuple[int, ...]) -> None:
    says = "windows and kernel were flattened in different orders (channels, rows, columns)"

    @slides("im2col-order", says)
    def flattened(s: Sliding) -> Array:
        """Multiply the kernel's numbers, in their own order, with the windows' in another."""
        n, c, high, wide = s.windows.shape[:4]
        windows = s.windows.reshape(n, s.groups, c // s.groups, high, wide, *s.w.shape[2:])
        axes = [(2, 5, 6)[axis] for axis in order]
        columns = windows.transpose(0, 1, 3, 4, *axes).reshape(n, s.groups, high, wide, -1)
        flat = s.w.reshape(s.groups, len(s.w) // s.groups, -1)
        made = np.einsum("nghwk,gok->ngohw", columns, flat).reshape(n, -1, high, wide)
        return made + s.bias[:, None, None]


for _each in permutations(range(3)):
    if _each != (0, 1, 2):
        _order(_each)


@slides("kernel-axes", "filters and channels of the kernel were exchanged")
def exchanged_planes(s: Sliding) -> Array:
    return s.but(w=s.w.swapaxes(0, 1).reshape(s.w.shape)).out
