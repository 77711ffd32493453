"""Find a step: by its number, by its cell, by what happens in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.player.frame import who_reads
from stepconv.player.frame.film import Film

Array = NDArray[Any]

FINDABLE = "padding, <0, >9, =225, nan, sign, max, min"
_COMPARED = re.compile(r"(<=|>=|<|>|=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)$")
_COMPARE: dict[str, Callable[..., Any]] = {
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "=": np.isclose,
}


@dataclass(frozen=True)
class Query:
    """What is looked for: `padding`, `nan`, `sign`, `max`, `min`, or a comparison with a number."""

    kind: str
    value: float = 0

    @property
    def words(self) -> str:
        """What the query finds."""
        known = {
            "padding": "a window that touches the padding",
            "nan": "a result that is not a number",
            "sign": "a change of sign",
            "max": "the largest result",
            "min": "the smallest result",
        }
        return known.get(self.kind) or f"a result {self.kind} {self.value:g}"


def parse_query(text: str) -> Query:
    """Return what a text asks for.

    >>> parse_query("> 100"), parse_query("pad").words
    (Query(kind='>', value=100.0), 'a window that touches the padding')
    """
    asked = text.strip().lower()
    compared = _COMPARED.match(asked)
    if compared:
        return Query(compared[1], float(compared[2]))
    for kind in ("padding", "nan", "sign", "max", "min"):
        if asked and kind.startswith(asked):
            return Query(kind)
    raise ArgumentError(f"cannot look for {text.strip()!r}: {FINDABLE} can be found")


def matches(film: Film, query: Query) -> Array:
    """Return for each step whether the query finds it."""
    results = film.trace.output.reshape(-1)
    with np.errstate(all="ignore"):
        if query.kind == "padding":
            return np.broadcast_to(who_reads.in_padding(film), film.gather.shape).reshape(-1)
        if query.kind == "nan":
            return np.isnan(results) if results.dtype.kind == "f" else np.zeros(results.size, bool)
        if query.kind == "sign":
            return _turns(results)
        if query.kind in ("max", "min"):
            best = np.fmax.reduce(results) if query.kind == "max" else np.fmin.reduce(results)
            return np.asarray(results == best)
        return np.asarray(_COMPARE[query.kind](results, query.value))


def find(film: Film, query: Query, start: int, *, back: bool = False) -> int | None:
    """Return the next step after `start` that the query finds, going round at the end.

    >>> import stepconv
    >>> film = Film(stepconv.record(stepconv.correlate, [1, 5, 2, 9], [1]))
    >>> find(film, parse_query(">4"), 1), find(film, parse_query(">4"), 3)
    (3, 1)
    """
    if len(film) == 0:
        return None
    (found,) = np.nonzero(matches(film, query))
    if found.size == 0:
        return None
    if back:
        return int(found[np.searchsorted(found, start) - 1])
    return int(found[np.searchsorted(found, start, side="right") % found.size])


def parse_place(film: Film, text: str, plane: int = 0) -> int:
    """Return the step that a text names: `17` is step 17, `3,4` the cell in row 3, column 4.

    More numbers name the channel, and the image, before the row.
    """
    shape = film.trace.output.shape
    axes = film.gather.axes
    try:
        numbers = [int(word) for word in re.split(r"[\s,;]+", text.strip(" ,;()[]"))]
    except ValueError:
        raise ArgumentError(f"{text.strip()!r} is no step and no cell: 17 or 3,4 fits") from None
    if len(numbers) == 1:
        if not 0 <= numbers[0] < len(film):
            raise ArgumentError(f"there is no step {numbers[0]}: 0 to {len(film) - 1} fit")
        return numbers[0]
    _, height, width = film.gather.shape
    if len(numbers) == 2 and axes == 2:
        i, j = numbers
        if not (0 <= i < height and 0 <= j < width):
            raise ArgumentError(
                f"there is no cell {i},{j}: rows 0 to {height - 1}, columns 0 to {width - 1} fit"
            )
        return (plane * height + i) * width + j
    inside = len(numbers) == len(shape) and all(
        0 <= n < size for n, size in zip(numbers, shape, strict=True)
    )
    if not inside:
        sizes = "x".join(map(str, shape))
        raise ArgumentError(f"there is no cell {','.join(map(str, numbers))} in {sizes}")
    return int(np.ravel_multi_index(tuple(numbers), shape))


def _turns(results: Array) -> Array:
    """Return where the sign is another than that of the last result that had one."""
    signs = np.sign(np.nan_to_num(results.astype(np.float64), nan=0.0))
    (signed,) = np.nonzero(signs)
    turned = np.zeros(results.size, bool)
    turned[signed[1:]] = signs[signed[1:]] != signs[signed[:-1]]
    return turned
