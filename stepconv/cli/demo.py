"""`stepconv demo`: the first look, with nothing to download."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from stepconv.cli._demo_scenes import Line

# Blue and orange are told apart by nearly everybody, on dark screens and on light ones.
STYLES = {"title": "bold", "window": "bold dodger_blue1", "result": "bold dark_orange", "note": ""}

# Seconds that a step worth a stop stays, and any other.
STOP, PASS = 1.6, 0.06


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Sentences instead of drawings, for screen readers.")
    ] = False,
) -> None:
    """Step through worked examples, then train a network, let it read, and look into it.

    Every number is computed as you watch. It takes less than a minute; --fast does not pause.

    Examples:

        stepconv demo
        stepconv demo --fast
        stepconv demo --plain
    """
    from time import sleep

    from stepconv.cli import _console, _demo_network

    console = _console.stdout()
    print("stepconv demo: every number below is computed as you watch.\n")
    screen = console.is_terminal and not console.is_dumb_terminal and not plain
    if plain:
        tell()
    elif screen and not fast:
        play(console, sleep)
    else:
        draw(console)
    _demo_network.play(console, sleep if screen and not fast else None, drawn=screen)
    print("Try next:")
    for command in suggestions():
        print(f"  {command}")


def play(console: "Console", pause: Callable[[float], None]) -> None:
    """Play the scenes on a terminal, each in place, with a stop where something happens."""
    from rich.live import Live

    from stepconv.cli import _demo_scenes

    for scene in _demo_scenes.scenes():
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            for step in range(scene.steps):
                # The last line of the screen is the cursor's.
                live.update(_text(scene.draw(step, console.height - 1)), refresh=True)
                pause(STOP if step in scene.telling or scene.steps < 10 else PASS)
        print()


def draw(console: "Console") -> None:
    """Print the telling steps one below the other."""
    from stepconv.cli import _demo_scenes

    for scene in _demo_scenes.scenes():
        for step in scene.telling:
            console.print(_text(scene.draw(step, None)), soft_wrap=True)
            console.print()


def tell() -> None:
    """Print every scene in sentences."""
    from stepconv.cli import _demo_scenes

    for scene in _demo_scenes.scenes():
        print(f"Worked example {scene.example.id}: {scene.example.title}.")
        for step in scene.telling if scene.steps > 10 else range(scene.steps):
            print(scene.say(step))
        print()


def suggestions() -> list[str]:
    """Return commands to try next that work on this machine."""
    from importlib.util import find_spec

    from stepconv.cli import available

    out = "edges.png" if find_spec("PIL") else "edges.csv"
    commands = {
        "show": "stepconv show vertical-edge-rgb --step 3",
        "examples": "stepconv examples",
        "shapes": "stepconv shapes lenet5",
        "apply": f"stepconv apply eight-22x16 sobel-x -o {out}",
        "doctor": "stepconv doctor",
    }
    return [line for name, line in commands.items() if name in available()]


def _text(lines: "list[Line]") -> "Text":
    from rich.text import Text

    text = Text(no_wrap=True, overflow="crop")
    for number, line in enumerate(lines):
        if number:
            text.append("\n")
        for piece, role in line:
            text.append(piece, STYLES.get(role, ""))
    return text
