"""Which NVIDIA card is there, asked of its driver alone: no CUDA package is imported for it.

A user without a card pays for looking for one library. Only where a card answers is Numba asked
whether it can compile for it.
"""

import ctypes
import os
import sys
from functools import cache
from importlib import metadata
from typing import Any

from stepconv.errors import BackendError

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

_INSTALL = "pip install 'stepconv[cuda]' brings what is missing"


@cache
def card() -> str:
    """Return the card, its driver and what compiles for it; a BackendError says why there is none.

    What is not there is looked for again at the next call.
    """
    if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        return "Numba's CUDA simulator: no card, and some thousand times slower"
    found = _ask_driver()
    return f"{found}, {_compiler(found)}"


def _ask_driver() -> str:
    """Return the name, the memory and the driver of the first card."""
    try:
        driver = ctypes.CDLL(LIBRARY)
    except OSError:
        raise BackendError(f"no NVIDIA driver is installed ({LIBRARY} is not found)") from None
    code = driver.cuInit(0)
    if code:
        raise BackendError(
            f"the NVIDIA driver finds no card that it can use ({_why(driver, code)})"
        )
    device, version, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    for asked in (
        driver.cuDeviceGet(ctypes.byref(device), 0),
        driver.cuDeviceGetName(name, len(name), device),
        driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device),
        driver.cuDriverGetVersion(ctypes.byref(version)),
    ):
        if asked:
            raise BackendError(f"the NVIDIA driver does not answer ({_why(driver, asked)})")
    major, minor = version.value // 1000, version.value % 1000 // 10
    size = memory.value / 2**30
    return f"{name.value.decode()}, {size:.0f} GiB, driver for CUDA {major}.{minor}"


def _why(driver: Any, code: int) -> str:
    """Return an error of the driver by its name."""
    name = ctypes.c_char_p()
    driver.cuGetErrorName(code, ctypes.byref(name))
    return name.value.decode() if name.value else f"error {code}"


def _compiler(found: str) -> str:
    """Return what compiles kernels: the package numba-cuda, or Numba's own older target."""
    try:
        from numba import cuda

        usable = cuda.is_available()
    except Exception as error:  # a package that is half there fails in ways of its own
        raise BackendError(f"{found}, but Numba cannot use it ({error}): {_INSTALL}") from None
    if not usable:
        raise BackendError(f"{found}, but Numba finds no CUDA compiler: {_INSTALL}")
    try:
        return f"numba-cuda {metadata.version('numba-cuda')}"
    except metadata.PackageNotFoundError:
        return f"Numba {metadata.version('numba')}'s own CUDA target"
