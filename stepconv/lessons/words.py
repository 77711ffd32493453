"""How a lesson writes what was computed: numbers, rows of them, sizes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

# The words of small numbers, each at its place.
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
# A decimal of so many characters reads better than a fraction; what rounding leaves is nothing.
_SHORT, _NOTHING = 5, 1e-12


# A longer row is broken, as it would not fit on a narrow screen.
_LONGEST = 30
# A space at which no line is broken, so that a row of numbers stays together.
KEPT = "\u00a0"


def together(text: str) -> str:
    """Return numbers whose rows no line breaks.

    >>> together("1 0; 0 1").split(" ")
    ['1\\xa00;', '0\\xa01']
    """
    rows = text.split("; ")
    return "; ".join(row.replace(" ", KEPT) if len(row) <= _LONGEST else row for row in rows)


def say(value: Any) -> str:
    """Return a value as prose writes it.

    >>> say(67500), say(0.0625), say((8, 8)), say([[1, 0], [0, -1]]), say(True)
    ('67,500', '1/16', '8x8', '1 0; 0 -1', 'yes')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "x".join(map(say, value))
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array.item())
    separator = (" ", "; ", " | ", " || ")[min(array.ndim, 4) - 1]
    return separator.join(map(say, array))


def _number(number: float) -> str:
    if not math.isfinite(number):
        return str(number)
    if number == int(number):
        return f"{int(number):,}"
    short = f"{number:.3g}"
    if abs(float(short) - number) < _NOTHING and len(short) <= _SHORT:
        return short
    fraction = Fraction(number).limit_denominator(256)
    # Sixteenths and ninths are what kernels are made of.
    if abs(number) < 1 and abs(float(fraction) - number) < _NOTHING:
        return str(fraction)
    return f"{number:.6g}"
