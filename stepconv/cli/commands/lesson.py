"""`stepconv lesson`: five lectures that run themselves, or one of your own."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.lessons.scene import Lesson


def lesson(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A lesson by name or number, or a .md file."),
    ] = None,
    scene: Annotated[
        int | None, typer.Option("--scene", help="Begin at this scene, counted from 1.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the scenes.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="In sentences, for a pipe or a screen reader.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As data: with --list the scenes, with NAME all of it.")
    ] = False,
    present: Annotated[
        bool, typer.Option("--present", help="For a projector: large digits, one idea a screen.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget what was seen, of NAME or of all lessons.")
    ] = False,
) -> None:
    """Learn convolutional networks: look, guess, change.

    Without NAME a menu. In a lesson → and ← turn the pages, enter goes inside what a scene shows,
    where the player's keys work, and escape leads back. On a pipe it is told in sentences.

    Examples:

        stepconv lesson
        stepconv lesson images
        stepconv lesson 2 --scene 5
        stepconv lesson images --present
        stepconv lesson images --plain
        stepconv lesson --list --json
        stepconv lesson mine.md
    """
    from stepconv.cli import terminal
    from stepconv.cli.commands.play import on_a_screen
    from stepconv.cli.lesson import told
    from stepconv.cli.reading.lessons import tools
    from stepconv.lessons import shelf
    from stepconv.lessons.progress import Progress

    _check(plain=plain, json=as_json, present=present, reset=reset)
    chosen = shelf.lessons() if name is None else (shelf.lesson(name),)
    number = _number(scene, chosen, name)
    if reset:
        progress = Progress.load()
        progress.forget(None if name is None else chosen[0].name)
        progress.save()
        of = "all lessons" if name is None else f"lesson {chosen[0].name}"
        print(f"forgotten: what was seen of {of}", file=sys.stderr)
    elif as_json:
        data = told.as_list(chosen) if listing or name is None else told.as_data(chosen[0], tools())
        terminal.print_json(data, ensure_ascii=False)
    elif listing or (name is None and (plain or not on_a_screen())):
        for line in told.listed(chosen):
            print(line)
    elif plain or not on_a_screen():
        for line in told.sentences(chosen[0], tools(), number):
            print(line)
    else:
        _read(chosen[0] if name else None, number, present)


def _check(**given: bool) -> None:
    """Refuse options that say different things."""
    said = [f"--{name}" for name, is_given in given.items() if is_given]
    if len(said) > 1:
        raise ArgumentError(f"{said[0]} and {said[1]} say different things: give one")


def _number(scene: int | None, chosen: "tuple[Lesson, ...]", name: str | None) -> int | None:
    """Return the scene to begin with, counted from 0."""
    if scene is None:
        return None
    if name is None:
        raise ArgumentError(
            f"--scene {scene} is of no lesson: stepconv lesson images --scene 5 fits"
        )
    last = len(chosen[0].scenes)
    if not 1 <= scene <= last:
        raise ArgumentError(f"--scene {scene} is not in {chosen[0].name}: 1 to {last} fit")
    return scene - 1


def _read(opened: "Lesson | None", number: int | None, large: bool) -> None:
    """Open the screen: the menu, or a lesson where it was left."""
    from stepconv.cli.lesson import screen
    from stepconv.cli.reading import inputs, picture_and_kernel
    from stepconv.cli.reading.lessons import tools
    from stepconv.cli.showing import as_command
    from stepconv.lessons import shelf
    from stepconv.lessons.progress import Progress
    from stepconv.lessons.reader import Reader
    from stepconv.player.editing import Desk

    every = list(shelf.lessons())
    if opened is not None and opened.name not in [each.name for each in every]:
        every.append(opened)
    reader = Reader(every, tools(), Progress.load())
    if opened is not None:
        names = [each.name for each in every]
        every[names.index(opened.name)] = opened
        reader.open(names.index(opened.name), number)
    desk = Desk(inputs.numbers, picture_and_kernel.kernel, as_command.command)
    status = screen.run(reader, desk, large=large)
    if status:
        raise typer.Exit(status)
