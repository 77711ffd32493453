"""Whole networks forward, beside onnxruntime and PyTorch: published ones, 224x224 pixels, float32.

    python -m benchmarks.networks                        every network, 1 and 16 pictures
    python -m benchmarks.networks --net vgg19 --batch 1 --rounds 9
    python -m benchmarks.networks --write                into benchmarks/results/, cell by cell

The graphs are those that the onnx wheel carries for tests, with weights drawn at random and scaled
so that numbers stay of one size. Each program is a process of its own, and they take turns; what
they answer is compared before anything is timed. PyTorch runs eagerly, in both layouts.
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

import numpy as np

from benchmarks import machine
from benchmarks.network_programs import NETS, save_graph
from benchmarks.train import answer, python, say

DIRECT, WINOGRAD, CHAIN = "stepconv direct", "stepconv winograd", "stepconv operations"
RUNTIME, TORCH = "onnxruntime", ("torch nchw", "torch channels_last")
BATCHES = (1, 16)
# Networks of 3x3 windows, which are measured by Winograd's way as well.
BY_NAME = ("vgg19", "resnet50")
# What is asked: so many times the speed of onnxruntime, and of PyTorch's better layout.
ASKED = {DIRECT: {RUNTIME: 0.7, "torch": 1.2}, WINOGRAD: {RUNTIME: 1.0}}
# The most by which answers may differ from onnxruntime's, as a share of the largest.
CLOSE = {WINOGRAD: 1e-3}
USUAL = 1e-4


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    options = _options(arguments)
    facts = machine.facts()
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        for net in options.net or NETS:
            graph = Path(folder) / f"{net}.onnx"
            save_graph(net, graph)
            for batch in options.batch or BATCHES:
                cells.append(measure(net, batch, graph, options.rounds, options.threads))
                graph.with_suffix(".npy").unlink(missing_ok=True)
    report = {"machine": facts, "threads": options.threads, "networks": cells}
    if options.write:
        write(report)
    else:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    return 0


def measure(net: str, batch: int, graph: Path, rounds: int, threads: int) -> dict[str, Any]:
    """Return the seconds of each program, and how many times as fast as each peer ours is."""
    names = [DIRECT, *([WINOGRAD] if net in BY_NAME else []), *([CHAIN] if batch == 1 else [])]
    names += [RUNTIME, *TORCH]
    team = {
        name: python("benchmarks.network_programs", name, str(threads), str(batch), str(graph))
        for name in names
    }
    found: dict[str, list[float]] = {name: [] for name in names}
    try:
        versions = {name: json.loads(answer(process)) for name, process in team.items()}
        off = _compared(graph, names)
        for _ in range(rounds):
            for name, process in team.items():
                time.sleep(0.05)  # threads of the one before may still be waiting busily
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
                found[name] += json.loads(f"[{answer(process)}]")
    finally:
        for process in team.values():
            process.kill()
            process.communicate()
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    peer = min(TORCH, key=lambda name: medians[name])
    ratios = {
        ours: {RUNTIME: medians[RUNTIME] / medians[ours], "torch": medians[peer] / medians[ours]}
        for ours in names
        if ours.startswith("stepconv")
    }
    told = ", ".join(f"{ours} {ratios[ours][RUNTIME]:.2f}" for ours in ratios)
    say(f"{net} {batch}: times onnxruntime {told}; {peer} {ratios[DIRECT]['torch']:.2f}")
    return {
        "net": net,
        "batch": batch,
        "seconds": medians,
        "quartiles": {name: _quartiles(seconds) for name, seconds in found.items()},
        "off": off,
        "better layout": peer,
        "ratios": ratios,
        "versions": {key: one for each in versions.values() for key, one in each.items()},
        "commit": machine.facts()["commit"],
    }


def _compared(graph: Path, names: list[str]) -> dict[str, float]:
    """Return how far each program's answers are from onnxruntime's, as a share of the largest."""
    answers = {name: np.load(graph.parent / f"{name}.npy") for name in names}
    wanted = answers[RUNTIME]
    off = {name: float(abs(a - wanted).max() / abs(wanted).max()) for name, a in answers.items()}
    for name, share in off.items():
        if not share <= CLOSE.get(name, USUAL):
            raise SystemExit(
                f"{name} answers {graph.stem} otherwise than {RUNTIME}: by {share:.1e}"
            )
    return off


def _quartiles(seconds: list[float]) -> list[float]:
    if len(seconds) < 2:
        return [*seconds, *seconds]
    low, _, high = statistics.quantiles(seconds, n=4)
    return [low, high]


def write(report: dict[str, Any]) -> None:
    """Write a report; cells of the same day that were not measured now stay there."""
    name = machine.slug(report["machine"]["processor"]["name"])
    day = time.strftime("%Y-%m-%d")
    path = machine.ROOT / f"benchmarks/results/{day}-networks-{name}.json"
    before = json.loads(path.read_text())["networks"] if path.exists() else []
    made = {(cell["net"], cell["batch"]): cell for cell in [*before, *report["networks"]]}
    order = {(net, batch): (k, batch) for k, net in enumerate(NETS) for batch in BATCHES}
    cells = sorted(made.values(), key=lambda cell: order[cell["net"], cell["batch"]])
    text = json.dumps({**report, "networks": cells}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n")
    say(f"written to {path}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--net", nargs="*", choices=list(NETS))
    parser.add_argument("--batch", nargs="*", type=int, choices=BATCHES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true", help="into benchmarks/results/")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
