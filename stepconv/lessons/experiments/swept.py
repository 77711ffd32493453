"""A small sweep: a training again and again, with more pictures, changed ones, other seeds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.sweep.results import Group

# Who turns the page and comes back waits for the sweep that runs already.
_ONE_AT_A_TIME = Lock()


class Swept(NamedTuple):
    """What a sweep came to: runs that differ in their seeds alone, and the option to draw along."""

    groups: list[Group]
    along: str


def swept(name: str, **choices: Any) -> Group:
    """Return the runs of a sweep with these choices: their `mean`, their `spread`."""
    found = [each for each in results(name).groups if dict(each.choices) == choices]
    if not found:
        known = "; ".join(
            ", ".join(f"{key}={value}" for key, value in each.choices)
            for each in results(name).groups
        )
        raise ArgumentError(f"sweep {name!r} has no runs of {choices}: {known} fit")
    return found[0]


def results(name: str) -> Swept:
    """Return what an experiment comes to, run on the spot: the same numbers every time."""
    with _ONE_AT_A_TIME:
        return _results(name)


@cache
def _results(name: str) -> Swept:
    from stepconv.sweep import experiment, results, trial

    if name not in experiment.SHIPPED:
        raise ArgumentError(f"sweep {name!r} is not known: {', '.join(experiment.SHIPPED)} fit")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = trial.Place(Path(folder))
        for training in experiment.read(experiment.SHIPPED[name]):
            outcome = trial.attempt(training, place)
            if outcome.status == "stopped":
                raise KeyboardInterrupt
            if outcome.status != "finished":
                raise ArgumentError(f"sweep {name}, {training.name}: {outcome.told}")
        runs = results.read([place.results])
    names = results.varied(runs)
    return Swept(results.grouped(runs, names), results.numeric(runs, names) or names[0])
