"""One training to its end, in whatever process is given it: begun, or gone on with where it was.

Numba is loaded there, and not in the process that only hands trainings out.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from stepconv import files, nn
from stepconv.errors import StepconvError
from stepconv.nn import checkpoint
from stepconv.sweep.experiment import Training, edited
from stepconv.train import data
from stepconv.train.data import DataSet
from stepconv.train.events import Diverged, Finished

if TYPE_CHECKING:
    from stepconv.train.runs import Run

# Beside the files of every run: what the network that was kept is worth.
RESULT = "result.json"


@dataclass(frozen=True)
class Outcome:
    """How a training ended: "finished", "stopped", "diverged" or "failed", and what it came to."""

    name: str
    status: str
    test_accuracy: float | None = None
    seconds: float = 0.0
    told: str = ""


@dataclass(frozen=True)
class Place:
    """Where a trial finds its data and keeps its run; its threads, if not as many as usual."""

    results: Path
    threads: int | None = None
    data_dir: Path | None = None


def done(folder: Path) -> Outcome | None:
    """Return how the training of a folder ended, if it did."""
    try:
        told = json.loads((folder / RESULT).read_text("utf-8"))
        return Outcome(folder.name, told["status"], told["test_accuracy"], told["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def attempt(training: Training, place: Place, given: DataSet | None = None) -> Outcome:
    """Train to the end, or until this process is asked to stop; `given` data need not be found."""
    from stepconv.kernels.compile import use_threads

    begun, folder = perf_counter(), place.results / training.name
    try:
        if place.threads is not None:
            use_threads(place.threads)
        run = _run(training, folder, place, given)
        *_, last = run.events()
        status = {Finished: "finished", Diverged: "diverged"}.get(type(last), "stopped")
        if status == "stopped":
            return Outcome(training.name, status, None, perf_counter() - begun)
        accuracy = run.verdict().accuracy if status == "finished" else None
        seconds = round(sum(each.seconds for each in run.position.history), 3)
        told = {"status": status, "test_accuracy": accuracy, "seconds": seconds}
        files.write(folder / RESULT, (json.dumps(told) + "\n").encode())
        return Outcome(training.name, status, accuracy, seconds)
    except (StepconvError, OSError) as error:
        return Outcome(training.name, "failed", None, perf_counter() - begun, str(error))


def _run(training: Training, folder: Path, place: Place, given: DataSet | None) -> "Run":
    from stepconv.train.runs import STATE, Run

    how = training.recipe
    described = training.description
    shape = tuple(described["input"]) if described is not None else None
    found = given or _data(how.data, place.data_dir, shape, how.limit, how.validation)
    if (folder / STATE).exists():
        return Run.resumed(folder, found)
    if described is None:
        described = nn.to_dict(nn.build(training.model, found.shape, len(found.classes)))
    model = nn.from_dict(edited(described, training.edits))
    start = None if how.start is None else checkpoint.load_network(Path(how.start))
    return Run.new(folder, model, found, how.suited(len(found.train), training.chosen), start=start)


@lru_cache(maxsize=8)
def _data(
    name: str,
    data_dir: Path | None,
    shape: tuple[int, ...] | None,
    limit: int | None,
    validation: float,
) -> DataSet:
    """Return a data set; a process reads each once for all its trials."""
    return data.load(name, data_dir=data_dir, shape=shape, limit=limit, validation=validation)
