"""From the number of a thread to the cell that it computes."""

from stepconv.kernels.cuda.machine.launch import inner

NOWHERE = -(1 << 40)  # a row far above any image


@inner
def place(cell: int, height: int, width: int) -> tuple[int, int, int]:
    """Return (plane, row, column) of a cell, counted through all planes."""
    return cell // (height * width), cell // width % height, cell % width


# For Numba's own CUDA target, which does not know these two by Python's names.


@inner
def smaller(a: int, b: int) -> int:
    """Return min(a, b)."""
    return a if a < b else b


@inner
def larger(a: int, b: int) -> int:
    """Return max(a, b)."""
    return a if a > b else b
