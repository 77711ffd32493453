"""What a wrong result looks like: the usual mistakes, made on purpose, until one gives the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import StepconvError
from stepconv.testing.calls import Call
from stepconv.testing.cases import TASKS, by_the_book

Array = NDArray[Any]
Near = Callable[[Array, Array], Array]
# What was done wrong, and how to do it.
Suspect = tuple[str, Callable[[], Any]]


def suspicion(op: str, call: Call, result: str, expected: Array, got: Array, near: Near) -> str:
    """Return the mistake whose result is the one that came, or nothing."""
    place = TASKS[op].results.index(result)
    made: list[tuple[str, Array]] = []
    for told, make in _suspects(op, call, place, expected):
        with suppress(StepconvError, np.exceptions.AxisError):
            wrong = np.asarray(make())
            # A mistake that changes nothing here is none.
            if wrong.shape != expected.shape or not near(wrong, expected).all():
                made.append((told, wrong))
    for told, wrong in made:
        if wrong.shape == got.shape and near(wrong, got).all():
            return told
    for told, wrong in made:
        # Loops of the right length over wrong windows give the first of them.
        if got.shape == expected.shape and wrong.ndim == got.ndim:
            first = wrong[tuple(map(slice, got.shape))]
            if first.shape == got.shape and near(first, got).all():
                return told
    return _by_shape(expected, got)


def _suspects(op: str, call: Call, place: int, expected: Array) -> Iterator[Suspect]:
    function = TASKS[op].function

    def called(changed: Call, other: Callable[..., Any] = function) -> Callable[[], Any]:
        def run() -> Any:
            made = changed.run(by_the_book(other))
            return made[place] if isinstance(made, tuple) else made

        return run

    forward = op.removesuffix("-backward")
    if forward in ("correlate", "convolve", "transpose"):
        yield from _kernels(op, call, called)
    if forward in ("max-pool", "avg-pool"):
        yield from _pools(op, call, called)
    yield from _options(call, called, frozenset(inspect.signature(function).parameters))
    yield from _results(expected)


def _kernels(op: str, call: Call, called: Callable[..., Any]) -> Iterator[Suspect]:
    w = call.arrays["w"]
    if op in ("correlate", "correlate-backward"):
        other = TASKS[op.replace("correlate", "convolve")].function
        yield "the kernel was mirrored: this is a convolution", called(call, other)
    if op in ("convolve", "convolve-backward"):
        other = TASKS[op.replace("convolve", "correlate")].function
        yield "the kernel was not mirrored: this is a correlation", called(call, other)
    if op == "transpose":
        yield "the kernel was mirrored", called(call.but(w=ops.flip(w)))
    yield "the kernel was mirrored left to right", called(call.but(w=w[..., ::-1].copy()))
    if w.ndim in (2, 4):
        upside_down = w[..., ::-1, :].copy()
        yield "the kernel was mirrored top to bottom", called(call.but(w=upside_down))
        exchanged = w.swapaxes(-1, -2).copy()
        yield "rows and columns of the kernel were exchanged", called(call.but(w=exchanged))
    if "bias" in call.arrays:
        yield "the bias was left out", called(call.without("bias"))
        doubled = call.but(bias=call.arrays["bias"] * 2)
        yield "the bias was added twice", called(doubled)
    if w.ndim > 2 and not op.endswith("backward"):
        one = np.zeros_like(w)
        one[:, :1] = w[:, :1]
        yield "the first channel was taken alone", called(call.but(w=one))


def _pools(op: str, call: Call, called: Callable[..., Any]) -> Iterator[Suspect]:
    x, padding = call.arrays["x"], call.options.get("padding", 0)
    axes = min(x.ndim, 2)
    if op == "max-pool":
        padded = call.without("padding").but(x=ops.pad(x, (padding,) * axes, backend="textbook"))
        yield "the zeros of the padding won", called(padded)
        zeros = call.but(x=np.maximum(x, 0))
        yield "the largest was looked for from 0 upwards", called(zeros)
        yield "the smallest was taken", lambda: -called(call.but(x=-x.astype(float)))()
        yield "the average was taken", called(call.without("dilation"), ops.avg_pool)
    if op == "avg-pool":
        sides = call.options["window"]
        cells = int(np.prod(sides if isinstance(sides, tuple) else (sides,) * axes))
        whole = call.with_options(count_include_pad=True)
        yield "the sum was not divided", lambda: called(whole)() * cells
        yield "the largest was taken", called(call.without("count_include_pad"), ops.max_pool)
    if op.startswith("avg-pool"):
        counted = call.options.get("count_include_pad", False)
        what = "real cells alone were" if counted else "cells of the padding were"
        other = call.with_options(count_include_pad=not counted)
        yield f"{what} counted in the average", called(other)
    window = call.options["window"]
    stride = call.options.get("stride", window)
    if stride != 1:
        yield "the windows moved by one cell", called(call.with_options(stride=1))
    if stride != window:
        yield "the windows moved by their own size", called(call.with_options(stride=window))
    if isinstance(window, tuple):
        turned = call.with_options(window=window[::-1], stride=stride)
        yield "rows and columns of the window were exchanged", called(turned)
    ceil = call.options.get("ceil_mode", False)
    said = "left out" if ceil else "kept"
    other = call.with_options(ceil_mode=not ceil)
    yield f"the last window, which does not fit whole, was {said}", called(other)


def _options(call: Call, called: Callable[..., Any], known: frozenset[str]) -> Iterator[Suspect]:
    """Yield each option left out, or taken otherwise."""
    options = call.options
    axes = _axes(call)
    for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0)):
        value = options.get(name, usual)
        if value == usual or not isinstance(value, int):
            continue
        yield f"{name}={value} was ignored", called(call.with_options(**{name: usual}))
        for wrong in (value - 1, value + 1):
            yield (
                f"{name}={value} was taken for {wrong}",
                called(call.with_options(**{name: wrong})),
            )
        if axes == 2 and name != "output_padding":
            rows, columns = (value, usual), (usual, value)
            yield f"{name} was used on the rows alone", called(call.with_options(**{name: rows}))
            yield (
                f"{name} was used on the columns alone",
                called(call.with_options(**{name: columns})),
            )
    padding = options.get("padding", 0)
    if not padding and {"mode", "padding"} <= known:
        for word in ("same", "full"):
            said = f"the input was padded, as with padding={word!r}"
            yield said, called(call.with_options(padding=word))
    if isinstance(padding, int) and padding:
        front, behind = ((padding, 0),) * axes, ((0, padding),) * axes
        yield "the padding was put in front alone", called(call.with_options(padding=front))
        yield "the padding was put behind alone", called(call.with_options(padding=behind))
        for mode in ("zeros", "reflect", "replicate", "circular"):
            if "mode" in known and mode != options.get("mode", "zeros"):
                said = f"the border was filled as mode={mode!r} does"
                yield said, called(call.with_options(mode=mode))


def _results(expected: Array) -> Iterator[Suspect]:
    """Yield the right result with something done to it."""
    wide = expected.astype(float)
    yield (
        "digits behind the point were lost: an array of integers holds none",
        lambda: np.trunc(wide),
    )
    yield "numbers were rounded", lambda: np.rint(wide)
    yield "numbers wrapped round at 256: bytes hold no more", lambda: np.mod(np.trunc(wide), 256)
    yield "negative numbers became 0", lambda: np.maximum(wide, 0)
    yield "numbers were cut at 0 and 255", lambda: np.clip(wide, 0, 255)
    yield "the signs were lost", lambda: np.abs(wide)
    yield "the sign is the other one", lambda: -wide
    yield "rows and columns of the result were exchanged", lambda: wide.swapaxes(-1, -2)
    yield "the result is mirrored on both axes", lambda: ops.flip(wide) if wide.ndim else wide
    yield "the last row was not computed", lambda: _without(wide, row=True)
    yield "the last column was not computed", lambda: _without(wide, column=True)
    yield "the last row and column were not computed", lambda: _without(wide, True, True)
    if wide.ndim > 1:
        yield "everything lies one row too low", lambda: _moved(wide, -2)
    if wide.ndim:
        yield "everything lies one column too far to the right", lambda: _moved(wide, -1)
    yield "nothing was computed: all are 0", lambda: np.zeros_like(wide)


def _without(wide: Array, row: bool = False, column: bool = False) -> Array:
    """Return the result with zeros where a loop stopped early."""
    made = wide.copy()
    if row and made.ndim > 1:
        made[..., -1, :] = 0
    if column and made.ndim:
        made[..., -1] = 0
    return made


def _moved(wide: Array, axis: int) -> Array:
    made = np.roll(wide, 1, axis)
    first = [slice(None)] * wide.ndim
    first[axis] = slice(0, 1)
    made[tuple(first)] = 0
    return made


def _by_shape(expected: Array, got: Array) -> str:
    """Tell what a wrong shape looks like."""
    if got.ndim != expected.ndim or got.shape == expected.shape:
        return ""
    if got.shape == expected.shape[:-2] + expected.shape[-2:][::-1]:
        return "rows and columns of the result were exchanged"
    short = [e - g for e, g in zip(expected.shape, got.shape, strict=True)]
    if set(short) <= {0, 1}:
        return "a loop stops one window early: (size - window + 2·padding) / stride + 1 fit"
    if set(short) <= {0, -1}:
        return "a loop goes one window too far: (size - window + 2·padding) / stride + 1 fit"
    return ""


def _axes(call: Call) -> int:
    """Return the number of spatial axes."""
    w = call.arrays.get("w")
    if w is not None:
        return w.ndim if w.ndim < 3 else w.ndim - 2
    return min(call.arrays.get("x", np.zeros(1)).ndim, 2)
