"""The one place that knows how Numba is asked to compile, cache and run a kernel.

    @inner      a helper that kernels call
    @compiled   a serial function that Python calls
    @parallel   a kernel: kernel(...) runs on all threads, kernel.serial(...) on the calling one
    share_of    the tasks that belong to one share of them
    @staged     a function with prange loops that follow one another
    code_address(function)
                where the code of a function lies, for a program that calls it by its address

No fast-math flag is ever set: NaN and Inf stay what they are, and sums keep their order.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy.ma  # noqa: F401  # Numba does in the first call, where a fork may catch it halfway
from llvmlite.binding.ffi import lib as llvm
from numba._dispatcher import compute_fingerprint
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu_options import ParallelOptions
from numba.np.ufunc.parallel import threading_layer

from stepconv.kernels.compile.cache import KernelCache, cache_status, clear_cache
from stepconv.kernels.compile.lean import Inner, Lean
from stepconv.kernels.compile.shares import start

__all__ = [
    "Kernel",
    "cache_status",
    "clear_cache",
    "code_address",
    "compiled",
    "inner",
    "parallel",
    "share_of",
    "staged",
    "thread_count",
    "threading_status",
    "use_threads",
]

_llvm_lock: Any = llvm._lock  # code that is thrown away takes it without Numba's compiler lock
_config: Any = numba.config  # makes its names at run time

_OPTIONS = {"nogil": True, "error_model": "numpy"}

_code: list[Any] = []

F = TypeVar("F", bound=Callable[..., Any])

# Several Python threads may be in parallel code at once under these; workqueue aborts the process.
_THREADSAFE_LAYERS = ("omp", "tbb")

# About what one thread does in the time that it takes to wake the others and wait for them.
_WORTH_THREADS = 50_000

_lock = threading.RLock()
_lock_free: bool | None = None  # which layer it is shows only once it has started
_started = False  # Numba's threads, by this module
_forked = False  # Numba's threads stayed behind in the parent of this process


class _Threaded(ABC):
    """A function that may be called from any thread of any process, and runs on all threads."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any) -> None:
        """Run on all threads."""
        if _forked or _config.DISABLE_JIT:
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


class Kernel(_Threaded):
    """A function that does one share of some work: on all threads, on the calling one, uncompiled.

    It is compiled once, whatever the form; the threads call its code by the address.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        signature = inspect.signature(function)
        given = list(signature.parameters.values())[2:]  # share and shares are not the caller's
        self.__signature__ = signature.replace(parameters=given)
        self.code = _jit(function, "share")
        self._addresses: dict[bytes, int] = {}
        self._code_at: dict[tuple[Any, ...], int] = {}
        if not _config.DISABLE_JIT:
            self._keep, self.code.add_overload = self.code.add_overload, self._add_overload

    def serial(self, *args: Any) -> None:
        """Run on the calling thread."""
        self.code(0, 1, *args)

    def py_func(self, *args: Any) -> None:
        """Run as plain Python."""
        self.function(0, 1, *args)

    def for_work(self, steps: int) -> Callable[..., None]:
        """Return the form that does so small steps fastest: few do not pay for threads."""
        return self if steps > _WORTH_THREADS else self.serial

    def _run(self, args: tuple[Any, ...]) -> None:
        # First the threads: code from the cache that asks for its thread needs them to be loaded.
        threads = thread_count()
        _run_shares(self._address(args), threads, args)

    def _address(self, args: tuple[Any, ...]) -> int:
        """Return where the code for arguments of these types lies."""
        key = compute_fingerprint(args)
        address = self._addresses.get(key)
        if address is None:
            types = (numba.int64, numba.int64, *map(numba.typeof, args))
            self.code.compile(types)
            address = self._addresses[key] = self._code_at[types]
        return address

    def _add_overload(self, compiled: Any) -> None:
        """Note where code lies as soon as it is loaded, in Numba's lock.

        Code of other kernels that comes from the cache may have the same name, for Numba numbers
        names anew in each process; the last that was loaded answers to it.
        """
        self._keep(compiled)
        name = compiled.fndesc.llvm_func_name
        self._code_at[compiled.signature.args] = compiled.library.get_pointer_to_function(name)


class Staged(_Threaded):
    """A function with prange loops, each of which begins when the one before has ended."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._serial = _jit(function, "serial")
        self._parallel = _jit(function, "parallel", parallel=_only_prange())

    def serial(self, *args: Any) -> None:
        """Run on the calling thread."""
        self._serial(*args)

    def _run(self, args: tuple[Any, ...]) -> None:
        thread_count()  # starts Numba's threads, where no fork can catch it halfway
        self._parallel(*args)


def parallel(function: Callable[..., Any]) -> Kernel:
    """Compile a function that does share number `share` of `shares` into a kernel.

        @parallel
        def double(share, shares, x, out):
            for i in range(*share_of(x.size, share, shares)):
                out[i] = 2 * x[i]

    A call leaves the first two arguments out. The result has the same bits on any number of
    threads, if no sum is carried from one task to the next.
    """
    return Kernel(function)


def staged(function: Callable[..., Any]) -> Staged:
    """Compile a function with prange loops that follow one another, for work in stages.

    For a single loop `parallel` compiles in half the time. Cast the loop's index
    (`i = np.int64(i)`), because it is unsigned in the parallel form and signed in the serial one.
    """
    return Staged(function)


def compiled(function: F) -> F:
    """Compile a function for calls from Python, and remember the code on disk."""
    return cast(F, _jit(function, "serial"))


def inner(function: F) -> F:
    """Compile a function for calls from kernels: it becomes part of their code."""
    return function if _config.DISABLE_JIT else cast(F, Inner(function, _OPTIONS))


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


@functools.cache
def code_address(function: Callable[[Any], None], kind: Any) -> int:
    """Compile a function of one argument and return where its code lies, for calls by address."""
    code = Lean(function, {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": False})
    code._cache = KernelCache(cast(FunctionType, function), "code")
    with global_compiler_lock:  # as in Kernel._add_overload
        code.compile((kind,))
        [compiled] = code.overloads.values()
        name = compiled.fndesc.llvm_cfunc_wrapper_name
        address = compiled.library.get_pointer_to_function(name)
    _code.append(code)  # the code lives as long as this object
    return int(address)


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


def _jit(function: Callable[..., Any], variant: str, **options: Any) -> Any:
    if _config.DISABLE_JIT:
        return function
    dispatcher = Lean(function, {**_OPTIONS, **options})
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


@inner
def share_of(tasks: int, share: int, shares: int) -> tuple[int, int]:
    """Return the first task of a share, and the one after its last.

    >>> [share_of.py_func(7, share, 3) for share in range(3)]
    [(0, 2), (2, 4), (4, 7)]
    """
    return share * tasks // shares, (share + 1) * tasks // shares


_run_shares: Any = _jit(start, "start")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
