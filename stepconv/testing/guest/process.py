"""The process of a function that is checked: arrays come in by a pipe, answers go out.

The function can import nothing of stepconv here: that would be to copy the answers. What it prints
goes nowhere; if it loops or crashes, this process alone does. A keeper stands between it and us, so
that whatever it does to its parent is not done to us. Where the system has memory that two
processes see, the arrays of a call lie there, so that whoever asked sees what became of them.
"""

from __future__ import annotations

import importlib
import io
import json
import mmap
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stepconv.files import npy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Message = tuple[dict[str, Any], list[Array]]

# A header is a line of at most so many bytes, the arrays of a message files of at most so many.
_LONGEST, LARGEST, _MOST = 1 << 18, 1 << 26, 64
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
    line = pipe.readline(_LONGEST)
    if not line:
        raise EOFError
    try:
        header = json.loads(line)
    except RecursionError:
        raise ValueError("deeper than anybody writes") from None
    sizes = header.pop("sizes", None) if type(header) is dict else None
    if type(sizes) is not list or len(sizes) > _MOST:
        raise ValueError("no header")
    if any(type(size) is not int or size < 0 for size in sizes) or sum(sizes) > 2 * LARGEST:
        raise ValueError(TOO_LARGE)
    return header, [_array(pipe.read(size)) for size in sizes]


def _array(content: bytes) -> Array:
    import numpy as np

    file = io.BytesIO(content)
    told = npy.header(file)
    if told.bytes != len(content) - file.tell():
        raise ValueError("not as long as its header says")
    if told.bytes == 0:
        return np.zeros(told.shape, told.dtype)
    flat = np.frombuffer(content, told.dtype, offset=file.tell())
    return flat.reshape(told.shape, order="F" if told.fortran else "C").copy()


class Shared:
    """Memory that this process and another see, for the arrays of a call."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._memory = mmap.mmap(handle, LARGEST)

    @classmethod
    def made(cls) -> Shared | None:
        """Return new memory, where the system has such."""
        if not hasattr(os, "memfd_create"):
            return None
        import fcntl

        handle = os.memfd_create("stepconv", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(handle, LARGEST)
        # Who made it smaller would have the other killed at the next look.
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, seals)
        return cls(handle)

    def laid(self, arrays: Sequence[Array]) -> list[Any] | None:
        """Put arrays there, and return where each lies; None if there is not room enough."""
        places, end = list[Any](), 0
        for array in arrays:
            places.append([end, array.dtype.str, list(array.shape)])
            end += -(-array.nbytes // 64) * 64
        if end > LARGEST:
            return None
        for array, view in zip(arrays, self.seen(places), strict=True):
            view[...] = array
        return places

    def seen(self, places: Sequence[Any]) -> list[Array]:
        """Return the arrays that lie there, as they are now."""
        import numpy as np

        return [np.ndarray(shape, dtype, self._memory, start) for start, dtype, shape in places]

    def close(self) -> None:
        """Give the memory back."""
        with suppress(BufferError):  # an array is still looked at
            self._memory.close()
        os.close(self.handle)


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
    shared = None if asked["shared"] is None else Shared(asked["shared"])
    sys.path[0] = str(Path(file).parent) if file else os.getcwd()
    bans.die_with_parent()
    bans.limit(asked["memory"])
    bans.ban(asked["forbidden"], package)
    send(answers, {"ready": True})
    try:
        target, module = acts.load(file, asked["module"], asked["function"])
        target = acts.whole(target, module, asked["function"])
        send(answers, acts.describe(target, module, asked["function"]))
    except BaseException as error:  # also a SystemExit, and whatever else a file may do
        send(answers, {"error": acts.said(error, file)})
        return
    own = os.getpid()
    while True:
        try:
            recipe, arrays = receive(questions)
        except EOFError:
            return
        if shared is not None and "places" in recipe:
            arrays = shared.seen(recipe["places"])
        reply, results = acts.answer(target, module, recipe, arrays, file)
        if os.getpid() != own:  # forked by the function, and come back from it
            os._exit(0)
        used = [name for name in _LIBRARIES if name in sys.modules]
        told = {**reply, "printed": heard.anything, "used": used}
        if sum(result.nbytes for result in results) > LARGEST:
            told, results = {**told, "error": TOO_LARGE}, []
        send(answers, told, results)


def _keep() -> None:
    """Go on in a child; this process waits for it and ends as it does."""
    if not hasattr(os, "fork"):
        return
    bans = importlib.import_module("stepconv.testing.guest.bans")
    bans.die_with_parent()
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
