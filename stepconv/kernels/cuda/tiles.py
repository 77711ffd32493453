"""How much of a product of matrices one block of threads computes, and each thread of it.

what a block computes          what a thread computes: every 2nd row and column of 4 x 6,
┌───────────────┐              here a block of 2 x 3 threads
│ a b c a b c … │
│ d e f d e f … │              A number that is loaded meets `own_rows` or `own_columns`
│ a b c a b c … │              others before the next is: that is what makes tiles fast.
│ d e f d e f … │
└───────────────┘
"""

from dataclasses import dataclass

from stepconv.kernels.cuda._launch import SIMULATED


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


# Rows are filters; columns are cells of the output, or the weights of a filter. The shared memory
# that float64 needs stays below the 48 KiB that every card has.
LAYER = (
    (Tile(1, 3, 2, 2, 3), Tile(2, 2, 2, 2, 2))
    if SIMULATED
    else (Tile(1, 128, 8, 4, 8), Tile(4, 32, 8, 8, 8), Tile(8, 16, 8, 8, 16))
)
WEIGHTS = (
    (Tile(1, 4, 2, 1, 2), Tile(2, 2, 2, 2, 4))
    if SIMULATED
    else (Tile(4, 32, 2, 2, 32), Tile(8, 16, 8, 4, 32))
)
