"""Large results in memory that was used before: to get fresh pages takes as long as to fill them.

A result is lent a block of memory. When the last array that looks at it is gone, views too, the
block comes back, and the next result of about that size gets it. Smaller results need none of this,
for the system's allocator keeps such memory itself. STEPCONV_REUSE=0 turns it off.
"""

from __future__ import annotations

import ctypes
import os
import time
import weakref
from collections import deque
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGE = 2**25  # bytes from which on a result is lent its memory
_MOST = 2**28  # bytes that wait for a result at most,
_PATIENCE = 10.0  # and for how many seconds


class _Waiting(NamedTuple):
    """A block that nobody looks at, and since when."""

    block: Array
    since: float


# No lock: an array may die in the middle of anything, and what is done here is done in one go.
_waiting: deque[_Waiting] = deque()


def empty(shape: tuple[int, ...], dtype: Any, like: Array) -> Array:
    """Return memory for a result like `like`, of any content."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE or type(like) is not np.ndarray or os.environ.get("STEPCONV_REUSE") == "0":
        return np.empty(shape, dtype, like=like)
    block = _found(size)
    lease = (ctypes.c_char * size).from_buffer(block)
    weakref.finalize(lease, _take_back, block).atexit = False
    return np.frombuffer(lease, dtype).reshape(shape)


def _found(size: int) -> Array:
    """Return a block that waits and fits, or a new one."""
    _let_go(time.monotonic() - _PATIENCE)
    for _ in range(len(_waiting)):
        try:
            one = _waiting.popleft()
        except IndexError:  # another thread was faster
            break
        if size <= one.block.size <= 2 * size:
            return one.block
        _waiting.append(one)
    try:
        return np.empty(size, np.uint8)
    except MemoryError:
        _waiting.clear()
        return np.empty(size, np.uint8)


def _take_back(block: Array) -> None:
    now = time.monotonic()
    _let_go(now - _PATIENCE)
    _waiting.append(_Waiting(block, now))
    while sum(one.block.size for one in tuple(_waiting)) > _MOST:
        _waiting.popleft()


def _let_go(before: float) -> None:
    """Give the system what has waited since before then."""
    for one in tuple(_waiting):
        if one.since < before:
            try:
                _waiting.remove(one)
            except ValueError:  # it has been taken meanwhile
                continue
