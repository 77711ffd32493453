"""What the vectors of this machine are: how wide, how many, with masks or without."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from llvmlite.binding import get_host_cpu_features

from stepconv.kernels.compile.numba_parts import config


@functools.cache
def features() -> set[str]:
    """Return what this processor can do, or what NUMBA_CPU_FEATURES says that it can."""
    if config.CPU_FEATURES is not None:
        return {name[1:] for name in config.CPU_FEATURES.split(",") if name.startswith("+")}
    return {name for name, present in get_host_cpu_features().items() if present}


@functools.cache
def vector_bits() -> int:
    """Return the width of this machine's vectors."""
    if "avx512f" in features():
        return 512
    return 256 if {"avx2", "fma"} <= features() else 128


@functools.cache
def registers() -> int:
    """Return how many vectors this machine holds at once."""
    return 32 if features() & {"avx512f", "neon"} else 16


def has_masks() -> bool:
    """Return whether this machine leaves lanes out for nothing, with masks beside its vectors."""
    return vector_bits() == 512


def lanes(dtype: Any) -> int:
    """Return how many numbers of a type a vector holds."""
    return vector_bits() // 8 // np.dtype(dtype).itemsize
