"""A sweep as it goes: each training in a line, how many are done, the best, the time left."""

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from stepconv.cli import terminal

if TYPE_CHECKING:
    from stepconv.sweep.trial import Outcome


def followed(
    outcomes: "Iterable[Outcome]", before: "Sequence[Outcome]", total: int, quiet: bool
) -> "Iterator[Outcome]":
    """Yield the outcomes and show them; those from `before` are done already."""
    begun, done = perf_counter(), len(before)
    right = [each.test_accuracy for each in before if each.test_accuracy is not None]
    best = max(right, default=0.0)
    console = terminal.stderr()
    if before and not quiet:
        terminal.complain(f"{done} of {total} were done before")
    with console.status("starting …") as status:
        for made, outcome in enumerate(outcomes, 1):
            best = max(best, outcome.test_accuracy or 0.0)
            left = (perf_counter() - begun) / made * (total - done - made)
            status.update(f"{done + made} of {total}, best {best:.2%}, about {_clock(left)} left")
            if not quiet:
                print(f"{outcome.name}: {told(outcome)}", flush=True)
            yield outcome


def told(outcome: "Outcome") -> str:
    """Return how a training ended, in words."""
    if outcome.test_accuracy is not None:
        return f"{outcome.test_accuracy:.2%} in {outcome.seconds:.1f} s"
    return outcome.told or outcome.status


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
