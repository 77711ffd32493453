"""Our end of the pipe to a guest: ask, wait so long and no longer, and believe nothing unread."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from stepconv.errors import ArgumentError, StepconvError
from stepconv.files.schema import (
    Unlike,
    flag,
    listing,
    named,
    one_of,
    row,
    table,
    text,
    whole,
)
from stepconv.testing.guest import bans, process

if TYPE_CHECKING:
    from stepconv.testing.guest.process import Message

Array = NDArray[Any]

# What the process may take to start, before a line of the guest's is read.
_STARTING = 30.0
_ROOT = Path(__file__).parents[3]
_MAIN = "import sys; sys.path.insert(1, sys.argv.pop()); from {} import main; main()"
_MARK = "STEPCONV_GUEST"
# After so many seconds of waiting it is looked what its processes take.
_LOOK = 0.25
# What they may take together beyond the memory of one: what each has before it begins, in MiB.
_MORE = 512
_ROUNDS = 100

_name, _names = text(600), listing(text(600), 10_000)
_parameters = listing(row(_name, _name, flag, text(80)), 1000)
_source = table({"keys": listing(row(_name, _name), 10_000), "words": _names, "calls": _names})
# What a guest may say of its function, and of a call.
_TOLD = table(
    {
        "kind": one_of("function", "class"),
        "methods": named(_parameters, 100),
        "static": _names,
        "asked": _name,
        "parameters": _parameters,
        "others": named(_names, 10_000),
        "attributes": _names,
        "source": named(_source, 10_000),
    }
)
_ALWAYS = {"printed": flag, "used": listing(text(100), 20)}
_FAILED = table(
    {"error": text(10_000), **_ALWAYS},
    {"kinds": _names, "shared": flag, "results": whole(), "of": whole()},
)
_ANSWERED = table(
    {
        "kinds": listing(text(10_000), 8),
        "shared": flag,
        "results": whole(0, 8),
        "of": whole(),
        **_ALWAYS,
    }
)


class GuestError(StepconvError):
    """A function that cannot be loaded, or asks for what nobody has."""


_CROWDED = f"it started more than {bans.PROCESSES} processes"
# Whatever came, it was not what belongs there.
_NO_ANSWER = "it answered for itself, with something else"


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
        self._shared = process.Shared.made()
        handles = () if self._shared is None else (self._shared.handle,)
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MAIN.format(process.__name__), str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=handles,
            env=os.environ | one | {_MARK: self._mark},
        )
        self._answers: queue.Queue[Message | str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        asked: dict[str, Any] = {"file": file, "module": module, "function": function}
        asked |= {"forbidden": ["stepconv", *self.forbidden], "memory": self.memory}
        try:
            told = self._ask(asked | {"shared": next(iter(handles), None)}, [], _STARTING)
            if not isinstance(told, str):
                told = self._next(self.seconds)
            self.told = self._described(told)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _described(self, told: Message | str) -> dict[str, Any]:
        """Return what it told of the function, if it could be loaded."""
        reason = told if isinstance(told, str) else told[0].get("error")
        if reason is None:
            try:
                return dict(_TOLD(told[0], "what it tells"))
            except Unlike:
                reason = _NO_ANSWER
        raise GuestError(f"{self.target} cannot be loaded: {harmless(reason)}")

    def __exit__(self, *_: object) -> None:
        # With all that it has started itself, where the system knows of groups.
        with suppress(OSError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for _round in range(_ROUNDS):  # more may be started meanwhile
            left = _marked(self._mark, self._process.pid)
            for pid in left:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.01)
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._process.wait()
        if self._shared is not None:
            self._shared.close()

    def call(self, recipe: Mapping[str, Any], arrays: Sequence[Array]) -> Answer:
        """Do what a recipe says with these arrays."""
        if len(_children(self._process.pid)) > bans.PROCESSES:
            self._over = _CROWDED
        places = None if self._shared is None else self._shared.laid(arrays)
        if places is None:
            answer = self._ask(dict(recipe), arrays, self.seconds)
        else:
            answer = self._ask({**recipe, "places": places}, [], self.seconds)
        if isinstance(answer, str):
            return Answer(error=answer, over=answer != process.TOO_LARGE)
        try:
            told = self._read(*answer, len(arrays))
        except (Unlike, ValueError):
            return Answer(error=_NO_ANSWER, over=True)
        if places is None or self._shared is None or told.error:
            return told
        # What it was given lies on our side, too: nobody has to be believed.
        seen = self._shared.seen(places)
        laid_out = set(_laid_out(recipe))
        left = [
            theirs if number in laid_out else ours.copy()
            for number, (theirs, ours) in enumerate(zip(told.left, seen, strict=True))
        ]
        return replace(told, left=tuple(left))

    def _read(self, header: dict[str, Any], every: list[Array], given: int) -> Answer:
        accepts = _FAILED if "error" in header else _ANSWERED
        accepts(header, "what it answers")
        self.printed = header["printed"]
        self.used = tuple(harmless(name) for name in header["used"])
        if "error" in header:
            return Answer(error=harmless(header["error"]))
        if len(every) != header["results"] + given:
            raise ValueError("not as many arrays as were announced")
        results = every[: len(every) - given]
        if any(result.dtype.kind not in "biuf" for result in results):
            raise ValueError("no numbers")
        kinds = tuple(harmless(kind) for kind in header["kinds"])
        left = tuple(every[len(every) - given :])
        return Answer(tuple(results), kinds, left, header["shared"], header["of"] > len(results))

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
        until = time.monotonic() + seconds
        while True:
            try:
                left = until - time.monotonic()
                answer = self._answers.get(timeout=max(0.0, min(_LOOK, left)))
                break
            except queue.Empty:
                self._over = self._overdone() if left > 0 else f"it took longer than {seconds:g} s"
                if self._over:
                    return self._over
        if isinstance(answer, str):
            self._over = answer or self._ended()
            return self._over
        return answer

    def _overdone(self) -> str:
        """Tell of more processes or memory than it may have."""
        pids = _marked(self._mark, self._process.pid)
        if len(pids) > bans.PROCESSES + 2:
            return _CROWDED
        if sum(map(_memory, pids)) > self.memory + _MORE:
            return f"its processes took more than {self.memory} MiB of memory"
        return ""

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
        why = ""
        try:
            while True:
                self._answers.put(process.receive(self._process.stdout))
        except EOFError:
            pass
        except Exception:
            why = _NO_ANSWER
        self._answers.put(why)


def parsed(target: str) -> tuple[str | None, str, str]:
    """Return file, module and function of `FILE.py:function` or `module:function`.

    >>> parsed("numpy:convolve")
    (None, 'numpy', 'convolve')
    >>> parsed("numpy:linalg.norm")
    (None, 'numpy', 'linalg.norm')
    """
    place, colon, function = target.rpartition(":")
    fits = "FILE.ipynb:function, FILE.py:function or module:function fits"
    if not colon or not place or not all(part.isidentifier() for part in function.split(".")):
        raise ArgumentError(f"{target!r} names no function: {fits}")
    if not place.endswith((".py", ".ipynb")):
        if Path(place).exists() or not all(part.isidentifier() for part in place.split(".")):
            raise ArgumentError(f"{target!r}: {place!r} is neither Python nor a module: {fits}")
        return None, place, function
    if not Path(place).is_file():
        raise ArgumentError(f"{place}: {'no file' if Path(place).exists() else 'No such file'}")
    return str(Path(place).resolve()), Path(place).stem, function


def harmless(text: str) -> str:
    """Return a stranger's text in one line, without what a terminal would act on."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))[:600]


def _laid_out(told: Any) -> Iterator[int]:
    """Yield the arrays of a recipe that are copied into another layout before they are given."""
    inner = told.values() if isinstance(told, Mapping) else told
    if isinstance(told, Mapping) and told.get("layout"):
        yield told["array"]
    elif isinstance(inner, Iterable) and not isinstance(inner, str):
        for one in inner:
            yield from _laid_out(one)


def _marked(mark: str, session: int) -> list[int]:
    """Return the processes of a session that run, and those with our mark that left it."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            state, _, _, of = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            if state in "ZX":
                continue
            marked = f"{_MARK}={mark}".encode() in (place / "environ").read_bytes()
            if marked or int(of) == session:
                found.append(int(place.name))
    return found


def _children(keeper: int) -> list[str]:
    """Return what the keeper's child has started and not waited for."""
    found: list[str] = [str(keeper)]
    for _ in range(2):
        with suppress(OSError, IndexError):
            found = Path(f"/proc/{found[0]}/task/{found[0]}/children").read_text().split()
            continue
        return []
    return found


def _memory(pid: int) -> float:
    """Return the MiB of memory that are a process's own share."""
    with suppress(OSError, ValueError, AttributeError):
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        parts = re.findall(r"^Pss_(?:Anon|Shmem): +(\d+) kB", told, re.MULTILINE)
        return sum(map(int, parts)) / 1024
    return 0.0
