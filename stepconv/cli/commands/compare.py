"""`stepconv compare`: what trainings came to, by what differs, with the spread over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.errors import ArgumentError, closest

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.sweep.results import Group


def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders of a sweep, or run folders.")
    ],
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="OPTION", help="Group by this option, or several [what differs]."),
    ] = None,
    along: Annotated[
        str | None, typer.Option(metavar="OPTION", help="Draw curves along this option.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write the curves as a picture: .svg.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each group.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
) -> None:
    """Compare trainings: a line for each choice that differs.

    Seeds are taken together; the spread is the standard deviation over them. Where one option is a
    number, curves show the accuracy along it, with bars from the least to the most right run.

    Examples:

        stepconv compare results/
        stepconv compare results/ --by limit --by augment
        stepconv compare results/ --along limit -o curves.svg
        stepconv compare runs/lenet5-mnist runs/mlp-mnist --json
    """
    from stepconv import files
    from stepconv.cli import terminal
    from stepconv.cli.showing import output
    from stepconv.sweep import curves, results

    if out is not None:
        output.check(out, (".svg",), force)
    runs = results.read(folders)
    names = [each.replace("-", "_") for each in by or results.varied(runs)]
    along = along.replace("-", "_") if along else results.numeric(runs, names)
    if along is not None and along not in names:
        names.append(along)
    known = sorted({name for run in runs for name in run.choices})
    for name in names:
        if name not in known:
            raise ArgumentError(f"no run has {name!r}: {closest(name, known, ', '.join(known))}")
    groups = results.grouped(runs, names)
    if as_json:
        for group in groups:
            terminal.print_json(_as_data(group))
        return
    console = terminal.stdout()
    for line in _table(groups, names):
        console.print(line, markup=False, soft_wrap=True)
    drawn = curves.lines(groups, along) if along is not None else []
    if out is not None:
        if along is None or not drawn:
            raise ArgumentError("there is no curve to draw: two values of a numeric option fit")
        files.write(out, curves.svg(drawn, along).encode())
    elif drawn and along is not None:
        _draw(console, drawn, along)


def _as_data(group: "Group") -> dict[str, Any]:
    return {
        **dict(group.choices),
        "runs": len(group.runs),
        "test_accuracy": group.mean,
        "spread": group.spread,
        "accuracies": group.accuracies,
        "seconds": sum(run.seconds for run in group.runs),
        "folders": [str(run.folder) for run in group.runs],
    }


def _table(groups: "list[Group]", names: list[str]) -> list[str]:
    """Return the groups as lines, all columns as wide as what stands in them."""
    from stepconv.sweep.curves import spelt

    rows = [[*names, "runs", "test", "spread", "seconds"]]
    for group in groups:
        mean, spread = group.mean, group.spread
        seconds = sum(run.seconds for run in group.runs) / len(group.runs)
        rows.append(
            [
                *(spelt(value) for _, value in group.choices),
                str(len(group.runs)),
                "–" if mean is None else f"{mean:.2%}",
                "–" if spread is None else f"{spread:.2%}",
                f"{seconds:.1f}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _draw(console: "Console", drawn: Any, along: str) -> None:
    """Draw each line in dots of Braille, all to the same scale."""
    import numpy as np

    from stepconv.player.text.curve import curve
    from stepconv.sweep.curves import bounds, scaled

    low, high = bounds(drawn)
    width, height = max(20, min(60, console.width - 12)), 5
    dots = np.linspace(0, 1, 2 * width)
    placed, wide = scaled(drawn)
    for line, points in zip(drawn, placed, strict=True):
        console.print()
        console.print(line.name or "test accuracy", markup=False)
        shares, means = [share for share, _ in points], [point.mean for _, point in points]
        values = np.interp(dots, shares, means).tolist()
        bars = [(share, point.low, point.high) for share, point in points]
        for number, row in enumerate(curve(values, width, height, low, high, bars)):
            edge = f"{high:7.1%} " if number == 0 else " " * 8
            edge = f"{low:7.1%} " if number == height - 1 else edge
            console.print(f"{edge}{row}", markup=False)
        ends = f"{points[0][1].x:g}", f"{points[-1][1].x:g}"
        told = f"{along}, in powers of ten" if wide else along
        console.print(f"{'':8}{ends[0]}{told:^{width - len(ends[0]) - len(ends[1])}}{ends[1]}")
