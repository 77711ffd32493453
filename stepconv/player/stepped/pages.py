"""The pages of an algorithm as plain data: one for each step, behind them the table of all ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepconv.algorithms import Row, Step
from stepconv.player.frame.grid import Grid
from stepconv.player.stepped import lines, table


@dataclass(frozen=True, eq=False)
class Page:
    """Page `number` of so many: a step of an algorithm, or without one the table of `rows`."""

    number: int
    steps: int
    algorithm: str
    step: Step | None
    rows: Sequence[Row] = ()

    @property
    def title(self) -> str:
        """What is shown, in a few words."""
        return "side by side" if self.step is None else self.step.title

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The arrays of the step."""
        return () if self.step is None else tuple(map(lines.grid_of, self.step.panels))

    @property
    def spoken(self) -> str:
        """The page in sentences, for those who listen."""
        if self.step is None:
            return " ".join(map(table.row_in_words, self.rows))
        return lines.step_in_words(self.number, self.algorithm, self.step)


def pages(steps: Sequence[tuple[str, Step]], rows: Sequence[Row]) -> list[Page]:
    """Return a page for each step, which its algorithm is beside, and the table as the last."""
    every = len(steps) + 1
    told = [Page(number, every, *each) for number, each in enumerate(steps)]
    return [*told, Page(len(steps), every, "all that suit", None, rows)]
