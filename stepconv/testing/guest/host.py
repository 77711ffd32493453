"""Our end of the pipe to a guest: ask, wait so long and no longer, and believe nothing unread."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from stepconv.errors import ArgumentError, StepconvError
from stepconv.testing.guest import process

if TYPE_CHECKING:
    from stepconv.testing.guest.process import Message

Array = NDArray[Any]

# What the process may take to start, before a line of the guest's is read.
_STARTING = 30.0
_ROOT = Path(__file__).parents[3]
_MAIN = "import sys; sys.path.insert(1, sys.argv.pop()); from {} import main; main()"
_MARK = "STEPCONV_GUEST"


class GuestError(StepconvError):
    """A function that cannot be loaded, or asks for what nobody has."""


@dataclass(frozen=True)
class Answer:
    """What came of a call: results, or the reason why there are none."""

    results: tuple[Array, ...] = ()
    kinds: tuple[str, ...] = ()
    # The arrays that were passed, as the call has left them.
    left: tuple[Array, ...] = ()
    shared: bool = False
    # Whether more came back than results, as a cache.
    several: bool = False
    error: str = ""
    # Whether the guest can be asked again.
    over: bool = False


@dataclass
class Guest:
    """A function in a process of its own, `seconds` being what a call may take.

    Use it in a `with` block: at its end the process is gone, whatever it was doing.
    """

    target: str
    forbidden: Sequence[str] = ()
    seconds: float = 10.0
    memory: int = 1024
    told: dict[str, Any] = field(default_factory=dict)
    printed: bool = False
    used: tuple[str, ...] = ()
    # Why there will be no more answers.
    _over: str = ""

    def __enter__(self) -> Guest:
        file, module, function = parsed(self.target)
        self._mark = token_hex(8)
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MAIN.format(process.__name__), str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | one | {_MARK: self._mark},
        )
        self._answers: queue.Queue[Message | str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        asked: dict[str, Any] = {"file": file, "module": module, "function": function}
        asked |= {"forbidden": ["stepconv", *self.forbidden], "memory": self.memory}
        try:
            told = self._ask(asked, [], _STARTING)
            if not isinstance(told, str):
                told = self._next(self.seconds)
            reason = told if isinstance(told, str) else told[0].get("error")
            if reason is not None:
                raise GuestError(f"{self.target} cannot be loaded: {harmless(reason)}")
            assert not isinstance(told, str)
            self.told = told[0]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # With all that it has started itself, where the system knows of groups.
        with suppress(OSError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pid in _marked(self._mark):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def call(self, recipe: Mapping[str, Any], arrays: Sequence[Array]) -> Answer:
        """Do what a recipe says with these arrays."""
        answer = self._ask(dict(recipe), arrays, self.seconds)
        if isinstance(answer, str):
            return Answer(error=answer, over=answer != process.TOO_LARGE)
        try:
            return self._read(*answer, len(arrays))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
            return Answer(error="it answered for itself, with something else", over=True)

    def _read(self, header: dict[str, Any], every: list[Array], given: int) -> Answer:
        self.printed = bool(header["printed"])
        self.used = tuple(harmless(name) for name in header["used"])
        if "error" in header:
            return Answer(error=harmless(str(header["error"])))
        if len(every) != header["results"] + given or header["results"] < 0:
            raise ValueError("not as many arrays as were announced")
        results = every[: len(every) - given]
        if any(result.dtype.kind not in "biuf" for result in results):
            raise ValueError("no numbers")
        kinds = tuple(harmless(str(kind)) for kind in header["kinds"])
        left = tuple(every[len(every) - given :])
        several = int(header["of"]) > len(results)
        return Answer(tuple(results), kinds, left, bool(header["shared"]), several)

    def _ask(
        self, header: dict[str, Any], arrays: Sequence[Array], seconds: float
    ) -> Message | str:
        """Return the answer, or why there is none."""
        assert self._process.stdin is not None
        with suppress(OSError):  # a process that is gone is told of below
            process.send(self._process.stdin, header, arrays)
        return self._next(seconds)

    def _next(self, seconds: float) -> Message | str:
        if self._over:
            return self._over
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            self._over = f"it took longer than {seconds:g} s"
            return self._over
        if answer == "":
            self._over = self._ended()
            return self._over
        return answer

    def _ended(self) -> str:
        """Tell how its process ended."""
        with suppress(subprocess.TimeoutExpired):
            status = self._process.wait(timeout=1)
            if status < 0:
                return f"its process ended by {signal.Signals(-status).name}"
        return "its process ended"

    def _listen(self) -> None:
        assert self._process.stdout is not None
        # Whatever a function may write where only answers belong: it has not answered.
        with suppress(Exception):
            while True:
                self._answers.put(process.receive(self._process.stdout))
        self._answers.put("")


def parsed(target: str) -> tuple[str | None, str, str]:
    """Return file, module and function of `FILE.py:function` or `module:function`.

    >>> parsed("numpy:convolve")
    (None, 'numpy', 'convolve')
    >>> parsed("numpy:linalg.norm")
    (None, 'numpy', 'linalg.norm')
    """
    place, colon, function = target.rpartition(":")
    if not colon or not place or not all(part.isidentifier() for part in function.split(".")):
        raise ArgumentError(
            f"{target!r} names no function: FILE.py:function or module:function fits"
        )
    if not place.endswith((".py", ".ipynb")):
        return None, place, function
    if not Path(place).is_file():
        raise ArgumentError(f"{place}: No such file")
    return str(Path(place).resolve()), Path(place).stem, function


def harmless(text: str) -> str:
    """Return a stranger's text in one line, without what a terminal would act on."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))[:600]


def _marked(mark: str) -> list[int]:
    """Return the processes that carry our mark, even those that left their group."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{_MARK}={mark}".encode() in place.read_bytes():
                found.append(int(place.parent.name))
    return found
