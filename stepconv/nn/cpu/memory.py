"""Where the arrays of a program lie, and where the code of its kernels is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.kernels.cpu.lanes.rows import code_of

Array = NDArray[Any]


class Memory:
    """This process's: an array lies where NumPy put it, and code where Numba did."""

    def __init__(self) -> None:
        # Every array whose address stands in a row has to live as long as the program.
        self._kept: dict[int, Array] = {}

    def place(self, array: Array) -> int:
        """Return the address of an array, which lives from now on as long as this."""
        self._kept[id(array)] = array
        return int(array.ctypes.data)

    def code(self, kernel: Callable[[Any], None]) -> int:
        """Return the address of a kernel's code."""
        return code_of(kernel)

    def read(self, address: int, count: int) -> NDArray[np.float32]:
        """Return a copy of so many numbers in one of the arrays."""
        kept = self._kept.values()
        array = next(a for a in kept if 0 <= address - a.ctypes.data < a.nbytes)
        start = address - array.ctypes.data
        return array[start : start + 4 * count].view(np.float32).copy()
