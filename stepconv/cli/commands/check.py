"""`stepconv check`: a function of the user's own, held against the engine call by call."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stepconv.operations import OPERATIONS

_WORDS = [one.word for one in OPERATIONS.values() if one.forward.beside is None]


def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE.py:FUNCTION", help="Or FILE.ipynb:FUNCTION, FILE.py:Class, module:name."
        ),
    ] = None,
    op: Annotated[
        str,
        typer.Option(help=f"What it should do: {', '.join(_WORDS)}; with -backward the way back."),
    ] = "correlate",
    rank: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4,
            help="Axes of the kernel: 1 a signal, 2 an image, 3 or 4 a layer; else found out.",
        ),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="FORM", help="How it wants to be called.")
    ] = None,
    list_forms: Annotated[
        bool, typer.Option("--list-forms", help="List the forms of courses that are known.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0.1, max=9999, help="What a call may take.")] = 10.0,
    memory: Annotated[int, typer.Option(min=64, help="What it may have, in MiB.")] = 1024,
    forbid: Annotated[
        list[str] | None,
        typer.Option(metavar="PACKAGE", help="Not to be imported, as torch; may be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the numbers that a report with this seed had.")
    ] = None,
    count_include_pad: Annotated[
        bool, typer.Option("--count-include-pad", help="Averages are over the padding as well.")
    ] = False,
    ceil_mode: Annotated[
        bool, typer.Option("--ceil-mode", help="A pool's last window may stick out.")
    ] = False,
    no_answers: Annotated[
        bool, typer.Option("--no-answers", help="Show no numbers that should have come.")
    ] = False,
    play: Annotated[
        bool,
        typer.Option(
            "--play", help="Play the wrong call as it should be; it stops at each wrong number."
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report as an HTML page.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a function of your own against stepconv.

    How it wants to be called is found out by its names, defaults and first answers, and said. It is
    called with small arrays first, then with every option that it has an argument for (stride,
    padding, dilation, groups, bias, mode …). The smallest call that goes wrong is shown, with what
    it looks like. The exit status is 0 if all are right, 1 if one is wrong, 2 if the function
    cannot be run.

    The function runs in a process of its own, without what it prints, and cannot import stepconv.

    Examples:

        stepconv check homework.py:conv2d --op correlate
        stepconv check notebook.ipynb:max_pool --op max-pool --seconds 2
        stepconv check homework.py:Conv2d --op correlate-backward --forbid torch
        stepconv check --list-forms
    """
    from stepconv import files
    from stepconv.cli import terminal
    from stepconv.cli.showing.output import check_place
    from stepconv.errors import ArgumentError, StepconvError

    if list_forms:
        from stepconv.testing.forms.finding import listed

        print("\n".join(listed()))
        return
    if target is None:
        raise ArgumentError("nothing to check: FILE.py:FUNCTION is missing")
    if output is not None:
        check_place(output)
    fixed = {"count_include_pad": count_include_pad, "ceil_mode": ceil_mode}
    asked: dict[str, Any] = {name: True for name, given in fixed.items() if given}
    asked |= {"rank": rank, "form": form, "seconds": seconds, "memory": memory, "seed": seed}
    try:
        with terminal.stderr().status("calling the function …"):
            from stepconv.testing import checks

            report = checks.check(target, op, forbidden=forbid or (), **asked)
    except (StepconvError, OSError) as error:
        if as_json:
            told = {"function": target, "op": op, "right": None, "error": str(error)}
            terminal.print_json(told)
        raise
    answers = not no_answers
    if as_json:
        from stepconv.testing.report.data import as_data

        terminal.print_json(as_data(report, answers=answers))
    else:
        from stepconv.testing.report.words import lines

        print("\n".join(lines(report, answers=answers)))
    if output is not None:
        from stepconv.testing.report.page import page

        files.write(output, page(report, answers=answers).encode())
    if seed is None and not as_json:
        terminal.complain(f"numbers drawn by --seed {report.seed}, which draws them again")
    if play and not report.right:
        _play(report)
    if not report.right:
        raise typer.Exit(terminal.WRONG)


def _play(report: Any) -> None:
    """Play the call that went wrong, as it should be, from the first wrong number on."""
    from stepconv.cli.commands.play import on_a_screen
    from stepconv.testing.report.words import replayed

    made = replayed(report)
    if made is not None and on_a_screen():
        from stepconv.player import app

        trace, wrong, caption = made
        player = app.Player(trace)
        player.playback.breakpoints = set(wrong)
        player.playback.go(wrong[0])
        player.playback.message = caption
        player.run()
