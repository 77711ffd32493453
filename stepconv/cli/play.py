"""`stepconv play`: step through a record on the terminal, multiplication by multiplication."""

import typer

from stepconv.cli import _target


def play(
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
) -> None:
    """Play a convolution, pooling or gradient window by window.

    In the player `?` lists the keys and `q` leaves. On a pipe, or a terminal that cannot move its
    cursor, this shows the first step, as `stepconv show` does.

    Examples:

        stepconv play vertical-edge-rgb
        stepconv play max-pool-backward
        stepconv play --input "1 2; 3 4" --kernel "1 0 -1" --padding same
        stepconv play --input eight-22x16 --kernel gaussian-5
        stepconv play lecture.trace.npz
    """
    asked = _target.asked(locals())
    from stepconv.cli import show
    from stepconv.trace.examples import has_windows

    if not on_a_screen() or (asked.example is not None and not has_windows(asked.example)):
        show.show(**vars(asked))
        return
    trace = _target.trace_of(asked)
    from stepconv.player import app

    status = app.play(trace)
    if status:
        raise typer.Exit(status)


def on_a_screen() -> bool:
    """Tell whether there is a screen to play on: a terminal in and out that moves its cursor."""
    import os
    import sys

    if os.environ.get("TEXTUAL_DRIVER"):
        return True  # served elsewhere: the streams are pipes by design
    # The player paints on stderr, a person reads it, and keys come from stdin.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") not in ("dumb", "unknown") and all(s.isatty() for s in streams)
