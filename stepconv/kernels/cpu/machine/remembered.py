"""Remembers the tables of offsets that tiles go by, so that a call like the last one makes none."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

_MOST = 128
_MOST_BYTES = 2**20  # of one call's tables: those of a signal of a million cells are not kept

Tables = tuple[Any, ...]


def remembered(make: Callable[..., Tables]) -> Callable[..., Tables]:
    """Make a function's tables once for the same arguments, unless they are large."""
    kept: dict[tuple[Any, ...], Tables] = {}
    lock = threading.Lock()

    @functools.wraps(make)
    def tables(*sizes: Any) -> Tables:
        found = kept.get(sizes)
        if found is None:
            found = make(*sizes)
            if sum(table.nbytes for table in found) <= _MOST_BYTES:
                with lock:
                    if len(kept) == _MOST:
                        del kept[next(iter(kept))]
                    kept[sizes] = found
        return found

    return tables
