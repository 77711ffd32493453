"""The homework of a class: every file of a folder judged, and the same slips put together."""

from __future__ import annotations

import ast
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stepconv.errors import ArgumentError, StepconvError
from stepconv.testing.checks import check
from stepconv.testing.forms import names
from stepconv.testing.forms.courses import FORMS
from stepconv.testing.report.verdict import Report

# What a function of these operations is usually called.
_CALLED = {"sliding": "conv|corr|filter", "pooling": "pool", "pad": "pad", "flip": "flip|rot"}


@dataclass(frozen=True)
class Grade:
    """One file: its report, or why there is none."""

    file: Path
    report: Report | None
    error: str = ""

    @property
    def verdict(self) -> str:
        """The verdict in a word."""
        if self.report is None:
            return "cannot run"
        return "right" if self.report.right else "wrong"

    @property
    def reason(self) -> str:
        """What is to be said of it, in a line."""
        if self.report is None:
            return self.error
        failure = self.report.failure
        return "" if failure is None else self.report.slip or failure.wrong


def grade(
    folder: Path,
    op: str,
    *,
    function: str | None = None,
    heard: Callable[[Grade], None] = lambda grade: None,
    **options: Any,
) -> list[Grade]:
    """Return a grade for each file of a folder, in the order of their names.

    `function` is what to look for in each; without it, what is named as such a function usually
    is. `heard` is told of each grade as it comes. The options are those of `check`.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".ipynb"))
    if not files:
        raise ArgumentError(f"{folder} has no .py or .ipynb files")
    # Everybody is judged on the same numbers.
    if options.get("seed") is None:
        options["seed"] = secrets.randbelow(2**32)
    judged = partial(_graded, op=op, function=function, options=options)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        grades = []
        for each in pool.map(judged, files):
            heard(each)
            grades.append(each)
    return grades


def _graded(file: Path, *, op: str, function: str | None, options: dict[str, Any]) -> Grade:
    try:
        name = function or likely(file, op)
        return Grade(file, check(f"{file}:{name}", op, **options))
    except StepconvError as error:
        return Grade(file, None, str(error))
    except OSError as error:
        return Grade(file, None, f"{error.filename}: {error.strerror}")


def likely(file: Path, op: str) -> str:
    """Return the function or class of a file that is likely to be this operation."""
    text = file.read_text("utf-8", errors="replace")
    if file.suffix == ".ipynb":
        found = re.findall(r"(?:def|class) +(\w+)", text)
    else:
        try:
            body = ast.parse(text).body
        except SyntaxError as error:
            raise ArgumentError(f"{file}: SyntaxError: {error.msg} (line {error.lineno})") from None
        kinds = (ast.FunctionDef, ast.ClassDef)
        found = [node.name for node in body if isinstance(node, kinds)]
    found = [name for name in found if not name.startswith("_")]
    usual = _CALLED.get(names.family(op), op.removesuffix("-backward").replace("-", "_"))
    back = op.endswith("-backward")
    there = [name for name in found if ("back" in name.lower()) == back] or found
    forms = [form for form in FORMS if form.functions]
    known = [n for n in there if any(f.fits(op, n, set(f.needs.split())) for f in forms)]
    named = [n for n in there if re.search(usual, n, re.IGNORECASE)]
    if not found:
        raise ArgumentError(f"{file} has no function")
    return str((known or named or found[-1:])[0])


def grouped(grades: Sequence[Grade]) -> Iterator[tuple[str, list[Grade]]]:
    """Yield each slip with those who made it, the most frequent first."""
    found: dict[str, list[Grade]] = {}
    for each in grades:
        if each.report is not None and each.report.slip:
            found.setdefault(each.report.slip, []).append(each)
    yield from sorted(found.items(), key=lambda item: -len(item[1]))
