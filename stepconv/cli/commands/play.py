"""`stepconv play`: step through a record on the terminal, multiplication by multiplication."""

import typer

from stepconv.cli.reading import targets


def play(
    target: targets.Target = None,
    input: targets.Input = None,
    kernel: targets.Kernel = None,
    op: targets.Op = None,
    window: targets.Window = None,
    stride: targets.Stride = None,
    padding: targets.Padding = None,
    dilation: targets.Dilation = None,
    groups: targets.Groups = None,
    mode: targets.Mode = None,
    ceil_mode: targets.CeilMode = False,
    count_include_pad: targets.CountIncludePad = False,
    output_padding: targets.OutputPadding = None,
    gradient: targets.Gradient = None,
    grad_out: targets.GradOut = None,
    channel: targets.Channel = None,
    backend: targets.Backend = None,
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
    asked = targets.asked(locals())
    from stepconv.cli.commands import show
    from stepconv.trace.gallery.traces import has_windows

    if not on_a_screen() or (asked.example is not None and not has_windows(asked.example)):
        show.show(**vars(asked))
        return
    trace = targets.trace_of(asked)
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
