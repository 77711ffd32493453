"""How a command ends when it is told to from outside: in order, with the terminal as it was.

A signal becomes an exception, so that whoever hid the cursor shows it again on the way out.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Those that end a process which does not listen.
ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")


class Ended(SystemExit):
    """A signal has ended the process; the status is what a shell reports for it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class Interrupted(KeyboardInterrupt):
    """Ctrl-C was really pressed."""


@contextmanager
def in_order() -> Iterator[None]:
    """Unwind at signals that end, inside a `with` block.

    One that comes where nobody can be told, as within a compiler's callback, comes once more.
    """
    before: dict[int, Any] = {}
    hook = sys.unraisablehook

    def end(number: int, _frame: Any) -> None:
        raise Interrupted if number == signal.SIGINT else Ended(number)

    def once_more(lost: Any) -> None:
        if isinstance(lost.exc_value, Interrupted | Ended):
            code = getattr(lost.exc_value, "code", 128 + signal.SIGINT)
            again = threading.Timer(0.05, os.kill, (os.getpid(), code - 128))
            again.daemon = True
            again.start()
        else:
            hook(lost)

    defaults = (signal.SIG_DFL, signal.default_int_handler)
    with suppress(ValueError):  # in another thread than the main one nobody listens
        for name in ("SIGINT", *ENDING):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) in defaults:
                before[number] = signal.signal(number, end)
        sys.unraisablehook = once_more
    try:
        yield
    finally:
        if before:
            sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
