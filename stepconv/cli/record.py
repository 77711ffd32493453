"""`stepconv record`: a call with all its steps, as a file to keep, replay and hand on."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepconv.cli import _target


def record(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.trace.npz.")],
    target: _target.Target = None,
    input: _target.Input = None,
    kernel: _target.Kernel = None,
    op: _target.Op = None,
    window: _target.Window = None,
    stride: _target.Stride = None,
    padding: _target.Padding = None,
    dilation: _target.Dilation = None,
    groups: _target.Groups = None,
    mode: _target.Mode = None,
    ceil_mode: _target.CeilMode = False,
    count_include_pad: _target.CountIncludePad = False,
    output_padding: _target.OutputPadding = None,
    gradient: _target.Gradient = None,
    grad_out: _target.GradOut = None,
    channel: _target.Channel = None,
    backend: _target.Backend = None,
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
    asked = _target.asked(locals())
    from stepconv.cli import _output

    _output.check(out, (".npz",), force)
    trace = _target.trace_of(asked)
    trace.save(out, force=force)
    steps = f"{len(trace)} step{'s' * (len(trace) != 1)}"
    size = f"{out.stat().st_size:,} bytes"
    print(f"{out}: {steps} of {trace.call.operation.title}, {size}", file=sys.stderr)
