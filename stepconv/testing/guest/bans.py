"""What a guest may not do: import the answers, read them, start programs, take all memory.

Python's audit hooks cannot be taken off again, and ours looks nothing up that a guest could give
another meaning. This is no sandbox: who knows the interpreter's inside will find a way, and a
container is the answer to that.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NoReturn

# So many children may there be at once, as a pool of workers has, and so many in all; these start
# none themselves.
PROCESSES, _FORKS = 32, 1000
# What may be written to one file, in bytes.
_LARGEST_FILE = 1 << 28

_PROGRAMS = (
    *("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "pty.spawn"),
    *("os.forkpty", "os.startfile"),
)
# Another interpreter would have no hook, and who finds ours among all objects could change it.
_INSIDE = (
    *("cpython.PyInterpreterState_New", "gc.get_objects", "gc.get_referrers"),
    "gc.get_referents",
)
_MODULES = ("_posixsubprocess", "_xxsubinterpreters", "_interpreters", "_testcapi")
# What C offers for the same.
_FUNCTIONS = (
    *("system", "popen", "fork", "vfork", "clone", "posix_spawn", "posix_spawnp", "kill", "killpg"),
    *("execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "syscall", "ptrace"),
)


def ban(packages: Sequence[str], answers: Path) -> None:
    """Refuse these packages, the files below `answers`, and other programs, from now on."""
    _close_ways_round()
    banned = frozenset((*packages, *_MODULES))
    for name in [n for n in sys.modules if n.partition(".")[0] in packages]:
        del sys.modules[name]
    folders = {"stepconv": answers} | {name: at for name in packages if (at := _place(name))}
    whose = {inode: name for name, at in folders.items() for inode in _inodes(at)}.get
    above = frozenset(_inode(folder) for at in folders.values() for folder in at.parents)
    sys.addaudithook(_hook(banned, whose, above))


def _hook(banned: frozenset[str], whose: Any, above: frozenset[tuple[int, int]]) -> Any:
    """Return what is asked before each deed; all names in it are its own variables."""
    programs, inside = frozenset(_PROGRAMS), frozenset(_INSIDE)
    functions, signals = frozenset(_FUNCTIONS), frozenset(("os.kill", "os.killpg"))
    join, cut, stat, pid, size = str.join, str.partition, os.stat, os.getpid, abs
    session_of = getattr(os, "getsid", lambda _: 0)
    own, session = pid(), session_of(0)
    child, none_left = iter(range(_FORKS)).__next__, StopIteration
    import_error, refusal, lost, unlike = ImportError, PermissionError, OSError, (TypeError,)
    too_many = f"more than {PROCESSES} processes are not to be started here"

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "import" or event == "open" or event == "ctypes.dlopen":
            path = arguments[0]
            if event == "import":
                name = cut(join("", (arguments[0],)), ".")[0]
                if name in banned:
                    raise import_error(f"{name} is not to be used here")
                path = arguments[1]
            try:
                found = stat(path)
            except lost:
                return
            except unlike:
                return
            owner = whose((found.st_dev, found.st_ino))
            if owner is not None:
                raise refusal(f"the files of {owner} are not to be read here")
            if event == "open" and (found.st_dev, found.st_ino) in above:
                raise refusal("this folder is not to be opened here")
        elif event in programs:
            raise refusal("other programs are not to be started here")
        elif event in inside:
            raise refusal("what Python keeps inside is not to be looked at here")
        elif event == "os.fork":
            try:
                child()
            except none_left:
                raise refusal(too_many) from None
            if pid() != own:
                raise refusal(too_many)
        elif event in signals:
            target = size(arguments[0])
            try:
                ours = target == 0 or (target != 1 and session_of(target) == session)
            except lost:
                ours = False
            if not ours:
                raise refusal("other processes are not to be signalled here")
        elif event == "ctypes.dlsym":
            for name in arguments:
                if name.__class__ is event.__class__ and name in functions:
                    raise refusal(f"{name} is not to be called here")

    return heard


def _close_ways_round() -> None:
    """Take away what starts programs or signals others and is not told to hooks."""

    def refuse(*_: Any) -> NoReturn:
        raise PermissionError("other programs are not to be started here")

    for holder in ("_posixsubprocess", "_winapi"):
        with suppress(ImportError):
            module = importlib.import_module(holder)
            for name in ("fork_exec", "CreateProcess"):
                if hasattr(module, name):
                    setattr(module, name, refuse)
    if hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = refuse
    for module in (signal, importlib.import_module("_signal")):
        if hasattr(module, "pidfd_send_signal"):
            del module.pidfd_send_signal


def _place(package: str) -> Path | None:
    """Return the folder or file of a package that is installed."""
    with suppress(Exception):
        spec = PathFinder.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
        if spec is not None and spec.origin:
            return Path(spec.origin)
    return None


def _inodes(place: Path) -> Iterator[tuple[int, int]]:
    """Yield a place, and all that lies below it."""
    yield _inode(place)
    for folder, _, names in os.walk(place):
        yield _inode(Path(folder))
        yield from (_inode(Path(folder, name)) for name in names)


def _inode(path: Path) -> tuple[int, int]:
    """Return what a file is known by, whatever it is called."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def limit(memory: int) -> None:
    """Let this process have so many MiB, where the system knows of such a limit."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = memory << 20
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def die_with_parent() -> None:
    """Have this process killed as soon as its parent is gone, where the system offers that."""
    if sys.platform == "linux":
        with suppress(Exception):
            import ctypes

            set_signal_of_parents_death = 1
            ctypes.CDLL(None).prctl(set_signal_of_parents_death, signal.SIGKILL, 0, 0, 0)
