"""`stepconv demo`: the first look, with nothing to download."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv.cli import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.trace import Trace

# Seconds that a step worth a stop stays, and any other.
STOP, PASS = 1.6, 0.06


@dataclass(frozen=True)
class Scene:
    """A worked example to step through, and the steps worth a stop."""

    id: str
    trace: "Trace"
    telling: tuple[int, ...]


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Sentences instead of drawings, for screen readers.")
    ] = False,
) -> None:
    """Step through examples, then watch a network learn to read.

    Every number is computed as you watch. It takes less than a minute; --fast does not pause.

    Examples:

        stepconv demo
        stepconv demo --fast
        stepconv demo --plain
    """
    from time import sleep

    from stepconv.cli.showing import demo_network

    console = terminal.stdout()
    print("stepconv demo: every number below is computed as you watch.\n")
    screen = console.is_terminal and not console.is_dumb_terminal and not plain
    if plain:
        tell()
    elif screen and not fast:
        play(console, sleep)
    else:
        draw(console)
    demo_network.play(console, sleep if screen and not fast else None, drawn=screen)
    print("Try next:")
    for command in suggestions():
        print(f"  {command}")


def scenes() -> list[Scene]:
    """Return a convolution, a pooling and a gradient, as they are played."""
    from stepconv.trace import example_trace

    convolution, pooling = example_trace("vertical-edge-rgb"), example_trace("max-pool-4x4")
    gradient = example_trace("max-pool-backward")
    winners = (step.index for step in gradient if step.result != 0)
    return [
        Scene("vertical-edge-rgb", convolution, (0, 3, 63)),
        Scene("max-pool-4x4", pooling, tuple(range(len(pooling)))),
        Scene("max-pool-backward", gradient, tuple(winners)),
    ]


def play(console: "Console", pause: Callable[[float], None]) -> None:
    """Play the scenes on a terminal, each in place, with a stop where something happens."""
    from rich.live import Live

    from stepconv.player import render
    from stepconv.player.frame.film import Film
    from stepconv.player.frame.frames import frame

    colour = render.shows_pictures(console)
    for scene in scenes():
        film = Film(scene.trace)
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            for step in range(len(film)):
                # The last line of the screen is the cursor's.
                size = console.width, console.height - 1
                live.update(render.screen(frame(film, step), *size, colour=colour), refresh=True)
                pause(STOP if step in scene.telling else PASS)
        print()


def draw(console: "Console") -> None:
    """Print the telling steps one below the other."""
    from stepconv.cli.showing.steps import panels

    for scene in scenes():
        panels(scene.trace, [scene.trace[step] for step in scene.telling], console)


def tell() -> None:
    """Print the telling steps in sentences."""
    for scene in scenes():
        print(f"Worked example {scene.id}: {scene.trace.about.title}.")
        for step in scene.telling:
            print(f"{scene.trace[step].in_words()}.")
        print()


def suggestions() -> list[str]:
    """Return commands to try next that work on this machine."""
    from importlib.util import find_spec

    called = terminal.called()
    out = "edges.png" if find_spec("PIL") else "edges.csv"
    commands = (
        "play vertical-edge-rgb",
        "examples",
        "lesson",
        "shapes lenet5",
        f"apply eight-22x16 sobel-x -o {out}",
        "doctor",
    )
    return [f"{called} {command}" for command in commands]
