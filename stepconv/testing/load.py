"""A function of somebody else's as a guest: loaded and called in a process of its own, in time."""

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, StepconvError
from stepconv.testing import guest_process
from stepconv.testing.guest_process import Message

Array = NDArray[Any]

# What loading may take, with whatever libraries a file imports.
_LOADING = 30.0
# What an option of ours may be called in a function that is not.
ALIASES = {
    "stride": ("strides", "step", "s"),
    "padding": ("pad", "pads", "p"),
    "dilation": ("dilations", "rate", "d"),
    "groups": ("group", "g"),
    "bias": ("b",),
    "mode": ("padding_mode", "pad_mode"),
}


class GuestError(StepconvError):
    """A function that cannot be loaded, or asks for what nobody has."""


@dataclass(frozen=True)
class Answer:
    """What came of a call: results, or the reason why there are none."""

    results: tuple[Array, ...] = ()
    kinds: tuple[str, ...] = ()
    changed: tuple[int, ...] = ()
    error: str = ""


@dataclass
class Guest:
    """A function in a process of its own, `seconds` being what a call may take.

    Use it in a `with` block: at its end the process is gone, whatever it was doing.
    """

    target: str
    forbidden: Sequence[str] = ("stepconv",)
    seconds: float = 10.0
    parameters: list[tuple[str, str, bool]] = field(default_factory=list)
    printed: bool = False
    used: tuple[str, ...] = ()

    def __enter__(self) -> Guest:
        file, module, function = parsed(self.target)
        self._process = subprocess.Popen(
            [sys.executable, guest_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._answers: queue.Queue[Message | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        asked = {"file": file, "module": module, "function": function}
        try:
            loading = max(self.seconds, _LOADING)
            told = self._ask({**asked, "forbidden": list(self.forbidden)}, [], loading)
            if isinstance(told, str):
                raise GuestError(f"{self.target} cannot be loaded: {told}")
            if "error" in told[0]:
                raise GuestError(f"{self.target} cannot be loaded: {told[0]['error']}")
            self.parameters = [tuple(each) for each in told[0]["parameters"]]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # With all that it has started itself, where the system knows of groups.
        with suppress(OSError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def call(
        self, positional: Sequence[Any], keywords: Mapping[str, Any], *, several: bool = False
    ) -> Answer:
        """Call the function; with `several` a tuple that it returns is several results."""
        arrays: list[Array] = []

        def told(value: Any) -> dict[str, Any]:
            if not isinstance(value, np.ndarray):
                return {"value": value}
            arrays.append(value)
            return {"array": len(arrays) - 1}

        call = {
            "positional": [told(value) for value in positional],
            "keywords": {name: told(value) for name, value in keywords.items()},
            "several": several,
        }
        answer = self._ask(call, arrays, self.seconds)
        if isinstance(answer, str):
            return Answer(error=answer)
        header, results = answer
        self.printed, self.used = bool(header["printed"]), tuple(header["used"])
        if "error" in header:
            return Answer(error=str(header["error"]))
        return Answer(tuple(results), tuple(header["kinds"]), tuple(header["changed"]))

    def _ask(self, header: dict[str, Any], arrays: list[Array], seconds: float) -> Message | str:
        """Return the answer, or why there is none."""
        assert self._process.stdin is not None
        with suppress(OSError):  # a process that is gone is told of below
            guest_process.send(self._process.stdin, header, arrays)
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            return f"it took longer than {seconds:g} s"
        return "its process ended" if answer is None else answer

    def _listen(self) -> None:
        assert self._process.stdout is not None
        # Whatever a function may write where only answers belong: it has not answered.
        with suppress(Exception):
            while True:
                self._answers.put(guest_process.receive(self._process.stdout))
        self._answers.put(None)


def parsed(target: str) -> tuple[str | None, str, str]:
    """Return file, module and function of `FILE.py:function` or `module:function`.

    >>> parsed("numpy:convolve")
    (None, 'numpy', 'convolve')
    """
    place, colon, function = target.rpartition(":")
    if not colon or not place or not function.isidentifier():
        raise ArgumentError(
            f"{target!r} names no function: FILE.py:function or module:function fits"
        )
    if not place.endswith(".py"):
        return None, place, function
    if not Path(place).is_file():
        raise ArgumentError(f"{place}: No such file")
    return str(Path(place).resolve()), Path(place).stem, function
