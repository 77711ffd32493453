"""Numbers as one types them: "1 0 -1; 2 0 -2; 1 0 -1" is a kernel, and 1/9 a number."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The largest integers that an array of integers holds.
_INT64 = range(-(2**63), 2**63)


def parse(text: str) -> "NDArray[Any]":
    """Return the array that `text` spells: rows end at `;`, numbers at spaces or commas.

    A single row is one-dimensional, and integers stay integers. Planes that end at `|` are the
    channels of a filter, those that end at `||` filters: (filters, channels, rows, columns).

    >>> parse("1 0 -1; 2 0 -2")
    array([[ 1,  0, -1],
           [ 2,  0, -2]])
    >>> parse("1/4, 1/2, 1/4")
    array([0.25, 0.5 , 0.25])
    >>> parse("1 0; 0 1 | 2 2; 2 2 || 3 3; 3 3 | 4 4; 4 4").shape, parse("1 2 | 3 4").shape
    ((2, 2, 2, 2), (1, 2, 2))
    """
    if "|" in text:
        return _layer(text)
    rows = [line.replace(",", " ").split() for line in text.split(";")]
    array = table(rows, f"{text!r}")
    return array[0] if len(rows) == 1 else array


def _layer(text: str) -> "NDArray[Any]":
    import numpy as np

    filters = [[parse(plane) for plane in each.split("|")] for each in text.split("||")]
    first = filters[0][0].shape
    for o, planes in enumerate(filters):
        if len(planes) != len(filters[0]):
            many = f"filter {o} has {len(planes)} channels, filter 0 has {len(filters[0])}"
            raise ArgumentError(f"{text!r}: {many}")
        for c, plane in enumerate(planes):
            if plane.shape != first:
                where = f"filter {o}, channel {c}, has shape {plane.shape}"
                raise ArgumentError(f"{text!r}: {where}, the first has {first}")
    return np.array(filters)


def table(rows: list[list[str]], name: str) -> "NDArray[Any]":
    """Return rows of written numbers as a two-dimensional array; `name` is for complaints."""
    import numpy as np

    for i, row in enumerate(rows, 1):
        if not row:
            raise ArgumentError(f"{name}: row {i} is empty")
        if len(row) != len(rows[0]):
            raise ArgumentError(f"{name}: row {i} is {len(row)} long, row 1 is {len(rows[0])}")
    numbers = [
        [number(f"{name}: row {i}, number {j}", word) for j, word in enumerate(row, 1)]
        for i, row in enumerate(rows, 1)
    ]
    exact = all(isinstance(number, int) for row in numbers for number in row)
    return np.array(numbers, dtype=np.int64 if exact else np.float64)


def spell(array: "NDArray[Any]") -> str:
    """Return the text that `parse` reads back; ninths and the like are written as fractions.

    >>> import numpy as np
    >>> spell(np.array([[1.0, 0.5], [1 / 9, 0.3]]))
    '1 1/2; 1/9 3/10'
    """
    if array.ndim > 2:
        return " || ".join(" | ".join(map(spell, planes)) for planes in array)
    rows = array.reshape(-1, array.shape[-1]).tolist()
    return "; ".join(" ".join(map(_spelt, row)) for row in rows)


def per_axis(name: str, text: str) -> int | tuple[int, ...]:
    """Return "2" as a number, and "2,1" as one for each axis."""
    numbers = tuple(integer(name, word) for word in text.split(","))
    return numbers[0] if len(numbers) == 1 else numbers


def padding(text: str) -> Any:
    """Return a word as it is, cells for each axis, or those in front and behind.

    >>> padding("same"), padding("1"), padding("1,2"), padding("0:1,2:2")
    ('same', 1, (1, 2), ((0, 1), (2, 2)))
    """
    if text[:1].isalpha():
        return text
    if ":" not in text:
        return per_axis("--padding", text)
    sides = [[integer("--padding", word) for word in part.split(":")] for part in text.split(",")]
    if max(map(len, sides)) > 2:
        raise ArgumentError(f'--padding {text!r} does not fit: "front:behind" for each axis does')
    return tuple((side[0], side[-1]) for side in sides)


def integer(name: str, word: str) -> int:
    """Return the whole number that was typed for an option."""
    try:
        return int(word)
    except ValueError:
        raise ArgumentError(f"{name} {word!r} is not a whole number") from None


def number(where: str, word: str) -> int | float:
    """Return the number, or the fraction, that was typed at a place."""
    try:
        whole = int(word)
        return whole if whole in _INT64 else float(whole)
    except (ValueError, OverflowError):
        pass
    top, stroke, bottom = word.partition("/")
    try:
        return float(top) / float(bottom) if stroke else float(word)
    except (ValueError, ZeroDivisionError):
        raise ArgumentError(f"{where}, {word!r}, is not a number") from None


def _spelt(number: float) -> str:
    if number == int(number):
        return str(int(number))
    fraction = Fraction(number).limit_denominator(256)
    return str(fraction) if float(fraction) == number else repr(number)
