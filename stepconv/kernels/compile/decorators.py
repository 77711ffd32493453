"""What a kernel file asks for: how its functions are compiled, and by whom they are called.

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
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numba

from stepconv.kernels.compile.cache import KernelCache
from stepconv.kernels.compile.lean import Inner, Lean
from stepconv.kernels.compile.numba_parts import (
    ParallelOptions,
    compute_fingerprint,
    config,
    global_compiler_lock,
)
from stepconv.kernels.compile.shares import start
from stepconv.kernels.compile.threads import Threaded, thread_count

_OPTIONS = {"nogil": True, "error_model": "numpy"}

# About what one thread does in the time that it takes to wake the others and wait for them.
_WORTH_THREADS = 50_000

F = TypeVar("F", bound=Callable[..., Any])

_code: list[Any] = []


class Kernel(Threaded):
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
        if not config.DISABLE_JIT:
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


class Staged(Threaded):
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
    return function if config.DISABLE_JIT else cast(F, Inner(function, _OPTIONS))


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


def _jit(function: Callable[..., Any], variant: str, **options: Any) -> Any:
    if config.DISABLE_JIT:
        return function
    dispatcher = Lean(function, {**_OPTIONS, **options})
    dispatcher._cache = KernelCache(cast(FunctionType, function), variant)
    return dispatcher


def _only_prange() -> ParallelOptions:
    """Keep Numba from making loops of its own parallel, as a parallel sum has other bits."""
    automatic = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil")
    return ParallelOptions(dict.fromkeys((*automatic, "fusion"), False))


@inner
def share_of(tasks: int, share: int, shares: int) -> tuple[int, int]:
    """Return the first task of a share, and the one after its last.

    >>> [share_of.py_func(7, share, 3) for share in range(3)]
    [(0, 2), (2, 4), (4, 7)]
    """
    return share * tasks // shares, (share + 1) * tasks // shares


_run_shares: Any = _jit(start, "start")
