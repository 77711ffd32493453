"""How right trainings are that differ in one option: the spread over a few seeds."""

from __future__ import annotations

from collections.abc import Iterator

from stepconv.lessons.experiments.swept import results

# Columns of the scale, from the lowest accuracy to the highest.
_WIDE = 36


def frames(name: str) -> list[list[str]]:
    """Return one frame: a bar for each value of the option, in its middle the mean."""
    return [list(_lines(name))]


def _lines(name: str) -> Iterator[str]:
    from stepconv.sweep import curves

    groups, along = results(name)
    drawn = curves.lines(groups, along)
    low, high = curves.bounds(drawn)
    seeds = max(len(group.runs) for group in groups)
    rows = [f"{along} {point.x:g}" for line in drawn for point in line.points]
    wide = max(map(len, [*rows, *(line.name for line in drawn)]))
    yield f"  test accuracy: ├ the least right of {seeds} seeds, ┼ their mean, ┤ the most right"
    for line in drawn:
        ends = f"{low:.0%}".ljust(_WIDE - len(f"{high:.0%}"))
        yield f"  {line.name.ljust(wide)}  {ends}{high:.0%}"
        for point in line.points:
            values = (point.low, point.mean, point.high)
            at = [round((value - low) / (high - low) * (_WIDE - 1)) for value in values]
            told = f"{point.mean:.0%} ({point.low:.0%} to {point.high:.0%})"
            yield f"  {f'{along} {point.x:g}'.rjust(wide)}  {_bar(*at).ljust(_WIDE)}  {told}"


def _bar(least: int, mean: int, most: int) -> str:
    """Return a bar from one column to another.

    >>> _bar(2, 4, 7)
    '  ├─┼──┤'
    """
    marks = {least: "├", most: "┤"} | {mean: "┼"}
    bar = "".join(marks.get(x, "─") for x in range(least, most + 1))
    return " " * least + bar
