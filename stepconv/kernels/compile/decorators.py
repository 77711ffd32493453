"""What a kernel file asks for: a function that does one share of some work becomes a kernel.

@parallel   kernel(...) runs on all threads, kernel.serial(...) on the calling one
share_of    the tasks that belong to one share of them
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numba

from stepconv.kernels.compile import threads
from stepconv.kernels.compile.jit import inner, is_off, jit
from stepconv.kernels.compile.numba_parts import compute_fingerprint
from stepconv.kernels.compile.shares import start
from stepconv.kernels.compile.tickets import SHARE, WHOLE

# About what one thread does in the time that it takes to wake the others and wait for them.
_WORTH_THREADS = 50_000
# And in a tenth of a second at most.
_A_PART = 200_000_000


class Kernel:
    """A function that does one share of some work: on all threads, on the calling one, uncompiled.

    It is compiled once, whatever the form; the threads call its code by the address.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        signature = inspect.signature(function)
        given = list(signature.parameters.values())[2:]  # worker and share are not the caller's
        self.__signature__ = signature.replace(parameters=given)
        self.code = jit(function, "share")
        self._addresses: dict[bytes, int] = {}
        self._code_at: dict[tuple[Any, ...], int] = {}
        if not is_off():
            self._keep, self.code.add_overload = self.code.add_overload, self._add_overload

    def __call__(self, *args: Any, parts: int = 0) -> None:
        """Run on all threads, cut into so many parts or more."""
        threads.run(_start, self._address(args), args, parts=parts)

    def serial(self, *args: Any) -> None:
        """Run on the calling thread."""
        self.code(0, WHOLE, *args)

    def py_func(self, *args: Any) -> None:
        """Run as plain Python."""
        self.function(0, WHOLE, *args)

    def for_work(self, steps: int) -> Callable[..., None]:
        """Return the form that does so many small steps best.

        Few do not pay for threads; very many are cut finer, for Ctrl-C comes between two parts.
        """
        if steps <= _WORTH_THREADS:
            return self.serial
        return functools.partial(self, parts=steps // _A_PART) if steps > _A_PART else self

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


class _Plain(Kernel):
    """A kernel where nothing is compiled."""

    def __call__(self, *args: Any, parts: int = 0) -> None:
        """Run as plain Python."""
        self.py_func(*args)


def parallel(function: Callable[..., Any]) -> Kernel:
    """Compile a function that does one share of some work into a kernel.

        @parallel
        def double(worker, share, x, out):
            for i in range(*share_of(x.size, share)):
                out[i] = 2 * x[i]

    A call leaves the first two arguments out. `worker` is a number of the thread that computes, for
    memory of its own. The result has the same bits on any number of threads, if no sum is carried
    from one task to the next.
    """
    return (_Plain if is_off() else Kernel)(function)


@inner
def share_of(tasks: int, share: int) -> tuple[int, int]:
    """Return the first task of a share, and the one after its last.

    >>> [share_of.py_func(7, part << SHARE | 3) for part in range(3)]
    [(0, 2), (2, 4), (4, 7)]
    """
    part, parts = share >> SHARE, share & (1 << SHARE) - 1
    return part * tasks // parts, (part + 1) * tasks // parts


_start: Any = jit(start, "start")
