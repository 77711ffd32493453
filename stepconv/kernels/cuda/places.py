"""From the number of a thread to the cell that it computes, and from a cell to its windows."""

from stepconv.kernels.cuda._launch import inner


@inner
def place(cell: int, height: int, width: int) -> tuple[int, int, int]:
    """Return (plane, row, column) of a cell, counted through all planes."""
    return cell // (height * width), cell // width % height, cell % width


@inner
def windows_over(
    position: int, reach: int, stride: int, before: int, count: int
) -> tuple[int, int]:
    """Return [first, last) of the windows along an axis that reach over a position."""
    first = max(0, (position + before - reach) // stride + 1)
    return first, min(count, (position + before) // stride + 1)
