"""The calls by which what networks are trained with is judged: dense layers, losses, optimisers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call
from stepconv.testing.forms.reading import Reading
from stepconv.testing.sketches import Case, Sketch, numbers_of, staged
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]

# `x` is rows and columns, the first number of `window` how many outputs there are.
_SIZES = (
    Sketch("two rows", (2, 3), (4, 1), numbers="float64"),
    Sketch("one row", (1, 3), (2, 1), numbers="float64"),
    Sketch("more rows than columns", (5, 2), (3, 1), numbers="float64"),
    Sketch("as many rows as columns", (3, 3), (3, 1), numbers="float64"),
    Sketch("more columns than rows", (3, 7), (2, 1), numbers="float64"),
    *staged("numbers", Sketch("numbers in float32", (3, 4), (2, 1), numbers="float32")),
    *staged(
        "memory",
        Sketch("columns first in memory", (4, 3), (2, 1), numbers="float64", layout="Fortran"),
        Sketch("a reversed array", (3, 4), (2, 1), numbers="float64", layout="mirrored"),
    ),
    *staged("drawn", Sketch("a large input", (30, 20), (8, 1), numbers="float64")),
)


def _options(*several: Mapping[str, Any]) -> tuple[Sketch, ...]:
    told = (", ".join(f"{name} {value}" for name, value in one.items()) for one in several)
    return staged(
        "options",
        *(
            Sketch(about, (3, 4), (5, 1), one, "float64")
            for about, one in zip(told, several, strict=True)
        ),
    )


_MANY = Sketch("many cells", (200, 200), options={"rate": 0.25}, numbers="positive")
_FAR = staged(
    "numbers",
    Sketch("answers near 1000", (3, 4), numbers="far"),
    Sketch("more answers near 1000", (2, 6), numbers="far"),
)
_SKETCHES: dict[str, tuple[Sketch, ...]] = {
    "dense": (*_SIZES, *_options({"bias": True})),
    "cross-entropy": (*_SIZES, *_FAR),
    "batch-norm": (*_SIZES, *_options({"epsilon": 0.5}, {"epsilon": 0.001})),
    "dropout": (
        replace(_MANY, about="a quarter is dropped"),
        replace(_MANY, about="a fifth is dropped", options={"rate": 0.2}),
        replace(_MANY, about="three quarters are dropped", options={"rate": 0.75}),
        replace(_MANY, about="nothing is dropped", options={"rate": 0.0}),
    ),
    "sgd": (*_SIZES, *_options({"lr": 0.1}, {"lr": 2.0})),
    "adam": (
        *_SIZES,
        *_options({"t": 1}, {"t": 7}, {"lr": 0.1, "t": 2}, {"beta1": 0.5, "t": 3}),
        *_options({"beta2": 0.9, "t": 3}, {"epsilon": 0.5, "t": 3}),
    ),
}
# What is given besides arrays: steps large enough to be seen beside the numbers.
_USUAL = {"rate": 0.25, "lr": 0.5, "t": 4}


def thought_out(op: str) -> tuple[Sketch, ...]:
    """Return the calls that each teach one thing."""
    return _SKETCHES[op.removesuffix("-backward")]


def drawn(
    reading: Reading, sketch: Sketch, fixed: Mapping[str, Any], random: np.random.Generator
) -> Case | None:
    """Return the case of a sketch with its numbers, if the reading can make such a call."""
    task, form = TASKS[reading.op], reading.form
    known = {*reading.options, *task.positional}
    options = {n: v for n, v in sketch.options.items() if n != "bias"} | dict(fixed)
    if not {*options} <= known or ("bias" in sketch.options and "bias" not in reading.options):
        return None
    if sketch.numbers == "far" and form.probabilities:
        return None  # they are 0 and 1 there, and the logarithm of 0 is none
    rows = sketch.x[0] if "N" in form.x else 1
    sizes = {"N": rows, "O": sketch.window[0]}
    sizes |= dict.fromkeys("IDK", sketch.x[1])
    wanted = [n for n in (*task.positional, *task.options) if n in task.axes]
    arrays: dict[str, Array] = {}
    for name in wanted:
        if name in task.positional or (name == "bias" and sketch.options.get("bias")):
            shape = tuple(sizes[letter] for letter in task.axes[name])
            arrays[name] = _numbers(random, name, shape, sketch.numbers, sizes["K"])
    if "epsilon" in task.options and "epsilon" not in known and "x" in arrays:
        arrays["x"] = arrays["x"] * 1e6  # beside such numbers nobody sees which epsilon it has
    options = {n: value for n, value in _USUAL.items() if n in known} | options
    call = Call(arrays, options)
    return Case(sketch.about, sketch.stage, call, sketch.layout, sketch.graded, sketch)


def _numbers(
    random: np.random.Generator, name: str, shape: tuple[int, ...], kind: str, classes: int
) -> Array:
    if name == "labels":
        return np.asarray(random.integers(0, classes, shape), np.int64)
    if kind == "far":
        return np.asarray(random.uniform(990, 1010, shape))
    if kind == "positive" or name == "v":
        dtype = np.float32 if kind == "float32" else np.float64
        return np.asarray(random.uniform(0.5, 2, shape), dtype)
    return numbers_of(random, shape, kind)
