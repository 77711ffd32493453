"""Turns a report into tables: on the terminal, and between the markers in docs/performance.md.

    python -m benchmarks.tables benchmarks/results/2026-01-31-ops-some-cpu.json

rewrites what stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import compiling, load, memory, networks
from benchmarks.asked import mark
from benchmarks.train import OURS
from stepconv.player.frame.formats import duration

if TYPE_CHECKING:
    from rich.console import Console

Report = dict[str, Any]
Row = dict[str, Any]
Lines = Iterable[Sequence[str]]

PAGE = Path(__file__).parents[1] / "docs/performance.md"

# Asked of every cell that is bound by multiply-adds, or is a 3x3 filter.
PEAK_SHARE = 0.7
COPY_SHARE = 0.6
SCALING = 1.8
FLAT = 1.3
BORDER = 2.0


def with_shares(row: Row, report: Report) -> Row:
    """Return a cell's row with its shares of the machine's peak and of its copy bandwidth."""
    threads, peak = str(report["threads"]), report["peak"]
    most = peak["gflops"][row["dtype"]][threads]
    # Copies of 16 MiB, the size of the filters' images.
    copy = peak["copy"]["2048² float32"][threads]
    of_peak = row["gflops"] / most if row["gflops"] else None
    return {**row, "peak_share": of_peak, "copy_share": row["gbytes"] / copy}


def print_report(report: Report, console: Console) -> None:
    """Print every table of operations that has rows, but errors: those are for the page."""
    from rich.table import Table

    for name, (title, head, lines) in TABLES.items():
        if name in ("errors", *_OF):
            continue
        rows = [[_plain(text) for text in line] for line in lines(report)]
        if rows:
            table = Table(title=title, title_justify="left", pad_edge=False)
            for number, heading in enumerate(head):
                left = number == 0 or name == "machine"
                table.add_column(heading, justify="left" if left else "right")
            for row in rows:
                table.add_row(*row)
            console.print(table)
            console.print()


def rewrite(text: str, report: Report) -> str:
    """Return a page with the tables made anew that a report is of."""

    def made(match: re.Match[str]) -> str:
        name = match[1]
        if name not in TABLES:
            raise KeyError(f"there is no table {name!r}: there are {', '.join(TABLES)}")
        if _OF.get(name, "cells") not in report:
            return match[0]  # of another report
        _, head, lines = TABLES[name]
        return f"<!-- table: {name} -->\n{markdown(head, lines(report))}<!-- end of table -->"

    return re.sub(r"<!-- table: (.+?) -->\n.*?<!-- end of table -->", made, text, flags=re.S)


def markdown(head: Sequence[str], lines: Lines) -> str:
    """Return a table, or a sentence where there is no row."""
    rows = [f"| {' | '.join(line)} |" for line in lines]
    if not rows:
        return "Not measured yet.\n"
    return "\n".join([f"| {' | '.join(head)} |", "| --- " * len(head) + "|", *rows]) + "\n"


# --- The rows of each table --------------------------------------------------------------------


def _machine(report: Report) -> Lines:
    facts, peak = report["machine"], report["peak"]
    processor, threads = facts["processor"], str(report["threads"])
    features = f"{processor['vector_bits']}-bit vectors, {processor['usable_cores']} cores"
    yield "processor", f"{processor['name']} ({processor['compiled_for']}), {features}"
    yield "caches", ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    yield "system", f"{facts['system']}, Python {facts['python']}"
    shown = {name: facts["packages"][name] for name in ("numpy", "numba", "llvmlite")}
    yield "versions", ", ".join(f"{n} {v}" for n, v in {**shown, **report["versions"]}.items())
    if report["left_out"]:
        yield "left out", ", ".join(f"{name}: {why}" for name, why in report["left_out"].items())
    layer = report.get("threading", {}).get("layer", "not started")
    yield "threads", f"{threads} for everybody; stepconv's threading layer: {layer}"
    load = facts["load"][0] if facts["load"] else "unknown"
    yield "load", f"{load} at the start" + (" (**busy**)" if report["busy"] else "")
    for dtype, rates in peak["gflops"].items():
        yield f"peak {dtype}", f"{rates[threads]:.0f} GFLOP/s ({rates['1']:.0f} on one thread)"
    for name, rates in peak["copy"].items():
        fresh = peak["copy_fresh"][name][threads]
        told = f"{rates[threads]:.1f} GB/s ({rates['1']:.1f} on one thread"
        yield f"copy {name}", f"{told}, {fresh:.1f} into fresh memory)"
    yield "date", f"{facts['date']}, commit {facts['commit']}" + " and changes" * facts["changed"]


def _cells(dtype: str) -> Callable[[Report], Lines]:
    def lines(report: Report) -> Lines:
        for row in report["cells"]:
            if row["dtype"] != dtype:
                continue
            if not row["verdicts"]:
                yield row["work"], time_and_spread(row["contenders"][0]), "–", "–", "–", "–"
            for verdict in row["verdicts"]:
                yield _verdict_line(row, verdict)

    return lines


def _verdict_line(row: Row, verdict: Row) -> Sequence[str]:
    by_name = {c["name"]: c for c in reversed(row["contenders"])}
    best = by_name.get(verdict["best"])
    ours = by_name.get(f"stepconv {verdict['algorithm']}")
    named = "" if verdict["algorithm"] == "auto" else f" ({verdict['algorithm']})"
    return (
        row["work"] + named,
        time_and_spread(ours) if ours else "–",
        verdict["best"] or f"{' or '.join(verdict['against'])} is absent",
        time_and_spread(best) if best else "–",
        f"{verdict['ratio']:.2f}" if verdict["ratio"] else "–",
        mark(verdict["asked"], verdict["met"]),
    )


def _short(report: Report) -> Lines:
    for row in report["cells"]:
        for verdict in row["verdicts"]:
            if verdict["met"] is False:
                line = _verdict_line(row, verdict)
                yield line[0], row["dtype"], line[2], line[4], f"{verdict['asked']:g}"


def _shares(report: Report) -> Lines:
    for row in report["cells"]:
        if row["bound"] == "fma" and row["peak_share"]:
            share = row["peak_share"]
            wanted = mark(PEAK_SHARE, share >= PEAK_SHARE, percent=True)
            yield row["work"], row["dtype"], f"{row['gflops']:.0f} GFLOP/s", f"{share:.0%}", wanted
        elif row["bound"] == "memory":
            share = row["copy_share"]
            is_filter = row["cell"] == "filter-3"
            wanted = mark(COPY_SHARE, share >= COPY_SHARE, percent=True) if is_filter else "–"
            rate = f"{row['gbytes']:.1f} GB/s"
            yield row["work"], row["dtype"], rate, f"{share:.0%} of a copy", wanted


def _scaling(report: Report) -> Lines:
    for row in report["cells"]:
        if row["scaling"]:
            met = row["scaling"] >= SCALING
            wanted = mark(SCALING, met) if report["threads"] == 2 else "–"
            yield row["work"], row["dtype"], f"{row['scaling']:.2f}", wanted


def _errors(report: Report) -> Lines:
    """Every way of ours, and the fastest peer."""
    for row in report["cells"]:
        best = {verdict["best"] for verdict in row["verdicts"]}
        for c in row["contenders"]:
            shown = c["name"].startswith("stepconv") or c["name"] in best
            if shown and c["error"] is not None and c["threads"] == report["threads"]:
                share = f"{c['error'] / row['terms']:.2g}"
                error = f"{c['error']:.2f}"
                yield row["work"], c["name"], duration(c["median"]), error, str(row["terms"]), share


def _sizes(report: Report) -> Lines:
    for k in sorted({row["k"] for row in report["sizes"]}):
        rows = [row for row in report["sizes"] if row["k"] == k]
        times = [row["ns"] for row in rows]
        told = ", ".join(f"{row['size']}²: {row['ns']:.3f}" for row in rows)
        flat = max(times) / min(times)
        yield f"{k}x{k}", told, f"{flat:.2f}", mark(FLAT, flat <= FLAT)


def _borders(report: Report) -> Lines:
    for row in report["borders"]:
        times = duration(row["padded"]), duration(row["inside"])
        yield row["work"], *times, f"{row['ratio']:.2f}", mark(BORDER, row["ratio"] <= BORDER)


def _memory(report: Report) -> Lines:
    for row in report["memory"]:
        sizes = (f"{row[name] / 2**20:.0f} MiB" for name in ("needed", "peak"))
        met = row["ratio"] <= memory.ASKED
        yield row["work"], *sizes, f"{row['ratio']:.2f}", mark(memory.ASKED, met)


def _compiling(report: Report) -> Lines:
    for row in report["compiling"]:
        told = []
        for when, limit in compiling.ASKED.items():
            seconds = row[when]["wall"]
            told += [f"{seconds:.2f} s ({row[when]['cpu']:.2f})", mark(limit, seconds <= limit)]
        yield row["operation"], *told


def _networks(report: Report) -> Lines:
    for cell in report["networks"]:
        seconds, peer = cell["seconds"], cell["better layout"]
        for ours, ratios in cell["ratios"].items():
            way = ours.removeprefix("stepconv ")
            pictures = "1 picture" if cell["batch"] == 1 else f"{cell['batch']} pictures"
            named = "" if way == "direct" else f" ({way})"
            asked = networks.ASKED.get(ours, {})
            told = []
            for name, ratio in ratios.items():
                limit = asked.get(name)
                told += [f"{ratio:.2f}", mark(limit, None if limit is None else ratio >= limit)]
            runtime = duration(seconds[networks.RUNTIME])
            layout = f"{duration(seconds[peer])} ({peer.removeprefix('torch ')})"
            work = f"{cell['net']}, {pictures}{named}"
            yield work, duration(seconds[ours]), runtime, *told[:2], layout, *told[2:]


def _load(report: Report) -> Lines:
    others = {0: "alone", 1: "beside one busy process"}
    for kind, rows in report["found"].items():
        quiet = rows[0][OURS]
        for row in rows:
            busy, faster = row["busy"], row.get(f"times {load.PEER}")
            limit = load.limit(kind, busy)
            if kind == "training":
                shown, held = f"{row[OURS]:,.0f} images/s", row[OURS] / quiet
                told, met = f"{held:.2f} of alone", limit is not None and held >= limit
            else:
                ninth = row["ninth of ten"]
                shown = f"{duration(row[OURS])}, nine of ten within {duration(ninth)}"
                told, met = f"{ninth / quiet:.2f} quiet medians", ninth <= (limit or 0) * quiet
            yield (
                f"{load.WORK[kind]}, {others.get(busy, f'beside {busy} busy processes')}",
                *(shown, told, mark(limit, met)),
                "not here" if faster is None else f"{faster:.1f}",
                mark(load.ASKED[kind], None if faster is None else faster >= load.ASKED[kind])
                if busy
                else "–",
            )


def _trainings(task: str) -> Callable[[Report], Lines]:
    def lines(report: Report) -> Lines:
        for cell in report["trainings"]:
            if cell["task"] == task:
                speeds = dict(cell["images_per_second"])
                ours = speeds.pop(OURS)
                rival = max(speeds, key=lambda name: speeds[name])
                named = "" if cell["algorithm"] == "direct" else f", {cell['algorithm']}"
                ratio, limit = cell["ratio"], cell["asked"]
                yield (
                    f"{cell['net']}, batch {cell['batch']}{named}",
                    f"{ours:,}",
                    f"{speeds[rival]:,} ({rival.removeprefix('torch ')})",
                    f"{ratio:.2f}",
                    mark(limit, ratio >= limit),
                )

    return lines


_TRAINING_HEAD = ("network", "stepconv", "PyTorch, better layout", "ratio", "asked")
_CELL_HEAD = ("work", "stepconv", "best peer", "its time", "ratio", "asked")

# Tables of reports of their own, by what these hold.
_OF = {
    "networks": "networks",
    "load": "found",
    "training": "trainings",
    "answers": "trainings",
}

# By the name that the page's markers use: title, heads of columns, and what makes the rows.
TABLES: dict[str, tuple[str, Sequence[str], Callable[[Report], Lines]]] = {
    "machine": ("The machine", ("what", "here"), _machine),
    "float32": ("float32", _CELL_HEAD, _cells("float32")),
    "float64": ("float64", _CELL_HEAD, _cells("float64")),
    "short": ("Falls short", ("work", "type", "best peer", "ratio", "asked"), _short),
    "shares": ("Share of the machine", ("work", "type", "rate", "share", "asked"), _shares),
    "scaling": ("All threads beside one", ("work", "type", "times faster", "asked"), _scaling),
    "errors": (
        "Error beside speed",
        ("work", "who", "time", "largest error / u·Σ|a·b|", "n", "share of the bound"),
        _errors,
    ),
    "sizes": ("Nanoseconds per output", ("filter", "at", "slowest / fastest", "asked"), _sizes),
    "borders": (
        "Padding beside none",
        ("work", "padded", "without", "ratio", "asked at most"),
        _borders,
    ),
    "memory": (
        "Peak memory of a call",
        ("work", "inputs + output", "peak", "ratio", "asked at most"),
        _memory,
    ),
    "compiling": (
        "First call, by the clock (by the processor's)",
        ("operation", "cold", "asked", "warm", "asked"),
        _compiling,
    ),
    "networks": (
        "Whole networks",
        (
            *("network", "stepconv", "onnxruntime", "ratio", "asked"),
            *("PyTorch, better layout", "ratio", "asked"),
        ),
        _networks,
    ),
    "load": (
        "Beside other work",
        ("work", "stepconv", "held", "asked", "times PyTorch", "asked"),
        _load,
    ),
    "training": ("Training, images a second", _TRAINING_HEAD, _trainings("training")),
    "answers": ("Answers, images a second", _TRAINING_HEAD, _trainings("evaluation")),
}


def time_and_spread(contender: Row) -> str:
    """Return a median with half the distance of its quartiles.

    >>> time_and_spread({"median": 0.002, "quartiles": [0.0019, 0.0023]})
    '2.00 ms ±10%'
    """
    low, high = contender["quartiles"]
    return f"{duration(contender['median'])} ±{(high - low) / 2 / contender['median']:.0%}"


def _plain(text: str) -> str:
    return text.replace("**", "")


def main() -> None:
    """Rewrite the page from the report named on the command line."""
    report = json.loads(Path(sys.argv[1]).read_text())
    PAGE.write_text(rewrite(PAGE.read_text(), report))
    print(f"{PAGE} holds what was measured on {report['machine']['date']}")


if __name__ == "__main__":
    main()
