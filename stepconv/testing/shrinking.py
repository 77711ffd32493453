"""The smallest call that still goes wrong: sizes, planes and options taken away one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stepconv.errors import StepconvError
from stepconv.testing.cases import drawn
from stepconv.testing.evidence import Evidence, Respondent
from stepconv.testing.sketches import Sketch
from stepconv.testing.tasks import TASKS

# So few cells need no shrinking; so many questions are enough.
FEW, _QUESTIONS = 12, 60


def smallest(
    respondent: Respondent,
    failure: Evidence,
    shows: Callable[[Evidence], bool],
    fixed: Mapping[str, Any],
) -> Evidence:
    """Return a call of few cells that goes wrong as `failure` did, as `shows` tells."""
    sketch, asked = failure.case.sketch, 0
    # What is left to chance needs many cells to be seen.
    if sketch is None or TASKS[failure.op].summary is not None or not shows(failure):
        return failure
    best, moved = failure, True
    while moved and asked < _QUESTIONS and best.size > FEW:
        moved = False
        for smaller in _smaller(sketch, TASKS[respondent.reading.op].positional):
            asked += 1
            one = _tried(respondent, smaller, fixed)
            if one is not None and one.answer.over:
                return best
            if one is not None and one.wrong and one.size <= best.size and shows(one):
                best, sketch, moved = one, smaller, True
                break
    return best


def _tried(respondent: Respondent, sketch: Sketch, fixed: Mapping[str, Any]) -> Evidence | None:
    try:
        case = drawn(respondent.reading, sketch, fixed, np.random.default_rng(3))
        return None if case is None else respondent.ask(case)
    except StepconvError:
        return None  # such a call does not exist


def _smaller(sketch: Sketch, needed: Sequence[str]) -> Iterator[Sketch]:
    """Yield sketches with one thing less, what takes most away first."""
    for place, count in enumerate(sketch.planes):
        for less in sorted({1, count - 1}):
            if 0 < less < count:
                yield replace(sketch, planes=_put(sketch.planes, place, less))
    for name in set(sketch.options) - set(needed):
        yield replace(sketch, options={n: v for n, v in sketch.options.items() if n != name})
    for place, side in enumerate(sketch.x):
        for less in sorted({side // 2, side - 1}):
            if 0 < less < side:
                yield replace(sketch, x=_put(sketch.x, place, less))
    for place, side in enumerate(sketch.window):
        if side > 1:
            yield replace(sketch, window=_put(sketch.window, place, side - 1))
    if sketch.numbers not in ("integers", "negative", "ties", "uint8"):
        yield replace(sketch, numbers="integers")


def _put(values: tuple[int, ...], place: int, value: int) -> Any:
    return (*values[:place], value, *values[place + 1 :])
