"""Winograd's F(4x4, 3x3) as mathematics: three matrices, and one helper that applies them.

Sixteen cells of an output need 16 · 9 products, or 36 of transformed numbers:

    output tile = A' [ (G w G') · (B' d B) ] A        · meaning cell by cell

with w the 3x3 kernel and d the 6x6 cells that the tile's windows cover. The matrices are those of
Lavin and Gray, "Fast algorithms for convolutional neural networks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

Matrix = list[list[float]]
Cell = TypeVar("Cell")

# B'
INPUT: Matrix = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
# G
KERNEL: Matrix = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
# A'
OUTPUT: Matrix = [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
]


def both_sides(
    transform: Callable[[list[Cell]], list[Cell]], square: list[list[Cell]]
) -> Iterator[list[Cell]]:
    """Yield the rows of M · square · M', given the function that returns M · column."""
    columns = [transform(list(column)) for column in zip(*square, strict=True)]
    for cells in zip(*columns, strict=True):
        yield transform(list(cells))
