"""Times operations and training on a GPU beside PyTorch on the same card, in one run.

    python -m benchmarks.gpu                   everything, some 10 minutes
    python -m benchmarks.gpu --cell 'train-*'  a part; --list shows the names
    python -m benchmarks.gpu --write           and put the tables into docs/performance.md

Data lie on the card; a call is timed there, from its start on an idle card to its result, by two
events round it: what the host needs to launch a small kernel counts too. The two take turns, and a
median is of all turns. PyTorch has tf32 switched off, may search for its fastest algorithm, and is
asked in both of its layouts; the faster one counts. The results have to agree. For trainings see
gpu_train.py.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import stepconv
from benchmarks import gpu_train, machine, tables
from benchmarks.asked import mark
from benchmarks.gpu_train import Training
from stepconv import kernels
from stepconv.bench.cells import Cell, arrays, catalogue, choose, image_filter
from stepconv.bench.peers import Ours, Torch
from stepconv.errors import StepconvError
from stepconv.player.frame.formats import duration

Call = Callable[[], Any]
Row = dict[str, Any]

_WARM_UP, _TURNS = 5, 31
_HEAD = ("work", "stepconv", "best of PyTorch", "its time", "ratio", "asked", "of a copy")


class TorchOnCard(Torch):
    """PyTorch with its tensors on the card."""

    def _tensor(self, array: Any) -> Any:
        return super()._tensor(array).cuda()


def cells() -> list[Cell]:
    """Return what is measured; a backward of all gradients is the sum of those that are there."""
    filters = [image_filter(4096, k) for k in (3, 15, 31)]
    kinds = ("layer", "max-pool", "avg-pool")
    known = [replace(cell, algorithms=()) for cell in catalogue() if cell.kind in kinds]
    return filters + [
        cell for cell in known if cell.kind != "layer" or cell.direction != "backward"
    ]


def asked(cell: Cell) -> float | None:
    """Return the times of PyTorch's speed that are asked for."""
    if cell.kind != "layer" or cell.name.startswith("lenet"):
        return 1.0
    return 0.6 if cell.w[-2:] == (3, 3) else None


def measure(cell: Cell, torch: Any) -> Row:
    """Return medians of both, in seconds."""
    given = arrays(cell, "float32")
    contenders: dict[str, Call] = {}
    on_card = {name: kernels.on_card(array) for name, array in given.items()}
    contenders["stepconv"] = Ours().variants(cell, on_card)["auto"]
    for layout in ("NCHW", "channels_last"):
        for name, call in TorchOnCard(layout).variants(cell, given).items():
            contenders[f"{layout} {name}"] = call
    wanted = None
    for name, call in contenders.items():
        for _ in range(_WARM_UP):
            result = call()
        found = host(result)
        wanted = found if wanted is None else wanted
        if np.abs(found - wanted).max() > 1e-3 * np.abs(wanted).max():
            raise StepconvError(f"{cell.name}: stepconv and {name} do not agree")
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(_TURNS):
        for name, call in contenders.items():
            times[name].append(timed(call, torch))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    return {"name": cell.name, "work": cell.work, "medians": medians, "asked": asked(cell)}


def timed(call: Call, torch: Any) -> float:
    """Return the seconds of a call, by the card's clock."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    result = call()  # held until the clock has stopped
    end.record()
    torch.cuda.synchronize()
    del result
    return float(start.elapsed_time(end)) / 1000


def host(result: Any) -> Any:
    """Return a result as an array of the host."""
    array = result.cpu().numpy() if hasattr(result, "cpu") else result.copy_to_host()
    return np.ascontiguousarray(array)


def copy_rate(torch: Any) -> float:
    """Return the bytes a second, read and written, of a copy on the card."""
    source = torch.empty(2**28, device="cuda")
    target = torch.empty_like(source)
    taken = [timed(lambda: target.copy_(source), torch) for _ in range(_TURNS)]
    return 2 * source.nbytes / statistics.median(taken)


def line(row: Row) -> tuple[str, ...]:
    """Return a row of the table."""
    ours = row["medians"]["stepconv"]
    peers = {name: time for name, time in row["medians"].items() if name != "stepconv"}
    best = min(peers, key=peers.__getitem__)
    ratio = peers[best] / ours
    goal = row["asked"]
    verdict = mark(goal, goal is not None and ratio >= goal)
    times = duration(ours), best, duration(peers[best])
    return row["work"], *times, f"{ratio:.2f}", verdict, f"{row['copy_share']:.0%}"


def page(text: str, report: Row) -> str:
    """Return docs/performance.md with its tables of a GPU made anew."""
    where = f"{report['card']}, {report['date']}, PyTorch {report['torch']}, commit "
    told = f"{where}{report['commit']}; a copy: {report['copy'] / 1e9:.0f} GB/s.\n\n"
    made = told + tables.markdown(_HEAD, map(line, report["cells"]))
    text = between("gpu table", made, text)
    made = tables.markdown(gpu_train.HEAD, map(gpu_train.line, report["trainings"]))
    return between("gpu training table", told + made, text)


def between(name: str, made: str, text: str) -> str:
    """Return the text with something else between the two marks of that name."""
    marks = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    return re.sub(f"{marks[0]}.*?{marks[1]}", lambda _: made.join(marks), text, flags=re.S)


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for, if there is a card."""
    options = _options(arguments)
    try:
        chosen, trainings = pick(options.cell)
        if options.list:
            print("\n".join(f"{one.name:<20} {one.work}" for one in (*chosen, *trainings)))
            return 0
        torch = ready()
        with stepconv.use_backend("cuda"):
            report = measure_all(chosen, trainings, torch)
    except StepconvError as error:
        print(error, file=sys.stderr)
        return 2
    name = machine.slug(report["card"].partition(",")[0])
    path = machine.ROOT / f"benchmarks/results/{time.strftime('%Y-%m-%d')}-gpu-{name}.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(tables.markdown(_HEAD, map(line, report["cells"])))
    print(tables.markdown(gpu_train.HEAD, map(gpu_train.line, report["trainings"])), end="")
    if options.write:
        docs: Path = tables.PAGE
        docs.write_text(page(docs.read_text("utf-8"), report), "utf-8")
    return 1 if report["failed"] else 0


def pick(patterns: list[str]) -> tuple[list[Cell], list[Training]]:
    """Return the cells and trainings whose names fit a pattern; all of them without one."""
    trainings = gpu_train.trainings()
    if not patterns:
        return cells(), trainings
    some = [one for one in trainings if any(fits_any([one], p) for p in patterns)]
    names = [one.name for one in cells()]
    others = [p for p in patterns if fnmatch.filter(names, p) or not fits_any(trainings, p)]
    return choose(cells(), others) if others else [], some


def fits_any(trainings: list[Training], pattern: str) -> bool:
    """Tell whether a pattern means a training."""
    return any(fnmatch.fnmatch(one.name, pattern) for one in trainings)


def ready() -> Any:
    """Return PyTorch, set to compute as IEEE says; say what is missing in one line."""
    card = stepconv.backends()["cuda"]
    if card.startswith("not available") or "simulator" in card:
        raise StepconvError(f"nothing to measure on: backend 'cuda' is {card}")
    try:
        import torch
    except ImportError:
        raise StepconvError("PyTorch is what this stands beside: pip install torch") from None
    if not torch.cuda.is_available():
        raise StepconvError(f"PyTorch {torch.__version__} sees no card: it needs a build for CUDA")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    return torch


def measure_all(chosen: list[Cell], trainings: list[Training], torch: Any) -> Row:
    """Return the report."""
    facts = machine.facts()
    report: Row = {
        "card": stepconv.backends()["cuda"],
        "torch": f"{torch.__version__} (cuDNN {torch.backends.cudnn.version()})",
        **{name: facts[name] for name in ("date", "commit", "changed", "system", "packages")},
        "copy": copy_rate(torch),
        "cells": [],
        "trainings": [],
        "failed": {},
    }
    for cell in chosen:
        with noting(cell.name, report):
            row = measure(cell, torch)
            rate = cell.traffic("float32") / row["medians"]["stepconv"]
            report["cells"].append({**row, "copy_share": rate / report["copy"]})
    for training in trainings:
        with noting(training.name, report):
            report["trainings"].append(gpu_train.measure(training, torch, timed))
    return report


@contextmanager
def noting(name: str, report: Row) -> Iterator[None]:
    """Go on with the next where one fails, and write down why: a card may be at hand but once."""
    print(name, file=sys.stderr)
    try:
        yield
    except (StepconvError, RuntimeError) as error:
        report["failed"][name] = str(error)
        print(f"{name} failed: {error}", file=sys.stderr)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--cell", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--write", action="store_true", help="rewrite the tables in the docs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
