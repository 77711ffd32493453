"""The operations that somebody may write: what is passed in order, and what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.operations import OPERATIONS
from stepconv.testing.calls import Call

Array = NDArray[Any]


@dataclass(frozen=True)
class Task:
    """An operation as somebody may write it: what is passed in order, and what comes back."""

    function: Callable[..., Any]
    positional: tuple[str, ...]
    results: tuple[str, ...] = ("result",)

    @property
    def options(self) -> tuple[str, ...]:
        """The arguments that need not be given."""
        every = inspect.signature(self.function).parameters
        return tuple(n for n in every if n not in (*self.positional, "backend", "algorithm"))

    def answers(self, call: Call) -> tuple[Array, ...]:
        """Return what a call of the operation gives, by the textbook's loops."""
        given = call.run(by_the_book(self.function))
        return tuple(map(np.asarray, given if isinstance(given, tuple) else (given,)))


def by_the_book(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation on the backend that is the oracle; what only moves cells has none."""
    if "backend" not in inspect.signature(function).parameters:
        return function
    return partial(function, backend="textbook")


def _task(name: str, results: tuple[str, ...] = ("result",)) -> Task:
    function = getattr(ops, name)
    parameters = inspect.signature(function).parameters.values()
    needed = tuple(each.name for each in parameters if each.default is inspect.Parameter.empty)
    return Task(function, needed, results)


# What joins two arrays is NumPy's own.
TASKS = {
    operation.word: _task(operation.name)
    for operation in OPERATIONS.values()
    if operation.forward.beside is None
} | {
    f"{operation.word}-backward": _task(
        f"{operation.name}_backward", tuple(f"grad_{of}" for of in operation.gradients)
    )
    for operation in OPERATIONS.values()
    if operation.gradients and operation.name != "pad"
}
