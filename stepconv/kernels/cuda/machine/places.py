"""From the number of a thread to the cell that it computes, and from a cell to its windows."""

from stepconv.kernels.cuda.machine.launch import inner

NOWHERE = -(1 << 40)  # a row far above any image


@inner
def place(cell: int, height: int, width: int) -> tuple[int, int, int]:
    """Return (plane, row, column) of a cell, counted through all planes."""
    return cell // (height * width), cell // width % height, cell % width


@inner
def windows_over(
    position: int, reach: int, stride: int, before: int, count: int
) -> tuple[int, int]:
    """Return [first, last) of the windows along an axis that reach over a position."""
    first = larger(0, (position + before - reach) // stride + 1)
    return first, smaller(count, (position + before) // stride + 1)


# For Numba's own CUDA target, which does not know these two by Python's names.


@inner
def smaller(a: int, b: int) -> int:
    """Return min(a, b)."""
    return a if a < b else b


@inner
def larger(a: int, b: int) -> int:
    """Return max(a, b)."""
    return a if a > b else b
