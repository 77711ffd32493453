"""Hold a function of somebody else's against the engine, call by call."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, closest
from stepconv.testing import suspects
from stepconv.testing.calls import Call
from stepconv.testing.cases import TASKS, Case, Task, cases
from stepconv.testing.load import ALIASES, Answer, Guest, GuestError

Array = NDArray[Any]

# Rounding in each type, as a share of the largest number: loops may add in any order.
_CLOSE = {"float32": 1e-4, "float64": 1e-9}


@dataclass(frozen=True)
class Failure:
    """The first call that went wrong: what was called, what was wrong, and what it looks like."""

    case: Case
    said: str
    result: str = ""
    expected: Array | None = None
    got: Array | None = None
    place: tuple[int, ...] | None = None
    suspicion: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a check; without a failure the function is right as far as it was asked."""

    op: str
    target: str
    calls: int
    failure: Failure | None
    untested: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether every call gave what it should."""
        return self.failure is None


def check(
    target: str,
    op: str,
    *,
    rank: int = 2,
    seconds: float = 10.0,
    forbidden: Sequence[str] = (),
    **fixed: Any,
) -> Verdict:
    """Hold `FILE.py:function` against an operation of stepconv.

    The function is asked with the options that it has arguments for; what is `fixed`, such as
    count_include_pad=True, holds for every call, whether it has an argument for it or not. It runs
    in a process of its own, and no call may take longer than `seconds`; packages that are
    `forbidden`, and stepconv, cannot be imported there.
    """
    if op not in TASKS:
        hint = closest(op, TASKS, f"one of {', '.join(TASKS)} fits")
        raise ArgumentError(f"op={op!r} is not known: {hint}")
    task = TASKS[op]
    for name in fixed:
        if name not in inspect.signature(task.function).parameters:
            raise ArgumentError(f"{name} has no place here: {op} has none")
    with Guest(target, ("stepconv", *forbidden), seconds) as guest:
        binding = _Binding(guest, task)
        failure, calls, remarks = None, 0, dict[str, None]()
        for case in cases(op, rank, binding.options - set(fixed), fixed):
            calls += 1
            positional, keywords = binding.arguments(case.call)
            answer = guest.call(positional, keywords, several=len(task.results) > 1)
            failure = _failure(task, op, case, answer, binding)
            if failure is not None:
                break
            remarks |= dict.fromkeys(_remarks(task, answer))
        if guest.printed:
            remarks["it prints"] = None
        remarks |= dict.fromkeys(f"it uses {name}" for name in guest.used)
    untested = tuple(name for name in binding.untested if name not in fixed)
    return Verdict(op, target, calls, failure, untested, tuple(remarks))


class _Binding:
    """Which of our arguments the function takes, and under which names."""

    def __init__(self, guest: Guest, task: Task) -> None:
        self.positional = task.positional
        wanted = len(self.positional)
        kinds = {kind for _, kind, _ in guest.parameters}
        ordered = [name for name, kind, _ in guest.parameters if kind.startswith("POSITIONAL")]
        if len(ordered) < wanted and "VAR_POSITIONAL" not in kinds:
            raise GuestError(
                f"{guest.target} cannot be called with {', '.join(self.positional)}: "
                f"its arguments are {', '.join(ordered) or 'none'}"
            )
        # Name and whether it may be left out, of all that can be given by name.
        free = {
            name: optional
            for name, kind, optional in guest.parameters
            if kind in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY") and name not in ordered[:wanted]
        }
        every = inspect.signature(task.function).parameters
        ours = [n for n in every if n not in (*self.positional, "backend", "algorithm")]
        self.names: dict[str, str] = {}
        for name in ours:
            known = [called for called in (name, *ALIASES.get(name, ())) if called in free]
            if known or "VAR_KEYWORD" in kinds:
                self.names[name] = known[0] if known else name
        lacking = {n for n, optional in free.items() if not optional} - set(self.names.values())
        if lacking:
            raise GuestError(
                f"{guest.target} needs {', '.join(sorted(lacking))}, which nobody gives it: "
                f"{', '.join(ours) or 'no options'} fit"
            )
        self.untested = tuple(name for name in ours if name not in self.names)

    @property
    def options(self) -> frozenset[str]:
        """The options that the function takes, by our names."""
        return frozenset(self.names)

    def arguments(self, call: Call) -> tuple[list[Any], dict[str, Any]]:
        """Return a call's arguments in order, and the others by the function's own names.

        Usual values are passed as well: what is judged is the operation, not another default.
        """
        given = {**_usual(call), **call.options, **call.arrays}
        keywords = {self.names[n]: value for n, value in given.items() if n in self.names}
        return [given[name] for name in self.positional], keywords

    def array(self, call: Call, number: int) -> str:
        """Return the name of the array that was passed as that one."""
        ordered = [name for name in self.positional if name in call.arrays]
        return [*ordered, *(name for name in call.arrays if name not in ordered)][number]


def _usual(call: Call) -> dict[str, Any]:
    """Return what options are when a call does not name them."""
    return {
        "stride": call.options.get("window", 1),
        "padding": 0,
        "dilation": 1,
        "groups": 1,
        "output_padding": 0,
        "slope": 0.01,
    }


def _failure(task: Task, op: str, case: Case, answer: Answer, binding: _Binding) -> Failure | None:
    if answer.error:
        return Failure(case, answer.error)
    if answer.changed:
        name = binding.array(case.call, answer.changed[0])
        return Failure(case, f"it changed {name}: work on a copy, or write to a new array")
    every = task.answers(case.call)
    if len(answer.results) > len(every) or not answer.results:
        return Failure(case, f"it returned {len(answer.results)} results, not {len(every)}")
    for name, expected, got in zip(task.results, every, answer.results, strict=False):
        expected = np.asarray(expected)
        if got.shape != expected.shape:
            said = f"its {name} has shape {got.shape}, not {expected.shape}"
        elif not (apart := ~_near(expected, got)).any():
            continue
        else:
            said = f"{apart.sum()} of {apart.size} numbers of its {name} are wrong"
        place = None
        if got.shape == expected.shape:
            place = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
        looks = suspects.suspicion(op, case.call, name, expected, got, _near)
        return Failure(case, said, name, expected, got, place, looks)
    return None


def _near(expected: Array, got: Array) -> Array:
    """Tell for each number whether it is right but for rounding."""
    share = _CLOSE.get(expected.dtype.name, _CLOSE["float64"])
    share = max(share, _CLOSE["float32"]) if got.dtype == np.float32 else share
    scale = max(1.0, float(np.abs(expected.astype(float)).max(initial=0)))
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(got.astype(float) - expected) <= share * scale)


def _remarks(task: Task, answer: Answer) -> list[str]:
    kinds = {kind for kind in answer.kinds if not kind.startswith(("ndarray", "float", "int"))}
    told = [f"it returns {kind}, not an array" for kind in sorted(kinds)]
    left = task.results[len(answer.results) :]
    return [*told, *(f"it returns no {name}" for name in left)]
