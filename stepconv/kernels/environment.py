"""What the environment says about kernels, read before Numba is, which would stumble over it.

STEPCONV_THREADS   how many threads there are; else NUMBA_NUM_THREADS, else the cores
NUMBA_DISABLE_JIT  nothing is compiled: the textbook alone computes
"""

from __future__ import annotations

import functools
import os

from stepconv.errors import ArgumentError, BackendError

# The first of these that is set says how many threads there are.
VARIABLES = ("STEPCONV_THREADS", "NUMBA_NUM_THREADS")
MOST_THREADS = 2**8 - 1


def check(backend: str) -> None:
    """Raise if the environment asks for what the kernels of a backend cannot do."""
    for name in VARIABLES:
        _told(name)
    if backend == "cpu" and is_off():
        raise BackendError(
            "backend 'cpu' is not available: NUMBA_DISABLE_JIT turns its compiler off; "
            "backend 'textbook' needs none"
        )


def is_off() -> bool:
    """Tell whether Numba is told to compile nothing."""
    told = os.environ.get("NUMBA_DISABLE_JIT", "0").strip()
    return told.isdecimal() and int(told) != 0


@functools.cache
def most_threads() -> int:
    """Return how many threads there are at most: what the environment says, or the cores."""
    for name in VARIABLES:
        told = _told(name)
        if told:
            return told
    return min(cores(), MOST_THREADS)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _told(name: str) -> int:
    """Return the threads that a variable asks for; 0 if it is not set."""
    told = os.environ.get(name)
    if not told:
        return 0
    number = int(told) if told.isdecimal() and len(told) < 20 else 0
    if not 1 <= number <= MOST_THREADS:
        shown = told if len(told) <= 40 else f"{told[:40]}…"
        fits = f"a whole number from 1 to {MOST_THREADS} fits"
        raise ArgumentError(f"{name}={shown!r} in the environment does not fit: {fits}")
    return number
