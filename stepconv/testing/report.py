"""A verdict as people read it, and as data: what was asked, and the first call that went wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.cases import TASKS, Case
from stepconv.testing.checks import Failure, Verdict
from stepconv.trace import record
from stepconv.trace.words import number

Array = NDArray[Any]

# Larger arrays are told by their shape.
_MOST_CELLS = 64
_WIDTH = 78


def lines(verdict: Verdict) -> list[str]:
    """Return the verdict in lines of a terminal."""
    name = verdict.target.rpartition(":")[2]
    told = [f"remark: {name}: {remark}" for remark in verdict.remarks]
    if verdict.untested:
        told.append(f"not asked for, as {name} has no such argument: {', '.join(verdict.untested)}")
    calls = f"{verdict.calls} call{'s' * (verdict.calls != 1)}"
    if verdict.failure is None:
        return [f"right: {name} does what {verdict.op} does, in {calls}", *told]
    failure = verdict.failure
    return [
        f"wrong: {name} is not {verdict.op}: {failure.said}",
        *([f"it looks as if {failure.suspicion}"] if failure.suspicion else []),
        "",
        f"call {verdict.calls}, {failure.case.about}: {name}({_arguments(failure.case)})",
        *_pictures(failure),
        *_worked(verdict.op, failure),
        *(["", *told] if told else []),
    ]


def as_data(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as plain data."""
    failure = verdict.failure
    return {
        "function": verdict.target,
        "op": verdict.op,
        "right": verdict.right,
        "calls": verdict.calls,
        "remarks": list(verdict.remarks),
        "not_asked": list(verdict.untested),
        "failure": None if failure is None else _failure_data(failure),
    }


def _failure_data(failure: Failure) -> dict[str, Any]:
    arrays = {name: array.tolist() for name, array in failure.case.call.arrays.items()}
    return {
        "about": failure.case.about,
        "said": failure.said,
        "suspicion": failure.suspicion,
        "arrays": arrays,
        "options": failure.case.call.options,
        "result": failure.result,
        "expected": None if failure.expected is None else failure.expected.tolist(),
        "got": None if failure.got is None else _finite(failure.got.tolist()),
        "place": failure.place,
    }


def _finite(value: Any) -> Any:
    """Return numbers as JSON has them: NaN and infinity as text."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return value if np.isfinite(value) else str(value)


def _arguments(case: Case) -> str:
    arrays = [f"{name} {_size(array)}" for name, array in case.call.arrays.items()]
    options = [f"{name}={value!r}" for name, value in case.call.options.items()]
    dtype = next(iter(case.call.arrays.values())).dtype
    return ", ".join([*arrays, *options, *([str(dtype)] if dtype != np.int64 else [])])


def _pictures(failure: Failure) -> list[str]:
    """Return the arrays of the call and both results, side by side as long as there is room."""
    given = failure.case.call.arrays
    shown: list[tuple[str, Array, tuple[int, ...] | None]] = [(n, given[n], None) for n in given]
    if failure.expected is not None and failure.got is not None:
        shown += [("it should be", failure.expected, failure.place)]
        shown += [("it is", failure.got, failure.place)]
    rows: list[list[list[str]]] = [[]]
    for title, array, place in shown:
        if array.size > _MOST_CELLS or array.ndim > 2:
            wide = max(len(title), len(_size(array)) + 1)
            drawn = [title.ljust(wide), f" {_size(array)}".ljust(wide)]
        else:
            drawn = _drawn(title, array, place)
        if sum(len(each[0]) + 3 for each in [*rows[-1], drawn]) > _WIDTH and rows[-1]:
            rows.append([])
        rows[-1].append(drawn)
    return [line for row in rows for line in ["", *_abreast(row)]]


def _drawn(title: str, array: Array, place: tuple[int, ...] | None) -> list[str]:
    """Return a title and the numbers below it, all lines of one width, with [ ] at the place."""
    cells = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    texts = [[number(cell) for cell in row] for row in cells]
    wide = max((len(text) for row in texts for text in row), default=1)
    row, column = (0, *place)[-2:] if place else (-1, -1)
    drawn = [title]
    for i, line in enumerate(texts):
        marked = [
            f"[{text:>{wide}}]" if (i, j) == (row, column) else f" {text:>{wide}} "
            for j, text in enumerate(line)
        ]
        drawn.append("".join(marked))
    width = max(map(len, drawn))
    return [line.ljust(width) for line in drawn]


def _abreast(blocks: list[list[str]]) -> list[str]:
    high = max(map(len, blocks))
    filled = [[*each, *[" " * len(each[0])] * (high - len(each))] for each in blocks]
    return ["  " + "   ".join(parts).rstrip() for parts in zip(*filled, strict=True)]


def _worked(op: str, failure: Failure) -> list[str]:
    """Return how the first wrong number is worked out."""
    if failure.place is None or failure.got is None:
        return []
    task, call = TASKS[op], failure.case.call
    gradient = failure.result.removeprefix("grad_") if len(task.results) > 1 else None
    given: dict[str, Any] = {**call.arrays, **call.options}
    trace = record(task.function, **given, gradient=gradient, backend="textbook")
    step = trace.at(*failure.place)
    told = step.in_words().partition(", ")[2]
    return ["", f"{told}; {number(failure.got[failure.place])} came"]


def _size(array: Array) -> str:
    if array.ndim < 2:
        return f"of {array.size}" if array.ndim else "a number"
    return "x".join(map(str, array.shape))
