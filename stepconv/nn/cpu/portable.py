"""Programs for any machine: their memory in a browser, and the twin of it in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.kernels.portable import library
from stepconv.nn.cpu.memory import Array, Memory
from stepconv.nn.cpu.writer import LaneWeights
from stepconv.nn.model import Model
from stepconv.nn.steps.weights import Arrays

_LINE = 64  # bytes: each array of an arena begins at a line of the cache
_FIRST = 1024  # what lies below is the module's own


class _Twin(Memory):
    """This process's memory, and the code that rounds as a browser does."""

    def code(self, kernel: Callable[[Any], None]) -> int:
        return library.addresses()[kernel.__name__]


class PortableWeights(LaneWeights):
    """Parameters whose programs compute here what they would in a browser, bit for bit."""

    def __init__(self, model: Model, parameters: Arrays, statistics: Arrays) -> None:
        library.check()
        super().__init__(model, parameters, statistics, _Twin())


class Arena(Memory):
    """The memory of a WebAssembly module: arrays behind each other, and a table of functions.

    Arrays are placed while programs are written, and copied by `image` when all are.
    """

    def __init__(self) -> None:
        super().__init__()
        library.check()
        self._places: dict[int, int] = {}
        self.size = _FIRST
        self.table = [kernel.__name__ for kernel in library.kernels()]

    def place(self, array: Array) -> int:
        if id(array) not in self._places:
            self._kept[id(array)] = array
            self._places[id(array)] = self.size
            self.size += -(-array.nbytes // _LINE) * _LINE
        return self._places[id(array)]

    def code(self, kernel: Callable[[Any], None]) -> int:
        """Return a kernel's number in the table, where 0 is nobody's."""
        if kernel.__name__ not in self.table:
            known = ", ".join(self.table)
            raise ArgumentError(
                f"the module for browsers lacks the kernel {kernel.__name__}, which this network "
                f"needs: it has {known}"
            )
        return 1 + self.table.index(kernel.__name__)

    def image(self) -> list[tuple[int, bytes]]:
        """Return what lies in the memory where it is not 0 all over: addresses and bytes."""
        kept = self._kept.values()
        return [(self.place(array), array.tobytes()) for array in kept if array.any()]
