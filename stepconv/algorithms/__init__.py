"""Algorithms as readable steps: one tile of a correlation, computed in several ways.

ledger       what is counted: products, sums, bytes, hits in a small model of a cache
steps        what a step shows, as plain data: words, a formula, arrays with marked cells
task         the tile that all compute, and what it reads
direct       the sum as on a slide
im2col       windows as rows of a matrix
separable    a column times a row
winograd     fewer products, of transformed numbers
fourier      products of waves, on a circle
tiles        the engine's own: registers and vectors
gpu_tiles    the same on a GPU: blocks, threads and what they share
runs         all of them by name, held against the exact sums
comparison   the table at the end: what each costs for an output cell
"""

from stepconv.algorithms.comparison import Measured, Row, table
from stepconv.algorithms.ledger import Counts, Machine
from stepconv.algorithms.runs import WAYS, Run, check_way, every_run, runs
from stepconv.algorithms.steps import Panel, Step

__all__ = [
    "WAYS",
    "Counts",
    "Machine",
    "Measured",
    "Panel",
    "Row",
    "Run",
    "Step",
    "check_way",
    "every_run",
    "runs",
    "table",
]
