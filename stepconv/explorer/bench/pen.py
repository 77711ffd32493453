"""A sheet that is drawn on: a pen of soft ink, moved by keys or by the mouse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]

FULL = 255
# What a touch leaves: a stroke as wide as those of MNIST.
_TIP = np.array([[64, 160, 64], [160, FULL, 160], [64, 160, 64]], np.uint8)


class Pen:
    """A sheet of black 0 to white 255, and where the pen is over it.

    >>> pen = Pen(5, 5)
    >>> pen.touch(0, 0)
    >>> pen.sheet[:2, :2].tolist()
    [[255, 160], [160, 64]]
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.sheet: Ink = np.zeros((rows, columns), np.uint8)
        self.row, self.column = rows // 2, columns // 2
        self.is_down = False
        self.erases = False

    def move(self, rows: int, columns: int) -> None:
        """Move the pen, and draw where it goes if it is down."""
        to_row = min(max(self.row + rows, 0), self.sheet.shape[0] - 1)
        to_column = min(max(self.column + columns, 0), self.sheet.shape[1] - 1)
        if self.is_down:
            self.stroke(to_row, to_column)
        self.row, self.column = to_row, to_column

    def toggle(self) -> None:
        """Set the pen down, which leaves a dot, or lift it."""
        self.is_down = not self.is_down
        if self.is_down:
            self.touch(self.row, self.column)

    def touch(self, row: int, column: int) -> None:
        """Leave ink round a cell, or take it away."""
        rows, columns = self.sheet.shape
        top, left = max(row - 1, 0), max(column - 1, 0)
        part = self.sheet[top : min(row + 2, rows), left : min(column + 2, columns)]
        tip = _TIP[top - row + 1 :, left - column + 1 :][: part.shape[0], : part.shape[1]]
        part[:] = np.minimum(part, FULL - tip) if self.erases else np.maximum(part, tip)

    def stroke(self, row: int, column: int) -> None:
        """Draw a straight line from where the pen is to a cell, and stay there."""
        steps = max(abs(row - self.row), abs(column - self.column), 1)
        for step in range(steps + 1):
            self.touch(
                self.row + round((row - self.row) * step / steps),
                self.column + round((column - self.column) * step / steps),
            )
        self.row, self.column = row, column

    def clear(self) -> None:
        """Take an empty sheet."""
        self.sheet = np.zeros_like(self.sheet)
        self.is_down = False
