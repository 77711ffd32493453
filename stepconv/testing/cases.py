"""The calls on which a function is held to account, the simplest first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.operations import OPERATIONS
from stepconv.testing.calls import Call

Array = NDArray[Any]
Sizes = tuple[int, int]


@dataclass(frozen=True)
class Task:
    """An operation as somebody may write it: what is passed in order, and what comes back."""

    function: Callable[..., Any]
    positional: tuple[str, ...]
    results: tuple[str, ...] = ("result",)

    def answers(self, call: Call) -> tuple[Array, ...]:
        """Return what a call of the operation gives, by the textbook's loops."""
        given = call.run(by_the_book(self.function))
        return given if isinstance(given, tuple) else (given,)


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


TASKS = {operation.word: _task(operation.name) for operation in OPERATIONS.values()} | {
    f"{operation.word}-backward": _task(
        f"{operation.name}_backward", tuple(f"grad_{of}" for of in operation.gradients)
    )
    for operation in OPERATIONS.values()
    if operation.gradients and operation.name != "pad"
}
# So many calls of any shape and options follow those that were thought out.
_DRAWN = 12


@dataclass(frozen=True)
class Case:
    """One call, and what it is about."""

    about: str
    call: Call


@dataclass(frozen=True)
class _Sketch:
    """A call before its numbers are drawn: sizes of x and of the window, and the options."""

    about: str
    x: Sizes
    window: Sizes = (2, 2)
    options: dict[str, Any] = field(default_factory=dict)
    numbers: str = "integers"


_SLIDING = (
    _Sketch("a kernel of one cell", (3, 4), (1, 1)),
    _Sketch("a kernel of two cells in a row", (3, 4), (1, 2)),
    _Sketch("a square kernel", (3, 3), (2, 2)),
    _Sketch("a kernel 3x3", (4, 4), (3, 3)),
    _Sketch("rows and columns that differ", (4, 6), (2, 3)),
    _Sketch("a kernel as large as the input", (3, 4), (3, 4)),
    _Sketch("stride 2", (4, 4), (2, 2), {"stride": 2}),
    _Sketch("stride 2 that leaves cells over", (5, 6), (2, 3), {"stride": 2}),
    _Sketch("stride 3", (7, 8), (2, 2), {"stride": 3}),
    _Sketch("padding 1", (3, 3), (3, 3), {"padding": 1}),
    _Sketch("padding 2", (3, 4), (3, 2), {"padding": 2}),
    _Sketch("stride 2 and padding 1", (4, 5), (3, 3), {"stride": 2, "padding": 1}),
    _Sketch("dilation 2", (5, 6), (2, 3), {"dilation": 2}),
    _Sketch("dilation 2, padding 1", (5, 6), (2, 3), {"dilation": 2, "padding": 1}),
    _Sketch("a bias", (3, 4), (2, 2), {"bias": True}),
    _Sketch("two groups", (3, 4), (2, 2), {"groups": 2}),
    _Sketch("reflected borders", (4, 5), (3, 3), {"padding": 1, "mode": "reflect"}),
    _Sketch("repeated borders", (4, 5), (3, 3), {"padding": 1, "mode": "replicate"}),
    _Sketch("a border from the other side", (4, 5), (3, 3), {"padding": 1, "mode": "circular"}),
    _Sketch("more cells behind", (3, 4), (2, 2), {"stride": 2, "output_padding": 1}),
)
_POOLING = (
    _Sketch("a window that fits", (4, 4), (2, 2)),
    _Sketch("a window that leaves cells over", (5, 7), (2, 2)),
    _Sketch("negative numbers alone", (4, 6), (2, 2), {}, "negative"),
    _Sketch("a window of rows and columns that differ", (4, 6), (2, 3)),
    _Sketch("windows that overlap", (5, 5), (3, 3), {"stride": 2}),
    _Sketch("a stride of one cell", (4, 5), (2, 2), {"stride": 1}),
    _Sketch(
        "negative numbers and padding", (4, 5), (3, 3), {"stride": 2, "padding": 1}, "negative"
    ),
    _Sketch("dilation 2", (6, 7), (2, 2), {"dilation": 2}),
    _Sketch("a last window that sticks out", (5, 6), (2, 2), {"ceil_mode": True}),
    _Sketch(
        *("the padding counted", (4, 5), (3, 3)),
        {"stride": 2, "padding": 1, "count_include_pad": True},
    ),
)
_BORDERS = (
    _Sketch("one cell", (2, 3), options={"padding": 1}),
    _Sketch("two cells", (3, 4), options={"padding": 2}),
    *(
        _Sketch(f"mode {mode}", (3, 4), options={"padding": 2, "mode": mode})
        for mode in ("reflect", "replicate", "circular")
    ),
    _Sketch("another value", (2, 3), options={"padding": 1, "value": 7}),
)
_CELLS = (_Sketch("a few cells", (2, 3)), _Sketch("more cells", (4, 5)))
_SKETCHES = {"max-pool": _POOLING, "avg-pool": _POOLING, "pad": _BORDERS}
_CURVES = ("leaky-relu", "tanh", "sigmoid", "softmax")
_SKETCHES |= dict.fromkeys(("relu", "flip", *_CURVES), _CELLS)
_SKETCHES["leaky-relu"] = (*_CELLS, _Sketch("another slope", (3, 4), options={"slope": 0.25}))


def cases(op: str, rank: int, takes: Set[str], fixed: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the calls of an operation, with options that the function takes, or that are `fixed`.

    `rank` is that of the kernel: 1 a signal, 2 an image, 3 and 4 layers of either; for operations
    without a kernel that of x.
    """
    forward = op.removesuffix("-backward")
    random = np.random.default_rng(7)
    known = takes | set(TASKS[op].positional)
    for sketch in (*_thought_out(forward), *_drawn(forward, known, random)):
        fits = set(sketch.options) <= known and (rank > 2 or "groups" not in sketch.options)
        if fits:
            call = _call(forward, rank, sketch, random).with_options(**fixed)
            if op != forward:
                (result,) = TASKS[forward].answers(call)
                grad_out = _numbers(random, result.shape, "integers")
                if result.dtype.kind == "f":
                    grad_out = grad_out.astype(result.dtype)
                call = call.without("bias").but(grad_out=grad_out)
            yield Case(sketch.about, call)


def _thought_out(op: str) -> tuple[_Sketch, ...]:
    """Return the calls that each teach one thing, and those of other kinds of numbers."""
    known = _SKETCHES.get(op, _SLIDING)
    # Simple, but not so small that mistakes cannot be seen.
    plain = known[:3][-1]
    return (
        *known,
        *(
            _Sketch(about, plain.x, plain.window, plain.options, numbers)
            for about, numbers in (
                ("numbers with fractions", "float64"),
                ("numbers in float32", "float32"),
                ("bytes, as pictures have them", "uint8"),
            )
            # NumPy takes powers of bytes in float16.
            if numbers != "uint8" or op not in _CURVES
        ),
    )


def _drawn(op: str, known: Set[str], random: np.random.Generator) -> Iterator[_Sketch]:
    """Yield calls of any sizes and options."""
    for _ in range(_DRAWN):
        window = int(random.integers(1, 4)), int(random.integers(1, 4))
        options: dict[str, Any] = {}
        if "padding" in known and (op == "pad" or min(window) > 1):
            options["padding"] = 1
        if "stride" in known:
            options["stride"] = int(random.integers(1, 4))
        x = int(random.integers(4, 9)), int(random.integers(4, 9))
        kinds = ("integers", "float64", "float32")
        yield _Sketch("any sizes and options", x, window, options, str(random.choice(kinds)))


def _call(op: str, rank: int, sketch: _Sketch, random: np.random.Generator) -> Call:
    """Return the call with its numbers."""
    options = dict(sketch.options)
    if op in _SKETCHES:
        axes = min(rank, 2)
        shape = (*(2, 3)[: max(rank - 2, 0)], *sketch.x[-axes:])
        arrays = {"w" if op == "flip" else "x": _numbers(random, shape, sketch.numbers)}
        if op in ("max-pool", "avg-pool"):
            options["window"] = sketch.window[-axes:]
            if len(set(options["window"])) == 1:
                options["window"] = options["window"][0]
        return Call(arrays, options)
    axes, groups = 2 - rank % 2, options.get("groups", 1)
    x, window = sketch.x[-axes:], sketch.window[-axes:]
    inputs, filters = 2 * groups, 3 * groups
    if rank > 2:
        planes = (inputs, filters // groups) if op == "transpose" else (filters, inputs // groups)
        x, window = (2, inputs, *x), (*planes, *window)
    arrays = {
        "x": _numbers(random, x, sketch.numbers),
        "w": _numbers(random, window, "integers" if sketch.numbers == "uint8" else sketch.numbers),
    }
    if options.pop("bias", False):
        arrays["bias"] = _numbers(random, (filters,) if rank > 2 else (), sketch.numbers)
    return Call(arrays, options)


def _numbers(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    if kind in ("float64", "float32"):
        return np.asarray(random.uniform(-2, 2, shape).round(2), kind)
    low, high = {"negative": (-9, 0), "uint8": (100, 256)}.get(kind, (-9, 10))
    dtype = np.uint8 if kind == "uint8" else np.int64
    return np.asarray(random.integers(low, high, shape), dtype)
