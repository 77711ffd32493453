"""Working memory that a thread keeps from call to call, for fresh pages are slow to get."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_KEPT_BYTES = 64 * 2**20

_mine = threading.local()


def scratch(dtype: Any, count: int) -> Any:
    """Return an array of `count` numbers of any content, the same memory at every call.

    More than 64 MiB are not kept.
    """
    size = count * np.dtype(dtype).itemsize
    memory = getattr(_mine, "memory", None)
    if memory is None or memory.size < size:
        memory = np.empty(size, np.uint8)
        if size <= _KEPT_BYTES:
            _mine.memory = memory
    return memory[:size].view(dtype)
