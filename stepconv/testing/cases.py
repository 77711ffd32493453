"""The calls on which a function is held to account, the simplest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing import exercises
from stepconv.testing.calls import Call
from stepconv.testing.forms import names
from stepconv.testing.forms.reading import Reading
from stepconv.testing.sketches import WHOLE, Case, Sketch, numbers_of, staged
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]

# So many calls of any shape and options follow those that were thought out.
_DRAWN = 8
# With padding, windows of such sides would be very many.
_LARGE = 50


_SLIDING = (
    Sketch("a kernel of one cell", (3, 4), (1, 1), planes=(1, 1, 1)),
    Sketch("a kernel of two cells in a row", (3, 4), (1, 2), planes=(1, 1, 1)),
    Sketch("a square kernel", (3, 3), (2, 2), planes=(1, 1, 1)),
    Sketch("an input that is not square", (3, 5), (2, 2)),
    Sketch("a kernel 3x3", (4, 4), (3, 3)),
    Sketch("a kernel 3x3 on more columns than rows", (4, 6), (3, 3)),
    Sketch("rows and columns that differ", (4, 6), (2, 3), planes=(3, 2, 4)),
    Sketch("a square input, a kernel that is not", (5, 5), (2, 3)),
    Sketch("a square input, a kernel of one column", (4, 4), (3, 1)),
    Sketch("more rows than columns", (7, 5), (3, 1), planes=(2, 3, 4)),
    Sketch("a kernel as large as the input", (3, 4), (3, 4)),
    *staged(
        "planes",
        Sketch("one image, one filter, three channels", (4, 5), (3, 3), planes=(1, 3, 1)),
        Sketch("one filter", (4, 5), (2, 2), planes=(2, 3, 1)),
        Sketch("one image", (4, 5), (3, 3), planes=(1, 2, 3)),
        Sketch("three images", (4, 5), (2, 2), planes=(3, 2, 5)),
        Sketch("four images of one channel", (4, 6), (3, 3), planes=(4, 1, 2)),
        Sketch("one row", (1, 5), (1, 2)),
        Sketch("one column", (5, 1), (2, 1)),
        Sketch("one pixel", (1, 1), (1, 1)),
    ),
    *staged(
        "options",
        Sketch("stride 2", (4, 4), (2, 2), {"stride": 2}),
        Sketch("stride 2 that leaves cells over", (5, 6), (2, 3), {"stride": 2}),
        Sketch("stride 2 with a kernel 3x3", (7, 5), (3, 3), {"stride": 2}),
        Sketch("stride 3", (7, 8), (2, 2), {"stride": 3}),
        Sketch("stride 2 down and 1 across", (6, 5), (2, 2), {"stride": (2, 1)}),
        Sketch("stride 1 down and 3 across", (4, 8), (3, 3), {"stride": (1, 3)}),
        Sketch("padding 1", (3, 3), (3, 3), {"padding": 1}),
        Sketch("padding 1 on rows and columns that differ", (3, 5), (2, 2), {"padding": 1}),
        Sketch("padding 2", (3, 4), (3, 2), {"padding": 2}),
        Sketch("padding 2 and a square kernel", (3, 4), (3, 3), {"padding": 2}),
        Sketch("padding of 1 row and 2 columns", (3, 4), (2, 2), {"padding": (1, 2)}),
        Sketch("padding 'same'", (4, 5), (3, 3), {"padding": "same"}),
        Sketch("padding 'same', a kernel 3x5", (4, 6), (3, 5), {"padding": "same"}),
        Sketch("padding 'full'", (3, 4), (3, 3), {"padding": "full"}),
        Sketch("padding 'full', a kernel 2x3", (3, 4), (2, 3), {"padding": "full"}),
        Sketch("stride 2 and padding 1", (4, 5), (3, 3), {"stride": 2, "padding": 1}),
        Sketch("dilation 2", (5, 6), (2, 3), {"dilation": 2}),
        Sketch("dilation 2 and a square kernel", (6, 5), (2, 2), {"dilation": 2}),
        Sketch("dilation 2, padding 1", (5, 6), (2, 3), {"dilation": 2, "padding": 1}),
        Sketch("dilation 2, stride 2", (7, 9), (2, 3), {"dilation": 2, "stride": 2}),
        Sketch("a bias", (3, 4), (2, 2), {"bias": True}),
        Sketch("a bias, three channels", (4, 5), (2, 3), {"bias": True}, planes=(2, 3, 4)),
        Sketch("a bias, a square kernel", (4, 5), (3, 3), {"bias": True}, planes=(2, 2, 4)),
        Sketch("two groups", (3, 4), (2, 2), {"groups": 2}),
        Sketch("three groups", (3, 4), (2, 2), {"groups": 3}, planes=(2, 2, 1)),
        Sketch("two groups and a bias", (3, 4), (2, 2), {"groups": 2, "bias": True}),
        Sketch("reflected borders", (4, 5), (3, 3), {"padding": 1, "mode": "reflect"}),
        Sketch("reflected borders 2 wide", (4, 5), (3, 3), {"padding": 2, "mode": "reflect"}),
        Sketch("repeated borders", (4, 5), (3, 3), {"padding": 1, "mode": "replicate"}),
        Sketch("repeated borders 2 wide", (4, 5), (3, 3), {"padding": 2, "mode": "replicate"}),
        Sketch("a border from the other side", (4, 5), (3, 3), {"padding": 1, "mode": "circular"}),
        Sketch("the other side, 2 wide", (4, 5), (3, 3), {"padding": 2, "mode": "circular"}),
        Sketch("more cells behind", (3, 4), (2, 2), {"stride": 2, "output_padding": 1}),
    ),
)
_POOLING = (
    Sketch("a window that fits", (4, 4), (2, 2), planes=(1, 1, 1)),
    Sketch("a window that fits, more columns", (4, 6), (2, 2)),
    Sketch("a window that leaves cells over", (5, 7), (2, 2)),
    Sketch("negative numbers alone", (4, 6), (2, 2), {}, "negative"),
    Sketch("three images", (4, 6), (2, 2), planes=(3, 4, 1)),
    Sketch("numbers far below 0", (6, 4), (2, 2), {}, "low"),
    Sketch("a window of rows and columns that differ", (4, 6), (2, 3)),
    Sketch("a window that is high", (6, 4), (3, 2)),
    Sketch("a square input, a window that is not", (6, 6), (2, 3)),
    Sketch("a square input, a window that is high", (5, 5), (3, 2)),
    *staged(
        "options",
        Sketch("windows that overlap", (5, 5), (3, 3), {"stride": 2}),
        Sketch("windows that overlap, more columns", (5, 7), (3, 3), {"stride": 2}),
        Sketch("a stride of one cell", (4, 5), (2, 2), {"stride": 1}),
        Sketch("a stride beyond the window", (7, 8), (2, 2), {"stride": 3}),
        Sketch("stride 2 down and 1 across", (6, 5), (2, 2), {"stride": (2, 1)}),
        Sketch("padding", (4, 5), (3, 3), {"stride": 2, "padding": 1}),
        Sketch(
            "negative numbers and padding", (4, 5), (3, 3), {"stride": 2, "padding": 1}, "negative"
        ),
        Sketch("dilation 2", (6, 7), (2, 2), {"dilation": 2}),
        Sketch("a last window that sticks out", (5, 6), (2, 2), {"ceil_mode": True}),
        Sketch(
            *("the padding counted", (4, 5), (3, 3)),
            {"stride": 2, "padding": 1, "count_include_pad": True},
        ),
    ),
)
_BORDERS = (
    Sketch("one cell", (2, 3), options={"padding": 1}),
    Sketch("two cells", (3, 4), options={"padding": 2}),
    Sketch("one row and two columns", (3, 4), options={"padding": (1, 2)}),
    Sketch("before and after", (3, 4), options={"padding": ((1, 2), (0, 3))}),
    Sketch("three images", (3, 4), options={"padding": 1}, planes=(3, 2, 1)),
    *staged(
        "options",
        *(
            Sketch(f"mode {mode}", (3, 4), options={"padding": width, "mode": mode})
            for mode in ("reflect", "replicate", "circular")
            for width in (1, 2)
        ),
        Sketch("another value", (2, 3), options={"padding": 1, "value": 7}),
        Sketch("a value below 0", (3, 4), options={"padding": 2, "value": -3}),
    ),
)
_CELLS = (
    Sketch("a few cells", (2, 3)),
    Sketch("more cells, zeros among them", (4, 5), numbers="small"),
    Sketch("a square", (3, 3)),
    Sketch("zeros and small numbers", (5, 4), numbers="small"),
    Sketch("negative numbers alone", (2, 3), numbers="negative"),
)
_TIES = (
    Sketch("two largest in a window", (4, 6), (2, 2), {}, "ties", stage="ties"),
    Sketch("all alike", (4, 4), (2, 2), {}, "alike", stage="ties"),
)
_SLOPES = (*_CELLS, Sketch("another slope", (3, 4), options={"slope": 0.25}))
_SKETCHES = {"pooling": _POOLING, "pad": _BORDERS, "cells": _CELLS, "flip": _CELLS}
_KINDS = (
    ("numbers with fractions", "float64"),
    ("numbers in float32", "float32"),
    ("whole numbers and weights with fractions", "mixed"),
    ("bytes, as pictures have them", "uint8"),
    ("bytes once more", "uint8"),
    ("int16", "int16"),
    ("int32", "int32"),
    ("numbers beyond 1000", "large"),
)
_LAYOUTS = (
    ("columns first in memory", "Fortran"),
    ("columns first in memory, other numbers", "Fortran"),
    ("every second cell of a larger array", "every second"),
    ("a reversed array", "mirrored"),
)


def cases(
    reading: Reading, fixed: Mapping[str, Any], random: np.random.Generator
) -> Iterator[Case]:
    """Yield the calls that a reading can make, with options that are `fixed` in all of them."""
    more = () if TASKS[reading.op].axes else _drawn(reading, random)
    for sketch in (*thought_out(reading.op), *more):
        case = drawn(reading, sketch, fixed, random)
        if case is not None:
            yield case


def thought_out(op: str) -> tuple[Sketch, ...]:
    """Return the calls that each teach one thing, and those of other kinds of numbers."""
    if TASKS[op].axes:
        return exercises.thought_out(op)
    forward = op.removesuffix("-backward")
    known = _SKETCHES.get(names.family(op), _SLIDING)
    known = _SLOPES if forward == "leaky-relu" else known
    kinds = _KINDS[:2] if forward in names.CURVES else _KINDS
    # Simple, but not so small that mistakes cannot be seen.
    plain = replace(known[3], about="the same sizes again", planes=(2, 2, 3), numbers="integers")
    if op == "max-pool-backward":
        known = (*known, *_TIES)
    return (
        *known,
        *(replace(plain, about=a, numbers=n, stage="numbers") for a, n in kinds),
        *(replace(plain, about=a, layout=n, stage="memory") for a, n in _LAYOUTS),
        *(replace(plain, about=f"{plain.about}, {n}", stage="memory") for n in ("once", "twice")),
        *(
            replace(plain, about=a, numbers=n, stage="numbers", graded=False)
            for a, n in (("NaN and infinity", "special"), ("the smallest of all", "tiny"))
            if op == forward and op not in names.CURVES
        ),
    )


def _drawn(reading: Reading, random: np.random.Generator) -> Iterator[Sketch]:
    """Yield calls of any sizes and options, the last of them large, and few so that it is quick."""
    family = names.family(reading.op)
    known = reading.options | set(TASKS[reading.op].positional)
    padded = {"padding": 1} if family == "pad" else {}
    for number in range(_DRAWN):
        window = int(random.integers(1, 4)), int(random.integers(1, 4))
        if number % 3 == 0:
            window = (3, 3)
        options: dict[str, Any] = {}
        if "padding" in known and (family == "pad" or min(window) > 1):
            options["padding"] = 1
        if "stride" in known:
            options["stride"] = int(random.integers(1, 4))
        large = number == _DRAWN - 1
        low, high = (17, 24) if large else (4, 9)
        x = int(random.integers(low, high)), int(random.integers(low, high))
        planes = (int(random.integers(1, 4)), int(random.integers(1, 4)), 2)
        kind = str(random.choice(("integers", "float64", "float32")))
        about = "a large input" if large else "any sizes and options"
        yield Sketch(about, x, window, options, kind, planes, "drawn")
    # Who is right on small arrays alone is not right.
    sides = _pair(random, 34, 61)
    window = _pair(random, 2, 4)
    yield Sketch("a larger input", sides, window, padded, "integers", (1, 1, 1), "drawn")
    if reading.op in ("correlate", "convolve"):
        sides, fewer = _pair(random, 90, 131), _pair(random, 1, 3)
        window = sides[0] - fewer[0], sides[1] - fewer[1]
        yield Sketch("a large kernel", sides, window, {}, "integers", (1, 1, 1), "drawn")


def _pair(random: np.random.Generator, low: int, end: int) -> tuple[int, int]:
    return int(random.integers(low, end)), int(random.integers(low, end))


def drawn(
    reading: Reading, sketch: Sketch, fixed: Mapping[str, Any], random: np.random.Generator
) -> Case | None:
    """Return the case of a sketch with its numbers, if the reading can make such a call."""
    if TASKS[reading.op].axes:
        return exercises.drawn(reading, sketch, fixed, random)
    form, axes = reading.form, 2 - reading.rank % 2
    if form.single:
        sketch = replace(sketch, x=sketch.window)
    window = sketch.window[-axes:]
    options = {n: v for n, v in sketch.options.items() if n != "bias"}
    bias = bool(sketch.options.get("bias")) and "bias" in reading.options
    if bool(sketch.options.get("bias")) != bias or (bias and reading.op.endswith("-backward")):
        return None
    if axes == 1:
        options = {n: v[-1:] if isinstance(v, tuple) else v for n, v in options.items()}
    if reading.rank < 3 and "groups" in options:
        return None
    if sketch.numbers in ("ties", "alike") and not form.ties:
        return None
    if not reading.can({n: v for n, v in options.items() if n not in fixed}, window):
        return None
    if names.family(reading.op) == "pooling" and reading.needs_stride(options, window):
        options["stride"] = 2
    call = _call(reading, replace(sketch, options=options), bias, random)
    call = reading.fixed_in(call.with_options(**fixed))
    if min(window) > _LARGE and call.options.get("padding", 0) not in (0, "valid"):
        return None
    if reading.op.endswith("-backward"):
        forward = TASKS[reading.op.removesuffix("-backward")]
        shape = forward.answers(call)[0].shape
        kind = sketch.numbers if sketch.numbers in ("float64", "float32") else "integers"
        grad = numbers_of(random, shape, kind)
        if reading.op.removesuffix("-backward") in names.CURVES:
            grad = grad.astype(np.result_type(grad, call.arrays["x"], np.float32))
        if form.name == "deeplearning-ai-mask":
            grad = np.ones(shape, np.int64)
        call = call.but(grad_out=grad)
    return Case(sketch.about, sketch.stage, call, sketch.layout, sketch.graded, sketch)


def _call(reading: Reading, sketch: Sketch, bias: bool, random: np.random.Generator) -> Call:
    """Return the call with its numbers."""
    op, form, rank = reading.op.removesuffix("-backward"), reading.form, reading.rank
    axes, family = 2 - rank % 2, names.family(reading.op)
    options = dict(sketch.options)
    groups = options.get("groups", 1)
    images, channels, filters = sketch.planes
    images = images if "N" in form.x else 1
    inputs = channels * groups if "C" in form.x else 1
    outputs = filters * groups if "O" in form.w else 1
    x, window = sketch.x[-axes:], sketch.window[-axes:]
    leading = (images, inputs) if rank > 2 else ()
    numbers = sketch.numbers
    if reading.op == "max-pool-backward" and numbers not in ("ties", "alike", "float64", "float32"):
        numbers = "distinct"
    if family != "sliding":
        name = "w" if op == "flip" else "x"
        if family == "pooling":
            plain = len(set(window)) == 1 and rank != 3
            options["window"] = window[0] if plain else window
        if family == "pad" and rank == 3 and isinstance(options["padding"], int):
            options["padding"] = (options["padding"],)  # or it would be two axes' with us
        return Call({name: numbers_of(random, (*leading, *x), numbers)}, options)
    planes: tuple[int, ...] = (outputs, inputs // groups)
    if op == "transpose":
        planes = (inputs, outputs // groups)
    w_shape = (*planes, *window) if rank > 2 else window
    kinds = {"mixed": "float64", "tiny": "integers", "special": "integers"}
    weights = kinds.get(numbers, "integers" if numbers in WHOLE else numbers)
    arrays = {
        "x": numbers_of(random, (*leading, *x), numbers),
        "w": numbers_of(random, w_shape, weights),
    }
    if bias:
        arrays["bias"] = numbers_of(random, (outputs,) if rank > 2 else (), weights)
    return Call(arrays, options)
