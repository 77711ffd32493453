"""What kernels on a GPU take from inside Numba or numba-cuda, beyond what their manuals promise."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from numba.core import config
from numba.cuda.cudadrv.driver import CudaAPIError  # what the driver says, with its number

__all__ = ["CONFIGS", "CudaAPIError", "of_the_simulator"]

# Where settings stand: Numba's, and numba-cuda's own where that is installed.
CONFIGS: list[Any] = [config]
with suppress(ImportError):
    CONFIGS.append(import_module("numba.cuda.core.config"))


def of_the_simulator(memory: Any) -> Any:
    """Return an array of the host as one of the simulator's card."""
    from numba.cuda.cudadrv.devicearray import FakeCUDAArray

    return FakeCUDAArray(memory)
