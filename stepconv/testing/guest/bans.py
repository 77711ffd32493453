"""What a guest may not do: import the answers, read them, start programs, take all memory.

Python's audit hooks cannot be taken off again. This is no sandbox: who knows the interpreter's
inside will find a way, and a container is the answer to that.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_PROGRAMS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "pty.spawn")


def ban(packages: Sequence[str], answers: Path) -> None:
    """Refuse these packages, the files below `answers`, and other programs, from now on."""
    for name in [n for n in sys.modules if n.partition(".")[0] in packages]:
        del sys.modules[name]
    closed = f"{answers}/"

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "import" and str(arguments[0]).partition(".")[0] in packages:
            raise ImportError(f"{str(arguments[0]).partition('.')[0]} is not to be used here")
        if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(closed):
            raise PermissionError("the files of stepconv are not to be read here")
        if event in _PROGRAMS:
            raise PermissionError("other programs are not to be started here")

    sys.addaudithook(heard)


def limit(memory: int) -> None:
    """Let this process have so many MiB, where the system knows of such a limit."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = memory << 20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
