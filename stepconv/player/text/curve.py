"""Curves of dots in Braille, eight in a character: fine enough to watch a network learn."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

# The dots of a character by row and column, as Unicode numbers them.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_EMPTY = 0x2800
NOTHING = chr(_EMPTY)


def curve(
    values: Sequence[float],
    width: int,
    height: int,
    low: float | None = None,
    high: float | None = None,
    bars: Sequence[tuple[float, float, float]] = (),
) -> list[str]:
    """Return `height` lines of `width` characters, with the values from left to right.

    More values than dots are averaged, fewer are joined by lines. `low` and `high` are the bottom
    and the top; without them the values fill the height. `bars` stand upright: how far along, from
    0 to 1, and their ends.

    >>> print(*curve([4, 2, 1, 0.5, 0.25], 6, 2), sep="\\n")
    ⠑⡄⠀⠀⠀⠀
    ⠀⠈⠒⠤⢄⣀
    """
    columns = resample([v for v in values if isfinite(v)], 2 * width)
    cells = [[_EMPTY] * width for _ in range(height)]
    if columns:
        bottom = min(columns) if low is None else low
        top = max(columns) if high is None else high
        last = 4 * height - 1
        span = (top - bottom) or 1.0

        def row_of(value: float) -> int:
            return round((1 - (min(max(value, bottom), top) - bottom) / span) * last)

        rows = [row_of(value) for value in columns]
        for share, lower, upper in bars:
            x = round(share * (2 * width - 1))
            for y in range(row_of(upper), row_of(lower) + 1):
                cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        for x, (before, row) in enumerate(zip([rows[0], *rows], rows, strict=False)):
            # From just beyond the last column's dot to this one's: a line without gaps.
            start = before + (row > before) - (row < before)
            for y in range(min(start, row), max(start, row) + 1):
                cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(map(chr, line)) for line in cells]


def resample(values: Sequence[float], count: int) -> list[float]:
    """Return `count` values: means of neighbours, or points on the lines between them.

    >>> resample([1, 3, 5, 7], 2), resample([0, 1], 3)
    ([2.0, 6.0], [0.0, 0.5, 1.0])
    """
    many = len(values)
    if many == 0:
        return []
    if many >= count:
        ends = [i * many // count for i in range(count + 1)]
        return [sum(values[a:b]) / (b - a) for a, b in pairwise(ends)]
    if many == 1:
        return [float(values[0])] * count
    made = []
    for i in range(count):
        at = i * (many - 1) / (count - 1)
        left = min(int(at), many - 2)
        made.append(values[left] + (at - left) * (values[left + 1] - values[left]))
    return made
