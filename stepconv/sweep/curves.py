"""Accuracy drawn against one option, a line for each of the others, with the spread over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Any

from stepconv.sweep.results import Group

# Colours that the colour-blind tell apart (Okabe and Ito); lines differ in their dashes as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
WIDTH, HEIGHT, LEFT, BELOW = 560, 320, 56, 44


@dataclass(frozen=True)
class Point:
    """One value of the option: the mean of its runs, the least and the most right one."""

    x: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """The points of all groups that are alike but for one option."""

    name: str
    points: tuple[Point, ...]


def lines(groups: Sequence[Group], along: str) -> list[Line]:
    """Return a line for each choice of the other options, along a numeric one."""
    found: dict[str, list[Point]] = {}
    for group in groups:
        choices = dict(group.choices)
        x = choices.pop(along)
        if group.accuracies and isinstance(x, int | float):
            name = ", ".join(f"{key} {spelt(value)}" for key, value in choices.items())
            accuracies = group.accuracies
            mean = sum(accuracies) / len(accuracies)
            point = Point(float(x), mean, min(accuracies), max(accuracies))
            found.setdefault(name, []).append(point)
    made = [Line(n, tuple(sorted(p, key=lambda point: point.x))) for n, p in found.items()]
    return [line for line in made if len(line.points) > 1]


def spelt(value: Any) -> str:
    """Return a value as an experiment's file has it."""
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def scaled(drawn: Sequence[Line]) -> tuple[list[list[tuple[float, Point]]], bool]:
    """Return for each line how far along its points lie, from 0 to 1; told in powers if wide."""
    xs = [point.x for line in drawn for point in line.points]
    wide = min(xs) > 0 and max(xs) / min(xs) >= 8
    at = log10 if wide else float
    low, high = at(min(xs)), at(max(xs))
    span = (high - low) or 1.0
    return [[((at(p.x) - low) / span, p) for p in line.points] for line in drawn], wide


def bounds(drawn: Sequence[Line]) -> tuple[float, float]:
    """Return the lowest and the highest accuracy, with a little room."""
    low = min(point.low for line in drawn for point in line.points)
    high = max(point.high for line in drawn for point in line.points)
    room = max(0.005, (high - low) / 20)
    return max(0.0, low - room), min(1.0, high + room)


def svg(drawn: Sequence[Line], along: str) -> str:
    """Return the lines as a picture; bars go from the least to the most right run."""
    placed, wide = scaled(drawn)
    low, high = bounds(drawn)

    def x(share: float) -> float:
        return LEFT + share * (WIDTH - LEFT - 20)

    def y(accuracy: float) -> float:
        return 16 + (high - accuracy) / ((high - low) or 1) * (HEIGHT - BELOW - 16)

    parts = [
        f'<line x1="{LEFT}" y1="{y(v):.1f}" x2="{WIDTH - 20}" y2="{y(v):.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.1%}</text>'
        for v in (low + (high - low) * i / 4 for i in range(5))
    ]
    ticks = {point.x: share for line in placed for share, point in line}
    parts += [
        f'<text x="{x(share):.1f}" y="{HEIGHT - BELOW + 16}" text-anchor="middle">{value:g}</text>'
        for value, share in sorted(ticks.items())
    ]
    for number, (line, points) in enumerate(zip(drawn, placed, strict=True)):
        colour, dash = COLOURS[number % len(COLOURS)], _DASHES[number % len(_DASHES)]
        way = " ".join(f"{x(share):.1f},{y(point.mean):.1f}" for share, point in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
        )
        parts += [
            f'<line x1="{x(share):.1f}" y1="{y(point.low):.1f}" x2="{x(share):.1f}" '
            f'y2="{y(point.high):.1f}" stroke="{colour}"/>'
            for share, point in points
        ]
        parts.append(
            f'<text x="{LEFT + 10}" y="{30 + 16 * number}" fill="{colour}">'
            f"{escape(line.name or 'accuracy')}</text>"
        )
    label = f"{along} (in powers of ten)" if wide else along
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"test accuracy by {escape(label)}</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" role="img" '
        f'aria-label="test accuracy by {escape(along)}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>\n'
    )
