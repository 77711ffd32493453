"""Where the command line meets the terminal: stdout is data, stderr is talk, exit codes live here.

Every command is run through `run`, which turns what went wrong into one line on stderr and an
exit status. Only a bug in stepconv ends in a traceback, because a report of it needs one.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import typer
import typer.main

from stepconv.cli import ending
from stepconv.errors import StepconvError, StepconvWarning

if TYPE_CHECKING:
    from rich.console import Console

OK = 0
WRONG = 1  # the command ran, and its answer is no (a check that failed)
UNUSABLE = 2  # the command could not run: a bad argument, an unreadable file
INTERRUPTED = 130  # what a shell reports for Ctrl-C: 128 + SIGINT
# What a disk that is full, or a stream that is closed, says.
_FULL = (errno.ENOSPC, errno.EBADF, errno.EFBIG, errno.EDQUOT)
PIPE_CLOSED = 141  # and for a reader that left, as in `stepconv … | head`: 128 + SIGPIPE


def stdout() -> Console:
    """A console for what was asked for; it follows NO_COLOR, COLUMNS and whether a person reads."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)


def stderr() -> Console:
    """A console for everything else: progress, warnings, hints."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def working(what: str = "computing …") -> AbstractContextManager[Any]:
    """Say on stderr that something takes a while, to a person who waits; kernels may compile."""
    return stderr().status(what) if sys.stderr.isatty() else nullcontext()


def print_json(data: Any, **style: Any) -> None:
    """Print plain data, or numbers and arrays of NumPy, as one JSON value on stdout.

    What the stream cannot write is escaped as JSON has it, and never becomes a "?".
    """
    import json

    text = json.dumps(data, default=lambda number: number.tolist(), **style)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        ascii_only = {**style, "ensure_ascii": True}
        text = json.dumps(data, default=lambda number: number.tolist(), **ascii_only)
    print(text)


def cut(line: str, width: int) -> str:
    """Return as much of a line as fits, with … where it was cut."""
    return line if len(line) <= width else f"{line[: width - 1]}…"


def short(count: int) -> str:
    """Return a large number in three digits or so.

    >>> short(950), short(117600), short(15470264320)
    ('950', '118 k', '15.5 G')
    """
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            scaled = count / unit
            return f"{scaled:.{0 if scaled >= 100 else 1}f} {letter}"
    return str(count)


def hanging(label: str, text: str, column: int, width: int) -> str:
    """Set `text` to the right of its label, folded to the width; a long path stays in one piece."""
    import textwrap

    return textwrap.fill(
        text,
        width,
        initial_indent=f"  {label:<{column}} ",
        subsequent_indent=" " * (column + 3),
        break_long_words=False,
        break_on_hyphens=False,
    )


def complain(message: str) -> None:
    """Print `stepconv: message` on stderr, as one line whatever the message holds."""
    line = harmless(" ".join(message.split()))
    with suppress(OSError):  # nobody reads it
        print(f"stepconv: {line}", file=sys.stderr, flush=True)


def harmless(text: object) -> str:
    r"""Return a text without what a terminal would act on, as a file's name may hold.

    >>> harmless("\x1b[2Jmine")
    '\\x1b[2Jmine'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def called() -> str:
    """Return how to call this command line again, as one types it.

    In an environment that is not activated the name alone would not be found.
    """
    if which("stepconv"):
        return "stepconv"
    if Path(sys.argv[0]).stem == "stepconv":
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m stepconv"


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Say what stepconv warns of in a line; what libraries warn of is for those who ask by -W."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", StepconvWarning)
        theirs = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, StepconvWarning):
                complain(str(message))
            else:
                theirs(message, category, *where, **more)

        warnings.showwarning = show
        yield


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run `app` on `arguments` (the process's own if None) and return the exit status."""
    # Of the many objects that imports make all stay: to look for garbage among them takes long.
    gc.set_threshold(100_000, 50, 50)
    _open_what_is_closed()
    _forget_sizes_that_are_none()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows "?" instead of stopping the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with _warnings_in_a_line(), ending.in_order():
            status = _invoke(app, sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()  # here, so that a closed pipe shows up inside the try
        return status
    except KeyboardInterrupt as error:
        _show_cursor()
        if isinstance(error, ending.Interrupted):
            complain("interrupted")
        return INTERRUPTED
    except ending.Ended as error:
        _show_cursor()
        complain(f"ended by {error.name}")
        return int(str(error.code))
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # which Rich makes of it
            _write_no_more()
            return PIPE_CLOSED
        return leaving.code if isinstance(leaving.code, int) else OK
    except BrokenPipeError:
        _write_no_more()
        return PIPE_CLOSED
    except typer.TyperException as error:
        complain(_usage_message(error))
    except OSError as error:
        _write_no_more()
        where = error.filename or ("standard output" if error.errno in _FULL else "")
        complain(f"{where}: {error.strerror}" if where else str(error))
    except StepconvError as error:
        complain(str(error))
    except MemoryError as error:
        complain(f"there is not enough memory for this: {error or 'no more is free'}")
    return UNUSABLE


def _open_what_is_closed() -> None:
    """Give streams that were closed before we began a place, and nothing else their numbers."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while os.open(os.devnull, os.O_RDWR) < 3:
        pass
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or _Closed()
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


class _Closed(io.TextIOBase):
    """Says that nobody will ever read what is written here."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        if text:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")
        return 0


def _forget_sizes_that_are_none() -> None:
    """Drop sizes of the terminal from the environment that no terminal has."""
    for name in ("COLUMNS", "LINES"):
        told = os.environ.get(name, "1")
        if not (told.isdecimal() and len(told) < 5 and int(told) > 0):
            del os.environ[name]


def _show_cursor() -> None:
    """Show the cursor, for a signal may come just when it was hidden and nobody knew yet."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
                stream.write("\x1b[?25h")
                stream.flush()


def _write_no_more() -> None:
    """See to it that Python, which flushes stdout once more on its way out, stumbles over nothing.

    Where stdout takes no more, what is left goes nowhere.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(app: typer.Typer, arguments: list[str]) -> int:
    # Typer's own runner would draw a box around errors and choose the exit status itself.
    command = typer.main.get_command(app)
    try:
        with command.make_context("stepconv", arguments) as context:
            command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return INTERRUPTED
    return OK


def _usage_message(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    # Pydantic, which Typer asks to read a value, says what it wanted but not what it got.
    rejected = getattr(error.__cause__, "errors", None)
    if rejected:
        message += f", got {rejected()[0]['input']!r}"
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message
