"""Rows of a table of faults: a few are tried at once, all of them by the slow tests."""

from collections.abc import Iterable
from typing import Any

import pytest


def mostly_slow(rows: Iterable[Any], each: int = 5) -> list[Any]:
    """Mark all rows but every so-manieth as slow."""
    made = []
    for number, row in enumerate(rows):
        given = row if isinstance(row, tuple) else (row,)
        marks = () if number % each == 0 else (pytest.mark.slow,)
        made.append(pytest.param(*given, marks=marks, id=str(number)))
    return made
