"""A call before its numbers are drawn, and after: what it is about, its sizes, its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call

Array = NDArray[Any]
Sizes = tuple[int, int]
Planes = tuple[int, int, int]


@dataclass(frozen=True)
class Case:
    """One call, what it is about, and in which layout of memory x comes.

    What is not `graded` is only remarked: conventions differ there.
    """

    about: str
    stage: str
    call: Call
    layout: str | None = None
    graded: bool = True
    sketch: Sketch | None = None


@dataclass(frozen=True)
class Sketch:
    """A call before its numbers are drawn: sizes of x and of the window, planes and options.

    `planes` are images, channels and filters, of each group where there are several.
    """

    about: str
    x: Sizes
    window: Sizes = (2, 2)
    options: Mapping[str, Any] = field(default_factory=dict)
    numbers: str = "integers"
    planes: Planes = (2, 2, 3)
    stage: str = "plain"
    layout: str | None = None
    graded: bool = True


def staged(stage: str, *sketches: Sketch) -> tuple[Sketch, ...]:
    """Return sketches that belong to a stage."""
    return tuple(replace(sketch, stage=stage) for sketch in sketches)


# Kinds of x whose weights are plain integers.
WHOLE = {"uint8": (100, 256), "int16": (-9000, 9001), "int32": (-(2**30), 2**30)}


def numbers_of(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    """Return numbers of a kind, drawn at random."""
    if kind in ("float64", "float32"):
        return np.asarray(random.uniform(-2, 2, shape), kind)
    if kind == "large":
        return np.asarray(random.uniform(-9e4, 9e4, shape).round(1))
    if kind == "tiny":
        return np.asarray(random.uniform(-1, 1, shape) * 1e-310)
    if kind == "special":
        given = np.asarray(random.integers(-9, 10, shape), float)
        if given.size > 1:
            given.flat[0], given.flat[-1] = np.nan, np.inf
        return given
    if kind == "distinct":
        count = int(np.prod(shape))
        return np.asarray(random.permutation(count).reshape(shape) - count // 2, np.int64)
    if kind in ("ties", "alike"):
        return np.asarray(random.integers(3, 5 if kind == "ties" else 4, shape), np.int64)
    low, high = {"negative": (-9, 0), "low": (-9000, -1000), "small": (-2, 3), **WHOLE}.get(
        kind, (-9, 10)
    )
    dtype = kind if kind in WHOLE else "int64"
    if dtype == "int64" and kind == "integers":
        # No zeros: what is multiplied by one cannot be seen.
        return np.asarray(random.integers(1, 10, shape) * random.choice((-1, 1), shape), dtype)
    return np.asarray(random.integers(low, high, shape), dtype)
