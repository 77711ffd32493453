"""What a lesson asks of the command line: what is typed becomes records, networks, algorithms."""

import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

import typer

from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.algorithms import Row
    from stepconv.cli.showing.stepped import Made
    from stepconv.lessons.names import Tools
    from stepconv.nn.shapes import Measured
    from stepconv.trace import Chain, Trace


def tools() -> "Tools":
    """Return what lessons ask with, see `stepconv.lessons.names.Tools`."""
    from stepconv.lessons.names import Tools

    return Tools(record, network, costs)


@lru_cache(maxsize=256)
def record(text: str) -> "Trace | Chain":
    """Return the record that a TARGET with its options, as they are typed, stands for."""
    try:
        return targets.trace_of(targets.parsed(shlex.split(text)))
    except (typer.TyperException, ValueError) as error:
        told = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        raise ArgumentError(f"play {text}: {told}") from None


@lru_cache(maxsize=64)
def network(text: str) -> "Measured":
    """Return a network layer by layer: name, another picture, classes (`lenet5 3x32x32 7`)."""
    from stepconv.cli.commands.shapes import measured
    from stepconv.cli.reading.networks import shape

    name, *others = text.split()
    picture, classes = (*others, None, None)[:2]
    return measured(name, shape(picture) if picture else None, int(classes) if classes else None)


@lru_cache(maxsize=64)
def steps(text: str) -> "Made":
    """Return the algorithm that `play` would step through: `vertical-edge-gray --as winograd`."""
    from typer.main import get_command

    from stepconv.cli import app
    from stepconv.cli.showing import stepped

    try:
        play = get_command(app).get_command(None, "play")  # type: ignore[attr-defined]
        given = play.make_context("stepconv", shlex.split(text)).params
    except (typer.TyperException, ValueError) as error:
        told = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        raise ArgumentError(f"play {text}: {told}") from None
    way, cell = given.pop("way"), given.pop("cell")
    if way is None:
        raise ArgumentError(f"play {text} names no algorithm: --as winograd fits")
    return stepped.made(
        targets.Asked(**{k: v for k, v in given.items() if k != "letters"}), way, cell
    )


def costs(text: str) -> "list[Row]":
    """Return what each algorithm of a call counts, none of them timed."""
    from stepconv import algorithms

    return algorithms.table(steps(text).runs)
