"""The header of a .npy file from a stranger: what it says, or one error for all that is wrong."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np

_LONGEST = 10_000  # characters; NumPy takes as many


class Header(NamedTuple):
    """Which array follows: its shape, order and type."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """How many bytes the numbers take."""
        return prod(self.shape) * self.dtype.itemsize


def header(file: BinaryIO) -> Header:
    """Read the header of a .npy file up to where the numbers begin."""
    import numpy as np

    readers: dict[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        found = Header(*readers[version](file, max_header_size=_LONGEST))
    except OSError:
        raise
    except Exception as error:  # NumPy lets Python's own tokenizer and parser stumble
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ArgumentError(f"its header is not that of a .npy file: {reason}") from None
    if found.dtype.hasobject:
        raise ArgumentError("it holds Python objects: numbers fit")
    if any(type(side) is not int or not 0 <= side < 2**62 for side in found.shape):
        raise ArgumentError(f"its shape {str(found.shape)[:60]} is none")
    return found
