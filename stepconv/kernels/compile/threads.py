"""Numba's threads: how many there are, who may use them at once, and what a fork leaves of them."""

from __future__ import annotations

import functools
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numba
import numpy.ma  # noqa: F401  # Numba does in the first call, where a fork may catch it halfway
from numba import get_thread_id as thread_id

from stepconv.kernels.compile.numba_parts import (
    config,
    global_compiler_lock,
    llvm_library,
    threading_layer,
)

__all__ = ["Threaded", "thread_count", "thread_id", "threading_status", "use_threads"]

# Several Python threads may be in parallel code at once under these; workqueue aborts the process.
_THREADSAFE_LAYERS = ("omp", "tbb")

_lock = threading.RLock()
_lock_free: bool | None = None  # which layer it is shows only once it has started
_started = False  # Numba's threads, by this module
_forked = False  # Numba's threads stayed behind in the parent of this process


class Threaded(ABC):
    """A function that may be called from any thread of any process, and runs on all threads."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any) -> None:
        """Run on all threads."""
        if _forked or config.DISABLE_JIT:
            self.serial(*args)
        elif _lock_free:
            self._run(args)
        else:
            self._run_guarded(args)

    @abstractmethod
    def serial(self, *args: Any) -> None:
        """Run on the calling thread."""

    @abstractmethod
    def _run(self, args: tuple[Any, ...]) -> None:
        """Run on all threads."""

    def _run_guarded(self, args: tuple[Any, ...]) -> None:
        global _lock_free
        with _lock:
            self._run(args)
        if _lock_free is None:
            _lock_free = _layer() in _THREADSAFE_LAYERS


def thread_count() -> int:
    """Return on how many threads a kernel that is called now will run."""
    global _started
    if not _started:
        # Numba starts its threads here, and a fork halfway would leave the child with a lock that
        # nobody opens: no process forks while this lock is held.
        with global_compiler_lock:
            numba.get_num_threads()
            _started = True
    return 1 if _forked else int(numba.get_num_threads())


def use_threads(count: int) -> None:
    """Run this thread's parallel kernels on so many threads, at most as many as there are cores."""
    numba.set_num_threads(count)


def threading_status() -> dict[str, Any]:
    """Return how parallel kernels run in this process, without starting any thread."""
    maximum = config.NUMBA_NUM_THREADS
    layer = _layer()
    if _forked:
        return {"layer": "serial in a forked process", "threads": 1, "max_threads": maximum}
    if layer is None:
        return {"layer": "not started", "threads": maximum, "max_threads": maximum}
    return {"layer": layer, "threads": numba.get_num_threads(), "max_threads": maximum}


def _layer() -> str | None:
    try:
        return str(threading_layer())
    except ValueError:
        return None


def _before_fork() -> None:
    """Wait until no thread is compiling: a child would inherit locks that nobody opens."""
    global_compiler_lock.acquire()
    llvm_library._lock.__enter__()


def _after_fork() -> None:
    llvm_library._lock.__exit__()
    global_compiler_lock.release()


def _after_fork_in_child() -> None:
    global _lock, _lock_free, _forked
    _lock = threading.RLock()  # a thread that this process does not have may hold the old one
    _lock_free = None
    _forked = _forked or _layer() is not None  # omp kills a child that enters parallel code
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
