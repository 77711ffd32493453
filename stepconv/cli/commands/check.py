"""`stepconv check`: a function of the user's own, held against the engine call by call."""

from typing import Annotated

import typer

from stepconv.operations import OPERATIONS


def check(
    target: Annotated[str, typer.Argument(metavar="FILE.py:FUNCTION", help="Or module:function.")],
    op: Annotated[
        str,
        typer.Option(
            help=f"What it should do: {', '.join(one.word for one in OPERATIONS.values())}; "
            "with -backward the way back."
        ),
    ],
    rank: Annotated[
        int,
        typer.Option(
            min=1, max=4, help="Axes of the kernel: 1 a signal, 2 an image, 3 or 4 a layer."
        ),
    ] = 2,
    seconds: Annotated[float, typer.Option(min=0.1, help="What a call may take.")] = 10.0,
    forbid: Annotated[
        list[str] | None,
        typer.Option(metavar="PACKAGE", help="Not to be imported, as torch; may be repeated."),
    ] = None,
    count_include_pad: Annotated[
        bool, typer.Option("--count-include-pad", help="Averages are over the padding as well.")
    ] = False,
    ceil_mode: Annotated[
        bool, typer.Option("--ceil-mode", help="A pool's last window may stick out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a function of your own against stepconv.

    It is called with small arrays first, then with every option that it has an argument for
    (stride, padding, dilation, groups, bias, mode …), and its results are compared. The first that
    is wrong is shown, with what it looks like. The exit status is 0 if all are right, 1 if one is
    wrong, 2 if the function cannot be run.

    The function runs in a process of its own, without what it prints, and cannot import stepconv.

    Examples:

        stepconv check homework.py:conv2d --op correlate
        stepconv check homework.py:max_pool --op max-pool --seconds 2
        stepconv check homework.py:layer --op correlate --rank 4 --forbid torch
    """
    from stepconv.cli import terminal
    from stepconv.testing import checks, report

    fixed = {"count_include_pad": count_include_pad, "ceil_mode": ceil_mode}
    fixed = {name: True for name, given in fixed.items() if given}
    with terminal.stderr().status(f"calling {target} …"):
        verdict = checks.check(
            target, op, rank=rank, seconds=seconds, forbidden=forbid or (), **fixed
        )
    if as_json:
        terminal.print_json(report.as_data(verdict), ensure_ascii=False)
    else:
        print("\n".join(report.lines(verdict)))
    if not verdict.right:
        raise typer.Exit(terminal.WRONG)
