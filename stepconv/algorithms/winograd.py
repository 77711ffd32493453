"""Winograd's F(2x2, 3x3) and F(4x4, 3x3): fewer products, of transformed numbers.

    tile = A' [ (G w G') · (B' d B) ] A          · meaning cell by cell

A polynomial of degree n - 1 is known from its values at n points. Sliding three weights along
m + 2 cells is a product of polynomials read backwards (Toom and Cook), so it takes m + 2 products
of values in place of 3m. But for signs, which cancel, the matrices are those of Lavin and Gray,
"Fast algorithms for convolutional neural networks". The points are 0, 1, -1, 2, -2, … and
infinity; the more of them, the larger are the numbers in between, and the error.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod

import numpy as np

from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.steps import Step, numbered, panel
from stepconv.algorithms.task import Array, Task

TAPS = 3
_POINTS = (0, 1, -1, 2, -2)


@dataclass(frozen=True, eq=False)
class Transforms:
    """The three matrices of F(m, 3): B' for the input, G for the kernel, A' for the output."""

    input: Array
    kernel: Array
    output: Array


@cache
def transforms(m: int) -> Transforms:
    """Return the matrices that compute m cells at once.

    >>> transforms(2).kernel.tolist()
    [[-1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]
    """
    points = [Fraction(point) for point in _POINTS[: m + TAPS - 2]]
    others = [[other for other in points if other != point] for point in points]
    # Values at the points, then the leading coefficient, which is the value at infinity.
    output = [[point**i for point in points] + [int(i == m - 1)] for i in range(m)]
    scale = [prod(p - other for other in rest) for p, rest in zip(points, others, strict=True)]
    kernel = [[p**k / s for k in range(TAPS)] for p, s in zip(points, scale, strict=True)]
    kernel.append([Fraction(k == TAPS - 1) for k in range(TAPS)])
    # What is 0 at all points but one, and what is 0 at all of them.
    inputs = [[*_with_zeros_at(rest), Fraction(0)] for rest in others] + [_with_zeros_at(points)]
    return Transforms(*(np.array(each, np.float64) for each in (inputs, kernel, output)))


def _with_zeros_at(points: list[Fraction]) -> list[Fraction]:
    """Return the coefficients of Π (x - point), the lowest first."""
    found, zero = [Fraction(1)], Fraction(0)
    for point in points:
        found = [a - point * b for a, b in zip([zero, *found], [*found, zero], strict=True)]
    return found


def refuses(task: Task) -> str:
    """Return why Winograd's way does not suit a call; nothing if it does."""
    if task.kernel != (TAPS, TAPS):
        return f"kernel {task.kernel[0]}x{task.kernel[1]}: 3x3 fits"
    if not task.dense:
        moves = f"stride {task.stride}, dilation {task.dilation}"
        return f"{moves}: windows that move by one cell, without gaps, fit"
    return "" if task.is_finite else "a NaN or infinity would spread: finite numbers fit"


def bound(task: Task, m: int) -> Array:
    """Return what the error of each cell keeps below, to first order in the unit roundoff.

    Every number on the way is rounded once an operation, so a result is off by at most as many
    roundoffs as there are operations on its path, times the same formula of absolute values.
    """
    t, n = transforms(m), m + TAPS - 1
    roundings = 2 * (TAPS + 1) + 2 * n + 1 + task.channels + 2 * n + 1
    unit = float(np.finfo(task.floating).eps) / 2
    found = np.zeros(task.size)
    for i, j in _corners(task, m):
        total = np.zeros((n, n))
        for c in range(task.channels):
            d, w = np.abs(_cut(task.x[c], i, j, n)), np.abs(task.w[c])
            total += _both(np.abs(t.kernel), w) * _both(np.abs(t.input), d)
        _put(found, i, j, _both(np.abs(t.output), total) + abs(task.bias))
    return roundings * unit * found


def steps(task: Task, ledger: Ledger, m: int) -> Generator[Step, None, Array]:
    """Yield the kernel's transform, then what becomes of each small tile; return the tile."""
    t, n = transforms(m), m + TAPS - 1
    x, w = task.source(ledger), ledger.array(task.w.astype(task.floating))
    kernels = ledger.array(np.zeros((task.channels, n, n), task.floating))
    for c in range(task.channels):
        weights = w[c]
        kernels[c] = ledger.apply(t.kernel, ledger.apply(t.kernel, weights).T).T
        yield Step(
            f"the kernel transformed{numbered('channel', c, task.channels)}",
            f"3x3 weights become {n}x{n}: once for all tiles of all pictures.",
            "U = G · w · G'",
            (
                panel("kernel", "w", weights),
                panel("G", "G", t.kernel),
                panel("U", "U", kernels.cells[c]),
            ),
            ledger.counts,
        )
    out = ledger.array(np.zeros(task.size, task.floating))
    corners = _corners(task, m)
    for number, (i, j) in enumerate(corners):
        where = numbered("tile", number, len(corners))
        summed = np.zeros((n, n), task.floating)
        rows, columns = slice(i, i + n), slice(j, j + n)
        for c in range(task.channels):
            cells = _filled(x[c, rows, columns].astype(task.floating), n)
            turned = ledger.apply(t.input, ledger.apply(t.input, cells).T).T
            products = ledger.times(kernels[c], turned)
            summed = products if c == 0 else ledger.plus(summed, products)
            which = f"{where}{numbered('channel', c, task.channels)}"
            yield Step(
                f"input transformed, and {n * n} products{which}",
                f"B' has small whole numbers, so B'·d·B is sums; then {n * n} products serve "
                f"{m * m} cells, which as they are written take {m * m * TAPS * TAPS}.",
                "V = B' · d · B;  M = M + U · V, cell by cell",
                (
                    panel("d", "d", cells, special=_outside(task, c, i, j, n)),
                    panel("B", "B'", t.input),
                    panel("V", "V", turned),
                    panel("U", "U", kernels.cells[c]),
                    panel("M", "M", summed),
                ),
                ledger.counts,
            )
        cells = ledger.plus(ledger.apply(t.output, ledger.apply(t.output, summed).T).T, task.bias)
        high, wide = (min(m, size - at) for size, at in zip(task.size, (i, j), strict=True))
        out[i : i + high, j : j + wide] = cells[:high, :wide]
        yield Step(
            f"back to {m}x{m} cells{where}",
            "What was summed over the channels is transformed back, once for all of them.",
            "out = A' · M · A + bias",
            (
                panel("M", "M", summed),
                panel("A", "A'", t.output),
                panel("result", "tile", out.cells, (range(i, i + high), range(j, j + wide))),
            ),
            ledger.counts,
        )
    return out.cells


def _both(matrix: Array, square: Array) -> Array:
    return np.asarray(matrix @ square @ matrix.T)


def _corners(task: Task, m: int) -> list[tuple[int, int]]:
    """Return the first cell of each small tile."""
    return [(i, j) for i in range(0, task.size[0], m) for j in range(0, task.size[1], m)]


def _filled(part: Array, n: int) -> Array:
    """Return n x n cells; a tile that sticks out of the result has zeros there."""
    found = np.zeros((n, n), part.dtype)
    found[: part.shape[0], : part.shape[1]] = part
    return found


def _cut(plane: Array, i: int, j: int, n: int) -> Array:
    return _filled(plane[i : i + n, j : j + n], n)


def _outside(task: Task, c: int, i: int, j: int, n: int) -> Array:
    """Return which of these cells are padding, or beyond what the tile's windows cover."""
    return ~_cut(~task.padded[c], i, j, n)


def _put(found: Array, i: int, j: int, cells: Array) -> None:
    part = found[i : i + len(cells), j : j + len(cells)]
    part[...] = cells[: part.shape[0], : part.shape[1]]
