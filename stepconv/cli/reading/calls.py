"""Calls as they are typed: TARGET's example, or --input, with the options, recorded as a trace."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stepconv.cli.reading.targets import Asked, flag
from stepconv.errors import ArgumentError, closest
from stepconv.operations import OPERATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.trace import About, From, Trace

    Array = NDArray[Any]

_OPERATIONS = {operation.word: operation.name for operation in OPERATIONS.values()}
# Options that change how an example is computed, and nothing of what it shows.
_SAME_CALL = ("backend", "then")
# What some call an operation that has another name here, or two.
_CONVOLUTION = "correlate is deep learning's convolution, convolve mirrors the kernel first"
_ALSO_CALLED = dict.fromkeys(("conv", "conv1d", "conv2d", "convolution"), _CONVOLUTION)


def recorded(asked: Asked) -> "Trace":
    """Record a call of the options, those of a worked example standing in where none is given."""
    from stepconv.trace import record

    call, about = meant(asked)
    backend = asked.backend or ("textbook" if _is_small(call.given) else None)
    # Which of the gradients is asked for is the recorder's to know.
    which = {} if call.gradient is None else {"gradient": call.gradient}
    return record(call.function, **call.given, **which, about=about, backend=backend)


class Call(NamedTuple):
    """What is to be called: a function of stepconv and its arguments, and whose gradient counts."""

    function: Callable[..., Any]
    given: dict[str, Any]
    gradient: str | None = None


def meant(asked: Asked) -> "tuple[Call, About]":
    """Return the call that was typed, and words about it."""
    from stepconv import ops
    from stepconv.cli.reading import inputs
    from stepconv.trace import About

    about, given = About(), dict[str, Any]()
    name, gradient = "", asked.gradient
    if asked.target is not None:
        name, gradient, given, about = _example(asked.target, asked)
    if asked.op is not None:
        name = operation(asked.op)
        gradient = asked.gradient
    if asked.input is not None:
        given["x"], about = inputs.read(asked.input, asked.channel, asked.channels)
    elif asked.channel or asked.channels:
        which = "--channel" if asked.channel else "--channels"
        raise ArgumentError(f"{which} is about --input, which is missing")
    given |= _options(asked)
    name = name or _meant(asked, given)
    about = replace(about, notes=(*about.notes, *_fit_arrays(name, given, asked)))
    function, back = getattr(ops, name), getattr(ops, f"{name}_backward", None)
    _check_names(function, given)
    if gradient is None:
        return Call(function, given), about
    if back is None:
        raise ArgumentError(f"--gradient has no place here: {name} has no way back")
    return Call(back, _with_gradient(name, given, asked.grad_out), gradient), about


def following(asked: Asked, x: "Array") -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the operation that comes next and its options, for an x that is there already."""
    from stepconv import ops

    name, given = operation(str(asked.op)), {"x": x, **_options(asked)}
    _fit_arrays(name, given, asked)
    _check_names(getattr(ops, name), given)
    backend = asked.backend or ("textbook" if _is_small(given) else None)
    fitted = given.pop(OPERATIONS[name].arrays[0])
    if fitted.shape != x.shape:
        shape = "x".join(map(str, x.shape))
        raise ArgumentError(f"the kernel is of a layer, its input {shape} has no channels")
    return getattr(ops, name), {**given, "backend": backend}


def operation(word: str) -> str:
    """Return the operation that a word names."""
    name = word.replace("-", "_")
    if word in _OPERATIONS or name in OPERATIONS:
        return _OPERATIONS.get(word, name)
    hint = _ALSO_CALLED.get(word.lower()) or closest(
        word.lower(), _OPERATIONS, f"one of {', '.join(_OPERATIONS)} fits"
    )
    raise ArgumentError(f"--op {word!r} is not known: {hint}")


def _meant(asked: Asked, given: dict[str, Any]) -> str:
    """Return the operation that the other options speak of."""
    if "w" in given:
        return "correlate"
    if "window" in given:
        return "max_pool"
    raise ArgumentError(
        f"what is to be done with {asked.input}? --kernel sobel-x slides a kernel over it, "
        "--op max-pool --window 2 pools it"
    )


def _example(id: str, asked: Asked) -> "tuple[str, str | None, dict[str, Any], About]":
    """Return the call of a worked example: operation, gradient, arguments, words.

    Its words are about the call of the lecture: another one is called what was typed.
    """
    from stepconv.trace import About
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.traces import about, has_windows
    from stepconv.trace.jobs import function_of

    example = worked.worked_example(id)
    if not has_windows(example):
        raise ArgumentError(f"worked example {id!r} is a size: it has no options to change")
    function, of = function_of(example.op)
    name = function.__name__.removesuffix("_backward")
    given = {**example.inputs, **example.options}
    words, changes = about(example), [each for each in asked.options if each not in _SAME_CALL]
    if changes:
        words = About(f"{id} with {asked.typed(*changes)}", (), words.channels)
    return name, asked.gradient or of or ("x" if "grad_out" in given else None), given, words


def _options(asked: Asked) -> dict[str, Any]:
    """Return the options that arguments of operations are made of, as these take them."""
    from stepconv.cli.reading import array_files, inputs, picture_and_kernel, typed

    given: dict[str, Any] = {}
    for name in asked.options:
        text = getattr(asked, name)
        if name in ("window", "stride", "dilation", "output_padding"):
            given[name] = typed.per_axis(flag(name), text)
        elif name == "padding":
            given[name] = typed.padding(text)
        elif name == "groups":
            given[name] = typed.integer("--groups", text)
        elif name == "slope":
            given[name] = typed.number("--slope", text)
        elif name in ("mode", "ceil_mode", "count_include_pad"):
            given[name] = text
        elif name == "bias":
            given["bias"] = typed.parse(text)
        elif name == "other":
            given["y"] = linked(text) or inputs.read(text, None, None)[0]
        elif name == "kernel" and Path(text).suffix.lower() == ".npy":
            given["w"] = array_files.read(Path(text))
        elif name == "kernel":
            given["w"] = picture_and_kernel.kernel(text)
    return given


def linked(text: str) -> "From | None":
    """Return what `link 2` or `input` means in a chain; None if it is neither."""
    from stepconv.trace import From

    word, _, number = text.strip().partition(" ")
    if word == "input" and not number:
        return From()
    return From(int(number)) if word == "link" and number.isdecimal() else None


def _fit_arrays(name: str, given: dict[str, Any], asked: Asked) -> list[str]:
    """Make x, w and the options into arguments of the operation, or say what is missing.

    Return what was decided on the way, for a note.
    """
    notes = []
    operation = OPERATIONS[name]
    if operation.arrays == ("w",):
        given["w"] = given.pop("x") if "x" in given else given["w"]
    elif "w" in operation.arrays:
        if "w" not in given:
            raise ArgumentError(f"--op {asked.op or name} needs a --kernel")
        notes = _fit_weights(given, of_example=asked.target is not None)
    elif "w" in given:
        if asked.kernel is not None:
            raise ArgumentError(f"--kernel has no place here: {asked.op or name} has no weights")
        del given["w"]
    if "y" in operation.arrays and "y" not in given:
        raise ArgumentError(f"{operation.word} needs a second array: --other")
    if "window" in operation.options:
        given.setdefault("window", 2)
    elif "window" in given:
        if asked.window is not None:
            raise ArgumentError("--window is for pools: the size of a kernel is its own")
        del given["window"]
    if name == "pad":
        given.setdefault("padding", 1)
    return notes


def _check_names(function: Any, given: dict[str, Any]) -> None:
    """Refuse an option that the operation does not have."""
    known = inspect.signature(function).parameters
    for name in given:
        if name not in known and name != "grad_out":
            op = function.__name__.replace("_", "-")
            raise ArgumentError(f"{flag(name)} has no place here: {op} has none")


def _fit_weights(given: dict[str, Any], of_example: bool) -> list[str]:
    """Make x, w and bias fit each other, and return a note about a kernel for several channels.

    One plain kernel meets each colour of a picture alone: their sum helps nobody. An example keeps
    its layer, in which the channels add up.
    """
    import numpy as np

    x, w, notes = given["x"], given["w"], []
    if w.ndim == 1 and x.ndim == 2:
        w = w[np.newaxis]
    if w.ndim == 3 and (x.ndim > 2 or (x.ndim == 2 and w.shape[1] == 1)):
        w = w[:, :, np.newaxis]  # rows typed for each filter lie along the rows of a picture
    if x.ndim == w.ndim - 2:
        x = x[np.newaxis]
    if w.ndim == 2 and x.ndim > 2:
        channels = x.shape[-3]
        alone = channels == 3 and not of_example and "groups" not in given
        if alone:
            given["groups"] = channels
        groups = given.get("groups", 1)
        shape = (channels, 1) if groups == channels else (1, channels)
        w = np.broadcast_to(w, (*shape, *w.shape))
        told = "filtered alone; --groups 1 adds them up" if alone else "summed" * (groups == 1)
        notes += [f"The same kernel for each of {channels} channels, {told}."] if told else []
    if "bias" in given:
        filters = w.shape[0] if w.ndim > 2 else 1
        bias = np.broadcast_to(given["bias"], filters) if given["bias"].size == 1 else given["bias"]
        given["bias"] = bias if w.ndim > 2 or bias.size > 1 else bias[0]
    given |= {"x": x, "w": w}
    return notes


def _with_gradient(name: str, given: dict[str, Any], text: str | None) -> dict[str, Any]:
    """Return the arguments of the way back."""
    import numpy as np

    from stepconv import ops
    from stepconv.cli.reading import inputs

    given = dict(given)
    given.pop("bias", None)
    if text is not None:
        given["grad_out"] = inputs.numbers(text)
    elif "grad_out" not in given:
        with_textbook = {**given, "backend": "textbook"} if _is_small(given) else given
        result = getattr(ops, name)(**with_textbook)
        given["grad_out"] = np.ones(result.shape, result.dtype)
    if name == "pad":
        given["shape"] = given.pop("x").shape
    return given


def _is_small(given: dict[str, Any]) -> bool:
    """Tell whether plain Python has done the call before a compiler is even loaded."""
    import numpy as np

    from stepconv.trace.recorder import FEW

    cells = max(np.size(given.get(name, ())) for name in ("x", "grad_out"))
    # Every cell meets each weight at most once, but those of its own channel alone.
    w = np.asarray(given.get("w", 0))
    meets = w.size // (w.shape[1] if w.ndim > 2 else 1)
    meets = max(meets, int(np.prod(given.get("window", 1))) ** 2)
    return bool(cells * meets <= FEW)
