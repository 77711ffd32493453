"""Sliding as a product of waves: the Fourier transform, whose windows go round the edge.

    block = F⁻¹[ F[x] · conj(F[w]) ]          · meaning cell by cell

A transform knows no edge: behind the last cell comes the first again. So a window that leaves on
the right comes back on the left, and its cell is wrong. Padding cures it: with kh - 1 rows and
kw - 1 columns more than cells are wanted, the windows of these stay inside.
"""

from __future__ import annotations

from collections.abc import Generator
from math import log2, pi

import numpy as np

from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.steps import WRAPPED, Panel, Step, numbered, panel
from stepconv.algorithms.task import TILE, Array, Pair, Task

# For larger circles a tile is as small as the others'.
_LARGEST = 64


def refuses(task: Task) -> str:
    """Return why transforms do not suit a call; nothing if they do."""
    if not task.dense:
        moves = f"stride {task.stride}, dilation {task.dilation}"
        return f"{moves}: windows that move by one cell, without gaps, fit"
    return "" if task.is_finite else "a NaN or infinity would spread: finite numbers fit"


def transform(values: Array, ledger: Ledger) -> Array:
    """Return X[f] = Σ x[t] · e^(-2πi·f·t/n) by halves (Cooley and Tukey); n is a power of two.

    >>> from stepconv.algorithms.ledger import Machine
    >>> transform(np.array([1, 2, 3, 4], complex), Ledger(Machine())).round(9).tolist()
    [(10+0j), (-2+2j), (-2+0j), (-2-2j)]
    """
    n = len(values)
    if n == 1:
        return values
    even, odd = transform(values[::2], ledger), transform(values[1::2], ledger)
    turns = np.exp(-2j * pi * np.arange(n // 2) / n).astype(values.dtype)
    turned = ledger.complex_times(turns, odd)
    both = ledger.complex_plus(even, turned), ledger.complex_plus(even, -turned)
    return np.concatenate(both)


def waves(cells: Array, side: Pair, ledger: Ledger) -> Array:
    """Return the transform of cells, zeros behind them, first of all rows, then of all columns."""
    kind = np.result_type(cells.dtype, np.complex64)
    found = np.zeros(side, kind)
    found[: cells.shape[0], : cells.shape[1]] = cells
    room = ledger.array(found)
    for i in range(side[0]):
        room[i] = transform(room[i], ledger)
    for j in range(side[1]):
        room[:, j] = transform(room[:, j], ledger)
    return found


def back(spectrum: Array, ledger: Ledger) -> Array:
    """Return the real cells that a spectrum is of: the same transform, conjugate, over n."""
    found = waves(spectrum.conj(), (spectrum.shape[0], spectrum.shape[1]), ledger).real
    return np.asarray(ledger.times(found, found.dtype.type(1 / found.size)))


def circular(x: Array, w: Array) -> Array:
    """Return Σ x[(i + a) mod n, …] · w[a, …]: what comes out where the input is a circle."""
    taps = np.ndindex(*w.shape)
    return np.asarray(sum(w[a, b] * np.roll(x, (-a, -b), (0, 1)) for a, b in taps))


def size_for(kernel: Pair) -> Pair:
    """Return a tile that fills a circle about twice as large as the kernel.

    >>> size_for((3, 3))
    (6, 6)
    """
    sides = [_power(2 * k) for k in kernel]
    if max(sides) > _LARGEST:
        return TILE
    return sides[0] - kernel[0] + 1, sides[1] - kernel[1] + 1


def side_of(task: Task) -> Pair:
    """Return the next powers of two that hold all cells that the tile's windows cover."""
    return _power(task.x.shape[1]), _power(task.x.shape[2])


def bound(task: Task) -> Array:
    """Return what the error of each cell keeps below: it is the same for all of a tile."""
    unit = float(np.finfo(task.floating).eps) / 2
    side = side_of(task)
    doublings = max(1.0, log2(side[0] * side[1]))
    norms = sum(
        float(np.linalg.norm(x.astype(np.float64)) * np.linalg.norm(w.astype(np.float64)))
        for x, w in zip(task.x, task.w, strict=True)
    )
    sums = task.channels * unit * task.sizes
    return np.asarray(8 * unit * doublings * norms + sums + unit * abs(float(task.bias)))


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield a circle that is too small, then transforms, products and the way back."""
    if task.w[0].size > 1:
        yield _too_small(task, ledger)
    side = side_of(task)
    x, w = task.source(ledger), ledger.array(task.w.astype(task.floating))
    summed = ledger.array(np.zeros(side, np.result_type(task.floating, np.complex64)))
    for c in range(task.channels):
        where = numbered("channel", c, task.channels)
        cells, weights = x[c].astype(task.floating), w[c]
        one = waves(cells, side, ledger)
        yield Step(
            f"the input as waves{where}",
            f"The {cells.shape[0]}x{cells.shape[1]} cells that the windows cover, on a circle of "
            f"{side[0]}x{side[1]}, become as many waves: first along the rows, then down.",
            "X[f] = Σ x[t] · e^(-2πi·f·t/n)",
            (panel("input", "input", cells, special=task.padded[c]), *_complex("X", one)),
            ledger.counts,
        )
        other = waves(weights, side, ledger)
        yield Step(
            f"the kernel as waves{where}",
            "The kernel fills as many cells with zeros; it is transformed once for all tiles.",
            "W[f] = Σ w[t] · e^(-2πi·f·t/n)",
            (panel("kernel", "kernel", weights), *_complex("W", other)),
            ledger.counts,
        )
        products = ledger.complex_times(one, other.conj())
        summed[:] = products if c == 0 else ledger.complex_plus(summed[:], products)
        yield Step(
            f"products of waves{where}",
            f"{products.size} products, whatever the size of the kernel; conj, because the kernel "
            "slides as it is and is not mirrored.",
            "P = P + X · conj(W), cell by cell",
            _complex("P", summed.cells),
            ledger.counts,
        )
    block = back(summed[:], ledger)
    high, wide = task.size
    out = ledger.array(np.zeros(task.size, task.floating))
    out[:] = ledger.plus(block[:high, :wide], task.bias)
    yield Step(
        "back to cells, those that wrapped left out",
        f"Of {block.size} cells the first {high}x{wide} are the tile: their windows stayed inside, "
        "as padding behind them made room. The windows of the last rows and columns went round.",
        "out = F⁻¹[P][: rows, : columns] + bias",
        (
            panel("block", "F⁻¹[P]", block, (range(high), range(wide)), *_wrapped(task, side)),
            panel("result", "tile", out.cells),
        ),
        ledger.counts,
    )
    return out.cells


def _too_small(task: Task, ledger: Ledger) -> Step:
    """Return what happens on a circle that has room for the tile, and for nothing round it."""
    high, wide = (max(n, k) for n, k in zip(task.size, task.kernel, strict=True))
    found = np.full((high, wide), float(task.bias))
    for x, w in zip(task.x, task.w, strict=True):
        found += circular(x[:high, :wide].astype(np.float64), w.astype(np.float64))
    special, role = _wrapped(task, (high, wide))
    tile = slice(task.size[0]), slice(task.size[1])
    wrong = int(special[tile].sum())
    return Step(
        "a circle that is too small",
        f"On a circle of {high}x{wide} cells {wrong} of the tile's {task.cells} windows go round "
        "the edge and read cells from the other side: those cells are wrong. Padding, as below, "
        "cures it. (This step is not counted.)",
        "wrong[i] = bias + Σ x[(i + a) mod n] · w[a]",
        (
            panel("wrapped", "what comes out", found[tile], special=special[tile], role=role),
            panel("exact", "what should", task.exact),
        ),
        ledger.counts,
    )


def _wrapped(task: Task, side: Pair) -> tuple[Array, str]:
    """Return which cells of a circle have windows that go round its edge, and their role."""
    last = [size - k for size, k in zip(side, task.kernel, strict=True)]
    rows, columns = np.arange(side[0])[:, None], np.arange(side[1])
    return (rows > last[0]) | (columns > last[1]), WRAPPED


def _complex(name: str, cells: Array) -> tuple[Panel, Panel]:
    """Return the two parts of complex numbers."""
    return (
        panel(f"{name} real", f"{name}, real", cells.real),
        panel(f"{name} imaginary", f"{name}, imaginary", cells.imag),
    )


def _power(size: int) -> int:
    """Return the next power of two.

    >>> _power(6), _power(8)
    (8, 8)
    """
    return 1 << (size - 1).bit_length()
