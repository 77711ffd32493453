"""Calls after one another: each `--then` that is typed is one more, on what the last one gave."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from stepconv.cli.reading import calls, targets
from stepconv.cli.reading.targets import Asked
from stepconv.errors import ArgumentError
from stepconv.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from stepconv.trace import Chain, Trace

# Options that speak of the first call alone.
_OF_THE_FIRST = (
    *("input", "channel", "channels", "op"),
    *("gradient", "grad_out", "then"),
)


def continued(record: "Trace | Chain", thens: Sequence[str], backend: str | None) -> "Chain":
    """Return a record with the calls of `--then` recorded after it, one after the other."""
    from stepconv.trace import Chain

    chain = record if isinstance(record, Chain) else Chain.begun_with(record)
    for text in thens:
        with named(text):
            function, options = next_call(text, chain.output, backend)
            chain = chain.then(function, **options)
    return chain


@contextmanager
def named(text: str) -> Iterator[None]:
    """Let what is refused in the block be said of `--then`."""
    try:
        yield
    except ArgumentError as error:
        raise ArgumentError(f"--then {text!r}: {error}") from None


def next_call(text: str, x: Any, backend: str | None) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the operation that is typed behind `--then`, and its options, for what came out."""
    return calls.following(_asked(text, backend), x)


def _asked(text: str, backend: str | None) -> Asked:
    """Return what `max-pool 2 --stride 1` asks for: an operation, what is its own, and options."""
    try:
        word, *words = shlex.split(text)
    except ValueError:
        raise ArgumentError("an operation such as relu or 'max-pool 2' fits") from None
    name = calls.operation(word)
    first = next((i for i, each in enumerate(words) if each.startswith("--")), len(words))
    own = " ".join(words[:first])
    if own:
        option = _own_option(OPERATIONS[name])
        if not option:
            raise ArgumentError(f"{word} takes no {own!r}")
        words = [f"{targets.flag(option)}={own}", *words[first:]]
    try:
        asked = targets.parsed(words)
    except typer.TyperException as error:
        raise ArgumentError(error.format_message()) from None
    strange = [each for each in asked.options if each in _OF_THE_FIRST]
    if strange:
        raise ArgumentError(f"{targets.flag(strange[0])} has no place here: x is there already")
    return replace(asked, op=word, backend=asked.backend or backend)


def _own_option(operation: Operation) -> str:
    """Return the option that may be typed without its name."""
    for array, option in (("w", "kernel"), ("y", "other")):
        if array in operation.arrays[1:]:
            return option
    return next((each for each in ("window", "slope", "padding") if each in operation.options), "")
