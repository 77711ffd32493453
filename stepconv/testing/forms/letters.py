"""Axes by their letters: N images, C channels, H rows, W columns; O filters of I channels.

A signal has the one axis L. An axis that a layout lacks has size 1 with us; `1` is one of the
layout's own, which has size 1 there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def turned(array: Array, have: str, want: str) -> Array:
    """Return an array with its axes as another layout has them.

    >>> turned(np.zeros((2, 3, 4, 5)), "NCHW", "NHWC").shape
    (2, 4, 5, 3)
    >>> turned(np.zeros((1, 1, 4, 5)), "NCHW", "HW").shape, turned(np.zeros(3), "O", "111O").shape
    ((4, 5), (1, 1, 1, 3))
    """
    gone = tuple(axis for axis, letter in enumerate(have) if letter not in want)
    kept = [letter for letter in have if letter in want]
    # An axis that only the other layout has is one of size 1.
    added = tuple(axis for axis, letter in enumerate(want) if letter not in have)
    order = [kept.index(letter) for letter in want if letter in have]
    return np.expand_dims(array.squeeze(gone).transpose(order), added)


def in_python(name: str, have: str, want: str) -> str:
    """Return the Python that turns an array of this name as `turned` does.

    >>> in_python("x", "NCHW", "NHWC"), in_python("x", "NCHW", "HW"), in_python("b", "O", "111O")
    ('x.transpose(0, 2, 3, 1)', 'x.squeeze((0, 1))', 'np.expand_dims(b, (0, 1, 2))')
    """
    gone = tuple(axis for axis, letter in enumerate(have) if letter not in want)
    kept = [letter for letter in have if letter in want]
    added = tuple(axis for axis, letter in enumerate(want) if letter not in have)
    order = [kept.index(letter) for letter in want if letter in have]
    told = name + (f".squeeze({gone})" if gone else "")
    if order != sorted(order):
        told += f".transpose({', '.join(map(str, order))})"
    return f"np.expand_dims({told}, {added})" if added else told


def turned_back(array: Array, have: str, want: str) -> Array:
    """Return an answer in our own layout; one whose axes are not as many stays as it is."""
    return turned(array, have, want) if array.ndim == len(have) else array


def spatial(letters: str) -> str:
    """Return the letters over which a window slides."""
    return "".join(letter for letter in letters if letter in "HWL")


def spelt(letters: str) -> str:
    """Return a layout as people write it.

    >>> spelt("NCHW"), spelt("111O"), spelt("")
    ('(N, C, H, W)', '(1, 1, 1, O)', 'a number')
    """
    return f"({', '.join(letters)})" if letters else "a number"
