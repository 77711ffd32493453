"""The engine's own tile on a CPU: sums that stay in registers, a vector of them at a time.

    out[o][j] += w[a, b] · line[o·stride + a][j + b]        for all lanes j at once

A vector of the input is loaded once for a column of the kernel, and used for every row of the
result that it belongs to:

    line 0    w row 0 -> out 0
    line 1    w row 1 -> out 0    w row 0 -> out 1
    line 2    w row 2 -> out 0    w row 1 -> out 1    w row 0 -> out 2
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from stepconv.algorithms.ledger import Ledger, Machine
from stepconv.algorithms.steps import Step, numbered, panel
from stepconv.algorithms.task import Array, Task


def lanes(machine: Machine, dtype: np.dtype[Any]) -> int:
    """Return how many cells a vector holds."""
    return max(1, machine.vector_bytes // dtype.itemsize)


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield a step for each line of the input that the tile reads; return the tile."""
    x, w = task.source(ledger), ledger.array(task.w)
    rows, used = task.size
    width = lanes(ledger.machine, task.x.dtype)
    # A vector for each row of the result; lanes beyond its end are computed and not stored.
    registers = np.full((rows, width), task.bias, task.x.dtype)
    for c, line in np.ndindex(*task.x.shape[:2]):
        served = [(o, a) for o in range(rows) for a in _taps(task, o, line)]
        if not served:
            continue
        for b in range(task.kernel[1]):
            first = b * task.dilation[1]
            vector = np.zeros(width, task.x.dtype)
            vector[:used] = x[c, line, first : first + (used - 1) * task.stride[1] + 1][
                :: task.stride[1]
            ]
            for o, a in served:
                registers[o] = ledger.plus(registers[o], ledger.times(w[c, a, b], vector))
        told = "; ".join(f"row {a} of w for row {o}" for o, a in served)
        yield Step(
            f"line {line} of the input{numbered('channel', c, task.channels)}",
            f"{task.kernel[1]} vectors of {width} cells are loaded, each shifted by a column of w, "
            f"and each serves {len(served)}: {told}.",
            f"register[o] += w[a, b] · x[line, b : b + {width}], {width} products at once",
            (
                panel(
                    *("input", "input", task.x[c]),
                    ((line,), range(task.x.shape[2])),
                    special=task.padded[c],
                ),
                panel(
                    *("kernel", "kernel", task.w[c]),
                    (sorted({a for _, a in served}), range(task.kernel[1])),
                ),
                panel(
                    *("registers", f"{rows} registers of {width} lanes", registers),
                    (sorted({o for o, _ in served}), range(width)),
                ),
            ),
            ledger.counts,
        )
    out = ledger.array(np.zeros(task.size, task.x.dtype))
    out[:] = registers[:, :used]
    idle = "" if used == width else f" {width - used} lanes of each worked for nothing."
    yield Step(
        "registers are stored",
        f"Only now is the result written, once: {rows} vectors.{idle}",
        "out[o, j] = register[o][j]",
        (
            panel("registers", f"{rows} registers of {width} lanes", registers),
            panel("result", "tile", out.cells),
        ),
        ledger.counts,
    )
    return out.cells


def _taps(task: Task, o: int, line: int) -> list[int]:
    """Return which row of the kernel meets a line for row o of the result; none or one."""
    a, rest = divmod(line - o * task.stride[0], task.dilation[0])
    return [a] if rest == 0 and 0 <= a < task.kernel[0] else []
