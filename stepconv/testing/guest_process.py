"""The process of a function that is checked: arrays come in by a pipe, answers go out.

It imports nothing of stepconv, and lets the function import nothing of it: that would be to copy
the answers. What the function prints goes nowhere; if it loops or crashes, this process alone does.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Message = tuple[dict[str, Any], list[Array]]

# A header is a line of at most so many bytes, an array a file of at most so many.
_LONGEST, _LARGEST = 1 << 16, 1 << 26
# Who computes with these has not written the loops alone, which somebody may want to know.
_LIBRARIES = ("torch", "tensorflow", "jax", "scipy", "cv2", "skimage")


def send(pipe: IO[bytes], header: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Write a line of JSON, and the arrays behind it as .npy files."""
    files = []
    for array in arrays:
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        files.append(file.getvalue())
    line = json.dumps({**header, "sizes": [len(file) for file in files]})
    pipe.write(b"".join([line.encode(), b"\n", *files]))
    pipe.flush()


def receive(pipe: IO[bytes]) -> Message:
    """Read what `send` wrote; whatever else is there raises a ValueError or an EOFError."""
    line = pipe.readline(_LONGEST)
    if not line:
        raise EOFError
    header = json.loads(line)
    if max(header["sizes"], default=0) > _LARGEST:
        raise ValueError("an array is too large")
    files = [io.BytesIO(pipe.read(size)) for size in header["sizes"]]
    return header, [np.load(file, allow_pickle=False) for file in files]


class Unfit(Exception):
    """What was loaded or returned is nothing that can be used; the text says all."""


class _Forbidden(importlib.abc.MetaPathFinder):
    """Refuses to import packages by name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is not to be used here")


class _Heard(io.TextIOBase):
    """Takes what is printed, and knows that something was."""

    anything = False

    def write(self, text: str) -> int:
        self.anything = self.anything or bool(text.strip())
        return len(text)


def main() -> None:
    """Load the function that the first message names, then answer calls until nobody asks."""
    questions, answers = (
        os.fdopen(os.dup(stream), mode) for stream, mode in ((0, "rb"), (1, "wb"))
    )
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    heard = _Heard()
    sys.stdout = sys.stderr = heard
    asked, _ = receive(questions)
    file = asked["file"]
    try:
        function = _loaded(file, asked["module"], asked["function"], asked["forbidden"])
        send(answers, {"parameters": _parameters(function)})
    except BaseException as error:  # also a SystemExit, and whatever else a file may do
        send(answers, {"error": _said(error, file)})
        return
    while True:
        try:
            call, arrays = receive(questions)
        except EOFError:
            return
        reply, results = _answer(function, call, arrays, file)
        used = [name for name in _LIBRARIES if name in sys.modules]
        send(answers, {**reply, "printed": heard.anything, "used": used}, results)


def _loaded(
    file: str | None, module: str, name: str, forbidden: Sequence[str]
) -> Callable[..., Any]:
    sys.path[0] = str(Path(file).parent) if file else os.getcwd()
    sys.meta_path.insert(0, _Forbidden(forbidden))
    if file is None:
        found = importlib.import_module(module)
    else:
        spec = importlib.util.spec_from_file_location(module, file)
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules[module] = found
        spec.loader.exec_module(found)
    function = getattr(found, name, None)
    if not callable(function):
        others = [n for n, value in vars(found).items() if inspect.isfunction(value)]
        raise Unfit(f"it has no function {name!r}, but {', '.join(others) or 'none at all'}")
    return function  # type: ignore[no-any-return]


def _parameters(function: Callable[..., Any]) -> list[tuple[str, str, bool]]:
    """Return name, kind and whether it has a default, for each parameter."""
    return [
        (p.name, p.kind.name, p.default is not p.empty)
        for p in inspect.signature(function).parameters.values()
    ]


def _answer(
    function: Callable[..., Any], call: dict[str, Any], arrays: list[Array], file: str | None
) -> Message:
    """Make the call; tell what came back, and which arrays are no longer what they were."""
    given = [array.copy() for array in arrays]

    def value(told: dict[str, Any]) -> Any:
        if "array" in told:
            return given[told["array"]]
        return _tuples(told["value"])

    try:
        result = function(
            *map(value, call["positional"]),
            **{name: value(told) for name, told in call["keywords"].items()},
        )
        several = call["several"] and isinstance(result, tuple | list)
        results = [_as_array(each) for each in (result if several else [result])]
    except BaseException as error:  # a SystemExit is an answer, too
        return {"error": _said(error, file)}, []
    changed = [
        i for i, (now, was) in enumerate(zip(given, arrays, strict=True)) if _differ(now, was)
    ]
    kinds = [type(each).__name__ for each in (result if several else [result])]
    return {"kinds": kinds, "changed": changed}, results


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _as_array(result: Any) -> Array:
    what = type(result).__name__
    try:
        array = np.asarray(result)
    except ValueError:
        raise Unfit(f"it returned a {what} whose rows are not all as long") from None
    if array.dtype.kind not in "biuf":
        what = f"an array of {array.dtype}" if isinstance(result, np.ndarray) else what
        raise Unfit(f"it returned {what}: an array of real numbers fits")
    return array


def _differ(now: Array, was: Array) -> bool:
    same = now.shape == was.shape and now.dtype == was.dtype
    return not (same and np.array_equal(now, was, equal_nan=now.dtype.kind == "f"))


def _said(error: BaseException, file: str | None) -> str:
    """Return the error in a line, with the last line of the file that it came through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    where = f" (line {lines[-1]})" if lines else ""
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    kind = "" if isinstance(error, Unfit) else f"{type(error).__name__}: "
    return f"{kind}{' '.join(told.split())[:500]}{where}"


if __name__ == "__main__":
    main()
