"""A report in the lines of a terminal: what is wrong, what it looks like, and the smallest call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.evidence import Evidence, first_place
from stepconv.testing.report.pictures import Place, pictures, size
from stepconv.testing.report.snippet import snippet
from stepconv.testing.report.verdict import Report
from stepconv.testing.tasks import TASKS
from stepconv.trace import Trace, record
from stepconv.trace.words import number

Array = NDArray[Any]


def lines(report: Report, *, answers: bool = True) -> list[str]:
    """Return the report; without `answers` it shows no numbers that should have come."""
    name = report.name
    told = [f"taken for: {report.form}"]
    told += [f"remark: {name}: {remark}" for remark in report.remarks]
    if report.unknown:
        told.append(f"NOT tested, as nobody knows what they mean: {', '.join(report.unknown)}")
    if report.untested:
        told.append(f"not asked for, as {name} has no such argument: {', '.join(report.untested)}")
    calls = f"{report.calls} call{'s' * (report.calls != 1)}"
    failure = report.failure
    if failure is None:
        return [f"right: {name} does what {report.op} does, in {calls}", *told]
    wrong = sum(bool(one.wrong) for one in report.evidence)
    head = [
        f"wrong: {name} is not {report.op}: {failure.wrong}",
        *([f"it looks as if {report.slip}"] if report.slip else []),
        f"{wrong} of {calls} went wrong: {_stages(report)}",
    ]
    if not answers:
        return [*head, "", f"shown by: {failure.case.about}", "", *told]
    return [
        *head,
        "",
        f"the smallest, {failure.case.about}: {name}({arguments(report, failure)})",
        *pictures(_shown(report, failure)),
        *_worked(report, failure),
        "",
        *told,
        "",
        "the same in Python:",
        "",
        *(f"    {line}".rstrip() for line in snippet(report).splitlines()),
    ]


def _stages(report: Report) -> str:
    told = [f"{stage} {of - right}/{of}" for stage, (right, of) in report.stages.items()]
    return ", ".join(told)


def arguments(report: Report, failure: Evidence) -> str:
    """Return the arguments of a call, arrays by their sizes."""
    arrays = failure.given
    told = [f"{name} {size(array)}" for name, array in arrays.items()]
    told += [f"{name}={value!r}" for name, value in failure.case.call.options.items()]
    if failure.case.layout:
        told.append(f"x {failure.case.layout}")
    dtype = next(iter(arrays.values())).dtype
    return ", ".join([*told, *([str(dtype)] if dtype != np.int64 else [])])


def _shown(report: Report, failure: Evidence) -> list[tuple[str, Array, Place]]:
    shown: list[tuple[str, Array, Place]] = [(n, a, None) for n, a in failure.given.items()]
    if failure.bad:
        bad = failure.bad[0]
        place = first_place(failure, bad)
        shown.append(("it should be", failure.expected[bad], place))
        shown.append(("it is", failure.got[bad], place))
    return shown


def trace_of(report: Report) -> tuple[Trace, tuple[int, ...]] | None:
    """Return the record of the failing call as it should be, and where it is wrong first."""
    failure = report.failure
    if failure is None or not failure.bad:
        return None
    bad, task = failure.bad[0], TASKS[report.op]
    if task.axes:
        return None  # no operation of the engine, and so without a record
    place = first_place(failure, bad)
    if place is None:
        return None
    gradient = task.results[bad].removeprefix("grad_") if len(task.results) > 1 else None
    given: dict[str, Any] = {**failure.given, **failure.case.call.options}
    return record(task.function, **given, gradient=gradient, backend="textbook"), place


def replayed(report: Report) -> tuple[Trace, list[int], str] | None:
    """Return the failing call as it should be, its wrong steps, and what came at the first."""
    made, failure = trace_of(report), report.failure
    if made is None or failure is None:
        return None
    (trace, place), bad = made, failure.bad[0]
    wrong = [trace.at(*map(int, each)).index for each in np.argwhere(failure.apart(bad))]
    got, expected = (number(each[bad][place]) for each in (failure.got, failure.expected))
    return trace, wrong, f"yours: {got}, right: {expected}"


def _worked(report: Report, failure: Evidence) -> list[str]:
    """Return how the first wrong number is worked out."""
    made = trace_of(report)
    if made is None:
        return []
    trace, place = made
    told = trace.at(*place).in_words().partition(", ")[2]
    return ["", f"{told}; {number(failure.got[failure.bad[0]][place])} came"]
