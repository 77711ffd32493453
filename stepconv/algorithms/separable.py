"""A kernel that is a column times a row: sums down the columns, then along the rows.

1 2 1   1
2 4 2 = 2 · 1 2 1        kh + kw products for a cell instead of kh · kw
1 2 1   1
"""

from __future__ import annotations

from collections.abc import Generator
from math import gcd

import numpy as np

from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.steps import Step, numbered, panel
from stepconv.algorithms.task import Array, Task


def refuses(task: Task) -> str:
    """Return what keeps a kernel from being split; nothing if it can be."""
    high, wide = task.kernel
    if min(high, wide) == 1:
        return f"kernel {high}x{wide} is one row or column already: 2x2 and larger fits"
    for c, w in enumerate(task.w):
        if factors(w) is None:
            where = numbered("channel", c, task.channels)
            return f"the kernel{where} is no column times a row: 1 2 1; 2 4 2; 1 2 1 is"
    return ""


def factors(w: Array) -> tuple[Array, Array] | None:
    """Return a column u and a row v so that w = u · v, or None.

    They may differ from w by so much as leaves the result as good as a sum of all products.

    >>> u, v = factors(np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]))
    >>> u.tolist(), v.tolist()
    ([1, 2, 1], [1, 0, -1])
    """
    high, wide = w.shape
    a, b = divmod(int(np.abs(w).argmax()), wide)
    if w[a, b] == 0:
        return np.zeros(high, w.dtype), np.zeros(wide, w.dtype)
    if not np.isfinite(w).all():
        return None
    row = w[a].astype(np.float64)
    if (row == np.rint(row)).all() and np.abs(row).max() < 2**53:
        row /= gcd(*(int(number) for number in row))
    column = w[:, b] / row[b]
    u, v = column.astype(w.dtype), row.astype(w.dtype)
    unit = float(np.finfo(w.dtype).eps) / 2 if w.dtype.kind == "f" else 0.0
    allowed = max(0, high * wide - high - wide - 1) * unit
    missing = np.abs(np.outer(u.astype(np.float64), v) - w)
    return (u, v) if (missing <= allowed * np.abs(w)).all() else None


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield the split, the sums down and the sums along of each channel; return the tile."""
    x, w = task.source(ledger), ledger.array(task.w)
    out = ledger.array(np.full(task.size, task.bias, task.x.dtype))
    for c in range(task.channels):
        split = factors(task.w[c])
        assert split is not None
        u, v = ledger.array(split[0]), ledger.array(split[1])
        where = numbered("channel", c, task.channels)
        yield Step(
            f"the kernel is split{where}",
            f"{task.w[c].size} weights are {u.cells.size} times {v.cells.size}.",
            "w[a, b] = u[a] · v[b]",
            (
                panel("kernel", "kernel", w.cells[c]),
                panel("column", "u", u.cells[:, None]),
                panel("row", "v", v.cells[None]),
            ),
            ledger.counts,
        )
        down = ledger.array(np.zeros((task.size[0], task.x.shape[2]), task.x.dtype))
        for i, j in np.ndindex(*down.cells.shape):
            down[i, j] = ledger.dot(x[c, task.rows(i), j], u[:])
        yield Step(
            f"sums down the columns{where}",
            f"{down.cells.size} sums of {u.cells.size} products; neighbours along a row share "
            "them.",
            "down[i, j] = Σ x[i + a, j] · u[a]",
            (
                panel("input", "input", task.x[c], special=task.padded[c]),
                panel("column", "u", u.cells[:, None]),
                panel("down", "sums down", down.cells),
            ),
            ledger.counts,
        )
        for i, j in np.ndindex(*task.size):
            total = ledger.dot(down[i, task.columns(j)], v[:])
            out[i, j] = ledger.plus(out[i, j], total)
        yield Step(
            f"sums along the rows{where}",
            f"{task.cells} sums of {v.cells.size} products, which with the bias are the result.",
            "out[i, j] = bias + Σ down[i, j + b] · v[b]",
            (
                panel("down", "sums down", down.cells),
                panel("row", "v", v.cells[None]),
                panel("result", "tile", out.cells),
            ),
            ledger.counts,
        )
    return out.cells
