"""Which steps of a record are asked for: `--step 3`, `--steps 0:10`, `--every 4`."""

from collections.abc import Sequence
from typing import Any

from stepconv.errors import ArgumentError


def chosen(
    trace: Sequence[Any], step: int | None, steps: str | None, *, everything: bool, every: int = 1
) -> range:
    """Return the numbers of the steps; where none are asked for, all of them or the first.

    >>> from stepconv.trace import example_trace
    >>> chosen(example_trace("valid-4x4"), None, "1:-1", everything=False)
    range(1, 3)
    """
    if step is not None and steps is not None:
        raise ArgumentError("--step and --steps say two things: give one")
    every_step = range(len(trace))
    if steps is not None:
        first, colon, last = steps.partition(":")
        try:
            bounds = slice(*(int(end) if end else None for end in (first, last)))
        except ValueError:
            colon = ""
        if not colon:
            raise ArgumentError(f"--steps {steps!r} is no range: 0:10, 10: or :10 fits")
        if not every_step[bounds]:
            raise ArgumentError(f"--steps {steps} holds none of the steps 0 to {len(trace) - 1}")
        return every_step[bounds][::every]
    if step is not None:
        if not -len(trace) <= step < len(trace):
            raise ArgumentError(
                f"--step {step} is not in this trace, whose steps are 0 to {len(trace) - 1}"
            )
        number = every_step[step]
        return range(number, number + 1)
    return every_step[::every] if everything else every_step[:1]
