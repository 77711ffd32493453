"""How much of a product of matrices one block of threads computes, and each thread of it.

what a block computes       what a thread computes: here each of 2 x 2 has 4 x 4 cells, by pairs
┌─────────────────┐
│ a a b b a a b b │         A number that is loaded meets `own_rows` or `own_columns` others before
│ a a b b a a b b │         the next is: that is what makes tiles fast.
│ c c d d c c d d │
│ c c d d c c d d │         What a thread has side by side it loads from shared memory at once:
│ a a b b a a b b │         pairs of float64, and four of float32, for 16 bytes are the most that
│ a a b b a a b b │         an instruction moves.
│ c c d d c c d d │
│ c c d d c c d d │
└─────────────────┘

The compiler joins such loads where it can prove that they lie side by side and begin at a multiple
of 16 bytes. So shared arrays are told to begin there, and after each row that is written from top
to bottom as much stays free as is loaded at once: then threads that write below each other meet
different banks of the memory. And indices are unsigned: of a signed one Numba asks whether it
counts from the end.
"""

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from stepconv.kernels.cuda.machine.launch import SIMULATED, inner


@dataclass(frozen=True)
class Tile:
    """Threads of a block, rows by columns; cells of each; how many products lie between loads."""

    thread_rows: int
    thread_columns: int
    own_rows: int
    own_columns: int
    depth: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return self.thread_rows * self.thread_columns

    @property
    def rows(self) -> int:
        """Rows of what a block computes."""
        return self.thread_rows * self.own_rows

    @property
    def columns(self) -> int:
        """Columns of what a block computes."""
        return self.thread_columns * self.own_columns


def fitting(tiles: tuple[Tile, ...], rows: int) -> Tile:
    """Return the first tile that has so many rows, else the largest."""
    return next((tile for tile in tiles if tile.rows >= rows), tiles[-1])


def side_by_side(own: int, dtype: str) -> int:
    """Return how many of its numbers a thread has side by side: as many as 16 bytes hold."""
    return gcd(own, 16 // np.dtype(dtype).itemsize)


@inner
def in_tile(number: int, thread: Any, threads: int, beside: int) -> Any:
    """Return where in the tile a number of a thread's own is."""
    return (number // beside * threads + thread) * beside + number % beside


@inner
def cell_of(slot: int, threads: int, beside: int) -> int:
    """Return which cell lies in a slot of the tile.

    A thread's own cells are as many cells apart as there are threads, so that threads side by side
    write cells side by side: cell `number · threads + thread` lies in in_tile(number, thread).
    """
    number = slot // (threads * beside) * beside + slot % beside
    return number * threads + slot // beside % threads


# Rows are filters; columns are cells of the output, or the weights of a filter. The shared memory
# that float64 needs stays below the 48 KiB that every card has.
LAYER = (
    (Tile(1, 3, 2, 2, 3), Tile(2, 2, 2, 2, 2))
    if SIMULATED
    else (Tile(1, 128, 8, 4, 8), Tile(4, 32, 8, 8, 8), Tile(8, 16, 8, 8, 8))
)
WEIGHTS = (
    (Tile(1, 4, 2, 1, 2), Tile(2, 2, 2, 2, 4))
    if SIMULATED
    else (Tile(4, 32, 2, 2, 32), Tile(8, 16, 8, 4, 16))
)
