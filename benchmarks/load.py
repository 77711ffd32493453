"""Speed beside other work: `python -m benchmarks.load`, with as many busy processes as there are.

    python -m benchmarks.load                    quiet, beside one busy process, beside one per core
    python -m benchmarks.load --rounds 9 -o FILE

A training of lenet5 and single calls of a layer, ours and PyTorch's, each in a process of its own.
They take turns, and so do the loads, so that all that else the machine does, it does to all of
them. A busy process counts, for ever.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.train import OURS, answer, program

TRAINING = {"task": "training", "net": "lenet5", "batch": 64, "algorithm": "direct"}
WORK = {
    "training": "lenet5 learns, batches of 64",
    "layer": "a 3x3 layer, 32→64 channels, N=16 28²",
}
# What is asked: at least so much of the quiet speed beside one busy process and beside one for each
# core, at most so many quiet medians for nine of ten calls, and so many times PyTorch's speed.
ASKED = {"one": 0.65, "each": 0.55, "ninth": 2.5, "training": 10.0, "layer": 4.0}
PEER = "torch nchw"


def limit(kind: str, busy: int) -> float | None:
    """Return what is asked of our own speed beside so many busy processes."""
    if kind == "training":
        return {0: None, 1: ASKED["one"]}.get(busy, ASKED["each"])
    return ASKED["ninth"] if busy == 1 else None


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes busy inside a `with` block."""
    counting = [sys.executable, "-S", "-c", "while True: pass"]
    others = [subprocess.Popen(counting) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and write the report where it is asked for."""
    options = _options(arguments)
    loads = sorted({0, 1, options.threads})
    found: dict[str, dict[int, dict[str, list[float]]]] = {}
    kinds = {"training": ("steps", json.dumps(TRAINING)), "layer": ("layer",)}
    peers = [OURS, *([PEER] if importlib.util.find_spec("torch") else [])]
    for kind, (task, *given) in kinds.items():
        team = {name: program(task, name, str(options.threads), *given) for name in peers}
        found[kind] = {load: {name: [] for name in peers} for load in loads}
        try:
            for process in team.values():
                answer(process)  # ready
            for _ in range(options.rounds):
                for load in loads:
                    with busy(load):
                        for name, process in team.items():
                            assert process.stdin is not None
                            process.stdin.write("go\n")
                            process.stdin.flush()
                            found[kind][load][name] += json.loads(f"[{answer(process)}]")
        finally:
            for process in team.values():
                process.kill()
                process.communicate()
    report = {"machine": machine.facts(), "threads": options.threads, "found": _told(found)}
    for kind, rows in report["found"].items():
        for row in rows:
            print(kind, " ".join(f"{name}: {value:,.6g}" for name, value in row.items()))
    if options.output:
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0


def _told(found: dict[str, dict[int, dict[str, list[float]]]]) -> dict[str, Any]:
    """Return a row for each kind and load: medians, the ninth of ten calls, and ratios."""
    told: dict[str, Any] = {}
    for kind, loads in found.items():
        quiet = statistics.median(loads[0][OURS])
        told[kind] = []
        for load, programs in loads.items():
            medians = {name: statistics.median(all_) for name, all_ in programs.items()}
            row: dict[str, float] = {"busy": load, **medians}
            if kind == "training":
                row["of quiet"] = medians[OURS] / quiet
            else:
                row["ninth of ten"] = statistics.quantiles(programs[OURS], n=10)[-1]
                row["in quiet medians"] = row["ninth of ten"] / quiet
            for name in programs:
                if name != OURS:
                    faster = medians[OURS] / medians[name]
                    row[f"times {name}"] = faster if kind == "training" else 1 / faster
            told[kind].append(row)
    return told


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=cores or 1)
    parser.add_argument("-o", "--output", type=Path)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
