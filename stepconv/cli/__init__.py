"""The command line: a table of commands, each a thin module that is imported when it is asked for.

    commands        one module for each; reading: what is typed; showing: what is printed
    lesson          both for the lessons; exploring: both for a network looked into
    ending          how a command ends at a signal
    terminal        where the command line meets the terminal, and its exit codes

To add a command `name`, write `commands/name.py` with a function `name` in it (annotated
parameters as Typer reads them, a docstring whose indented block is an example) and add the name to
COMMANDS, where a hyphen stands for an underscore (`import_` for `import`, which Python keeps to
itself); the module's CONTEXT, if it has one, holds settings for Typer. Import numba, numpy, rich
and textual inside functions, so that `--help` stays quick.
"""

import importlib
import inspect
import keyword
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer
import typer.core
import typer.main

import stepconv
from stepconv.cli import terminal
from stepconv.errors import ArgumentError, closest
from stepconv.operations import OPERATIONS

# In the order in which `stepconv --help` lists them.
COMMANDS = (
    "demo",
    "examples",
    "lesson",
    "play",
    "show",
    "record",
    "export",
    "apply",
    "shapes",
    "look",
    "train",
    "sweep",
    "compare",
    "import",
    "evaluate",
    "predict",
    "explore",
    "filters",
    "page",
    "check",
    "grade",
    "why",
    "bench",
    "doctor",
)
# Older names, which still work and are not listed.
_HIDDEN = ("export-onnx",)

_HELP = {"help_option_names": ["-h", "--help"]}
# What some call an operation, and what it is called here.
_ALSO_CALLED = {"conv": "correlate", "conv2d": "correlate", "convolution": "convolve"}


def _processed(parameter: Any, ctx: Any, value: Any) -> Any:
    """Return what an option means; one that is absent, a text or a number without Typer's help.

    Typer asks Pydantic, which takes longer to load than many a command to run.
    """
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    free = getattr(parameter, "min", None) is getattr(parameter, "max", None) is None
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    if annotation is int and free and digits.isdecimal():
        value = int(value)
    absent = value is None and not parameter.required
    if absent or (type(value) is annotation and annotation in (str, int)):
        return parameter.callback(ctx, parameter, value) if parameter.callback else value
    return type(parameter).process_value(parameter, ctx, value)


class _Quick:
    """A command or a group whose options are processed without what they do not need."""

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in parameters:
            each.process_value = partial(_processed, each)
        return parameters


class _Command(_Quick, typer.core.TyperCommand):
    """A command of the table."""


class _LazyCommands(_Quick, typer.core.TyperGroup):
    """A group that imports a command's module when the command, or its line of help, is needed."""

    # Any: the classes meant have no public name in Typer.
    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if args[:1] == ["help"]:
            args = [*args[1:2], "--help"]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in (*COMMANDS, *_HIDDEN):
            raise ArgumentError(f"no command {cmd_name!r}: {_meant(cmd_name)}")
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        module = importlib.import_module(f"{__name__}.commands.{name}")
        function = getattr(module, name)
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(
            cmd_name,
            cls=_Command,
            help=_keep_examples(inspect.getdoc(function) or ""),
            context_settings={**_HELP, **getattr(module, "CONTEXT", {})},
        )(function)
        return typer.main.get_command(app)


def _meant(word: str) -> str:
    """Return a hint at what somebody wanted who typed no command but this word."""
    from stepconv.trace.gallery import worked

    known = [*(each.id for each in worked.worked_examples()), *worked.pictures()]
    if word in known:
        return f"`stepconv play {word}` plays it"
    hint = closest(word, COMMANDS, "")
    words = {one.word: one.word for one in OPERATIONS.values()} | _ALSO_CALLED
    operation = words.get(word) or next(
        (each for also, each in words.items() if closest(word, [also], "")), None
    )
    if operation and (word in words or not hint):
        return f"an operation is an option, as in `stepconv play eight-22x16 --op {operation} …`"
    return hint or f"there are {', '.join(COMMANDS)}"


def _keep_examples(text: str) -> str:
    """Mark the indented blocks of a docstring with a backspace, so that help leaves them as is."""
    return re.sub(r"\n\n(?=    )", "\n\n\b\n", text)


# Plain help, without Rich's boxes: half the start-up time, and it reads well on any terminal.
app = typer.Typer(
    cls=_LazyCommands, add_completion=False, rich_markup_mode=None, context_settings=_HELP
)


@app.callback(invoke_without_command=True)
def _stepconv(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """See every multiplication of a convolution, and compute it fast.

    `stepconv COMMAND --help` shows an example for every command.
    """
    if version:
        print(f"stepconv {stepconv.__version__}")
        raise typer.Exit(terminal.OK)
    if context.invoked_subcommand is None:
        # Asking for nothing is no mistake: help on stdout and status 0, as git's successors do.
        print(_welcome() if sys.stdout.isatty() else context.get_help())


def _welcome() -> str:
    import shutil

    from stepconv.cli.showing import welcome

    return "\n".join(welcome.lines(shutil.get_terminal_size().columns))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (without `arguments`, the process's own); return its exit status."""
    return terminal.run(app, arguments)
