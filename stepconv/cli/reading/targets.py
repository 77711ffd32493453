"""TARGET and its options: what `play`, `show` and `record` are to show, as a trace."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.errors import ArgumentError
from stepconv.operations import OPERATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.trace import Trace, WorkedExample

    Array = NDArray[Any]

_OPERATIONS = {operation.word: operation.name for operation in OPERATIONS.values()}
_COLOURS = ("red", "green", "blue")

_Typed = str | None


@dataclass(frozen=True)
class Asked:
    """What was typed: TARGET, and every option that says what is to be recorded."""

    target: Annotated[
        _Typed,
        typer.Argument(
            metavar="TARGET", help="A worked example or a .trace.npz file; or use the options."
        ),
    ] = None
    input: Annotated[
        _Typed,
        typer.Option(help='A picture of the gallery, a picture file, .npy, .csv, "1 2; 3 4".'),
    ] = None
    kernel: Annotated[_Typed, typer.Option(help='A named kernel, a file, or "1 0 -1; 2 0 -2".')] = (
        None
    )
    op: Annotated[_Typed, typer.Option(help=f"{', '.join(_OPERATIONS)}.")] = None
    window: Annotated[_Typed, typer.Option(help='Cells under a pool: "2", "3,2".')] = None
    stride: Annotated[_Typed, typer.Option(help='Cells between windows: "2", "2,1".')] = None
    padding: Annotated[
        _Typed, typer.Option(help='same, valid, full, or cells: "1", "1,2", "0:1,2:2".')
    ] = None
    dilation: Annotated[_Typed, typer.Option(help="Cells from tap to tap.")] = None
    slope: Annotated[_Typed, typer.Option(help="Of a leaky ReLU below 0: 0.01 without it.")] = None
    groups: Annotated[_Typed, typer.Option(help="Groups of channels.")] = None
    mode: Annotated[_Typed, typer.Option(help="zeros, reflect, replicate or circular padding.")] = (
        None
    )
    ceil_mode: Annotated[
        bool, typer.Option("--ceil-mode", help="Let a pool's last window stick out.")
    ] = False
    count_include_pad: Annotated[
        bool, typer.Option("--count-include-pad", help="Average over the padding's zeros as well.")
    ] = False
    output_padding: Annotated[
        _Typed, typer.Option(help="Cells behind what --op transpose gives.")
    ] = None
    gradient: Annotated[_Typed, typer.Option(help="x, w or bias: play the way back to it.")] = None
    grad_out: Annotated[
        _Typed, typer.Option(help="The gradient that comes back; ones without it.")
    ] = None
    channel: Annotated[
        _Typed, typer.Option(help="Take one channel: a number, red, green or blue.")
    ] = None
    backend: Annotated[_Typed, typer.Option(help="textbook, cpu or cuda.")] = None

    @property
    def options(self) -> list[str]:
        """Names of the options that were given, TARGET left out."""
        return [f.name for f in fields(self)[1:] if getattr(self, f.name) not in (None, False)]

    @property
    def example(self) -> "WorkedExample | None":
        """The worked example that TARGET names as it stands, if it does."""
        from stepconv.trace.gallery import worked

        known = {example.id: example for example in worked.worked_examples()}
        return None if self.target is None or self.options else known.get(self.target)


def with_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command TARGET and its options in the place of its argument `asked`."""
    shared = inspect.signature(Asked).parameters

    @wraps(command)
    def typed(**given: Any) -> None:
        asked = Asked(**{name: given.pop(name) for name in shared if name in given})
        command(asked=asked, **given)

    parameters: list[inspect.Parameter] = []
    for each in inspect.signature(command).parameters.values():
        parameters += shared.values() if each.name == "asked" else [each]
    # What Typer reads; by name alone, as those without a default may stand anywhere.
    signature = inspect.Signature([each.replace(kind=each.KEYWORD_ONLY) for each in parameters])
    typed.__signature__ = signature  # type: ignore[attr-defined]
    return typed


def trace_of(asked: Asked) -> "Trace":
    """Return the trace that is asked for: read from a file, or recorded now.

    Large inputs take a moment, and so does compiling: meanwhile the terminal says so.
    """
    from stepconv.cli import terminal

    if not asked.options and not Path(asked.target or "").is_file():
        return _trace_of(asked)
    doing = "recording every window …" if asked.options else "reading …"
    with terminal.stderr().status(doing):
        return _trace_of(asked)


def _trace_of(asked: Asked) -> "Trace":
    from stepconv.trace import example_trace, load_trace

    if asked.target is None:
        if asked.input is None:
            raise ArgumentError(
                "there is nothing to show: name a worked example (`stepconv examples` lists them), "
                "or give --input"
            )
        return _recorded(asked)
    if asked.target.endswith(".npz") or Path(asked.target).is_file():
        if asked.options:
            given = ", ".join(map(_flag, asked.options))
            raise ArgumentError(f"{asked.target} is recorded already: {given} cannot apply")
        return load_trace(asked.target)
    if asked.input is not None:
        raise ArgumentError(f"TARGET {asked.target!r} and --input say two things: give one")
    return _recorded(asked) if asked.options else example_trace(_known(asked.target))


def _known(id: str) -> str:
    from stepconv.trace.gallery import worked

    return worked.worked_example(id).id


def _recorded(asked: Asked) -> "Trace":
    """Record a call of the options, those of a worked example standing in where none is given."""
    from stepconv import ops
    from stepconv.trace import About, record

    about, given = About(), dict[str, Any]()
    name, gradient = "", asked.gradient
    if asked.target is not None:
        name, gradient, given, about = _example(asked.target, asked.gradient)
    if asked.op is not None:
        name = _operation(asked.op)
        gradient = asked.gradient
    if asked.input is not None:
        given["x"], about = _input(asked.input, asked.channel)
    elif asked.channel is not None:
        raise ArgumentError("--channel picks a channel of --input, which is missing")
    name = name or ("correlate" if asked.kernel or "w" in given else "max_pool")
    given |= _options(asked)
    _fit_arrays(name, given, asked)
    backend = asked.backend or ("textbook" if _is_small(given) else None)
    function, back = getattr(ops, name), getattr(ops, f"{name}_backward", None)
    _check_names(function, given)
    if gradient is None:
        return record(function, **given, about=about, backend=backend)
    if back is None:
        raise ArgumentError(f"--gradient has no place here: {name} has no way back")
    given = _with_gradient(name, given, asked.grad_out)
    return record(back, **given, gradient=gradient, about=about, backend=backend)


def _example(id: str, gradient: str | None) -> tuple[str, str | None, dict[str, Any], Any]:
    """Return the call of a worked example: operation, gradient, arguments, words."""
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.traces import about, has_windows
    from stepconv.trace.jobs import function_of

    example = worked.worked_example(id)
    if not has_windows(example):
        raise ArgumentError(f"worked example {id!r} is a size: it has no options to change")
    function, of = function_of(example.op)
    name = function.__name__.removesuffix("_backward")
    given = {**example.inputs, **example.options}
    return name, gradient or of or ("x" if "grad_out" in given else None), given, about(example)


def _operation(word: str) -> str:
    if word not in _OPERATIONS:
        raise ArgumentError(f"--op {word!r} is not known: one of {', '.join(_OPERATIONS)} fits")
    return _OPERATIONS[word]


def _input(text: str, channel: str | None) -> "tuple[Array, Any]":
    """Return the numbers of --input as (rows, columns), (channels, rows, columns) or (length,)."""
    from stepconv.cli.reading import array_files, picture_and_kernel, typed
    from stepconv.trace import About

    if _is_literal(text):
        planes, title = typed.parse(text), "numbers typed in"
    elif Path(text).suffix.lower() == ".npy":
        planes, title = array_files.read(Path(text)), text
    else:
        picture = picture_and_kernel.picture(text)
        planes = picture.planes if len(picture.planes) == 3 else picture.planes[0]
        title = text
    names = _COLOURS if planes.ndim == 3 and len(planes) == 3 else ()
    if channel is None:
        return planes, About(title, (), names)
    if planes.ndim < 3:
        raise ArgumentError(f"--channel {channel} has no place here: {title} has one channel")
    number = names.index(channel) if channel in names else typed.integer("--channel", channel)
    if not 0 <= number < planes.shape[-3]:
        raise ArgumentError(
            f"--channel {channel} is not in {title}, which has {planes.shape[-3]} channels"
        )
    return planes[..., number, :, :], About(f"{title}, {channel if names else f'channel {number}'}")


def _options(asked: Asked) -> dict[str, Any]:
    """Return the options that arguments of operations are made of, as these take them."""
    from stepconv.cli.reading import array_files, picture_and_kernel, typed

    given: dict[str, Any] = {}
    for name in asked.options:
        text = getattr(asked, name)
        if name in ("window", "stride", "dilation", "output_padding"):
            given[name] = typed.per_axis(_flag(name), text)
        elif name == "padding":
            given[name] = typed.padding(text)
        elif name == "groups":
            given[name] = typed.integer("--groups", text)
        elif name == "slope":
            given[name] = typed.number("--slope", text)
        elif name in ("mode", "ceil_mode", "count_include_pad"):
            given[name] = text
        elif name == "kernel" and Path(text).suffix.lower() == ".npy":
            given["w"] = array_files.read(Path(text))
        elif name == "kernel":
            given["w"] = picture_and_kernel.kernel(text)
    return given


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _fit_arrays(name: str, given: dict[str, Any], asked: Asked) -> None:
    """Make x, w and the options into arguments of the operation, or say what is missing."""
    operation = OPERATIONS[name]
    if operation.arrays == ("w",):
        given["w"] = given.pop("x") if "x" in given else given["w"]
    elif "w" in operation.arrays:
        if "w" not in given:
            raise ArgumentError(f"--op {asked.op or name} needs a --kernel")
        given["w"] = _as_weights(given["w"], given["x"])
    elif "w" in given:
        if asked.kernel is not None:
            raise ArgumentError(f"--kernel has no place here: {asked.op or name} has no weights")
        del given["w"]
    if "window" in operation.options:
        given.setdefault("window", 2)
    elif "window" in given:
        if asked.window is not None:
            raise ArgumentError("--window is for pools: the size of a kernel is its own")
        del given["window"]
    if name == "pad":
        given.setdefault("padding", 1)


def _check_names(function: Any, given: dict[str, Any]) -> None:
    """Refuse an option that the operation does not have."""
    known = inspect.signature(function).parameters
    for name in given:
        if name not in known and name != "grad_out":
            op = function.__name__.replace("_", "-")
            raise ArgumentError(f"{_flag(name)} has no place here: {op} has none")


def _as_weights(w: "Array", x: "Array") -> "Array":
    """Return a plain kernel as weights, if x has channels: the same for each, as on the slides."""
    import numpy as np

    if w.ndim == 1 and x.ndim == 2:
        w = w[np.newaxis]
    if w.ndim == 2 and x.ndim > 2:
        w = np.broadcast_to(w, (1, x.shape[-3], *w.shape))
    return w


def _with_gradient(name: str, given: dict[str, Any], text: str | None) -> dict[str, Any]:
    """Return the arguments of the way back."""
    import numpy as np

    from stepconv import ops

    given = dict(given)
    given.pop("bias", None)
    if text is not None:
        given["grad_out"] = _input(text, None)[0]
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


def _is_literal(text: str) -> bool:
    """Tell numbers typed out from names and files: `1 2; 3 4` from `letter-a` and `2.csv`."""
    words = text.replace(";", " ").replace(",", " ").split()
    return (
        bool(words)
        and not any(c.isalpha() and c not in "eE" for c in words[0])
        and (len(words) > 1 or not Path(text).suffix or words[0].replace(".", "").isdigit())
    )
