"""TARGET and its options: what `play`, `show` and `record` are asked for, and the trace of it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.errors import ArgumentError
from stepconv.operations import OPERATIONS

if TYPE_CHECKING:
    from stepconv.trace import Chain, Trace, WorkedExample

_OPERATIONS = [operation.word for operation in OPERATIONS.values()]
_Typed = str | None
Letters = Annotated[
    bool, typer.Option("--letters", help="Tell sizes in the letters of textbooks: n, f, p, s.")
]
Way = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ALGORITHM",
        help="Steps of an algorithm: direct, im2col, separable, winograd, fft or tiles.",
    ),
]
OutputCell = Annotated[
    str | None,
    typer.Option(
        "--cell", metavar="ROW,COLUMN", help="With --as: the output cell; 1,2,3 is in plane 1."
    ),
]


@dataclass(frozen=True)
class Asked:
    """What was typed: TARGET, and every option that says what is to be recorded."""

    target: Annotated[
        _Typed,
        typer.Argument(
            metavar="TARGET",
            help="A worked example or chain, a .npz record, or what --input takes.",
        ),
    ] = None
    input: Annotated[
        _Typed,
        typer.Option(help='A picture of the gallery, a picture file, .npy, .csv, "1 2; 3 4".'),
    ] = None
    channels: Annotated[
        _Typed, typer.Option(help="first or last: the axis of a .npy picture's channels.")
    ] = None
    kernel: Annotated[
        _Typed,
        typer.Option(
            help='A named kernel, a file, or "1 0 -1; 2 0 -2": rows end at ;, channels at |, '
            "filters at ||."
        ),
    ] = None
    bias: Annotated[_Typed, typer.Option(help='Added to the sums, one for each filter: "1 2".')] = (
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
    other: Annotated[
        _Typed,
        typer.Option(help='The second array of add, subtract, concat; in --then also "link 0".'),
    ] = None
    backend: Annotated[_Typed, typer.Option(help="textbook, cpu or cuda.")] = None
    then: Annotated[
        list[str] | None,
        typer.Option(help='A call on what comes out, again and again: relu, "max-pool 2".'),
    ] = None

    @property
    def options(self) -> list[str]:
        """Names of the options that were given, TARGET left out."""
        given = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return [name for name, value in given.items() if value or value == ""]

    def typed(self, *names: str) -> str:
        """Return options as they stand on a command line."""
        values = {name: getattr(self, name) for name in names}
        return " ".join(
            flag(name) if value is True else f"{flag(name)} {value}"
            for name, value in values.items()
        )

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


def parsed(words: list[str]) -> Asked:
    """Return what words ask for that stand where TARGET and its options do."""
    from typer.main import get_command

    app = typer.Typer(add_completion=False)
    app.command()(with_target(_asked_alone))
    return Asked(**get_command(app).make_context("stepconv", words).params)


def _asked_alone(asked: Asked) -> None:
    """Have no option but those of TARGET."""


def trace_of(asked: Asked) -> "Trace | Chain":
    """Return what is asked for: read from a file, or recorded now; with `--then` a chain.

    Large inputs take a moment, and so does compiling: meanwhile the terminal says so.
    """
    from stepconv.cli import terminal

    if not asked.options and not Path(asked.target or "").is_file():
        return _trace_of(asked)
    doing = "recording every window …" if asked.options else "reading …"
    with terminal.stderr().status(doing):
        if not asked.then:
            return _trace_of(asked)
        from stepconv.cli.reading import chains

        return chains.continued(_trace_of(replace(asked, then=None)), asked.then, asked.backend)


def _trace_of(asked: Asked) -> "Trace | Chain":
    from stepconv.cli.reading import calls
    from stepconv.trace import example_trace, load, worked_chains

    if asked.target is None:
        if asked.input is None:
            raise ArgumentError(
                "there is nothing to show: name a worked example (`stepconv examples` lists them), "
                "or give --input"
            )
        return calls.recorded(asked)
    if _is_record(asked.target):
        if asked.options:
            raise ArgumentError(
                f"{asked.target} is recorded already: {asked.typed(*asked.options)} cannot apply"
            )
        return load(asked.target)
    if asked.target in worked_chains():
        if asked.options:
            raise ArgumentError(
                f"{asked.target} is a chain: {asked.typed(*asked.options)} cannot apply, --then can"
            )
        return worked_chains()[asked.target].chain()
    asked = with_input(asked)
    if asked.target is None or asked.options:
        return calls.recorded(asked)
    return example_trace(asked.target)


def with_input(asked: Asked) -> Asked:
    """Return what is asked for with a picture or a file as --input, whose place TARGET may take."""
    if asked.target is None:
        return asked
    if asked.input is not None:
        raise ArgumentError(f"TARGET {asked.target!r} and --input say two things: give one")
    if _is_input(asked.target):
        return replace(asked, target=None, input=asked.target)
    return asked


def _is_record(target: str) -> bool:
    from zipfile import is_zipfile

    from stepconv.cli.reading import picture_files

    path = Path(target)
    pictured = path.suffix.lower() in picture_files.SUFFIXES
    return path.suffix == ".npz" or (path.is_file() and not pictured and is_zipfile(path))


def _is_input(target: str) -> bool:
    """Tell a picture or an array file from a worked example; what is neither is refused."""
    from stepconv.cli.reading import picture_files
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains

    examples = [example.id for example in worked.worked_examples()]
    if target in examples:
        return False
    pictures = worked.pictures()
    if target in pictures or Path(target).suffix.lower() in picture_files.SUFFIXES:
        return True
    known = {each.replace("-", ""): each for each in _OPERATIONS} | {"conv": "correlate"}
    operation = known.get(target.lower().replace("-", "").replace("_", "").removesuffix("2d"))
    hint = worked.closest(target, [*examples, *worked_chains(), *pictures])
    if operation is not None:
        hint = f"as an operation it is an option, --input eight-22x16 --op {operation}"
    if Path(target).is_file() and Path(target).suffix != ".npz":
        fitting = ", ".join(picture_files.SUFFIXES)
        raise ArgumentError(f"{target} cannot be read: {fitting} and records (.npz) fit")
    raise ArgumentError(f"{target!r} is no worked example, no picture and no file: {hint}")


def flag(name: str) -> str:
    """Return an option's name as it stands on a command line."""
    return f"--{name.replace('_', '-')}"
