"""The worked examples as traces: read from the folder that is shipped, or recorded anew."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from stepconv.errors import ArgumentError
from stepconv.operations import PASSES
from stepconv.trace.file.read import load_trace
from stepconv.trace.file.write import SUFFIX
from stepconv.trace.gallery.worked import WorkedExample, worked_example
from stepconv.trace.jobs import function_of
from stepconv.trace.model import About, Trace
from stepconv.trace.recorder import record

_COLOURS = ("red", "green", "blue")


def example_trace(id: str) -> Trace:
    """Return the recorded trace of a worked example, as it is shipped.

    >>> example_trace("vertical-edge-rgb").at(0, 0, 3).channel_sums
    array([75, 75, 75])
    """
    example = worked_example(id)
    if not has_windows(example):
        raise ArgumentError(f"worked example {id!r} is a size: it has no windows to step through")
    return load_trace(folder() / f"{id}{SUFFIX}")


def record_example(example: WorkedExample, backend: str | None = None) -> Trace:
    """Record a worked example anew."""
    function, gradient = function_of(example.op)
    return record(
        function,
        **example.inputs,
        **example.options,
        gradient=gradient,
        about=about(example),
        backend=backend,
    )


def has_windows(example: WorkedExample) -> bool:
    """Tell whether an example can be stepped through; the others count sizes and parameters."""
    return example.op in PASSES


def about(example: WorkedExample) -> About:
    """Return the words that go with an example, and what its slide says where that is wrong."""
    notes = [f"from {example.lecture}"]
    if isinstance(example.printed, str):
        notes.append(f"{example.printed}; the numbers here are right")
    elif example.printed is not None:
        notes.append(f"the slide prints {example.printed.tolist()}; the numbers here are right")
    if example.note:
        notes.append(example.note)
    notes = [f"{note[0].upper()}{note[1:]}." for note in notes]
    colour = example.group == "colour" or "rgb" in example.id
    return About(example.title, tuple(notes), _COLOURS if colour else ())


@cache
def folder() -> Path:
    """Return the folder of the shipped traces: in the wheel inside the package, else beside it."""
    package = Path(__file__).parents[2]
    inside = package / "traces"
    return inside if inside.is_dir() else package.parent / "traces"
