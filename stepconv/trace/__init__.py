"""What there is to look at: recorded calls, their files, the worked examples of the lectures."""

from stepconv.trace.call import Call
from stepconv.trace.file.read import load_trace
from stepconv.trace.gallery.traces import example_trace, record_example
from stepconv.trace.gallery.worked import (
    GROUPS,
    NamedKernel,
    WorkedExample,
    named_kernels,
    pictures,
    worked_example,
    worked_examples,
)
from stepconv.trace.model import About, Step, Trace
from stepconv.trace.recorder import record

__all__ = [
    "GROUPS",
    "About",
    "Call",
    "NamedKernel",
    "Step",
    "Trace",
    "WorkedExample",
    "example_trace",
    "load_trace",
    "named_kernels",
    "pictures",
    "record",
    "record_example",
    "worked_example",
    "worked_examples",
]
