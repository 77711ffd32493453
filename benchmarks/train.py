"""Training beside PyTorch: steps of several networks, answers, whole runs, the first step, memory.

    python -m benchmarks.train                         every cell, the first step, the memory
    python -m benchmarks.train --net lenet5 --batch 64 --rounds 9
    python -m benchmarks.train --to 0.99               whole processes to that accuracy on MNIST

Each program is a process of its own; they take turns, so that whatever else the machine does, it
does to all of them. PyTorch runs eagerly, with the same network, weights' shapes, batch and
optimiser, in both layouts; the faster one counts. Its pictures are float32 tensors made beforehand,
ours are the bytes. Answers are those of PyTorch's eval and inference modes. The report is printed,
and with `-o` written.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine

OURS, PEERS = "stepconv", ("torch nchw", "torch channels_last")
WARM_STARTS = 3
ASKED = {"cold start": 6.0, "warm start": 1.2, "memory": 300e6}  # seconds, bytes


@dataclass(frozen=True)
class Cell:
    """Something to compare, and how many times PyTorch's speed is asked for."""

    task: str
    net: str
    batch: int
    algorithm: str
    asked: float


CELLS = [
    *(Cell("training", "lenet5", batch, "direct", 4.5) for batch in (64, 128)),
    *(Cell("training", "mini-vgg", batch, "direct", 1.3) for batch in (64, 128)),
    *(Cell("training", "mini-vgg", batch, "winograd", 1.7) for batch in (64, 128)),
    *(Cell("training", "mini-resnet", batch, "direct", 1.4) for batch in (64, 128)),
    Cell("training", "mini-resnet", 64, "winograd", 1.4),
    *(
        Cell("training", f"mini-{name}", 64, "direct", 1.3)
        for name in ("alexnet", "zfnet", "googlenet", "densenet")
    ),
    *(Cell("training", "mlp", batch, "direct", 1.5) for batch in (64, 128)),
    Cell("evaluation", "lenet5", 256, "direct", 4.0),
    Cell("evaluation", "lenet5", 1, "direct", 1.5),
]


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    options = _options(arguments)
    report: dict[str, Any] = {"machine": machine.facts(), "threads": options.threads}
    if options.to:
        report["whole processes"] = [
            whole(options.to, seed, options.threads) for seed in range(options.seeds)
        ]
    else:
        chosen = [
            one
            for one in CELLS
            if one.net in (options.net or [one.net])
            and one.batch in (options.batch or [one.batch])
            and one.task in (options.task or [one.task])
        ]
        report["trainings"] = [measure(one, options.rounds, options.threads) for one in chosen]
        if not (options.net or options.batch or options.task):
            report["first step"] = first_step(options.threads)
            report["memory"] = [memory(net, options.threads) for net in ("lenet5", "mini-vgg")]
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    return 0


def measure(cell: Cell, rounds: int, threads: int) -> dict[str, Any]:
    """Return the images a second of each program, and the median ratio of the rounds."""
    names = (OURS, *PEERS)
    options = {key: value for key, value in asdict(cell).items() if key != "asked"}
    team = {name: program("steps", name, str(threads), json.dumps(options)) for name in names}
    turns = []
    try:
        for process in team.values():
            answer(process)  # ready
        for _ in range(rounds):
            speeds = {}
            for name, process in team.items():
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
                speeds[name] = float(answer(process))
            turns.append(speeds)
    finally:
        for process in team.values():
            process.kill()
            process.communicate()
    medians = {name: statistics.median(turn[name] for turn in turns) for name in names}
    peer = max(PEERS, key=lambda name: medians[name])
    ratios = sorted(turn[OURS] / turn[peer] for turn in turns)
    found = {
        **asdict(cell),
        "images_per_second": {name: round(speed) for name, speed in medians.items()},
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }
    say(
        f"{cell.task} {cell.net} {cell.batch} {cell.algorithm}: {found['ratio']} x {peer}, "
        f"asked {cell.asked}"
    )
    return found


def first_step(threads: int) -> dict[str, Any]:
    """Return the seconds from the start of a process to its first step, cold and warm."""
    with tempfile.TemporaryDirectory() as cache:
        starts = []
        for _ in range(1 + WARM_STARTS):
            began = time.perf_counter()
            process = program("first-step", str(threads), STEPCONV_CACHE_DIR=cache)
            used = json.loads(answer(process))
            starts.append({"seconds": round(time.perf_counter() - began, 2), **used})
            process.communicate()
    cold, *warm = starts
    say(f"first step: cold {cold['seconds']} s, warm {[start['seconds'] for start in warm]} s")
    asked = {how: ASKED[f"{how} start"] for how in ("cold", "warm")}
    return {"cold": cold, "warm": warm, "asked": asked}


def memory(net: str, threads: int) -> dict[str, Any]:
    """Return the bytes that a training takes beyond Numba and the data, its kernels compiled."""
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(2):  # the first compiles
            process = program("memory", str(threads), net, STEPCONV_CACHE_DIR=cache)
            found: dict[str, Any] = json.loads(answer(process))
            process.communicate()
    say(f"memory of {net}: {found['bytes'] / 1e6:.0f} MB")
    return {**found, "asked": ASKED["memory"]}


def whole(accuracy: float, seed: int, threads: int) -> dict[str, Any]:
    """Return the seconds from the start of a process to its first epoch that is good enough."""
    found: dict[str, Any] = {"seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        stepconv = ("train", "lenet5", "--data", "mnist", "--json", "--seed", str(seed))
        place = ("--out", f"{folder}/run", "--threads", str(threads))
        commands = {
            OURS: ("stepconv", *stepconv, *place),
            "torch": ("benchmarks.training_programs", "to-the-end", str(threads), str(seed)),
        }
        for name, command in commands.items():
            began = time.perf_counter()
            with python(*command) as process:
                assert process.stdout is not None
                reached, last = None, 0.0
                for line in process.stdout:
                    last = json.loads(line)["test_accuracy"]
                    if reached is None and last >= accuracy:
                        reached = round(time.perf_counter() - began, 2)
            ended = round(time.perf_counter() - began, 2)
            found[name] = {"reached": reached, "ended": ended, "accuracy": last}
    say(str(found))
    return found


def program(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start one of the programs."""
    return python("benchmarks.training_programs", *arguments, **environment)


def python(module: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a module in the root of the repository."""
    path = os.pathsep.join([str(machine.ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=machine.ROOT,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line that a program says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a program ended before it was asked to")
    return line.strip()


def say(what: str) -> None:
    """Tell on stderr what was found."""
    print(what, file=sys.stderr)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--task", nargs="*", help="training, evaluation")
    parser.add_argument("--net", nargs="*")
    parser.add_argument("--batch", nargs="*", type=int)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--to", type=float, help="whole processes to this test accuracy on MNIST")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
