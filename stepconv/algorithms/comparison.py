"""All ways beside each other: what each costs for an output cell, and what the engine takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stepconv.algorithms.ledger import Counts
from stepconv.algorithms.runs import Run


@dataclass(frozen=True)
class Measured:
    """How long the whole call takes on this machine, and what computed it."""

    seconds: float
    by: str


@dataclass(frozen=True)
class Row:
    """One algorithm of the table: counts are those of its tile, which has so many cells."""

    algorithm: str
    cells: int
    counts: Counts
    error: float
    bound: float
    measured: Measured | None = None

    def a_cell(self, count: float) -> float:
        """Return a count for one output cell."""
        return count / self.cells

    @property
    def hits(self) -> float:
        """The share of touches that found their line in the cache."""
        counts = self.counts
        return counts.cache_hits / max(counts.cache_hits + counts.cache_misses, 1)

    def as_data(self) -> dict[str, Any]:
        """Return the row as plain data."""
        measured = self.measured
        return {
            "algorithm": self.algorithm,
            "cells": self.cells,
            **asdict(self.counts),
            "error": self.error,
            "bound": self.bound,
            "seconds": None if measured is None else measured.seconds,
            "measured_by": None if measured is None else measured.by,
        }


def table(runs: Iterable[Run], measured: Mapping[str, Measured] | None = None) -> list[Row]:
    """Return a row for each run; `measured` says by title what was measured."""
    times = measured or {}
    return [
        Row(
            run.algorithm.title,
            run.task.cells,
            run.counts,
            run.error,
            run.bound,
            times.get(run.algorithm.title),
        )
        for run in runs
    ]
