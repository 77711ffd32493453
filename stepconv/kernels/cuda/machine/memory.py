"""Memory of a GPU: taken, kept for whoever asks next for as much, and errors in plain words.

Everything runs on the card's default stream, in the order of the calls. So memory may be taken
again as soon as Python has let go of it: what still reads it was launched before what will write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numba import cuda

from stepconv.errors import BackendError
from stepconv.kernels.cuda.machine.numba_parts import CudaAPIError

Shape = tuple[int, ...]

_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY

_KEPT_BYTES = 1 << 30


class Memory:
    """Memory of the card that goes to whoever asks next for as much, once nobody holds it."""

    kept: ClassVar[dict[tuple[Shape, str], list[Any]]] = {}
    kept_bytes: ClassVar[int] = 0

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.key = (shape, dtype.str)
        waiting = self.kept.get(self.key)
        if waiting:
            self.array = waiting.pop()
            Memory.kept_bytes -= self.array.nbytes
            return
        try:
            self.array = cuda.device_array(shape, dtype)
        except (CudaAPIError, MemoryError):
            Memory.free_kept()
            self.array = cuda.device_array(shape, dtype)

    def __del__(self) -> None:
        if hasattr(self, "array") and Memory.kept_bytes + self.array.nbytes <= _KEPT_BYTES:
            self.kept.setdefault(self.key, []).append(self.array)
            Memory.kept_bytes += self.array.nbytes

    @staticmethod
    def free_kept() -> None:
        """Give back to the card what waits for the next to ask."""
        Memory.kept.clear()
        Memory.kept_bytes = 0


@contextmanager
def plain_errors(what: str, *arrays: Any) -> Iterator[None]:
    """Turn an error of the driver into a BackendError that names what was asked for."""
    try:
        yield
    except (CudaAPIError, MemoryError) as error:
        sizes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in arrays)
        asked = f"{what} of {sizes}" if arrays else what
        if isinstance(error, MemoryError) or int(getattr(error, "code", 0)) == _OUT_OF_MEMORY:
            size = sum(array.nbytes for array in arrays) / 2**20
            needed = f": its arrays need {size:.1f} MiB" if arrays else ""
            raise BackendError(f"{asked} does not fit into the GPU's memory{needed}") from error
        raise BackendError(
            f"{asked} failed on the GPU ({error}); if the card is lost, only a new process finds "
            f"it again"
        ) from error
