"""A slip, and when it explains what was seen: every call, and with more than one telling number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import StepconvError
from stepconv.testing.evidence import Evidence

Array = NDArray[Any]
# Makes a call with the slip: the wrong result, or None where the slip changes nothing.
Make = Callable[[Evidence], Array | None]

# One number may be so by chance.
_TELLING = 2
# A slip that does not fit a call breaks in as many ways as NumPy has.
_BREAKS = (StepconvError, ValueError, IndexError, TypeError, ZeroDivisionError)


@dataclass(frozen=True)
class Slip:
    """A mistake that has a name: what it is, where it can be made, and how it is made."""

    name: str
    says: str
    ops: str
    result: int
    make: Make

    def possible(self, op: str, number: int) -> bool:
        """Tell whether this result of an operation can suffer from it."""
        return number == self.result and re.fullmatch(self.ops, op) is not None


SLIPS: list[Slip] = []


def slip(name: str, says: str, ops: str, result: int = 0) -> Callable[[Make], Make]:
    """Register a function as a slip of these operations, a pattern of their names."""

    def registered(make: Make) -> Make:
        SLIPS.append(Slip(name, says, ops, result, make))
        return make

    return registered


def explained(evidence: Sequence[Evidence], number: int) -> Slip | None:
    """Return the first slip that gives every result that came, the right ones included."""
    seen = [one for one in evidence if number < len(one.got) or one.answer.error]
    # Wrong ones first: most theories end there.
    seen.sort(key=lambda one: (number not in one.bad, one.size))
    for each in SLIPS:
        if each.possible(evidence[0].op, number) and fits(each, seen, number):
            return each
    return None


def fits(each: Slip, seen: Sequence[Evidence], number: int, least: int = _TELLING) -> bool:
    """Tell whether a slip explains all of the evidence, and so many telling numbers at least."""
    telling = 0
    with np.errstate(all="ignore"):
        for one in seen:
            try:
                made = each.make(one)
            except _BREAKS:
                made = np.zeros((0,) * 9)  # it breaks, as the function should
            wrong = one.expected[number] if made is None else np.asarray(made)
            if one.answer.error:
                if made is None or _alike(one, number, wrong, one.expected[number]):
                    return False
                continue
            if not _alike(one, number, wrong, one.got[number]):
                return False
            if number in one.bad:
                telling += _telling(wrong, one.expected[number])
    return telling >= least


def _alike(one: Evidence, number: int, made: Array, got: Array) -> bool:
    if made.shape != got.shape:
        return made.size == got.size == 0  # whoever finds no window may break or return nothing
    near = 1e-5 if got.dtype == np.float32 or one.unit > 1e-10 else 1e-6
    # The smallest of all numbers have few digits.
    most = max(float(one.most[number].max(initial=0)) * max(one.unit, 1e-12), 1e-300)
    return bool(np.isclose(got.astype(float), made, rtol=near, atol=most, equal_nan=True).all())


def _telling(wrong: Array, expected: Array) -> int:
    if wrong.shape != expected.shape:
        return wrong.size
    return int((wrong != expected).sum())
