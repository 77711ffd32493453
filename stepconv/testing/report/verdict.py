"""The report of a check: whether a function is right, how it was read, and what its slip is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepconv.testing.evidence import Evidence
from stepconv.testing.forms.reading import Reading
from stepconv.testing.sketches import Case


@dataclass(frozen=True)
class Report:
    """What came of a check; without a failure the function is right as far as it was asked.

    `form` says how the function was read, `slip` what its mistake looks like, and `case` is the
    smallest call that shows it. `stages` tells for each kind of call how many were right, of all.
    """

    op: str
    target: str
    form: str
    reading: Reading
    evidence: tuple[Evidence, ...]
    failure: Evidence | None
    slip: str
    slip_name: str
    remarks: tuple[str, ...]
    tested: tuple[str, ...]
    untested: tuple[str, ...]
    unknown: tuple[str, ...]
    seed: int

    @property
    def right(self) -> bool:
        """Whether every call gave what it should."""
        return self.failure is None

    @property
    def case(self) -> Case | None:
        """The smallest call that went wrong."""
        return None if self.failure is None else self.failure.case

    @property
    def calls(self) -> int:
        """The number of calls that were judged."""
        return len(self.evidence)

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.target.rpartition(":")[2]

    @property
    def stages(self) -> Mapping[str, tuple[int, int]]:
        """How many calls of each kind were right, and how many there were."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.evidence:
            right, of = found.get(one.case.stage, (0, 0))
            found[one.case.stage] = right + (not one.wrong), of + 1
        return found

    @property
    def points(self) -> float:
        """The share of calls that were right, between 0 and 1."""
        right = sum(not one.wrong for one in self.evidence)
        return round(right / len(self.evidence), 3) if self.evidence else 0.0

    @property
    def dtype(self) -> str:
        """The type of the numbers that the function returned."""
        kinds = {got.dtype.name for one in self.evidence for got in one.got[:1]}
        return ", ".join(sorted(kinds))

    def __str__(self) -> str:
        from stepconv.testing.report.words import lines

        return "\n".join(lines(self))

    def __rich__(self) -> str:
        from stepconv.testing.report.words import lines

        # Square brackets mark a number here, and are no markup.
        return "\n".join(lines(self)).replace("[", "\\[")

    def _repr_html_(self) -> str:
        from stepconv.testing.report.page import fragment

        return fragment(self)
