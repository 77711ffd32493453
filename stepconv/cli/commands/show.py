"""`stepconv show`: the steps of a record on stdout, as panels, as sentences, or as JSON."""

from pathlib import Path
from typing import Annotated

import typer

from stepconv.cli.reading import targets
from stepconv.cli.reading.steps import chosen
from stepconv.errors import ArgumentError


@targets.with_target
def show(
    *,
    step: Annotated[
        int | None, typer.Option("--step", help="One step, counted from 0; -1 is the last.")
    ] = None,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="A:B", help="The steps from A up to B.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A sentence for each step, for screen readers.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object for each step, one a line.")
    ] = False,
    svg: Annotated[Path | None, typer.Option("--svg", hidden=True)] = None,
    link: Annotated[
        int | None, typer.Option("--link", help="One call of a chain, counted from 0.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", hidden=True)] = False,
    asked: targets.Asked,
    letters: targets.Letters = False,
    way: targets.Way = None,
    cell: targets.OutputCell = None,
) -> None:
    """Print windows of a convolution, pooling or gradient.

    Without --step or --steps the panels show the first step, sentences and JSON all of them. Of
    calls after one another (--then) each is shown, or with --link one.

    With --as the steps are those of an algorithm: how it computes a tile of the output, all of
    them, what was counted, and a table of all algorithms that suit the call.

    Examples:

        stepconv show vertical-edge-rgb --step 3
        stepconv show max-pool-4x4 --plain
        stepconv show --input "1 2; 3 4" --kernel "1 0 -1" --padding 1 --steps 0:3
        stepconv show --input eight-22x16 --op avg-pool --window 2 --json
        stepconv show size-10-3-p0-s2
        stepconv show vertical-edge-rgb --then relu --then "max-pool 2"
        stepconv show vertical-edge-gray --as winograd --cell 2,2
    """
    from stepconv.cli import terminal
    from stepconv.cli.showing import exporting, output
    from stepconv.cli.showing import steps as showing
    from stepconv.cli.showing.kinds import Wanted
    from stepconv.cli.showing.links import shown
    from stepconv.trace.gallery.traces import has_windows

    if plain + as_json + (svg is not None) > 1:
        raise ArgumentError("--plain, --json and --svg say different things: give one")
    if svg is not None and way is not None:
        raise ArgumentError(f"--as {way} and --svg {svg} say two things: give one")
    if svg is not None:  # an older name of `stepconv export`
        output.check(svg, (".svg",), force)
        wanted = Wanted(svg, step, steps, link=link, letters=letters, force=force)
        exporting.export(asked, wanted)
        return
    if way is not None:
        from stepconv.cli.showing import stepped

        stepped.check_letters(way, letters)
        stepped.show(asked, way, cell, link, stepped.Wanted(step, steps, plain, as_json))
        return
    example = asked.example
    if example is not None and not has_windows(example):
        showing.count(example, as_json)
        return
    if cell is not None:
        raise ArgumentError(f"--cell {cell} needs --as: --step says which window is shown")
    found = shown(targets.trace_of(asked), link)
    for each in found:
        numbers = chosen(each.trace, step, steps, everything=plain or as_json)
        windows = [each.trace[number] for number in numbers]
        if each.heading and not as_json:
            print(each.heading)
        if as_json:
            for one in windows:
                terminal.print_json(each.as_data(one))
        elif plain:
            for one in windows:
                print(one.in_words())
        else:
            showing.panels(each.trace, windows, letters=letters)
            _hint(len(each.trace) - len(windows), alone=len(windows) == 1)


def _hint(more: int, alone: bool) -> None:
    """Say how to see the other steps, to somebody who sees one."""
    from stepconv.cli import terminal

    console = terminal.stdout()
    if more and alone and console.is_terminal:
        console.print(f"{more} more: --step N, --steps A:B, or stepconv play", style="dim")
