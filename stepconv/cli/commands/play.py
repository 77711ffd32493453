"""`stepconv play`: step through a record on the terminal, multiplication by multiplication."""

from typing import TYPE_CHECKING

import typer

from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.trace import Chain, Trace


@targets.with_target
def play(
    *,
    asked: targets.Asked,
    letters: targets.Letters = False,
    way: targets.Way = None,
    cell: targets.OutputCell = None,
) -> None:
    """Play a convolution, pooling or gradient window by window.

    In the player `?` lists the keys and `q` leaves; alone, `play` lets you choose. On a pipe, or a
    terminal that cannot move its cursor, this shows the first step, as `stepconv show` does. With
    --as the steps are those of an algorithm, and the last page is a table of all that suit.

    Examples:

        stepconv play
        stepconv play vertical-edge-rgb
        stepconv play max-pool-backward
        stepconv play --input "1 2; 3 4" --kernel "1 0 -1" --padding same
        stepconv play eight-22x16 --kernel gaussian-5
        stepconv play photo.jpg --kernel "1 -1 | 2 -2 | 3 -3" --bias 1
        stepconv play lecture.trace.npz
        stepconv play vertical-edge-gray --as winograd --cell 2,2
        stepconv play vertical-edge-rgb --then relu --then "max-pool 2"
    """
    from stepconv.cli.commands import show
    from stepconv.trace.gallery.traces import has_windows

    if not on_a_screen() or (asked.example is not None and not has_windows(asked.example)):
        show.show(**vars(asked), letters=letters, way=way, cell=cell)
        return
    if way is not None:
        from stepconv.cli.showing import stepped

        stepped.check_letters(way, letters)
        _end(stepped.play(asked, way, cell))
        return
    if cell is not None:
        raise ArgumentError(f"--cell {cell} needs --as: in the player g goes to a cell")
    trace = targets.trace_of(asked) if asked.target or asked.options else _chosen()
    if trace is None:
        return
    from stepconv.cli.reading import inputs, picture_and_kernel
    from stepconv.cli.showing import as_command
    from stepconv.player import app
    from stepconv.player.editing import Desk

    desk = Desk(inputs.numbers, picture_and_kernel.kernel, as_command.command)
    _end(app.play(trace, letters=letters, desk=desk, first_start=_is_first_start()))


def _end(status: int) -> None:
    """End with an exit status other than 0."""
    if status:
        raise typer.Exit(status)


def _is_first_start() -> bool:
    """Tell whether nobody has played here before, and remember that somebody has."""
    import platformdirs

    seen = platformdirs.user_state_path("stepconv", appauthor=False) / "played"
    try:
        seen.parent.mkdir(parents=True, exist_ok=True)
        seen.touch(exist_ok=False)
    except OSError:
        return False  # it is there, or nothing can be remembered here
    return True


def _chosen() -> "Trace | Chain | None":
    """Let the person at the terminal choose, until it can be played; None for nothing."""
    import shlex

    from stepconv.cli.showing import choosing
    from stepconv.errors import StepconvError
    from stepconv.player.choices import Choices
    from stepconv.player.chooser import choose

    typed, message = "", ""
    while True:
        choices = Choices(choosing.everything(), choosing.preview, typed, message)
        typed = choose(choices) or ""
        if not typed:
            return None
        try:
            return targets.trace_of(targets.parsed(shlex.split(typed)))
        except (StepconvError, typer.TyperException, OSError, ValueError) as error:
            message = str(error)


def on_a_screen() -> bool:
    """Tell whether there is a screen to play on: a terminal in and out that moves its cursor."""
    import os
    import sys

    if os.environ.get("TEXTUAL_DRIVER"):
        return True  # served elsewhere: the streams are pipes by design
    # The player paints on stderr, a person reads it, and keys come from stdin.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") not in ("dumb", "unknown") and all(s.isatty() for s in streams)
