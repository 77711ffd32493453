"""What a lesson asks of the command line: records of what is typed, networks measured."""

import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

import typer

from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.lessons.names import Tools
    from stepconv.nn.shapes import Measured
    from stepconv.trace import Chain, Trace


def tools() -> "Tools":
    """Return what lessons ask with, see `stepconv.lessons.names.Tools`."""
    from stepconv.lessons.names import Tools

    return Tools(record, network)


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
