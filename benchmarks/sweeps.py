"""Many trainings at a time: `python -m benchmarks.sweeps`, a sweep beside one after the other.

    python -m benchmarks.sweeps                     as many processes as cores
    python -m benchmarks.sweeps --trainings 32 --rounds 5 -o FILE

The same trainings of lenet5 on made digits, by `stepconv sweep` in processes of one thread, and one
after the other in a process of one thread that is warm already; the two take turns. Throughput is
how many such plain processes the sweep is worth: once all its processes have ended a training, and
of the whole command, its start too. Overhead is what the processes spent beside the steps and the
judging that the trainings tell as theirs: to start, make data and networks, save, judge at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.train import python
from stepconv.kernels.environment import cores

ASKED = {"throughput": 1.8, "overhead": 0.3}  # plain processes on two cores, seconds a training
# The plain process makes so many of the trainings, and one before them.
PLAIN = 3
FILE = """
model = "lenet5"
[train]
data = "digits"
epochs = {epochs}
limit = 6000
[vary]
seed = [{seeds}]
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the report where it is asked for."""
    options = _options(arguments)
    if options.plain:
        _plain(options.plain)
        return 0
    rounds = [_round(options) for _ in range(options.rounds)]
    found = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    for name, value in found.items():
        print(f"{name:24} {value:8.3f}  {f'asked {ASKED[name]}' if name in ASKED else ''}".rstrip())
    if options.output:
        told = {name: getattr(options, name) for name in ("trainings", "epochs", "processes")}
        report = {"machine": machine.facts(), **told, "found": found, "rounds": rounds}
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0


def _round(options: argparse.Namespace) -> dict[str, float]:
    """Return what a plain process and a sweep after it came to."""
    count, processes = options.trainings, options.processes
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "seeds.toml")
        seeds = ", ".join(map(str, range(count)))
        file.write_text(FILE.format(epochs=options.epochs, seeds=seeds))
        plain = [told for _, told in _timed("benchmarks.sweeps", "--plain", str(file))]
        words = ("sweep", str(file), "-o", f"{folder}/results", "--workers", str(processes))
        ends = _timed("stepconv", *words, "--json")
    if {told["status"] for _, told in ends} != {"finished"}:
        raise SystemExit("a training of the sweep did not finish")
    alone = statistics.median(told["seconds"] for told in plain)
    own = sum(told["seconds"] for _, told in ends)
    first, last = ends[processes - 1][0], ends[-1][0]
    return {
        "seconds of one, plain": alone,
        "seconds of the sweep": last,
        "throughput": (count - processes) * alone / (last - first),
        "throughput with start": count * alone / last,
        "overhead": (processes * last - own) / count,
    }


def _timed(module: str, *words: str) -> list[tuple[float, Any]]:
    """Return the objects that a command prints, each with the seconds until it came."""
    begun = time.perf_counter()
    process = python(module, *words)
    assert process.stdout is not None
    told = [(time.perf_counter() - begun, json.loads(line)) for line in process.stdout]
    if process.wait():
        raise SystemExit(f"{module} ended with {process.returncode}")
    return told


def _plain(file: Path) -> None:
    """Make some of the trainings in this process, on one thread; the first one warms it up."""
    os.environ["STEPCONV_THREADS"] = "1"
    from stepconv.sweep import experiment, trial

    place = trial.Place(file.parent / "plain", 1)
    first, *others = experiment.read(file)[: PLAIN + 1]
    trial.attempt(first, place)
    for each in others:
        begun = time.perf_counter()
        trial.attempt(each, place)
        print(json.dumps({"seconds": time.perf_counter() - begun}), flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__)
    parser.add_argument("--trainings", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.trainings <= options.processes:
        parser.error(
            f"--trainings {options.trainings} are too few: more than there are processes fit"
        )
    return options


if __name__ == "__main__":
    sys.exit(main())
