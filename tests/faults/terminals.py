"""A command on a terminal of its own: what it paints, what it is sent, and how it ends."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

COMMAND = [sys.executable, "-m", "stepconv"]


class Terminal:
    """A terminal with a command on it; all that it painted is in `painted`."""

    def __init__(self, typed: list[str], folder: Path, **environment: str) -> None:
        self.painted = b""
        self.status: int | None = None
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update({"TERM": "xterm-256color", **environment})
            os.execv(COMMAND[0], [*COMMAND, *typed])
        self.resize(24, 80)

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, size)

    def send(self, content: bytes) -> None:
        """Type some bytes; a terminal that is gone takes none."""
        with suppress(OSError):
            os.write(self.handle, content)

    def until(self, seen: Callable[[bytes], bool], seconds: float = 60) -> bool:
        """Read what is painted until it is as wanted; tell whether it ever was."""
        until = time.monotonic() + seconds
        while not seen(self.painted) and time.monotonic() < until:
            if select.select([self.handle], [], [], 0.05)[0]:
                try:
                    self.painted += os.read(self.handle, 65536)
                except OSError:
                    break
        return seen(self.painted)

    def end(self, number: int | None = None, seconds: float = 60) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        if number is not None:
            os.kill(self.pid, number)
        until = time.monotonic() + seconds
        while not self._ended() and time.monotonic() < until:
            self.until(lambda _: self._ended(), 1)
            time.sleep(0.02)
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise AssertionError(f"it never left: {self.painted[-500:]!r}")
        self.until(lambda _: False, 0.1)
        os.close(self.handle)
        return self.status

    def _ended(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    @property
    def is_as_it_was(self) -> bool:
        """Whether the cursor is shown, the first screen is back, and no mode of a mouse is left."""
        pairs = [(b"\x1b[?25h", b"\x1b[?25l"), (b"\x1b[?1049l", b"\x1b[?1049h")]
        pairs += [(b"\x1b[?%dl" % mode, b"\x1b[?%dh" % mode) for mode in (1000, 1003, 1006, 2004)]
        return all(self.painted.rfind(off) >= self.painted.rfind(on) for off, on in pairs)
