"""How Numba is asked to compile one function: for Python, for kernels, or for calls by address.

No fast-math flag is ever set: NaN and Inf stay what they are, and sums keep their order.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy.ma  # noqa: F401  # Numba does in the first call, where a fork may catch it halfway

from stepconv.kernels.compile.cache import KernelCache
from stepconv.kernels.compile.lean import Inner, Lean
from stepconv.kernels.compile.numba_parts import config, global_compiler_lock, llvm_library

OPTIONS = {"nogil": True, "error_model": "numpy"}

_code: list[Any] = []

F = TypeVar("F", bound=Callable[..., Any])


def is_off() -> bool:
    """Tell whether Numba is told to compile nothing, so that a debugger may step through."""
    return bool(config.DISABLE_JIT)


def jit(function: Callable[..., Any], variant: str) -> Any:
    """Compile a function when it is called, and remember the code on disk under `variant`."""
    if is_off():
        return function
    dispatcher = Lean(function, OPTIONS)
    dispatcher._cache = KernelCache(cast(FunctionType, function), variant)
    return dispatcher


def compiled(function: F) -> F:
    """Compile a function for calls from Python, and remember the code on disk."""
    return cast(F, jit(function, "serial"))


def inner(function: F) -> F:
    """Compile a function for calls from kernels: it becomes part of their code."""
    return function if is_off() else cast(F, Inner(function, OPTIONS))


@functools.cache
def code_address(function: Callable[..., None], *kinds: Any) -> int:
    """Compile a function for arguments of these types and return where its code lies."""
    code = Lean(function, {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": False})
    code._cache = KernelCache(cast(FunctionType, function), "code")
    with global_compiler_lock:  # no code of the same name may be loaded in between
        code.compile(kinds)
        [compiled] = code.overloads.values()
        name = compiled.fndesc.llvm_cfunc_wrapper_name
        address = compiled.library.get_pointer_to_function(name)
    _code.append(code)  # the code lives as long as this object
    return int(address)


def _before_fork() -> None:
    """Wait until no thread is compiling: a child would inherit locks that nobody opens."""
    global_compiler_lock.acquire()
    llvm_library._lock.__enter__()


def _after_fork() -> None:
    llvm_library._lock.__exit__()
    global_compiler_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
