"""The sum as it is written on a slide, cell by cell: what every other way is compared with.

out[i, j] = bias + Σ x[c, i·stride + a·dilation, j·stride + b·dilation] · w[c, a, b]
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.steps import Step, panel
from stepconv.algorithms.task import Array, Task


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield a step for each row of the tile; return the tile."""
    x, w = task.source(ledger), ledger.array(task.w)
    out = ledger.array(np.zeros(task.size, task.x.dtype))
    for i in range(task.size[0]):
        for j in range(task.size[1]):
            window = x[:, task.rows(i), task.columns(j)]
            out[i, j] = ledger.plus(ledger.dot(window, w[:]), task.bias)
        read = range(task.x.shape[1])[task.rows(i)]
        yield Step(
            f"row {i} of the tile",
            f"Each of {task.size[1]} cells is a sum of {task.w.size} products, on its own.",
            "out[i, j] = bias + Σ window · w",
            (
                panel("input", "input", task.x[0], (read, range(task.x.shape[2])), task.padded[0]),
                panel("kernel", "kernel", task.w[0]),
                panel("result", "tile", out.cells, ((i,), range(task.size[1]))),
            ),
            ledger.counts,
        )
    return out.cells
