"""Write a trace to one file: its arrays, and what its call is in words.

The format is told in docs/trace-format.md; `read.py` reads it.
"""

from __future__ import annotations

from dataclasses import asdict
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from stepconv.trace.file.archive import Kind, write
from stepconv.trace.jobs import spelled
from stepconv.trace.model import Trace

Array = NDArray[Any]

ARGUMENTS = ("x", "y", "w", "bias", "grad_out")
RECORDED = ("output", "workers", "sums", "winners")
KIND = Kind("trace", "stepconv-trace", 1, "|".join((*ARGUMENTS, *RECORDED)))
SUFFIX = ".trace.npz"


def save(trace: Trace, path: str | PathLike[str], *, force: bool = False) -> None:
    """Write the trace whole or not at all; an existing file is replaced only with `force`."""
    write(path, KIND, told(trace), members(trace), force)


def members(trace: Trace) -> dict[str, Array]:
    """Return all arrays of a trace by the names they have in its file."""
    optional = {"sums": trace.sums, "winners": trace.winners}
    return {
        **trace.arrays,
        "output": trace.output,
        **{name: array for name, array in optional.items() if array is not None},
        "workers": trace.workers,
    }


def told(trace: Trace) -> dict[str, Any]:
    """Return the call and the words about it as they are written in the header."""
    function, gradient, options = spelled(trace.call)
    if "value" in options:
        # JSON has no word for NaN and Inf.
        value = options["value"]
        options["value"] = str(int(value) if isinstance(value, bool) else value)
    call = {"function": function.__name__, "gradient": gradient, "options": options}
    return {**call, "about": asdict(trace.about)}
