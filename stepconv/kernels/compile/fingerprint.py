"""Says what compiled code was made from, so that the cache never answers with code of another time.

Machine code holds more than the byte code of its own function: every inner function and intrinsic
is compiled into it, and every global or closure variable is frozen to the value it had. A change of
any of these has to change the fingerprint.
"""

from __future__ import annotations

import hashlib
import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

# Their versions are part of the cache's key, so their functions need no more than a name.
_VERSIONED = {"numba", "numpy", "llvmlite", *sys.stdlib_module_names}


class NoFingerprint(Exception):
    """A function reads a value that looks different in every process."""


def fingerprint(function: FunctionType) -> str:
    """Return a hash of everything that compiling `function` would read."""
    return hashlib.sha256(_describe(function, {}).encode()).hexdigest()


def _describe(value: Any, seen: dict[int, int]) -> str:
    # A jitted function stands for its plain one, an intrinsic for the function that writes its IR.
    value = getattr(value, "py_func", getattr(value, "_defn", value))
    if not isinstance(value, FunctionType):
        value = getattr(value, "__wrapped__", value)  # functools.cache
    if isinstance(value, FunctionType):
        return _describe_function(value, seen)
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(value.tobytes()).hexdigest()
        return f"array {value.dtype} {value.shape} {content}"
    if isinstance(value, dict):
        return f"dict {[(_describe(k, seen), _describe(v, seen)) for k, v in value.items()]}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__qualname__} {[_describe(item, seen) for item in value]}"
    if isinstance(value, (set, frozenset)):
        return f"set {sorted(_describe(item, seen) for item in value)}"
    if isinstance(value, type) and hasattr(value, "_fields"):
        return f"{value.__module__}.{value.__qualname__} {value._fields}"
    text = repr(value)
    if " at 0x" in text:
        raise NoFingerprint(f"it reads {text}, which no other process has")
    return f"{type(value).__qualname__} {text}"


def _describe_function(function: FunctionType, seen: dict[int, int]) -> str:
    name = f"function {function.__module__}.{function.__qualname__}"
    if _is_versioned(function.__module__):
        return name
    if id(function) in seen:
        return f"function number {seen[id(function)]}"
    seen[id(function)] = len(seen)

    parts = [name, _describe(function.__defaults__, seen)]
    names: set[str] = set()
    codes = [function.__code__]
    for code in codes:  # grows on the way: a nested function is part of the one around it
        parts.append(f"{code.co_code.hex()} {code.co_names} {code.co_varnames}")
        names.update(code.co_names)
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        parts += [_describe(c, seen) for c in code.co_consts if not isinstance(c, CodeType)]
    for cell in function.__closure__ or ():
        parts.append(_describe(cell.cell_contents, seen))
    parts += _describe_names(function.__globals__, names, seen)
    return str(parts)


def _describe_names(namespace: dict[str, Any], names: set[str], seen: dict[int, int]) -> list[str]:
    """Describe those of `names` that `namespace` has, and those that its own modules have."""
    parts = []
    for name in sorted(names & namespace.keys()):
        value = namespace[name]
        parts.append(f"{name} = {_describe(value, seen)}")
        if isinstance(value, ModuleType) and not _is_versioned(value.__name__):
            parts += _describe_names(vars(value), names - {name}, seen)
    return parts


def _is_versioned(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _VERSIONED
