"""How numbers are written, all of a panel with the same decimals and width; and foreign texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# More decimals than these nobody reads off a screen; what needs more is rounded.
_EXACT = 4
# Of an array larger than this a part decides whether decimals are needed.
_LOOKED_AT = 1 << 16
# Kernels that somebody wrote with fractions are small, and so are their denominators.
_LARGEST_KERNEL, _LARGEST_DENOMINATOR = 4096, 1024
_HUGE, _TINY = 1e6, 1e-3
_SCIENTIFIC = -1


@dataclass(frozen=True, slots=True)
class Format:
    """So many decimals, so many columns; `rounded` if digits were left out.

    >>> format_of([0.5, -12, 3]).text(3)
    '3.0'
    """

    decimals: int = 0
    width: int = 1
    rounded: bool = False

    def text(self, value: Any) -> str:
        """Return a number as it is written in this panel, never as -0."""
        return _written(value, self.decimals)

    def right(self, value: Any) -> str:
        """Return a number flush right."""
        return _written(value, self.decimals).rjust(self.width)


def format_of(*arrays: Any) -> Format:
    """Return the format that suits all of these numbers.

    >>> format_of([1, 225], [-3])
    Format(decimals=0, width=3, rounded=False)
    >>> format_of([0.1, 0.25]), format_of([1 / 3])
    (Format(decimals=2, width=4, rounded=False), Format(decimals=3, width=5, rounded=True))
    """
    looked = [_finite(np.asarray(array)) for array in arrays]
    parts = [finite for finite, _ in looked if finite.size]
    odd = max((longest for _, longest in looked), default=0)
    if not parts:
        return Format(0, max(odd, 1))
    decimals, rounded = _decimals(parts)
    ends = [end for part in parts for end in (part.min(), part.max())]
    return Format(decimals, max(_width(ends, decimals), odd), rounded)


def common_denominator(array: Array) -> int:
    """Return the number that all of an array are whole parts of, if decimals would hide it; else 1.

    >>> common_denominator(np.array([1 / 16, 1 / 8])), common_denominator(np.array([0.25, 0.5]))
    (16, 1)
    """
    few = array.size and array.size <= _LARGEST_KERNEL and array.dtype.kind == "f"
    if not few or not np.isfinite(array).all() or (np.round(array, 2) == array).all():
        return 1
    for denominator in range(2, _LARGEST_DENOMINATOR + 1):
        whole = np.rint(array * denominator)
        if (whole / array.dtype.type(denominator) == array).all():
            return denominator
    return 1


def products_format(
    cells: Format, weights: Format, ends: tuple[Any, Any], others: tuple[Any, Any]
) -> Format:
    """Return a format for products, from the least and the largest of each factor.

    It suits every product that can come, so that no panel jumps from one step to the next.

    >>> products_format(Format(), Format(1, 3), (0, 10), (-0.5, 0.5))
    Format(decimals=1, width=4, rounded=False)
    """
    # Python's numbers, whose integers do not run over.
    extremes = [a.item() * b.item() for a in map(np.asarray, ends) for b in map(np.asarray, others)]
    largest = max(abs(extreme) for extreme in extremes)
    decimals = cells.decimals + weights.decimals
    scientific = _SCIENTIFIC in (cells.decimals, weights.decimals)
    rounded = cells.rounded or weights.rounded or scientific or decimals > _EXACT
    if rounded:
        decimals = _by_size(largest)
    return Format(decimals, _width(extremes, decimals), rounded)


def plain(text: str) -> str:
    """Return a text from elsewhere without anything that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def duration(seconds: float) -> str:
    """Return a time with three digits.

    >>> duration(0.0123), duration(4.5e-6)
    ('12.3 ms', '4.50 µs')
    """
    if seconds >= 1:
        value, unit = seconds, "s"
    elif seconds >= 1e-3:
        value, unit = seconds * 1e3, "ms"
    else:
        value, unit = seconds * 1e6, "µs"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def _width(ends: list[Any], decimals: int) -> int:
    """Return the columns that all numbers between these fit into."""
    if decimals == _SCIENTIFIC:
        return 8 if min(ends) < 0 else 7
    return max(len(_written(end, decimals)) for end in ends)


def _by_size(largest: float) -> int:
    """Return the decimals that show four digits of the largest number."""
    if largest >= _HUGE or 0 < largest < _TINY:
        return _SCIENTIFIC
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 1000 else 0


def _finite(array: Array) -> tuple[Array, int]:
    """Return the finite numbers, and the columns that the others need."""
    if array.dtype.kind != "f":
        return (array.astype(np.int64) if array.dtype.kind == "b" else array).reshape(-1), 0
    mask = np.isfinite(array)
    if mask.all():
        return array.reshape(-1), 0
    return array[mask], 4 if (array == -np.inf).any() else 3


def _decimals(parts: list[Array]) -> tuple[int, bool]:
    """Return the fewest decimals that lose nothing; or as many as fit, and that they lose."""
    largest = max(max(abs(float(part.min())), abs(float(part.max()))) for part in parts)
    floats = [part[:_LOOKED_AT] for part in parts if part.dtype.kind == "f"]
    if not floats:
        return 0, False
    if _by_size(largest) == _SCIENTIFIC:
        return _SCIENTIFIC, True
    for decimals in range(_EXACT + 1):
        if all(_loses_nothing(part, decimals, largest) for part in floats):
            return decimals, False
    return _by_size(largest), True


def _loses_nothing(part: Array, decimals: int, largest: float) -> bool:
    # The last digits of a sum are noise: 0.1 + 0.2 is shown as 0.3.
    noise = 1e-6 if part.dtype.itemsize <= 4 else 1e-12
    wide = part.astype(np.float64)
    return bool(np.all(np.abs(wide - np.round(wide, decimals)) <= noise * largest))


def _written(value: Any, decimals: int) -> str:
    if isinstance(value, np.integer | int | np.bool_):
        return f"{int(value):.{decimals}f}" if decimals > 0 else str(int(value))
    if value != value:
        return "nan"
    if value in (np.inf, -np.inf):
        return "inf" if value > 0 else "-inf"
    if decimals == _SCIENTIFIC:
        return _scientific(float(value))
    text = f"{float(value):.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _scientific(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"
