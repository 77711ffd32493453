"""Slips with the border: none, too much, on one side alone, filled with something else."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.slips.sliding import Sliding, slides

Array = NDArray[Any]


def _pads(s: Sliding, change: Any) -> Array:
    return s.but(pads=tuple(change(*sides) for sides in s.pads)).out


def _by_kernel(s: Sliding, change: Any) -> Array:
    """Pad by a number of the kernel's reach, whatever was asked for."""
    pads = tuple(change(d * (k - 1)) for d, k in zip(s.dilation, s.w.shape[2:], strict=True))
    return s.but(pads=pads).out


@slides("padding-ignored", "the padding was left out")
def no_border(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (0, 0))


@slides("padding-doubled", "twice as much was padded")
def twice(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (2 * before, 2 * after))


@slides("padding-one-cell", "one cell was padded, however many were asked for")
def one_cell(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (min(before, 1), min(after, 1)))


def _always_same(in_front: bool, dilated: bool, added: bool) -> None:
    @slides("always-same", "the result always has the size of the input, as with padding='same'")
    def always_same(s: Sliding) -> Array:
        pads = []
        for size, step, asked in zip(s.w.shape[2:], s.dilation, s.pads, strict=True):
            reach = (size - 1) * (step if dilated else 1)
            less, more = reach // 2, reach - reach // 2
            pair = (more, less) if in_front else (less, more)
            pads.append(tuple(p + a for p, a in zip(pair, asked, strict=True)) if added else pair)
        return s.but(pads=tuple(pads)).out


for _choice in product((False, True), repeat=3):
    _always_same(*_choice)


@slides("always-same", "the result always has the size of the input, whatever the stride")
def always_same_unmoved(s: Sliding) -> Array:
    return _by_kernel(s.but(stride=(1, 1)), lambda reach: (reach // 2, reach - reach // 2))


@slides("always-same", "the result always has the size of the input: zeros lie round it")
def valid_in_a_frame(s: Sliding) -> Array:
    out = np.zeros((*s.plain.shape[:2], *s.x.shape[2:]))
    top, left = (k // 2 for k in s.w.shape[2:])
    valid = s.out
    out[:, :, top : top + valid.shape[2], left : left + valid.shape[3]] = valid
    return out


@slides("always-same", "the result always has the size of the input: zeros lie behind it")
def valid_in_a_corner(s: Sliding) -> Array:
    out = np.zeros((*s.plain.shape[:2], *s.x.shape[2:]))
    valid = s.out
    out[:, :, : valid.shape[2], : valid.shape[3]] = valid
    return out


@slides("always-full", "the result always overlaps wholly, as with padding='full'")
def always_full(s: Sliding) -> Array:
    return _by_kernel(s, lambda reach: (reach, reach))


@slides("padding-front", "the padding was put in front alone")
def in_front(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (before, 0))


@slides("padding-front", "the padding was put in front alone")
def all_in_front(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (before + after, 0))


@slides("padding-behind", "the padding was put behind alone")
def behind(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (0, after))


@slides("padding-behind", "the padding was put behind alone")
def all_behind(s: Sliding) -> Array:
    return _pads(s, lambda before, after: (0, before + after))


@slides("padding-rows", "the padding was put above and below alone")
def rows_alone(s: Sliding) -> Array:
    return s.but(pads=(s.pads[0], (0, 0))).out


@slides("padding-columns", "the padding was put left and right alone")
def columns_alone(s: Sliding) -> Array:
    return s.but(pads=((0, 0), s.pads[1])).out


def _filled(mode: str, name: str, says: str) -> None:
    @slides(name, says)
    def filled(s: Sliding) -> Array:
        return s.but(mode=mode).out


_filled("replicate", "padding-edge", "the border repeats the edge, where other cells belong")
_filled("reflect", "padding-reflect", "the border is a mirror image, where other cells belong")
_filled("circular", "padding-wrap", "the border comes from the other side, where it should not")
_filled("zeros", "padding-zeros", "the border is zeros, whatever mode says")


@slides("padding-symmetric", "the mirrored border repeats the edge, which reflect does not")
def symmetric(s: Sliding) -> Array | None:
    if s.mode != "reflect":
        return None
    padded = np.pad(s.x, ((0, 0), (0, 0), *s.pads), "symmetric")
    return s.but(x=padded, pads=((0, 0), (0, 0))).out


@slides("padding-symmetric", "the border repeats the edge as a mirror, where zeros belong")
def symmetric_for_zeros(s: Sliding) -> Array | None:
    if s.mode != "zeros":
        return None
    padded = np.pad(s.x, ((0, 0), (0, 0), *s.pads), "symmetric")
    return s.but(x=padded, pads=((0, 0), (0, 0))).out


@slides("padding-ones", "the border is ones, where zeros belong")
def ones(s: Sliding) -> Array | None:
    if s.mode != "zeros":
        return None
    padded = np.pad(s.x, ((0, 0), (0, 0), *s.pads), constant_values=1)
    return s.but(x=padded, pads=((0, 0), (0, 0))).out


@slides("padding-channels", "channels were padded as well as rows and columns")
def every_axis(s: Sliding) -> Array:
    """Each filter reads channels that lie further in front, and zeros before the first."""
    front = s.pads[0][0]
    x = np.pad(s.x, ((0, 0), (front, 0), (0, 0), (0, 0)))[:, : s.x.shape[1]]
    return s.but(x=x).out
