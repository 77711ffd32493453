"""The process of a function that is checked: arrays come in by a pipe, answers go out.

The function can import nothing of stepconv here: that would be to copy the answers. What it prints
goes nowhere; if it loops or crashes, this process alone does. A keeper stands between it and us, so
that whatever it does to its parent is not done to us.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Message = tuple[dict[str, Any], list[Array]]

# A header is a line of at most so many bytes, an array a file of at most so many.
_LONGEST, _LARGEST = 1 << 18, 1 << 26
TOO_LARGE = "its result is too large"
# Who computes with these has not written the loops alone, which somebody may want to know.
_LIBRARIES = ("torch", "tensorflow", "jax", "scipy", "cv2", "skimage", "numba")


def send(pipe: IO[bytes], header: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Write a line of JSON, and the arrays behind it as .npy files."""
    import numpy as np

    files = []
    for array in arrays:
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        files.append(file.getvalue())
    line = json.dumps({**header, "sizes": [len(file) for file in files]})
    pipe.write(b"".join([line.encode(), b"\n", *files]))
    pipe.flush()


def receive(pipe: IO[bytes]) -> Message:
    """Read what `send` wrote; whatever else is there raises a ValueError or an EOFError."""
    import numpy as np

    line = pipe.readline(_LONGEST)
    if not line:
        raise EOFError
    header = json.loads(line)
    if max(header["sizes"], default=0) > _LARGEST:
        raise ValueError(TOO_LARGE)
    files = [io.BytesIO(pipe.read(size)) for size in header["sizes"]]
    return header, [np.load(file, allow_pickle=False) for file in files]


class _Heard(io.TextIOBase):
    """Takes what is printed, and knows that something was."""

    anything = False

    def write(self, text: str) -> int:
        self.anything = self.anything or bool(text.strip())
        return len(text)


def main() -> None:
    """Load the function that the first message names, then answer calls until nobody asks."""
    _keep()
    questions, answers = (
        os.fdopen(os.dup(stream), mode) for stream, mode in ((0, "rb"), (1, "wb"))
    )
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    heard = _Heard()
    sys.stdout = sys.stderr = heard
    # Loaded before they are banned.
    acts = importlib.import_module("stepconv.testing.guest.acts")
    bans = importlib.import_module("stepconv.testing.guest.bans")
    asked, _ = receive(questions)
    file, package = asked["file"], Path(__file__).parents[2]
    sys.path[0] = str(Path(file).parent) if file else os.getcwd()
    bans.limit(asked["memory"])
    send(answers, {"ready": True})
    bans.ban(asked["forbidden"], package)
    try:
        target, module = acts.load(file, asked["module"], asked["function"])
        target = acts.whole(target, module, asked["function"])
        send(answers, acts.describe(target, module, asked["function"]))
    except BaseException as error:  # also a SystemExit, and whatever else a file may do
        send(answers, {"error": acts.said(error, file)})
        return
    while True:
        try:
            recipe, arrays = receive(questions)
        except EOFError:
            return
        reply, results = acts.answer(target, module, recipe, arrays, file)
        used = [name for name in _LIBRARIES if name in sys.modules]
        told = {**reply, "printed": heard.anything, "used": used}
        if sum(result.nbytes for result in results) > _LARGEST:
            told, results = {**told, "error": TOO_LARGE}, []
        send(answers, told, results)


def _keep() -> None:
    """Go on in a child; this process waits for it and ends as it does."""
    if not hasattr(os, "fork"):
        return
    child = os.fork()
    if child == 0:
        return
    for stream in (0, 1):
        os.close(stream)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        with suppress(OSError):
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))
