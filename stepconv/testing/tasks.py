"""The operations that somebody may write: what is passed in order, and what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.operations import OPERATIONS
from stepconv.testing import formulas
from stepconv.testing.calls import Call

Array = NDArray[Any]


@dataclass(frozen=True)
class Task:
    """An operation as somebody may write it: what is passed in order, and what comes back.

    What networks are trained with says by letters which `axes` its arrays have; an optimiser may
    work `in_place`. Of what is left to chance a `summary` of x and the result is judged.
    """

    function: Callable[..., Any]
    positional: tuple[str, ...]
    results: tuple[str, ...] = ("result",)
    axes: Mapping[str, str] = field(default_factory=dict)
    in_place: bool = False
    summary: Callable[[Array, Array], Array] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The arguments that need not be given."""
        every = inspect.signature(self.function).parameters
        return tuple(n for n in every if n not in (*self.positional, "backend", "algorithm"))

    @property
    def defaults(self) -> dict[str, Any]:
        """What the options are where they are not given."""
        every = inspect.signature(self.function).parameters
        return {name: every[name].default for name in self.options}

    def answers(self, call: Call) -> tuple[Array, ...]:
        """Return what a call of the operation gives, by the textbook's loops."""
        given = call.run(by_the_book(self.function))
        return self.judged(call, tuple(given) if isinstance(given, tuple) else (given,))

    def judged(self, call: Call, results: Sequence[Any]) -> tuple[Array, ...]:
        """Return the results as they are compared."""
        arrays = tuple(map(np.asarray, results))
        if self.summary is None:
            return arrays
        return tuple(self.summary(call.arrays["x"], array) for array in arrays)

    @property
    def spelt(self) -> str:
        """The function as Python finds it once stepconv is imported."""
        home = "stepconv.testing.formulas" if self.axes else "stepconv"
        return f"{home}.{self.function.__name__}"


def by_the_book(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation on the backend that is the oracle; what only moves cells has none."""
    if "backend" not in inspect.signature(function).parameters:
        return function
    return partial(function, backend="textbook")


def _task(name: str, results: tuple[str, ...] = ("result",)) -> Task:
    function = getattr(ops, name)
    return Task(function, _needed(function), results)


def _needed(function: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(each.name for each in parameters if each.default is inspect.Parameter.empty)


def _practice(function: Callable[..., Any], axes: str, *results: str, **more: Any) -> Task:
    """Return the task of a formula; `axes` are told as in "x:NI w:IO result:NO"."""
    letters = dict(each.split(":") for each in axes.split())
    return Task(function, _needed(function), results or ("result",), letters, **more)


# What networks are trained with: N pictures, I inputs, O outputs, K classes, D numbers of each.
_DENSE, _NORM = "x:NI w:IO bias:O", "x:ND gamma:D beta:D"
PRACTICE = {
    "dense": _practice(formulas.dense, f"{_DENSE} result:NO"),
    "dense-backward": _practice(
        formulas.dense_backward,
        f"{_DENSE} grad_out:NO grad_x:NI grad_w:IO grad_bias:O",
        *("grad_x", "grad_w", "grad_bias"),
    ),
    "cross-entropy": _practice(formulas.cross_entropy, "x:NK labels:N result:"),
    "cross-entropy-backward": _practice(
        formulas.cross_entropy_backward, "x:NK labels:N grad_x:NK", "grad_x"
    ),
    "batch-norm": _practice(formulas.batch_norm, f"{_NORM} result:ND"),
    "batch-norm-backward": _practice(
        formulas.batch_norm_backward,
        f"{_NORM} grad_out:ND grad_x:ND grad_gamma:D grad_beta:D",
        *("grad_x", "grad_gamma", "grad_beta"),
    ),
    "dropout": _practice(formulas.dropout, "x:ND result:ND", summary=formulas.survivors),
    "sgd": _practice(formulas.sgd, "w:IO grad:IO result:IO", in_place=True),
    "adam": _practice(formulas.adam, "w:IO grad:IO m:IO v:IO result:IO", in_place=True),
}


# What joins two arrays is NumPy's own.
TASKS = (
    {
        operation.word: _task(operation.name)
        for operation in OPERATIONS.values()
        if operation.forward.beside is None
    }
    | {
        f"{operation.word}-backward": _task(
            f"{operation.name}_backward", tuple(f"grad_{of}" for of in operation.gradients)
        )
        for operation in OPERATIONS.values()
        if operation.gradients and operation.name != "pad"
    }
    | PRACTICE
)
