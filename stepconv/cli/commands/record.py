"""`stepconv record`: a call with all its steps, as a file to keep, replay and hand on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepconv.cli.reading import targets

# Of a longer chain the calls are counted, not named.
_MOST_TOLD = 4


@targets.with_target
def record(
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.trace.npz.")],
    asked: targets.Asked,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Record a convolution, pooling or gradient in a file.

    `stepconv play FILE` and `stepconv show FILE` replay it, on any machine.

    Examples:

        stepconv record vertical-edge-rgb -o edge.trace.npz
        stepconv record --input "1 2; 3 4" --kernel "1 -1" -o mine.trace.npz
        stepconv record --input x.npy --op max-pool --window 2 -o pool.trace.npz
        stepconv record max-pool-4x4 --gradient x -o back.trace.npz
        stepconv record vertical-edge-rgb --then relu -o chain.npz
    """
    from stepconv.cli.showing import output
    from stepconv.trace import Chain

    output.check(out, (".npz",), force)
    trace = targets.trace_of(asked)
    trace.save(out, force=force)
    links = trace[:] if isinstance(trace, Chain) else [trace]
    told = [
        f"{len(each)} step{'s' * (len(each) != 1)} of {each.call.operation.title}" for each in links
    ]
    if len(links) > _MOST_TOLD:
        told = [f"{len(links)} calls", f"{sum(map(len, links)):,} steps"]
    from stepconv.cli import terminal

    print(
        f"{terminal.harmless(out)}: {', '.join(told)}, {out.stat().st_size:,} bytes",
        file=sys.stderr,
    )
