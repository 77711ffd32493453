"""Pictures shifted, turned, scaled and sprinkled while training: more of them than were drawn.

A picture is changed by numbers of its place alone (seed, epoch, which picture), so each epoch sees
it anew, and a run that goes on later, or with other batches, sees the same.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.train import chance

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Far from the seeds that people choose: made digits are drawn by the plain seed.
APART = 2**63
CHUNK = 32  # pictures changed together: what they need stays in the cache


@dataclass(frozen=True)
class Amounts:
    """How far a picture may go in either direction, each drawn evenly up to that."""

    shift: float = 2.0  # cells, along rows and along columns
    turn: float = 12.0  # degrees
    scale: float = 0.12  # 0.12 is 12% larger or smaller
    noise: float = 0.0  # of the range from black to white, for each cell

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), _MOST[field.name]
            if not 0 <= value <= most:
                raise ArgumentError(f"{field.name}={value!r} does not fit: 0 to {most} does")


_MOST = {"shift": 1000, "turn": 180, "scale": 0.9, "noise": 1}


def apply(
    pictures: Bytes, indices: NDArray[np.int64], seed: int, epoch: int, amounts: Amounts
) -> Bytes:
    """Return the pictures (n, c, h, w) changed; `indices` are their numbers in the data set.

    What comes in from outside is black. A core changes some 30,000 pictures of 28x28 in a second,
    with noise 23,000.

    >>> white = np.full((1, 1, 3, 3), 255, np.uint8)
    >>> still = apply(white, np.array([7]), 0, 0, Amounts(shift=0, turn=0, scale=0))
    >>> bool((still == white).all())
    True
    """
    changed = np.empty_like(pictures, order="C")
    for start in range(0, len(pictures), CHUNK):
        some = slice(start, start + CHUNK)
        changed[some] = _changed(pictures[some], indices[some], seed + APART, epoch, amounts)
    return changed


def _changed(
    pictures: Bytes, indices: NDArray[np.int64], seed: int, epoch: int, amounts: Amounts
) -> Bytes:
    cells = pictures[0].size if amounts.noise else 0
    luck = chance.uniform(seed, epoch, indices, 4 + cells)
    spread = 2 * luck - 1  # from -1 to 1
    moved = pictures
    if amounts.shift or amounts.turn or amounts.scale:
        moved = _between(pictures, *_origins(pictures.shape, spread, amounts))
    if not amounts.noise:
        return moved
    noise = (255 * amounts.noise) * spread[:, 4:].reshape(pictures.shape)
    return np.rint(np.clip(moved + noise, 0, 255)).astype(np.uint8)


def _origins(
    shape: tuple[int, ...], spread: NDArray[np.float64], amounts: Amounts
) -> tuple[Floats, Floats]:
    """Return for each cell of the results the row and column that it comes from.

    With c the middle: origin = rotate(cell - shift - c) / scale + c.
    """
    height, width = shape[-2:]
    turn = np.deg2rad(amounts.turn * spread[:, 0])
    # Half as large is as far from 1 as twice as large.
    factor = (1 + amounts.scale) ** -spread[:, 1]
    cosine, sine = np.cos(turn) * factor, np.sin(turn) * factor
    rows = np.arange(height) - (height - 1) / 2 - amounts.shift * spread[:, 2:3]
    columns = np.arange(width) - (width - 1) / 2 - amounts.shift * spread[:, 3:4]
    row = _sum(rows * cosine[:, None], columns * sine[:, None], (height - 1) / 2)
    column = _sum(-rows * sine[:, None], columns * cosine[:, None], (width - 1) / 2)
    return row, column


def _sum(of_rows: NDArray[np.float64], of_columns: NDArray[np.float64], middle: float) -> Floats:
    """Return a plane of sums: one term for the row, one for the column."""
    both = (of_rows + middle).astype(np.float32)[:, :, None]
    plane: Floats = both + of_columns.astype(np.float32)[:, None]
    return plane


def _between(pictures: Bytes, row: Floats, column: Floats) -> Bytes:
    """Return the pictures read at fractions of cells: the mean of the four around, by nearness.

    (1-a)(1-b) p[y, x] + (1-a) b p[y, x+1] + a (1-b) p[y+1, x] + a b p[y+1, x+1]
    """
    count, channels, height, width = pictures.shape
    # Two cells of black in front and behind: whatever lies further out reads them.
    wide = width + 4
    padded = np.zeros((count, channels, height + 4, wide), np.float32)
    padded[:, :, 2:-2, 2:-2] = pictures
    row, column = np.clip(row + 2, 0, height + 2), np.clip(column + 2, 0, width + 2)
    y, x = row.astype(np.int64), column.astype(np.int64)
    a, b = (row - y)[:, None], (column - x)[:, None]
    planes = np.arange(count * channels).reshape(count, channels, 1, 1) * ((height + 4) * wide)
    at = planes + (y * wide + x)[:, None]

    flat = padded.reshape(-1)

    def read(ahead: int) -> Floats:
        # No index is out of range; "clip" spares NumPy the check.
        cells: Floats = flat.take(at + ahead, mode="clip")
        return cells

    above = read(0)
    above += b * (read(1) - above)
    below = read(wide)
    below += b * (read(wide + 1) - below)
    above += a * (below - above)
    return np.rint(above, out=above).astype(np.uint8)
