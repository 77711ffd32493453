"""What there is to look at: recorded calls, their files, the worked examples of the lectures.

In reading order; a file imports only those above it, but for the methods of a trace that save it,
show it in a notebook and put a step in words.

call            a pass of an operation with its plan and options, as plain data
gather/         which cells and weights flow into each output cell
model           Trace and Step: what is kept of a call, and what is read off it
ring            the padding round a source
words, sentence what things are called; a step in a sentence
size            that of a result as a formula
notebook        the page that a notebook asks for, which the room web makes
jobs            from a function and its arguments to what is to be recorded, and back
recorder        record: a job computed step by step
counterpart     a convolution for a correlation
flow            which cells a step was made from, and which steps a cell flows into
chain           calls recorded one after the other, cells linked from each to the next
file/           a trace on disk, and a chain
gallery/        the worked examples, and worked chains
"""

from stepconv.trace.call import Call
from stepconv.trace.chain import Chain, From, Link
from stepconv.trace.file.chain import load, load_chain
from stepconv.trace.file.read import load_trace
from stepconv.trace.gallery.chains import WorkedChain, worked_chain, worked_chains
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
    "Chain",
    "From",
    "Link",
    "NamedKernel",
    "Step",
    "Trace",
    "WorkedChain",
    "WorkedExample",
    "example_trace",
    "load",
    "load_chain",
    "load_trace",
    "named_kernels",
    "pictures",
    "record",
    "record_example",
    "worked_chain",
    "worked_chains",
    "worked_example",
    "worked_examples",
]
