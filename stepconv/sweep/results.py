"""What run folders came to: how right each is, and groups of those that differ by chance alone."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.nn import checkpoint
from stepconv.sweep.trial import RESULT
from stepconv.train.runs import METRICS, MODEL

# What tells trainings apart that are meant to be alike.
CHANCE = "seed"


@dataclass(frozen=True)
class Ran:
    """A run folder: all that was chosen, and what came of it."""

    folder: Path
    choices: dict[str, Any]
    accuracy: float | None
    seconds: float
    epochs: int


@dataclass(frozen=True)
class Group:
    """Runs that were chosen alike but for their seeds."""

    choices: tuple[tuple[str, Any], ...]
    runs: tuple[Ran, ...]

    @property
    def accuracies(self) -> list[float]:
        """How right each run was, of those that tell."""
        return [run.accuracy for run in self.runs if run.accuracy is not None]

    @property
    def mean(self) -> float | None:
        """The mean of the accuracies."""
        return statistics.fmean(self.accuracies) if self.accuracies else None

    @property
    def spread(self) -> float | None:
        """Their standard deviation, if there are several."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None


def read(folders: Sequence[Path]) -> list[Ran]:
    """Return the runs in folders, and in the folders inside them."""
    found = [_ran(folder) for given in folders for folder in _runs(given)]
    if not found:
        raise ArgumentError(
            f"{', '.join(map(str, folders))} holds no run: `stepconv sweep` makes some"
        )
    return found


def _runs(given: Path) -> Iterator[Path]:
    if not given.is_dir():
        raise ArgumentError(f"{given} is no folder")
    if (given / MODEL).is_file():
        yield given
        return
    yield from sorted(path.parent for path in given.glob(f"*/{MODEL}"))


def _ran(folder: Path) -> Ran:
    network = checkpoint.load_network(folder / MODEL)
    chosen = network.about.get("recipe", {})
    choices = {"model": network.model.name, **(chosen if isinstance(chosen, dict) else {})}
    choices |= dict(_fields(network))
    rows = _lines(folder / METRICS)
    told = _lines(folder / RESULT)[:1] or rows[-1:]
    accuracy = told[0].get("test_accuracy") if told else None
    seconds = sum(float(row.get("seconds", 0)) for row in rows)
    return Ran(folder, choices, accuracy, seconds, len(rows))


def _fields(network: checkpoint.Network) -> Iterator[tuple[str, Any]]:
    """Yield the numbers of a network's description by their paths, as experiments write them."""
    from stepconv import nn

    for number, layer in enumerate(nn.to_dict(network.model)["layers"]):
        if isinstance(layer, dict):
            for key, value in layer.items():
                if isinstance(value, int | float | str):
                    yield f"layers.{number}.{key}", value


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return []


def varied(runs: Sequence[Ran]) -> list[str]:
    """Return what differs from run to run and is not left to chance."""
    names = dict.fromkeys(name for run in runs for name in run.choices)
    told = {n: {json.dumps(run.choices.get(n), default=str) for run in runs} for n in names}
    several = [name for name, values in told.items() if len(values) > 1 and name != CHANCE]
    # Fields of networks tell nothing where the networks are not the same kind.
    if "model" in several:
        several = [name for name in several if not name.startswith("layers.")]
    return several


def numeric(runs: Sequence[Ran], names: Sequence[str]) -> str | None:
    """Return the first of some options that is a number and has more than one value."""
    for name in names:
        values = {run.choices.get(name) for run in runs}
        if len(values) > 1 and all(type(value) in (int, float) for value in values):
            return name
    return None


def grouped(runs: Sequence[Ran], by: Sequence[str]) -> list[Group]:
    """Return the runs in groups that agree in some choices, in the order of these."""
    groups: dict[str, list[Ran]] = {}
    for run in runs:
        key = json.dumps([run.choices.get(name) for name in by], default=str)
        groups.setdefault(key, []).append(run)
    made = [
        Group(tuple((name, some[0].choices.get(name)) for name in by), tuple(some))
        for some in groups.values()
    ]
    return sorted(made, key=lambda group: [_order(value) for _, value in group.choices])


def _order(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
