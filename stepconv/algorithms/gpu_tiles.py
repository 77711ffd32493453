"""The engine's tile on a GPU: blocks of threads that share memory, each thread a strip of cells.

A block of 8x32 threads computes 64x32 cells: each thread eight, one below the other. What the block
reads of the input it fetches once, into memory that its threads share. As a column of the kernel
slides down a strip of the input, a thread's cells read the same numbers, one row later each:

    strip   weights of a column      sums
      s0      w0                     s0·w0 + s1·w1
      s1      w1                     s1·w0 + s2·w1
      s2                             s2·w0 + s3·w1

What is computed here is the part of one warp: 32 threads side by side.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from stepconv.algorithms.ledger import Counted, Ledger
from stepconv.algorithms.steps import Step, numbered, panel
from stepconv.algorithms.task import Array, Pair, Task

# Threads of a warp, cells of each, and rows and columns of the kernel that are fetched at once.
WARP, OWN = 32, 8
_PIECE = (OWN, 32)


def refuses(task: Task) -> str:
    """Return why a strip does not suit a call; nothing if it does."""
    return "" if task.dense else "windows that move by one cell, without gaps, fit"


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield for each piece of the kernel what is fetched, and what the threads sum up."""
    x, w = task.source(ledger), ledger.array(task.w)
    high, wide = task.size
    sums = np.full(task.size, task.bias, task.x.dtype)
    for c, a, b in np.ndindex(task.channels, *_pieces(task.kernel)):
        first = a * _PIECE[0], b * _PIECE[1]
        taps = tuple(min(p, k - f) for p, k, f in zip(_PIECE, task.kernel, first, strict=True))
        which = numbered("channel", c, task.channels)
        which += numbered("weights from", first[0], _pieces(task.kernel)[0])
        rows = slice(first[0], first[0] + high + taps[0] - 1)
        columns = slice(first[1], first[1] + wide + taps[1] - 1)
        cells, weights = (
            _shared(x[c, rows, columns], ledger),
            _shared(w[c, first[0] : first[0] + taps[0], first[1] : first[1] + taps[1]], ledger),
        )
        yield Step(
            f"the threads fetch{which}",
            f"Together {wide} threads copy {cells.cells.size} cells and {weights.cells.size} "
            "weights into memory that they share; each number comes from the card's memory once.",
            "cells[y, z] = x[y, z];  weights[a, b] = w[a, b]",
            (
                panel("cells", "shared cells", cells.cells, special=task.padded[c, rows, columns]),
                panel("kernel", "shared weights", weights.cells),
            ),
            ledger.counts,
        )
        for thread, column in np.ndindex(wide, taps[1]):
            strip, near = cells[:, thread + column], weights[:, column]
            for tap, weight in enumerate(near):
                products = ledger.times(weight, strip[tap : tap + high])
                sums[:, thread] = ledger.plus(sums[:, thread], products)
        yield Step(
            f"each thread sums its {high} cells{which}",
            f"Marked is what thread 0 reads: for each column of the kernel a strip of "
            f"{high + taps[0] - 1} cells, which serves all its {high} sums.",
            "sums[r] += weights[a, b] · strip[r + a]",
            (
                panel(
                    *("cells", "shared cells", cells.cells),
                    (range(len(cells.cells)), range(taps[1])),
                ),
                panel("kernel", "shared weights", weights.cells),
                panel("registers", "sums, a column for each thread", sums, (range(high), (0,))),
            ),
            ledger.counts,
        )
    out = ledger.array(np.zeros(task.size, task.x.dtype))
    out[:] = sums
    idle = "" if wide == WARP else f" {WARP - wide} threads of the warp have no column."
    yield Step(
        "the threads store",
        f"Threads side by side write cells side by side, a row at a time.{idle}",
        "out[r, thread] = sums[r] of the thread",
        (panel("result", "tile", out.cells),),
        ledger.counts,
    )
    return out.cells


def _pieces(kernel: Pair) -> Pair:
    """Return in how many pieces the kernel comes, down and across."""
    return -(-kernel[0] // _PIECE[0]), -(-kernel[1] // _PIECE[1])


def _shared(cells: Array, ledger: Ledger) -> Counted:
    """Return a copy in shared memory."""
    found = ledger.array(np.zeros_like(cells))
    found[:] = cells
    return found
