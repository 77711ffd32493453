"""`stepconv bench`: how fast this machine computes, beside the libraries that it has."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# A filter, layers of all sizes and both ways, a pool, and what a call costs by itself.
SHORT = (
    *("filter-3", "filter-15", "lenet2-forward", "lenet2-dW", "64-64-forward", "64-64-dX"),
    *("max-pool-2-forward", "pad-reflect", "tiny"),
)
# A bar this many times our time long fills the line; a longer one ends in an arrow.
_LONGEST = 8


def bench(
    cell: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only cells of this name or pattern; may be repeated."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads for everybody; all cores if left out.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few repeats: a rough answer.")] = False,
    list_cells: Annotated[bool, typer.Option("--list", help="Only list all cells.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Time stepconv beside the libraries that are installed.

    They are torch, cv2, scipy and numpy. Each has a process to itself, and they take turns. Bars
    show how many times as long as stepconv another library takes.

    Examples:

        stepconv bench
        stepconv bench --cell 'max-pool*' --threads 1
        stepconv bench --json
    """
    from stepconv.bench.cells import catalogue, choose
    from stepconv.bench.driver import QUICK, Effort, checked_threads
    from stepconv.cli import terminal

    cells = choose(catalogue(), cell or (() if list_cells else SHORT))
    console = terminal.stdout()
    if list_cells:
        if as_json:
            terminal.print_json({one.name: one.work for one in cells}, indent=2)
            return
        for one in cells:
            console.print(f"{one.name:<20} {one.work}", markup=False, soft_wrap=True)
        return
    effort = QUICK if quick else Effort(rounds=9, seconds=0.03, longest=4.0)
    findings = _measure(cells, checked_threads(threads), effort)
    if as_json:
        terminal.print_json(findings, indent=2)
        return
    console.print(_headline(findings), markup=False)
    for row in findings["cells"]:
        _draw(console, row)
    if not any(len(row["contenders"]) > 1 for row in findings["cells"]):
        console.print("Nothing to compare with: pip install torch, scipy or opencv-python.")


def _measure(cells: list[Any], threads: int, effort: Any) -> dict[str, Any]:
    from stepconv.bench.driver import Team, busy
    from stepconv.cli import terminal
    from stepconv.cli.commands.doctor import examine

    stderr = terminal.stderr()
    warning = busy()
    if warning:
        terminal.complain(warning)
    rows = []
    with stderr.status("starting the libraries") as status, Team(threads) as team:
        for number, cell in enumerate(cells, 1):
            status.update(f"{number} of {len(cells)}: {cell.work}")
            rows.append(team.measure(cell, "float32", effort))
        return {
            "processor": examine()["processor"],
            "threads": threads,
            "busy": warning,
            "versions": team.versions,
            "left_out": team.left_out,
            "cells": rows,
        }


def _headline(findings: dict[str, Any]) -> str:
    threads = findings["threads"]
    lines = [
        f"{findings['processor']['name']}, {threads} thread{'s' * (threads != 1)}, float32",
        "  ".join(f"{name} {version}" for name, version in findings["versions"].items()),
        *(f"left out: {name}: {why}" for name, why in findings["left_out"].items()),
    ]
    return "\n".join(lines)


def _draw(console: "Console", row: dict[str, Any]) -> None:
    """Print a cell: what it is and how long we take, then a bar for each other contender."""
    from rich.text import Text

    from stepconv.player.frame.formats import duration

    took = duration(row["median"])
    title = Text(row["work"], style="bold", no_wrap=True, overflow="ellipsis")
    title.truncate(console.width - len(took) - 11, overflow="ellipsis", pad=True)
    console.print()
    console.print(Text.assemble(title, f"  stepconv {took}"))
    for contender in row["contenders"]:
        if contender["name"].startswith("stepconv"):
            continue
        ratio = contender["median"] / row["median"]
        name = contender["name"].replace("channels_last", "NHWC").removesuffix(" conv")
        # Colour repeats what the number and the tick at 1 say.
        line = Text.assemble(
            f"  {name:<18.18}{duration(contender['median']):>9}{ratio:>7.2f}× ",
            (bar(ratio, console.width - 38), "blue" if ratio >= 1 else "dark_orange"),
        )
        console.print(line, no_wrap=True, overflow="crop")


def bar(ratio: float, width: int) -> str:
    """Return a bar for a ratio, with a tick where 1 is: a bar beyond it means that we are faster.

    >>> bar(2.0, 16), bar(0.5, 16), bar(9.0, 16)
    ('█│██', '█│', '█│█████████████▶')
    """
    width = max(width, 2)
    full = min(width, round(ratio * width / _LONGEST))
    tick = max(1, round(width / _LONGEST) - 1)
    cells = ["█"] * full + [" "] * (tick + 1 - full)
    cells[tick] = "│"
    if ratio > _LONGEST:
        cells[-1] = "▶"
    return "".join(cells)
