"""Pictures shifted, turned, cropped and tinted while training: more of them than there are.

A picture is changed by numbers of its place alone (seed, epoch, which picture), so each epoch sees
it anew, and a run that goes on later, or with other batches, sees the same.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.train import chance

Pictures = NDArray[Any]
Floats = NDArray[np.float32]

# Far from the seeds that people choose: made digits are drawn by the plain seed.
APART = 2**63
CHUNK = 32  # pictures changed together: what they need stays in the cache


@dataclass(frozen=True)
class Amounts:
    """How far a picture may go in either direction, each drawn evenly up to that.

    What comes in from outside repeats the picture's edge, or is 0: black, or the mean of numbers.
    """

    shift: float = 2.0  # cells, along rows and along columns
    turn: float = 12.0  # degrees
    scale: float = 0.12  # 0.12 is 12% larger or smaller
    noise: float = 0.0  # of the range from black to white, for each cell
    flip: float = 0.0  # how often left and right change places: 0.5 is every second time
    crop: float = 0.0  # 0.3 is a part of 70% of the sides or more, anywhere in the picture
    colour: float = 0.0  # 0.2 is 20% brighter, paler or redder, or less so
    repeat_edge: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), _MOST.get(field.name, 1)
            if not 0 <= value <= most:
                raise ArgumentError(f"{field.name}={value!r} does not fit: 0 to {most} does")


_MOST = {"shift": 1000, "turn": 180, "scale": 0.9, "crop": 0.9}
# The numbers that are drawn for a picture before those of its noise, and behind them.
FIRST, LAST = 4, 9

DIGITS = Amounts()
PHOTOS = Amounts(shift=0, turn=10, scale=0, flip=0.5, crop=0.25, colour=0.2, repeat_edge=True)
SIGNALS = Amounts(shift=8, turn=0, scale=0.05, repeat_edge=True)


def usual(form: str, shape: tuple[int, ...]) -> Amounts:
    """Return what suits pictures of such a form: gray ones, photographs, or signals."""
    if shape[1] == 1:
        return SIGNALS
    return PHOTOS if form == "as-is" and shape[0] == 3 else DIGITS


def apply(
    pictures: Pictures, indices: NDArray[np.int64], seed: int, epoch: int, amounts: Amounts
) -> Pictures:
    """Return the pictures (n, c, h, w) changed; `indices` are their numbers in the data set.

    They stay bytes, or numbers. A core changes some 30,000 pictures of 28x28 in a second,
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
    pictures: Pictures, indices: NDArray[np.int64], seed: int, epoch: int, amounts: Amounts
) -> Pictures:
    cells = pictures[0].size if amounts.noise else 0
    luck = chance.uniform(seed, epoch, indices, FIRST + cells + LAST)
    spread = 2 * luck - 1  # from -1 to 1
    last = spread[:, FIRST + cells :]
    moved: Pictures = pictures
    if amounts.shift or amounts.turn or amounts.scale or amounts.crop or amounts.flip:
        origins = _origins(pictures.shape, spread[:, :FIRST], last, amounts)
        moved = _rounded(_between(pictures, *origins, amounts.repeat_edge), pictures.dtype)
    if amounts.colour:
        moved = _rounded(_tinted(moved, amounts.colour * last[:, 4:]), pictures.dtype)
    if not amounts.noise:
        return moved
    white = 255 if pictures.dtype == np.uint8 else 1
    noise = (white * amounts.noise) * spread[:, FIRST : FIRST + cells].reshape(pictures.shape)
    return _rounded(moved + noise, pictures.dtype)


def _rounded(cells: Pictures, dtype: np.dtype[Any]) -> Pictures:
    if dtype != np.uint8:
        whole: Pictures = cells.astype(dtype, copy=False)
        return whole
    levels: Pictures = np.rint(np.clip(cells, 0, 255)).astype(np.uint8)
    return levels


def _tinted(pictures: Pictures, by: NDArray[np.float64]) -> Floats:
    """Return contrast · (x - mean) + brightness · mean, times a tint for each of three channels."""
    brightness, contrast, *tints = (1 + by.T[:5]).astype(np.float32)[:, :, None, None, None]
    mean = pictures.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float32)
    changed: Floats = contrast * (pictures - mean) + brightness * mean
    if pictures.shape[1] == 3:
        changed *= np.concatenate([1 + (tint - 1) / 2 for tint in tints], axis=1)
    return changed


def _origins(
    shape: tuple[int, ...],
    spread: NDArray[np.float64],
    last: NDArray[np.float64],
    amounts: Amounts,
) -> tuple[Floats, Floats]:
    """Return for each cell of the results the row and column that it comes from.

    With c the middle: origin = rotate(cell - shift - c) / scale + c. A crop scales up by 1 / part
    and shifts within what is left over; a flip turns the columns round.
    """
    height, width = shape[-2:]
    part = 1 - amounts.crop * (last[:, :1] + 1) / 2
    room = (1 - part) / 2  # of a side, to either side of the part
    turn = np.deg2rad(amounts.turn * spread[:, 0])
    # Half as large is as far from 1 as twice as large.
    factor = (1 + amounts.scale) ** -spread[:, 1]
    cosine, sine = np.cos(turn) * factor, np.sin(turn) * factor
    rows = np.arange(height) - (height - 1) / 2
    columns = np.arange(width) - (width - 1) / 2
    columns = np.where((last[:, 3:4] + 1) / 2 < amounts.flip, -columns, columns)
    rows = part * rows + height * room * last[:, 1:2] - amounts.shift * spread[:, 2:3]
    columns = part * columns + width * room * last[:, 2:3] - amounts.shift * spread[:, 3:4]
    if height == 1:
        rows = np.zeros_like(rows)
    row = _sum(rows * cosine[:, None], columns * sine[:, None], (height - 1) / 2)
    column = _sum(-rows * sine[:, None], columns * cosine[:, None], (width - 1) / 2)
    return row, column


def _sum(of_rows: NDArray[np.float64], of_columns: NDArray[np.float64], middle: float) -> Floats:
    """Return a plane of sums: one term for the row, one for the column."""
    both = (of_rows + middle).astype(np.float32)[:, :, None]
    plane: Floats = both + of_columns.astype(np.float32)[:, None]
    return plane


def _between(pictures: Pictures, row: Floats, column: Floats, repeat_edge: bool) -> Floats:
    """Return the pictures read at fractions of cells: the mean of the four around, by nearness.

    (1-a)(1-b) p[y, x] + (1-a) b p[y, x+1] + a (1-b) p[y+1, x] + a b p[y+1, x+1]
    """
    count, channels, height, width = pictures.shape
    # Two cells of the edge in front and behind: whatever lies further out reads them.
    wide = width + 4
    sides = ((0, 0), (0, 0), (2, 2), (2, 2))
    padded = np.pad(pictures, sides, "edge" if repeat_edge else "constant").astype(np.float32)
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
    return above
