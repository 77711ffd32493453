"""What an algorithm costs: products, sums, bytes, and hits in a small model of a cache.

The model is simple on purpose. Whatever has a name lies in memory, sums that are under way lie in
registers. The cache keeps the lines that were touched last, as many as this machine's L1 holds
(LRU, any line anywhere). The reuse distance of a touch is how many other lines were touched since
the last touch of its line: below the size of the cache it is a hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Machine:
    """What algorithms ask of a machine: its first cache in bytes, and how wide vectors are."""

    cache_bytes: int = 32 * 1024
    line_bytes: int = 64
    vector_bytes: int = 32

    @property
    def lines(self) -> int:
        """Lines of the cache."""
        return max(1, self.cache_bytes // self.line_bytes)


@dataclass(frozen=True)
class Counts:
    """What has been done so far; `reuse_distance` is a mean, None before a line comes again."""

    multiplications: int
    additions: int
    bytes_read: int
    bytes_written: int
    cache_hits: int
    cache_misses: int
    reuse_distance: float | None


class Ledger:
    """Counts while an algorithm computes; arrays that it keeps are `array(cells)`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._multiplications = self._additions = self._read = self._written = 0
        self._hits = self._touches = self._again = self._distances = 0
        self._lines: list[int] = []  # the one touched last comes first
        self._known: set[int] = set()
        self._end = 0

    @property
    def counts(self) -> Counts:
        """What has been counted so far."""
        return Counts(
            self._multiplications,
            self._additions,
            self._read,
            self._written,
            self._hits,
            self._touches - self._hits,
            self._distances / self._again if self._again else None,
        )

    def array(self, cells: Array, places: Array | None = None) -> Counted:
        """Return cells whose reading and writing is counted.

        `places` are their addresses in an array of their own, -1 for a number that lies nowhere;
        without them the cells lie one after the other.
        """
        if places is None:
            places = np.arange(cells.size).reshape(cells.shape) * cells.itemsize
        begin = -(-self._end // self.machine.line_bytes) * self.machine.line_bytes
        self._end = begin + int(places.max(initial=0)) + cells.itemsize
        return Counted(self, cells, np.where(places < 0, -1, places + begin))

    def times(self, a: Any, b: Any) -> Any:
        """Return a · b, cell by cell."""
        product = np.multiply(a, b)
        self._multiplications += product.size
        return product

    def plus(self, a: Any, b: Any) -> Any:
        """Return a + b, cell by cell."""
        total = np.add(a, b)
        self._additions += total.size
        return total

    def dot(self, a: Any, b: Any) -> Any:
        """Return Σ a · b."""
        products = self.times(a, b)
        self._additions += products.size - 1
        return products.sum()

    def apply(self, matrix: Array, cells: Array) -> Array:
        """Return matrix · cells; factors 0, 1 and -1 are no products."""
        columns = cells.size // cells.shape[0]
        used = matrix != 0
        self._multiplications += int((used & (np.abs(matrix) != 1)).sum()) * columns
        self._additions += int(np.maximum(used.sum(axis=1) - 1, 0).sum()) * columns
        return np.asarray(matrix.astype(cells.dtype) @ cells)

    def complex_times(self, a: Array, b: Array) -> Array:
        """Return a · b of complex numbers: four products and two sums for each."""
        product = a * b
        self._multiplications += 4 * product.size
        self._additions += 2 * product.size
        return product

    def complex_plus(self, a: Array, b: Array) -> Array:
        """Return a + b of complex numbers: two sums for each."""
        total = a + b
        self._additions += 2 * total.size
        return total

    def read(self, places: Any, size: int) -> None:
        """Count that cells were read."""
        self._read += size * self._touch(places)

    def write(self, places: Any, size: int) -> None:
        """Count that cells were written."""
        self._written += size * self._touch(places)

    def _touch(self, places: Any) -> int:
        """Touch the lines of some cells, and return how many cells lie in memory."""
        found = np.ravel(places)
        found = found[found >= 0]
        lines = found // self.machine.line_bytes
        # Neighbours in one line are hits at distance 0: only the first of them is looked up.
        firsts = lines[np.flatnonzero(np.diff(lines, prepend=-1))].tolist()
        self._touches += found.size
        self._hits += found.size - len(firsts)
        self._again += found.size - len(firsts)
        for line in firsts:
            if line in self._known:
                since = self._lines.index(line)
                self._again += 1
                self._distances += since
                self._hits += since < self.machine.lines
                del self._lines[since]
            self._known.add(line)
            self._lines.insert(0, line)
        return int(found.size)


class Counted:
    """An array in the model's memory: what is read by index, or written, is counted."""

    def __init__(self, ledger: Ledger, cells: Array, places: Array) -> None:
        self.ledger, self.cells, self.places = ledger, cells, places

    def __getitem__(self, index: Any) -> Any:
        self.ledger.read(self.places[index], self.cells.itemsize)
        return self.cells[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.ledger.write(self.places[index], self.cells.itemsize)
        self.cells[index] = value
