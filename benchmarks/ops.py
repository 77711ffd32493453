"""Times every operation beside its peers in one run: a table here, JSON into benchmarks/results/.

    python -m benchmarks.ops                     all of it, some 20 minutes on a quiet machine
    python -m benchmarks.ops --cell 'lenet*'     a part; --list shows the names
    python -m benchmarks.ops --quick             few repeats, to see that it works

Each library has a process of its own, and they take turns. Then: the machine's own peak, one thread
beside all, sizes from 256² to 8192², borders, memory, and the time to compile.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `python benchmarks/ops.py`

from benchmarks import asked, compiling, machine, memory, tables
from stepconv.bench.cells import DTYPES, Cell, catalogue, choose, image_filter
from stepconv.bench.driver import QUICK, Effort, MeasureError, Row, Team, busy, checked_threads
from stepconv.cli import terminal
from stepconv.errors import StepconvError

PARTS = ("cells", "sizes", "borders", "memory", "compiling")
_SIZES = (256, 512, 1024, 2048, 4096, 8192)

Report = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; the exit status tells only whether something is broken."""
    options = _options(arguments)
    try:
        cells = choose(catalogue(), options.cell)
        threads = checked_threads(options.threads)
    except StepconvError as error:
        terminal.complain(str(error))
        return terminal.UNUSABLE
    if options.list:
        for cell in cells:
            print(f"{cell.name:<20} {cell.work}")
        return terminal.OK
    report: Report = {"format": 1, "threads": threads, "broken": [], "quick": options.quick}
    try:
        _measure(report, cells, options)
    finally:
        # What was measured before a Ctrl-C is kept.
        if "cells" in report:
            _finish(report, options.output)
    return terminal.WRONG if report["broken"] else terminal.OK


def _options(arguments: list[str] | None) -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--cell", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure only this")
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--threads", type=int, help="for everybody; all cores if left out")
    parser.add_argument("--rounds", type=int, help="turns of each library; the default is 15")
    parser.add_argument("--quick", action="store_true", help="few repeats")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--output", type=Path, help="a file, in place of one in results/")
    return parser.parse_args(arguments)


def _measure(report: Report, cells: list[Cell], options: argparse.Namespace) -> None:
    effort = QUICK if options.quick else Effort()
    if options.rounds:
        effort = replace(effort, rounds=options.rounds)
    # Without --part a choice of cells means these alone.
    parts = options.part or (("cells",) if options.cell else PARTS)
    threads = report["threads"]
    report["busy"] = busy()
    if report["busy"]:
        terminal.complain(report["busy"])
    report["machine"] = machine.facts()
    say("the machine's peak")
    report["peak"] = child("stepconv.bench.peak", str(threads))
    report["cells"] = []
    with Team(threads) as team:
        report |= {"versions": team.versions, "left_out": team.left_out}
        for name, why in team.left_out.items():
            say(f"left out: {name}: {why}")
        for cell in cells if "cells" in parts else ():
            for dtype in options.dtype or DTYPES:
                say(f"{cell.name} {dtype}")
                fma = cell.bound == "fma"
                row = attempt(report, team, cell, dtype, effort, single=fma, errors=True)
                if row:
                    row = asked.judged(row, cell)
                    report["cells"].append(tables.with_shares(row, report))
        report["threading"] = team.threading()
        report["sizes"] = sizes(report, team, effort) if "sizes" in parts else []
        report["borders"] = borders(report, team, effort) if "borders" in parts else []
    report["memory"] = each_memory(report) if "memory" in parts else []
    report["compiling"] = each_compiling(report) if "compiling" in parts else []


def attempt(report: Report, team: Team, cell: Cell, *rest: Any, **options: Any) -> Row | None:
    """Measure a cell; one that is broken is named in the report, and the others go on."""
    try:
        return team.measure(cell, *rest, **options)
    except MeasureError as error:
        report["broken"].append(str(error))
        terminal.complain(str(error))
        return None


def sizes(report: Report, team: Team, effort: Effort) -> list[Row]:
    """Time per output cell from small to large images."""
    rows = []
    for k in (3, 5, 15):
        for size in _SIZES[:4] if effort == QUICK else _SIZES:
            say(f"{size}² by {k}x{k}")
            row = attempt(report, team, image_filter(size, k), "float32", effort, peers=False)
            if row:
                rows.append({"k": k, "size": size, "ns": row["median"] / size**2 * 1e9})
    return rows


def borders(report: Report, team: Team, effort: Effort) -> list[Row]:
    """Time with padding beside that of as many outputs, and as many products, without it."""
    by_name = {cell.name: cell for cell in catalogue()}
    padded = [image_filter(28, 3), image_filter(28, 5)]
    padded += [by_name[f"{name}-forward"] for name in ("lenet1", "32-64", "depthwise")]
    rows = []
    for cell in padded:
        say(f"borders of {cell.work}")
        wider = tuple(size + 2 * cell.padding for size in cell.x[-2:])
        inside = replace(cell, x=(*cell.x[:-2], *wider), padding=0, algorithms=())
        both = [
            attempt(report, team, one, "float32", effort, peers=False) for one in (cell, inside)
        ]
        if both[0] and both[1]:
            times = [row["median"] for row in both if row]
            told = {"work": cell.work, "padded": times[0], "inside": times[1]}
            rows.append({**told, "ratio": times[0] / times[1]})
    return rows


def each_memory(report: Report) -> list[Row]:
    """Peak memory of calls, each in a process of its own."""
    rows = []
    for cell in memory.cells():
        say(f"memory of {cell.work}")
        try:
            rows.append(child("benchmarks.memory", json.dumps(cell.to_json())))
        except MeasureError as error:
            if sys.platform == "linux":
                report["broken"].append(str(error))
            terminal.complain(str(error))
    return rows


def each_compiling(report: Report) -> list[Row]:
    """Time of first calls with an empty cache and with the one that the former filled."""
    rows = []
    for operation in compiling.OPERATIONS:
        say(f"first call of {operation}")
        with tempfile.TemporaryDirectory() as cache:
            times = [
                child("benchmarks.compiling", operation, STEPCONV_CACHE_DIR=cache) for _ in "12"
            ]
        if times[0].pop("sources") != times[1].pop("sources"):
            report["broken"].append(f"{operation}: the sources changed between cold and warm")
        rows.append({"operation": operation, "cold": times[0], "warm": times[1]})
    return rows


def child(module: str, *arguments: str, **environment: str) -> Any:
    """Run a module of this folder in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=machine.ROOT,
        env={**os.environ, "PYTHONPATH": str(machine.ROOT), **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise MeasureError(f"{module}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def say(what: str) -> None:
    """Tell on stderr what is measured now."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def _finish(report: Report, output: Path | None) -> None:
    name = machine.slug(report["machine"]["processor"]["name"])
    path = (
        output or machine.ROOT / f"benchmarks/results/{time.strftime('%Y-%m-%d')}-ops-{name}.json"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    tables.print_report(report, terminal.stdout())
    for trouble in report["broken"]:
        terminal.complain(f"broken: {trouble}")
    say(f"written to {path}")


if __name__ == "__main__":
    sys.exit(main())
