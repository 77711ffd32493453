"""`stepconv record`: a call with all its steps, as a file to keep, replay and hand on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepconv.cli.reading import targets


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
    """
    from stepconv.cli.showing import output

    output.check(out, (".npz",), force)
    trace = targets.trace_of(asked)
    trace.save(out, force=force)
    steps = f"{len(trace)} step{'s' * (len(trace) != 1)}"
    size = f"{out.stat().st_size:,} bytes"
    print(f"{out}: {steps} of {trace.call.operation.title}, {size}", file=sys.stderr)
