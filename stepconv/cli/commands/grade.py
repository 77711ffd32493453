"""`stepconv grade`: a folder of homework, each file checked, and the same slips put together."""

import secrets
from pathlib import Path
from typing import Annotated, Any

import typer


def grade(
    folder: Annotated[Path, typer.Argument(help="Every .py and .ipynb file below it is checked.")],
    op: Annotated[str, typer.Option(help="What the functions should do, as for check.")],
    function: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The function of each file; else the likely one."),
    ] = None,
    rank: Annotated[int | None, typer.Option(min=1, max=4, help="As for check.")] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="FORM", help="How all want to be called.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=9999, help="What a call may take.")] = 10.0,
    memory: Annotated[int, typer.Option(min=64, help="What each may have, in MiB.")] = 1024,
    forbid: Annotated[
        list[str] | None,
        typer.Option(metavar="PACKAGE", help="Not to be imported; may be repeated."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Draw the same numbers each time."),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated lines.")] = False,
) -> None:
    """Check a folder of homework; put the same slips together.

    Every file below the folder is checked, as many at once as there are cores.

    The exit status is 0 if all are right, 1 if one is wrong or cannot be run.

    Examples:

        stepconv grade homework --op correlate
        stepconv grade homework --op max-pool --function pool --csv > grades.csv
    """
    from rich.progress import Progress

    from stepconv.cli import terminal
    from stepconv.errors import ArgumentError
    from stepconv.testing import grading

    if not folder.is_dir():
        raise ArgumentError(f"{folder} is no folder")
    options: dict[str, Any] = {"rank": rank, "form": form, "seconds": seconds, "memory": memory}
    # Everybody is judged on the same numbers.
    drawn = secrets.randbelow(2**32) if seed is None else seed
    options |= {"forbidden": forbid or (), "seed": drawn}
    with Progress(console=terminal.stderr(), transient=True) as progress:
        task = progress.add_task("checking", total=None)
        grades = grading.grade(
            folder, op, function=function, heard=lambda _: progress.advance(task), **options
        )
    (_print_csv if csv else _print_table)(grades, folder)
    if seed is None:
        terminal.complain(f"numbers drawn by --seed {drawn}, which draws them again")
    if any(each.verdict != "right" for each in grades):
        raise typer.Exit(terminal.WRONG)


def _print_csv(grades: list[Any], folder: Path) -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "verdict", "points", "slip", "reason", "form"))
    for each in grades:
        report = each.report
        told = ("", "", "") if report is None else (report.points, report.slip_name, report.form)
        points, slip, form = told
        file = each.file.relative_to(folder)
        writer.writerow((file, each.verdict, points, slip, each.reason, form))


def _print_table(grades: list[Any], folder: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from stepconv.cli import terminal
    from stepconv.testing.grading import grouped

    table = Table("file", "verdict", "points", "what it looks like", box=None)
    for each in grades:
        points = "" if each.report is None else f"{each.report.points:.0%}"
        file = str(each.file.relative_to(folder))
        table.add_row(
            Text(terminal.harmless(file)), Text(each.verdict), Text(points), Text(each.reason)
        )
    console = terminal.stdout()
    console.print(table)
    console.print()
    for slip, those in grouped(grades):
        who = f"{len(those)} student{'s' * (len(those) != 1)}"
        console.print(f"{who}: {slip}", markup=False)
