"""Slide and Window: how windows lie on an image, in the integers that every kernel is given."""

from typing import NamedTuple


class Slide(NamedTuple):
    """Window (i, j) begins at cell (i·stride_y - top, j·stride_x - left) of the image.

    That may lie outside of it. Cell (a, b) of the window is (a·dilation_y, b·dilation_x) further.
    """

    stride_y: int
    stride_x: int
    dilation_y: int
    dilation_x: int
    top: int
    left: int

    @property
    def stride(self) -> tuple[int, int]:
        """Cells from window to window, downwards and along."""
        return self.stride_y, self.stride_x

    @property
    def dilation(self) -> tuple[int, int]:
        """Cells from cell to cell of a window, downwards and along."""
        return self.dilation_y, self.dilation_x


class Window(NamedTuple):
    """How many cells a window has, rows before columns."""

    rows: int
    columns: int
