"""Hold a function of somebody else's against the engine, call by call."""

from __future__ import annotations

import importlib
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, closest
from stepconv.testing.cases import cases, drawn, thought_out
from stepconv.testing.evidence import Evidence, Respondent
from stepconv.testing.forms import finding
from stepconv.testing.forms.reading import Reading
from stepconv.testing.guest import acts
from stepconv.testing.guest.host import Answer, Guest, GuestError
from stepconv.testing.report.verdict import Report
from stepconv.testing.shrinking import FEW, smallest
from stepconv.testing.sketches import Sketch
from stepconv.testing.slips import conditions, theory
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]

# Each file of slips registers its own.
_FAMILIES = (
    "training",
    "kernels",
    "borders",
    "steps",
    "channels",
    "gradients",
    "pools",
    "pool_gradients",
)
for _family in (*_FAMILIES, "cells", "numbers"):
    importlib.import_module(f"stepconv.testing.slips.{_family}")

# Calls that tell a reading from another: the sizes of their axes differ, but for the first two,
# which are as simple as can be.
_PROBES = (
    Sketch("the simplest probe", (4, 4), (2, 2), planes=(1, 1, 1)),
    Sketch("a simple probe", (5, 5), (3, 3), planes=(1, 2, 4)),
    Sketch("a probe", (6, 7), (3, 3), planes=(2, 3, 5)),
    Sketch("another probe", (5, 8), (3, 2), planes=(3, 2, 6)),
)
# After so many wrong calls enough is known.
_ENOUGH = 40


@dataclass
class Here:
    """A function that is called in this very process, as in a notebook."""

    function: Callable[..., Any]
    told: dict[str, Any] = field(default_factory=dict)
    printed: bool = False
    used: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """Its module and name."""
        module = getattr(self.function, "__module__", None) or ""
        return f"{module}:{getattr(self.function, '__qualname__', 'function')}".replace(
            "<locals>.", ""
        )

    def __enter__(self) -> Here:
        self._module = sys.modules.get(getattr(self.function, "__module__", "")) or ModuleType("")
        name = getattr(self.function, "__name__", "function")
        try:
            self.told = acts.describe(self.function, self._module, name)
        except acts.Unfit as error:
            raise GuestError(f"{name}: {error}") from None
        return self

    def __exit__(self, *_: object) -> None: ...

    def call(self, recipe: dict[str, Any], arrays: Sequence[Array]) -> Answer:
        """Do what a recipe says with these arrays."""
        copies = [array.copy() for array in arrays]
        told, every = acts.answer(self.function, self._module, recipe, copies, None)
        if "error" in told:
            return Answer(error=told["error"])
        count = told["results"]
        return Answer(
            tuple(every[:count]),
            tuple(told["kinds"]),
            tuple(every[count:]),
            told["shared"],
            told["of"] > count,
        )


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know: which operation, in which form and rank, with what fixed."""

    op: str
    rank: int | None = None
    form: str | None = None
    seed: int | None = None
    fixed: dict[str, Any] = field(default_factory=dict)


def check(
    target: str | Callable[..., Any],
    op: str = "correlate",
    *,
    rank: int | None = None,
    form: str | None = None,
    seconds: float = 10.0,
    memory: int = 1024,
    forbidden: Sequence[str] = (),
    seed: int | None = None,
    **fixed: Any,
) -> Report:
    """Hold a function, or `FILE.py:function`, against an operation of stepconv.

    It is asked with the options that it has arguments for; what is `fixed`, such as
    count_include_pad=True, holds for every call, whether it has an argument for it or not. How it
    wants to be called is found out, unless `form` or `rank` say it. What a file holds runs in a
    process of its own, of so many `seconds` for each call and MiB of `memory`; packages that are
    `forbidden`, and stepconv, cannot be imported there. A function itself is called here.

    >>> import numpy as np
    >>> report = check(lambda x, w: np.convolve(x, w, "valid"), "correlate", rank=1)
    >>> report.right, report.slip
    (False, 'the kernel was mirrored: this is a convolution')
    """
    if op not in TASKS:
        hint = closest(op, TASKS, f"one of {', '.join(TASKS)} fits")
        raise ArgumentError(f"op={op!r} is not known: {hint}")
    for name in fixed:
        if name not in (*TASKS[op].positional, *TASKS[op].options):
            raise ArgumentError(f"{name} has no place here: {op} has none")
    if "numpy" in forbidden:
        raise ArgumentError("numpy cannot be forbidden: the arrays of every call are NumPy's")
    if not isinstance(target, str):
        return _judged(lambda: Here(target), Asked(op, rank, form, seed, fixed))
    return _judged(
        lambda: Guest(target, tuple(forbidden), seconds, memory),
        Asked(op, rank, form, seed, fixed),
    )


def assert_matches(target: str | Callable[..., Any], op: str = "correlate", **options: Any) -> None:
    """Raise an AssertionError with the whole report unless `check` finds the function right."""
    report = check(target, op, **options)
    assert report.right, f"\n{report}"


def _judged(invite: Callable[[], Any], asked: Asked) -> Report:
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    with invite() as guest:
        every = finding.readings(guest.told, asked.op, guest.target, asked.rank, asked.form)
        reading = _reading(guest, every, asked)
        respondent = Respondent(guest, reading)
        evidence = _evidence(respondent, asked, seed)
        graded = [one for one in evidence if one.case.graded]
        wrong = [one for one in graded if one.wrong]
        name, slip = _slip(graded, reading) if wrong else ("", "")
        over = any(one.answer.over for one in evidence)
        if wrong and not slip and not over:
            name, slip = _alone(invite, reading, wrong)
        failure = _simplest(wrong) if wrong else None
        if failure is not None and not over and name not in ("state", "random"):
            failure = smallest(respondent, failure, _shows(name, failure), asked.fixed)
        remarks = _remarks(evidence, guest, reading)
    hint = _hint(invite, asked, wrong) if failure is not None and not slip else ""
    known = reading.options
    return Report(
        *(asked.op, guest.target),
        _form(reading, graded),
        reading,
        tuple(graded),
        failure,
        slip,
        name,
        (*remarks, *([hint] if hint else [])),
        tuple(n for n in TASKS[asked.op].options if n in known),
        tuple(n for n in TASKS[asked.op].options if n not in known and n not in asked.fixed),
        reading.unknown,
        seed,
    )


# How it is called.


def _reading(guest: Any, every: Sequence[Reading], asked: Asked) -> Reading:
    """Return the reading by which the function is right on two calls, or comes nearest."""
    seen: dict[Any, list[Evidence]] = {}

    def score(reading: Reading) -> tuple[float, bool]:
        layout = reading.form.layout
        before = seen.get(layout)
        if before is not None and not _unclear(before, reading):
            return -1, False
        random = np.random.default_rng(11)
        told: list[Evidence] = []
        for probe in _probes(asked.op):
            case = drawn(reading, probe, asked.fixed, random)
            # What breaks twice breaks a third time.
            if case is not None and sum(bool(one.answer.error) for one in told) < 2:
                told.append(Respondent(guest, reading).ask(case))
        seen.setdefault(layout, told)
        if not told:
            return -1, False
        points = sum(map(_nearness, told)) / len(told)
        return points, any(one.answer.over for one in told)

    return finding.choose(every, score)


def _unclear(before: Sequence[Evidence], reading: Reading) -> bool:
    """Tell whether a layout that was tried may be spelt otherwise, by its first answers."""
    errors = [one.answer.error for one in before]
    # A pair that breaks is nothing that it was made for; one that gives wrong numbers is.
    broken = "TypeError" if reading.loose != "loose" else "Error"
    return any(broken in error for error in errors)


def _probes(op: str) -> tuple[Sketch, ...]:
    if TASKS[op].axes:
        return thought_out(op)[:4]
    if op.startswith("pad"):
        return tuple(replace(probe, options={"padding": 1}) for probe in _PROBES)
    return _PROBES


def _nearness(one: Evidence) -> int:
    if one.answer.error or not one.got:
        return 0
    expected, got = one.expected[0].shape, one.got[0].shape
    if expected == got:
        # Where layouts cannot be told by shapes, the numbers tell them.
        return finding.SHAPE if not (TASKS[one.op].axes and one.bad) else finding.NEAR
    if sorted(expected) == sorted(got):
        return 2 * finding.AXES
    return finding.AXES if len(expected) == len(got) else finding.SOME


def _form(reading: Reading, evidence: Sequence[Evidence]) -> str:
    several = any(one.answer.several for one in evidence)
    course = f" ({reading.form.course}: {reading.form.name})" if reading.form.course else ""
    return reading.says(several) + course


# What came.


def _evidence(respondent: Respondent, asked: Asked, seed: int) -> list[Evidence]:
    """Ask everything, and the first calls again at the end: what came must not depend on order."""
    found: list[Evidence] = []
    random = np.random.default_rng(seed)
    for case in cases(respondent.reading, asked.fixed, random):
        found.append(respondent.ask(case))
        if found[-1].answer.over or sum(bool(one.wrong) for one in found) > _ENOUGH:
            return found
    if not any(one.wrong for one in found):
        for one in (*found[:4][::-1], found[-3]):
            again = replace(one.case, stage="again", about=f"{one.case.about}, asked again")
            found.append(respondent.ask(again))
    return found


def _slip(evidence: Sequence[Evidence], reading: Reading) -> tuple[str, str]:
    """Return the name and the words of the slip that explains all that went wrong."""
    wrong = [one for one in evidence if one.wrong]
    shared = [one.answer.shared and not one.bad and not one.answer.error for one in wrong]
    if any(one.changed for one in wrong) and all(
        one.changed or view for one, view in zip(wrong, shared, strict=True)
    ):
        return "in-place", "it works in place: what it is given has other numbers afterwards"
    if all(shared):
        return "view", "it returns its input, or a view of it: what changes one changes both"
    if all("one gradient" in one.wrong for one in wrong):
        second = TASKS[reading.op].results[1]
        return f"{second.replace('_', '-')}-missing", f"{second} is missing: one gradient came"
    answered = [one for one in wrong if one.got]
    numbers = sorted({number for one in answered for number in one.bad})
    found = [theory.explained(evidence, number) for number in numbers]
    if numbers and all(found):
        every = {each.says: each for each in found if each is not None}
        return " and ".join({each.name: None for each in every.values()}), " and ".join(every)
    return conditions.condition(evidence, reading.form.x) or ("", "")


def _simplest(wrong: Sequence[Evidence]) -> Evidence:
    """Return the call to show: the first that is small and gives numbers, if there is one."""
    telling = [one for one in wrong if one.got and one.got[0].size > 1] or wrong
    small = [one for one in telling if one.size <= FEW]
    return small[0] if small else min(telling, key=lambda one: one.size)


def _alone(
    invite: Callable[[], Any], reading: Reading, wrong: Sequence[Evidence]
) -> tuple[str, str]:
    """Ask a failing call alone in fresh processes: what is right there remembers too much."""
    case = wrong[0].case
    told = []
    for _ in range(2):
        with invite() as guest:
            if isinstance(guest, Here):
                return "", ""
            respondent = Respondent(guest, reading)
            told.append(respondent.ask(case))
            again = respondent.ask(case)
            if told[0].wrong and not again.answer.error and not _same(told[-1], again):
                break
    if not told[0].wrong:
        return "state", "it remembers earlier calls: alone this call is right"
    if told[0].got and not (_same(told[0], told[-1]) and _same(told[-1], again)):
        return "random", "it is left to chance: the same call gives other numbers each time"
    return "", ""


def _same(one: Evidence, other: Evidence) -> bool:
    pairs = zip(one.got, other.got, strict=False)
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


def _shows(name: str, failure: Evidence) -> Callable[[Evidence], bool]:
    """Return whether another call fails in the same way."""
    slips = [each for each in theory.SLIPS if each.name in name.split(" and ")]

    def shows(one: Evidence) -> bool:
        if bool(one.answer.error) != bool(failure.answer.error) or one.changed != failure.changed:
            return False
        if not slips:
            return bool(one.wrong)
        return any(
            each.possible(one.op, number) and theory.fits(each, [one], number, least=1)
            for each in slips
            for number in one.bad
        )

    return shows


def _hint(invite: Callable[[], Any], asked: Asked, wrong: Sequence[Evidence]) -> str:
    """Tell which other rank the function would be right for, if there is one."""
    if asked.rank is None or wrong[0].answer.over:
        return ""
    with invite() as guest:
        every = finding.readings(guest.told, asked.op, guest.target)
        other = _reading(guest, every, replace(asked, rank=None))
        case = drawn(other, _probes(asked.op)[0], asked.fixed, np.random.default_rng(11))
        if other.rank == asked.rank or case is None or Respondent(guest, other).ask(case).wrong:
            return ""
    return f"it is right as a layer or signal of another rank: try --rank {other.rank}"


def _remarks(evidence: Sequence[Evidence], guest: Any, reading: Reading) -> tuple[str, ...]:
    """Return what is worth knowing, and no mistake."""
    told: dict[str, None] = {}
    right = not any(one.wrong for one in evidence if one.case.graded)
    for one in evidence:
        kinds = one.answer.kinds
        kinds = tuple(k for k in kinds if not k.startswith(("ndarray", "float", "int", "bool")))
        told |= dict.fromkeys(f"it returns {kind}, not an array" for kind in sorted(set(kinds)))
        names = TASKS[one.op].results
        if one.got and not one.wrong:
            told |= dict.fromkeys(f"it returns no {n}" for n in names[len(one.got) :])
        if right and not one.case.graded and one.wrong:
            told[f"{one.case.about} in x give other numbers: {one.wrong}"] = None
    lost = [one for one in evidence if one.case.graded and not one.wrong and one.digits_lost]
    if lost and right:
        told["it computes in float32: 7 digits are right where float64 keeps 16"] = None
    if ("window" in TASKS[reading.op].positional or reading.init) and reading.takes_ints:
        told["it takes whole numbers alone: windows that are not square were not asked for"] = None
    if guest.printed:
        told["it prints"] = None
    return (*told, *(f"it uses {name}" for name in guest.used))
