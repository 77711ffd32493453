"""What is done with a function that is checked: it is found, described, and called as asked.

A recipe is plain data, as it travels through a pipe: steps, whose results have names. A value in it
is `{"array": 0}`, an array that came along, in the `"layout"` named beside it; `{"value": 3}`,
`{"tuple": [values]}`, `{"dict": {key: value}}`, `{"known": "name"}`, what a step before gave; or
`{"identity": true}`, a function that changes nothing.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import re
import sys
import textwrap
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.layouts import layouts

Array = NDArray[Any]

# Words for options that a source may know; which it knows says what it may be asked.
_WORDS = (
    *("valid", "same", "full", "reflect", "replicate", "edge", "circular", "wrap", "symmetric"),
    *("max", "avg", "average", "mean", "zeros", "constant"),
)
_METHODS = ("__init__", "__call__", "forward", "backward")


class Unfit(Exception):
    """What was loaded or returned is nothing that can be used; the text says all."""


# Found.


def load(file: str | None, module: str, name: str) -> tuple[Any, types.ModuleType]:
    """Return what `name` is in a file, a notebook or a module, and the module."""
    if file is None:
        found = importlib.import_module(module)
    elif file.endswith(".ipynb"):
        found = _notebook(file, module, name.partition(".")[0])
    else:
        spec = importlib.util.spec_from_file_location(module, file)
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules[module] = found
        spec.loader.exec_module(found)
    target: Any = found
    for part in name.split("."):
        target = getattr(target, part, None)
    if not callable(target):
        others = [n for n, v in vars(found).items() if inspect.isfunction(v) or _own(v, found)]
        raise Unfit(f"it has no function {name!r}, but {', '.join(others) or 'none at all'}")
    return target, found


def _own(value: Any, module: types.ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__


def _notebook(file: str, module: str, name: str) -> types.ModuleType:
    """Run the cells of a notebook, but for what is no Python; a failing cell stops no other."""
    found = types.ModuleType(module)
    found.__file__ = file
    sys.modules[module] = found
    failed: BaseException | None = None
    for cell in json.loads(Path(file).read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines()
            code = "\n".join("pass" if line.lstrip()[:1] in ("%", "!") else line for line in lines)
            try:
                exec(compile(code, file, "exec"), vars(found))
            except Exception as error:
                failed = failed or error
    if failed is not None and not hasattr(found, name):
        raise failed
    return found


# Described.


def whole(target: Any, module: types.ModuleType, name: str) -> Any:
    """Return the class of a method that needs an object, or else the target itself."""
    owner, _, method = name.rpartition(".")
    holder = getattr(module, owner, None)
    held = inspect.getattr_static(holder, method, None)
    return holder if inspect.isclass(holder) and inspect.isfunction(held) else target


def describe(target: Any, module: types.ModuleType, name: str) -> dict[str, Any]:
    """Return what can be known of a function or class without calling it."""
    told: dict[str, Any] = {"kind": "function", "methods": {}, "static": [], "asked": ""}
    if inspect.isclass(target):
        asked = name.rpartition(".")[2] if "." in name else ""
        kept = {n: inspect.getattr_static(target, n, None) for n in (*_METHODS, asked)}
        told["methods"] = {
            n: _parameters(getattr(target, n))
            for n, v in kept.items()
            if isinstance(v, types.FunctionType | staticmethod | classmethod)
        }
        told["static"] = [n for n, v in kept.items() if isinstance(v, staticmethod | classmethod)]
        told |= {"kind": "class", "asked": asked}
    others = {n: v for n, v in vars(module).items() if inspect.isfunction(v)}
    return told | {
        "parameters": _parameters(target),
        "others": {n: [p[0] for p in _parameters(v)] for n, v in others.items()},
        "attributes": sorted(set(re.findall(r"self\.(\w+)\s*=[^=]", _source(module)))),
        "source": _looked_up(module),
    }


def _parameters(function: Any) -> list[list[Any]]:
    """Return name, kind, whether it has a default, and the default if it is plain, of each."""
    try:
        found = inspect.signature(_innermost(function)).parameters.values()
    except (TypeError, ValueError):
        raise Unfit("nobody can tell its arguments") from None
    told = []
    for p in found:
        if p.name == "self":
            continue
        plain = isinstance(p.default, int | float | str | tuple | list | None)
        default = repr(p.default) if plain and p.default is not p.empty else ""
        told.append([p.name, p.kind.name, p.default is not p.empty, default[:80]])
    return told


def _innermost(function: Any) -> Any:
    """Return what a decorator has hidden behind `*args, **kwargs`, or the function itself."""
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    if kinds != [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return function
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    hidden = [value for value in cells if inspect.isfunction(value)]
    return hidden[0] if len(hidden) == 1 else function


def _source(module: types.ModuleType) -> str:
    file = str(getattr(module, "__file__", None) or "")
    with suppress(OSError, UnicodeDecodeError, KeyError, ValueError):
        text = Path(file).read_text("utf-8")
        if file.endswith(".py"):
            return text
        if file.endswith(".ipynb"):
            cells = json.loads(text)["cells"]
            return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    sources = []
    for value in vars(module).values():
        with suppress(OSError, TypeError):
            if inspect.isfunction(value):
                sources.append(textwrap.dedent(inspect.getsource(value)))
    return "\n".join(sources)


def _looked_up(module: types.ModuleType) -> dict[str, dict[str, list[Any]]]:
    """Return for each function and class of a source what it names.

    Those are the keys that it looks up in its variables, the words of options that it knows, and
    the functions that it calls.
    """
    try:
        tree = ast.parse(_source(module))
    except (SyntaxError, ValueError):
        return {}
    return {
        node.name: {
            "keys": [key for each in ast.walk(node) if (key := _key(each))],
            "words": sorted({w for each in ast.walk(node) if (w := _word(each))}),
            "calls": sorted({c for each in ast.walk(node) if (c := _called(each))}),
        }
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def _key(node: ast.AST) -> tuple[str, str] | None:
    """Return a variable and the key by which something is looked up in it."""
    match node:
        case (
            ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key)))
            | ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop" | "setdefault"),
                args=[ast.Constant(value=str(key)), *_],
            )
            | ast.Compare(
                left=ast.Constant(value=str(key)),
                ops=[ast.In()],
                comparators=[ast.Name(id=name)],
            )
        ):
            return name, key
    return None


def _word(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(word)) if word.lower() in _WORDS:
            return word
    return ""


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
    return ""


# Called.


class Acts:
    """The steps of one recipe, done in order."""

    def __init__(self, target: Any, module: types.ModuleType, arrays: Sequence[Array]) -> None:
        self.module = module
        self.given: list[Array] = list(arrays)
        self.known: dict[str, Any] = {"target": target}

    def perform(self, recipe: Mapping[str, Any]) -> list[Any]:
        """Return the results that the recipe asks for."""
        for step in recipe["steps"]:
            self.known[step["as"]] = getattr(self, f"_{step['do']}")(step)
        result = self.known[recipe["result"]]
        if recipe.get("attributes"):
            layer = self.known["layer"]
            return [result, *(_attribute(layer, names) for names in recipe["attributes"])]
        if isinstance(result, dict):
            result = tuple(result.values())
        several = isinstance(result, tuple) or (isinstance(result, list) and recipe["several"])
        return list(result) if several else [result]

    def _value(self, told: Mapping[str, Any]) -> Any:
        match told:
            case {"array": number}:
                layout = told.get("layout")
                if layout and self.given[number].ndim:
                    self.given[number] = layouts(self.given[number])[layout]
                return self.given[number]
            case {"value": value}:
                return value
            case {"tuple": values}:
                return tuple(self._value(each) for each in values)
            case {"dict": values}:
                return {key: self._value(each) for key, each in values.items()}
            case {"known": name}:
                return self.known[name]
            case _:
                return lambda same: same

    def _call(self, step: Mapping[str, Any]) -> Any:
        function = self._named(step["what"])
        positional = [self._value(each) for each in step["positional"]]
        keywords = {name: self._value(each) for name, each in step["keywords"].items()}
        result = function(*positional, **keywords)
        out = step.get("out")
        return self.given[out] if out is not None and result is None else result

    def _cache(self, step: Mapping[str, Any]) -> Any:
        """Return the cache that the forward of the same file makes, or else the usual one."""
        with suppress(Exception):
            _, cache = self._call(step)
            return cache
        return self._value(step["usual"])

    def _set(self, step: Mapping[str, Any]) -> Any:
        """Give a layer its weights; one that builds itself at the first call is called first."""
        layer, value = self.known[step["on"]], self._value(step["value"])
        for _ in range(2):
            for holder in (layer, *(getattr(layer, "__dict__", {}).values())):
                name = next((n for n in step["names"] if _has(holder, n)), None)
                if name is not None:
                    return _put(holder, name, value)
            if "build" in step:
                with suppress(Exception):
                    self._call(step["build"])
        if step.get("optional"):
            return None
        raise Unfit(f"it has no {step['names'][0]} that could be set")

    def _named(self, what: str) -> Callable[..., Any]:
        first, _, rest = what.partition(".")
        found = self.known[first] if first in self.known else getattr(self.module, first)
        for part in filter(None, rest.split(".")):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]


def _has(holder: Any, name: str) -> bool:
    """Tell whether an attribute is there and may be weights: sizes and words are none."""
    held = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
    if isinstance(holder, np.ndarray):
        return False
    return held is not None and not isinstance(held, bool | int | float | str | tuple)


def _put(holder: Any, name: str, value: Array) -> Array:
    """Set an attribute, or the array within it where a class of the file's own holds one."""
    held = holder[name] if isinstance(holder, dict) else getattr(holder, name)
    kept = held if isinstance(held, np.ndarray) else getattr(held, "data", None)
    if isinstance(kept, np.ndarray):
        sides = [side for side in kept.shape if side > 1]
        flat = kept.shape == (len(value), value.size // max(len(value), 1))
        if sides != [side for side in value.shape if side > 1] and not flat:
            raise Unfit(f"its {name} has shape {kept.shape}, and ours {value.shape}")
        value = value.reshape(kept.shape)
    if isinstance(holder, dict):
        holder[name] = value
        return value
    if isinstance(getattr(held, "data", None), np.ndarray):
        held.data = value
    else:
        setattr(holder, name, value)
    return value


def _attribute(layer: Any, names: Sequence[str]) -> Any:
    for holder in (layer, *vars(layer).values()):
        for name in names:
            first, _, rest = name.partition(".")
            value = holder.get(name) if isinstance(holder, dict) else getattr(holder, first, None)
            value = getattr(value, rest, None) if rest and value is not None else value
            if value is not None and not callable(value):
                return value
    return None


def as_array(result: Any) -> Array:
    """Return a result as an array of real numbers, or raise an Unfit that says what came."""
    what = type(result).__name__
    if hasattr(result, "detach"):
        result = result.detach()
    if not isinstance(result, np.ndarray) and isinstance(getattr(result, "data", None), np.ndarray):
        result = result.data
    try:
        array = np.asarray(result)
    except ValueError:
        raise Unfit(f"it returned a {what} whose rows are not all as long") from None
    if array.dtype.kind not in "biuf":
        what = f"an array of {array.dtype}" if isinstance(result, np.ndarray) else what
        raise Unfit(f"it returned {what}: an array of real numbers fits")
    return array


def said(error: BaseException, file: str | None) -> str:
    """Return the error in a line, with the last line of the file that it came through."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    where = f" (line {lines[-1]})" if lines else ""
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    kind = "" if isinstance(error, Unfit) else f"{type(error).__name__}: "
    return f"{kind}{' '.join(told.split())[:500]}{where}"


def answer(
    target: Any,
    module: types.ModuleType,
    recipe: Mapping[str, Any],
    arrays: Sequence[Array],
    file: str | None,
) -> tuple[dict[str, Any], list[Array]]:
    """Do what a recipe says; tell what came, with the arrays that were given as they are now."""
    acts = Acts(target, module, arrays)
    try:
        every = acts.perform(recipe)
        every = [each for n, each in enumerate(every) if n == 0 or each is not None]
        results = [as_array(each) for each in every[: recipe["most"]]]
    except BaseException as error:  # a SystemExit is an answer, too
        return {"error": said(error, file)}, []
    kinds = [type(each).__name__ for each in every[: recipe["most"]]]
    shared = any(
        np.may_share_memory(result, given) and np.shares_memory(result, given)
        for result in results
        for number, given in enumerate(acts.given)
        if number != recipe.get("out") and given.size
    )
    told = {"kinds": kinds, "shared": bool(shared), "results": len(results), "of": len(every)}
    return told, [*results, *acts.given]
