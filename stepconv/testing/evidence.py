"""What came of one call: what was asked, what should have come, and what did."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing import closeness
from stepconv.testing.forms.reading import Reading
from stepconv.testing.guest.host import Answer, Guest
from stepconv.testing.sketches import Case
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]


@dataclass(frozen=True)
class Evidence:
    """One call and its answer, in our own layout; `wrong` says what is the matter, if anything."""

    case: Case
    expected: tuple[Array, ...]
    got: tuple[Array, ...]
    answer: Answer
    changed: str = ""
    op: str = ""

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What is worked out once for all theories."""
        return {}

    @property
    def given(self) -> dict[str, Array]:
        """The arrays of the call, in our layout."""
        return self.case.call.arrays

    @property
    def size(self) -> int:
        """The cells of the input."""
        return next(iter(self.case.call.arrays.values())).size

    @property
    def unit(self) -> float:
        """The rounding unit of this call."""
        return closeness.unit_of(self.case.call)

    @cached_property
    def most(self) -> tuple[Array, ...]:
        """How many rounding units each number of each result may be off."""
        return closeness.bound(TASKS[self.op], self.case.call)

    def apart(self, number: int, unit: float | None = None) -> Array:
        """Tell which numbers of a result differ from what should have come."""
        expected, got = self.expected[number], self.got[number]
        if np.array_equal(expected, got):
            return np.zeros(expected.shape, bool)
        # Right in float32 alone is remarked, and no mistake.
        unit = max(self.unit, closeness.SINGLE) if unit is None else unit
        return closeness.apart(expected, got, self.most[number], unit)

    @cached_property
    def bad(self) -> tuple[int, ...]:
        """The results that are wrong, by their numbers."""
        found = []
        for number, (expected, got) in enumerate(zip(self.expected, self.got, strict=False)):
            if got.shape != expected.shape or self.apart(number).any():
                found.append(number)
        return tuple(found)

    @cached_property
    def wrong(self) -> str:
        """What is the matter, in words; empty if the call was right."""
        names = TASKS[self.op].results
        if self.answer.error:
            return self.answer.error
        if self.changed:
            return f"it changed {self.changed}: work on a copy, or write to a new array"
        least = len(names) - ("grad_bias" in names)
        if len(names) == 3 and len(self.got) == 1:
            first, second, _ = names
            return f"it returned one gradient: {first} and {second} should come, in this order"
        if not least <= len(self.got) <= len(names):
            return f"it returned {len(self.got)} result{'s' * (len(self.got) != 1)}, not {least}"
        if self.bad:
            number = self.bad[0]
            expected, got, name = self.expected[number], self.got[number], names[number]
            if got.shape != expected.shape:
                return f"its {name} has shape {got.shape}, not {expected.shape}"
            apart = self.apart(number)
            return f"{apart.sum()} of {apart.size} numbers of its {name} are wrong"
        if self.answer.shared and self.op != "flip" and not TASKS[self.op].in_place:
            return "its result is a view of its input, and changes with it"
        return ""

    @property
    def digits_lost(self) -> bool:
        """Whether the numbers are right in float32 alone, though the arrays have more digits."""
        return any(
            self.apart(number, unit=self.unit).any()
            for number in range(len(self.got))
            if number not in self.bad and self.got[number].shape == self.expected[number].shape
        )


@dataclass
class Respondent:
    """A guest that is asked by one reading."""

    guest: Guest
    reading: Reading

    def ask(self, case: Case) -> Evidence:
        """Make the call, and return what came of it."""
        task, reading = TASKS[self.reading.op], self.reading
        expected = task.answers(case.call)
        shapes = tuple(each.shape for each in expected)
        recipe, arrays, places = reading.recipe(case.call, shapes, case.layout)
        answer = self.guest.call(recipe, arrays)
        kept = answer.error or task.in_place
        changed = "" if kept else _changed(reading, arrays, places, answer)
        return Evidence(
            case,
            expected,
            () if answer.error else task.judged(case.call, reading.answers(answer, shapes)),
            answer,
            changed,
            reading.op,
        )


def _changed(reading: Reading, arrays: list[Array], places: list[str], answer: Answer) -> str:
    """Return the parameter whose array is no longer what it was."""
    for place, was, now in zip(places, arrays, answer.left, strict=True):
        same = now.shape == was.shape and now.dtype == was.dtype
        same = same and np.array_equal(now, was, equal_nan=now.dtype.kind == "f")
        if place != "out" and not same:
            slot = reading.slots.get(place)
            return slot.parameter if slot else place
    return ""


def first_place(evidence: Evidence, number: int) -> tuple[int, ...] | None:
    """Return where the first wrong number of a result is, if the shape is right."""
    expected, got = evidence.expected[number], evidence.got[number]
    if got.shape != expected.shape:
        return None
    apart = evidence.apart(number)
    return tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
