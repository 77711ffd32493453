"""A report as plain data, as --json prints it."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.testing.evidence import first_place
from stepconv.testing.report.verdict import Report
from stepconv.testing.tasks import TASKS


def as_data(report: Report, *, answers: bool = True) -> dict[str, Any]:
    """Return the report; without `answers` it holds no numbers that should have come."""
    stages = {name: {"right": r, "of": of} for name, (r, of) in report.stages.items()}
    return {
        "function": report.target,
        "op": report.op,
        "right": report.right,
        "form": report.form,
        "calls": report.calls,
        "points": report.points,
        "stages": stages,
        "dtype": report.dtype,
        "tested": list(report.tested),
        "not_asked": list(report.untested),
        "not_understood": list(report.unknown),
        "remarks": list(report.remarks),
        "slip": report.slip_name,
        "suspicion": report.slip,
        "seed": report.seed,
        "failure": _failure(report, answers),
    }


def _failure(report: Report, answers: bool) -> dict[str, Any] | None:
    failure = report.failure
    if failure is None:
        return None
    told: dict[str, Any] = {"about": failure.case.about, "said": failure.wrong}
    if not answers:
        return told
    bad = failure.bad[0] if failure.bad else None
    return told | {
        "options": failure.case.call.options,
        "layout": failure.case.layout,
        "arrays": {name: _finite(array.tolist()) for name, array in failure.given.items()},
        "result": "" if bad is None else TASKS[report.op].results[bad],
        "expected": None if bad is None else _finite(failure.expected[bad].tolist()),
        "got": None if bad is None else _finite(failure.got[bad].tolist()),
        "place": None if bad is None else first_place(failure, bad),
    }


def _finite(value: Any) -> Any:
    """Return numbers as JSON has them: NaN and infinity as text."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return value if np.isfinite(value) else str(value)
