"""`stepconv show`: the steps of a record on stdout, as panels, as sentences, or as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv import files
from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.trace import Step, Trace


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
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write one step as a picture for a slide.")
    ] = None,
    link: Annotated[
        int | None, typer.Option("--link", help="One call of a chain, counted from 0.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
    asked: targets.Asked,
    letters: targets.Letters = False,
) -> None:
    """Print windows of a convolution, pooling or gradient.

    Without --step or --steps the panels show the first step, sentences and JSON all of them. Of
    calls after one another (--then) each is shown, or with --link one.

    Examples:

        stepconv show vertical-edge-rgb --step 3
        stepconv show vertical-edge-rgb --step 3 --svg edge.svg
        stepconv show max-pool-4x4 --plain
        stepconv show --input "1 2; 3 4" --kernel "1 0 -1" --padding 1 --steps 0:3
        stepconv show --input eight-22x16 --op avg-pool --window 2 --json
        stepconv show size-10-3-p0-s2
        stepconv show vertical-edge-rgb --then relu --then "max-pool 2"
    """
    from stepconv.cli import terminal
    from stepconv.cli.showing import output
    from stepconv.cli.showing import steps as showing
    from stepconv.cli.showing.links import shown
    from stepconv.trace.gallery.traces import has_windows

    if plain + as_json + (svg is not None) > 1:
        raise ArgumentError("--plain, --json and --svg say different things: give one")
    if svg is not None:
        output.check(svg, (".svg",), force)
    example = asked.example
    if example is not None and not has_windows(example):
        showing.count(example, as_json)
        return
    found = shown(targets.trace_of(asked), link)
    if svg is not None:
        chosen = [one for each in found for one in _chosen(each.trace, step, steps, False)]
        if len(found) > 1:
            raise ArgumentError(f"--svg shows one link, not {len(found)}: --link 0 fits")
        if len(chosen) != 1:
            raise ArgumentError(f"--svg shows one step, not {len(chosen)}: --step 3 fits")
        files.write(svg, showing.svg(found[0].trace, chosen[0], letters=letters).encode())
        return
    for each in found:
        chosen = _chosen(each.trace, step, steps, everything=plain or as_json)
        if each.heading and not as_json:
            print(each.heading)
        if as_json:
            for one in chosen:
                terminal.print_json(each.as_data(one))
        elif plain:
            for one in chosen:
                print(one.in_words())
        else:
            showing.panels(each.trace, chosen, letters=letters)
            _hint(len(each.trace) - len(chosen), alone=len(chosen) == 1)


def _hint(more: int, alone: bool) -> None:
    """Say how to see the other steps, to somebody who sees one."""
    from stepconv.cli import terminal

    console = terminal.stdout()
    if more and alone and console.is_terminal:
        console.print(f"{more} more: --step N, --steps A:B, or stepconv play", style="dim")


def _chosen(trace: "Trace", step: int | None, steps: str | None, everything: bool) -> "list[Step]":
    """Return the steps that are asked for."""
    if step is not None and steps is not None:
        raise ArgumentError("--step and --steps say two things: give one")
    if steps is not None:
        first, colon, last = steps.partition(":")
        try:
            bounds = slice(*(int(end) if end else None for end in (first, last)))
        except ValueError:
            colon = ""
        if not colon:
            raise ArgumentError(f"--steps {steps!r} is no range: 0:10, 10: or :10 fits")
        if not trace[bounds]:
            raise ArgumentError(f"--steps {steps} holds none of the steps 0 to {len(trace) - 1}")
        return trace[bounds]
    if step is not None:
        if not -len(trace) <= step < len(trace):
            raise ArgumentError(
                f"--step {step} is not in this trace, whose steps are 0 to {len(trace) - 1}"
            )
        return [trace[step]]
    return list(trace) if everything else trace[:1]
