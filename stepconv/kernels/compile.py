"""The one place that knows how Numba is asked to compile, cache and run a kernel.

    @inner      a helper that kernels call
    @compiled   a serial function that Python calls
    @parallel   a kernel: kernel(...) runs its prange loops on all threads, kernel.serial(...) on
                the calling one
    code_address(function)
                where the code of a function lies, for a program that calls it by its address

No fast-math flag is ever set: NaN and Inf stay what they are, and sums keep their order.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy.ma  # noqa: F401  Numba imports it in the first call, where a fork may catch it halfway
from llvmlite.binding.ffi import lib as llvm
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu_options import ParallelOptions
from numba.np.ufunc.parallel import threading_layer

from stepconv.kernels._cache import KernelCache, cache_status, clear_cache

__all__ = [
    "Kernel",
    "cache_status",
    "clear_cache",
    "code_address",
    "compiled",
    "inner",
    "parallel",
    "threading_status",
    "use_threads",
]

_llvm_lock: Any = llvm._lock  # code that is thrown away takes it without Numba's compiler lock
_config: Any = numba.config  # makes its names at run time

_code: list[Any] = []

F = TypeVar("F", bound=Callable[..., Any])

# Several Python threads may be in parallel code at once under these; workqueue aborts the process.
_THREADSAFE_LAYERS = ("omp", "tbb")

# About what one thread does in the time that it takes to wake the others and wait for them.
_WORTH_THREADS = 50_000

_lock = threading.RLock()
_lock_free: bool | None = None  # which layer it is shows only once it has started
_forked = False  # Numba's threads stayed behind in the parent of this process


class Kernel:
    """A function in three forms: on all threads, serial, and plain Python."""

    py_func: Callable[..., Any]
    serial: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.serial = _jit(function, "serial")
        self._parallel = _jit(function, "parallel", parallel=_only_prange())

    def __call__(self, *args: Any) -> Any:
        """Run on all threads; from any thread of any process."""
        if _lock_free:
            return self._parallel(*args)
        return self._call_guarded(args)

    def for_work(self, steps: int) -> Callable[..., Any]:
        """Return the form that does so small steps fastest: few do not pay for threads."""
        return self if steps > _WORTH_THREADS else self.serial

    def _call_guarded(self, args: tuple[Any, ...]) -> Any:
        global _lock_free
        if _forked:
            return self.serial(*args)
        with _lock:
            result = self._parallel(*args)
        if _lock_free is None:
            _lock_free = _layer() in _THREADSAFE_LAYERS
        return result


def parallel(function: Callable[..., Any]) -> Kernel:
    """Compile a function with prange loops into a kernel.

    Its serial form gives the same bits, if the function keeps two rules that Numba does not:
    no sum is carried from one pass of a prange loop to the next, and the loop's index is cast
    (`i = np.int64(i)`), because it is unsigned in the parallel form and signed in the serial one.
    """
    return Kernel(function)


def compiled(function: F) -> F:
    """Compile a function for calls from Python, and remember the code on disk."""
    return cast(F, _jit(function, "serial"))


def inner(function: F) -> F:
    """Compile a function for calls from kernels: it becomes part of their code."""
    return cast(F, _jit(function))


@functools.cache
def code_address(function: Callable[[int, int], None]) -> int:
    """Compile a function of two int64 and return where its code lies, for calls by address."""
    kind = numba.types.void(numba.types.int64, numba.types.int64)
    code: Any = CFunc(function, (kind.args, kind.return_type), {}, {"error_model": "numpy"})
    code._cache = KernelCache(cast(FunctionType, function), "code")
    code.compile()
    _code.append(code)  # the code lives as long as this object
    return int(code.address)


def use_threads(count: int) -> None:
    """Run this thread's parallel kernels on so many threads, at most as many as there are cores."""
    numba.set_num_threads(count)


def threading_status() -> dict[str, Any]:
    """Return how parallel kernels run in this process, without starting any thread."""
    maximum = _config.NUMBA_NUM_THREADS
    layer = _layer()
    if _forked:
        return {"layer": "serial in a forked process", "threads": 1, "max_threads": maximum}
    if layer is None:
        return {"layer": "not started", "threads": maximum, "max_threads": maximum}
    return {"layer": layer, "threads": numba.get_num_threads(), "max_threads": maximum}


def _jit(function: Callable[..., Any], variant: str | None = None, **options: Any) -> Any:
    dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
    if variant and not _config.DISABLE_JIT:
        dispatcher._cache = KernelCache(cast(FunctionType, function), variant)
    return dispatcher


def _only_prange() -> ParallelOptions:
    """Keep Numba from making loops of its own parallel, as a parallel sum has other bits."""
    automatic = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil")
    return ParallelOptions(dict.fromkeys((*automatic, "fusion"), False))


def _layer() -> str | None:
    try:
        return str(threading_layer())
    except ValueError:
        return None


def _before_fork() -> None:
    """Wait until no thread is compiling: a child would inherit locks that nobody opens."""
    global_compiler_lock.acquire()
    _llvm_lock.__enter__()


def _after_fork() -> None:
    _llvm_lock.__exit__()
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
