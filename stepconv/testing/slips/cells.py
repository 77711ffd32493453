"""Slips of what works cell by cell, and of borders that are the result themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.evidence import Evidence
from stepconv.testing.slips import theory
from stepconv.testing.slips.theory import slip
from stepconv.testing.tasks import TASKS, by_the_book

Array = NDArray[Any]


def _relu(name: str, says: str, change: Callable[[Array], Array]) -> None:
    theory.slip(name, says, "relu")(lambda one: change(one.case.call.arrays["x"].astype(float)))


_relu("relu-abs", "negative numbers lost their sign: they should become 0", np.abs)
_relu("relu-none", "nothing was changed: negative numbers should become 0", lambda x: x)
_relu(
    "relu-step", "1 was put for what is positive, in place of the number", lambda x: (x > 0) * 1.0
)
_relu("relu-min", "the smaller of 0 and the number was taken", lambda x: np.minimum(x, 0))
_relu("relu-six", "numbers above 6 were cut", lambda x: np.clip(x, 0, 6))
_relu("relu-one", "numbers above 1 were cut", lambda x: np.clip(x, 0, 1))


def _leaky(slope: float) -> None:
    says = f"negative numbers were multiplied by {slope:g}: they should become 0"
    _relu("relu-leaky", says, lambda x: np.where(x > 0, x, slope * x))


for _slope in (0.01, 0.1, 0.2, 0.02, 0.001, 0.3):
    _leaky(_slope)
_relu("sigmoid", "the sigmoid was taken", lambda x: 1 / (1 + np.exp(-x)))
_relu("tanh", "the hyperbolic tangent was taken", np.tanh)


def _curve(op: str, name: str, says: str, change: Callable[[Array], Array]) -> None:
    theory.slip(name, says, op)(lambda one: change(one.given["x"].astype(float)))


def _softmax(x: Array, axis: int | None) -> Array:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


_MINUS = "the exponent has the wrong sign: exp(-x) fits"
_curve("sigmoid", "exponent-sign", _MINUS, lambda x: 1 / (1 + np.exp(x)))
_curve("sigmoid", "tanh", "the hyperbolic tangent was taken", np.tanh)
_curve("tanh", "sigmoid", "the sigmoid was taken", lambda x: 1 / (1 + np.exp(-x)))
_ALL_CELLS = "everything adds up to 1, where each row should"
_curve("softmax", "softmax-all", _ALL_CELLS, lambda x: _softmax(x, None))
_curve(
    "softmax", "softmax-axis", "columns add up to 1, where rows should", lambda x: _softmax(x, 0)
)
_curve("softmax", "softmax-axis", "the last axis adds up to 1", lambda x: _softmax(x, -1))


def _back(name: str, says: str, change: Callable[[Array, Array], Array]) -> None:
    def make(one: Evidence) -> Array:
        x, grad = (one.case.call.arrays[n].astype(float) for n in ("x", "grad_out"))
        return change(x, grad)

    theory.slip(name, says, "relu-backward")(make)


_back("relu-at-zero", "the gradient passes where x is 0", lambda x, g: g * (x >= 0))
_back("relu-unmasked", "the gradient passes everywhere", lambda x, g: g)
_back(
    "relu-of-gradient", "the gradient itself was cut at 0: x decides", lambda x, g: np.maximum(g, 0)
)
_back(
    "relu-ones",
    "1 was put where x is positive, in place of the gradient",
    lambda x, g: (x > 0) * 1.0,
)
_back("relu-times-x", "the gradient was multiplied by x", lambda x, g: g * np.maximum(x, 0))
_back("relu-times-x", "the gradient was multiplied by x, and not by 0 or 1", lambda x, g: g * x)
_back("relu-inverse", "the gradient passes where x is negative", lambda x, g: g * (x < 0))
_back("relu-forward", "relu itself was computed", lambda x, g: np.maximum(x, 0))


def _pad(name: str, says: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    def make(one: Evidence) -> Array | None:
        changed = change(one.case.call.options)
        if changed is None:
            return None
        call = one.case.call.with_options(**changed)
        return np.asarray(call.run(by_the_book(TASKS["pad"].function)))

    theory.slip(name, says, "pad")(make)


def _each(padding: Any, change: Callable[[int, int], tuple[int, int]]) -> Any:
    """Return a padding with both sides of each axis changed."""
    pairs = padding if isinstance(padding, tuple) else (padding, padding)
    sides = [pair if isinstance(pair, tuple) else (pair, pair) for pair in pairs]
    return tuple(change(*pair) for pair in sides)


def _moved(change: Callable[[int, int], tuple[int, int]]) -> Any:
    return lambda options: {"padding": _each(options["padding"], change)}


_pad("padding-front", "the padding was put in front alone", _moved(lambda a, b: (a, 0)))
_pad("padding-front", "the padding was put in front alone", _moved(lambda a, b: (a + b, 0)))
_pad("padding-behind", "the padding was put behind alone", _moved(lambda a, b: (0, b)))
_pad("padding-behind", "the padding was put behind alone", _moved(lambda a, b: (0, a + b)))
_pad("padding-doubled", "twice as much was padded", _moved(lambda a, b: (2 * a, 2 * b)))
_pad(
    "padding-one-cell",
    "one cell was padded, however many were asked for",
    _moved(lambda a, b: (1, 1)),
)
_pad("padding-swapped", "before and after were exchanged", _moved(lambda a, b: (b, a)))
_pad("padding-ignored", "nothing was padded", _moved(lambda a, b: (0, 0)))


def _one_axis(rows: bool) -> Any:
    def change(options: dict[str, Any]) -> dict[str, Any]:
        top, left = _each(options["padding"], lambda a, b: (a, b))[-2:]
        return {"padding": (top, (0, 0)) if rows else ((0, 0), left)}

    return change


_pad("padding-rows", "the padding was put above and below alone", _one_axis(True))
_pad("padding-columns", "the padding was put left and right alone", _one_axis(False))
_pad(
    *("padding-exchanged", "the padding of rows and columns was exchanged"),
    lambda options: {"padding": _each(options["padding"], lambda a, b: (a, b))[::-1]},
)


def _mode(mode: str, name: str, says: str) -> None:
    _pad(name, says, lambda options: {"mode": mode} | ({"value": 0} if mode != "zeros" else {}))


_mode("replicate", "padding-edge", "the border repeats the edge, where other cells belong")
_mode("reflect", "padding-reflect", "the border is a mirror image, where other cells belong")
_mode("circular", "padding-wrap", "the border comes from the other side, where it should not")
_mode("zeros", "padding-zeros", "the border is zeros, whatever mode says")
_pad("padding-value", "the border is zeros, whatever value says", lambda options: {"value": 0})
_pad("padding-ones", "the border is ones, where zeros belong", lambda options: {"value": 1})


@slip("padding-symmetric", "the mirrored border repeats the edge, which reflect does not", "pad")
def symmetric(one: Evidence) -> Array | None:
    options, x = one.case.call.options, one.case.call.arrays["x"]
    if options.get("mode") != "reflect":
        return None
    sides = _each(options["padding"], lambda a, b: (a, b))[: min(2, x.ndim)]
    return np.pad(x, ((0, 0),) * (x.ndim - len(sides)) + sides, "symmetric")


@slip("padding-channels", "every axis was padded, images and channels too", "pad")
def every_axis(one: Evidence) -> Array | None:
    options, x = one.case.call.options, one.case.call.arrays["x"]
    width = options["padding"]
    return np.pad(x, width) if isinstance(width, int) and options.get("mode") is None else None


def _flip(name: str, says: str, change: Callable[[Array], Array]) -> None:
    theory.slip(name, says, "flip")(lambda one: change(one.case.call.arrays["w"]))


_flip("flip-rows", "it was mirrored top to bottom alone", lambda w: w[::-1])
_flip("flip-columns", "it was mirrored left to right alone", lambda w: w[..., ::-1])
_flip("no-flip", "nothing was mirrored", lambda w: w)
_flip("transposed-result", "rows and columns were exchanged", lambda w: w.T)
_flip("turned-kernel", "it was turned by a quarter", np.rot90)
