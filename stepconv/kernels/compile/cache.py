"""Compiled kernels on disk, so that only the first process ever waits for the compiler.

Numba's own cache is not asked, because it takes the serial and the parallel code of one function
for the same, keeps a kernel when an inner function in another file has changed, trusts a damaged
file, and refuses to start where it may not write. Here anything wrong with a file or a folder means
one thing only: compile again.

    <folder>/sources-<hash of the kernels' sources>/<kernel>.<variant>.<hash of its key>.kernel

A file is the SHA-256 of key and payload, then the payload: a pickled compile result. Whoever may
write into the folder may run code as its owner. So it is made private, and one that others may
write to is not used (`trust`), which is said once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs

from stepconv.errors import StepconvWarning
from stepconv.kernels.compile import trust
from stepconv.kernels.compile.fingerprint import NoFingerprint, fingerprint
from stepconv.kernels.compile.numba_parts import CompileResult, config, dumps, rtsys

_FILE = ".kernel"
_UNFINISHED = ".unfinished"
_FOLDER = re.compile(r"sources-[0-9a-f]{16}")
_UNUSED_DAYS = 30
_refused: set[Path] = set()
_STAMP_BYTES = hashlib.sha256().digest_size
_VERSIONS = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
# Numba's settings that change the code it makes; its CPU settings are in the codegen's magic tuple.
_SETTINGS = (
    "OPT",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "BOUNDSCHECK",
    "DEBUGINFO_DEFAULT",
    "USING_SVML",
)


class KernelCache:
    """The cache of one compiled function, as a Numba dispatcher expects it in `_cache`."""

    def __init__(self, function: FunctionType, variant: str) -> None:
        self._function = function
        self._variant = variant

    @property
    def cache_path(self) -> str | None:
        try:
            return str(_folder())
        except OSError:
            return None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the stored compile result of a signature, or None if it has to be compiled."""
        # All that code needs to run; what Numba needs to compile takes a third of a second more.
        rtsys.initialize(target_context)
        if not _trusted():
            return None
        try:
            path, key = self._entry(sig, target_context.codegen())
            payload = _read(path, key)
            return CompileResult._rebuild(target_context, *pickle.loads(payload))
        except Exception:  # whatever is wrong with a stored kernel, the compiler makes a new one
            return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Store a compile result; where that is not possible the next process compiles again."""
        if cres.library.has_dynamic_globals:
            return self._warn("its code holds addresses of this process")
        if not _trusted():
            return
        try:
            path, key = self._entry(sig, cres.codegen)
            _write(path, key, dumps(cres._reduce()))
        except NoFingerprint as error:
            self._warn(str(error))
        except Exception:  # a full disk or a folder lost on the way is no reason to fail a call
            return

    def enable(self) -> None:
        """Do nothing: this cache is always on."""

    def disable(self) -> None:
        """Do nothing: this cache is always on."""

    def flush(self) -> None:
        """Do nothing: a changed function has another key."""

    def _entry(self, sig: Any, codegen: Any) -> tuple[Path, bytes]:
        """Return the file of a signature, and the key that its content is bound to."""
        settings = [str(getattr(config, name, None)) for name in _SETTINGS]
        made_from = fingerprint(self._function)
        described = (made_from, self._variant, sig, codegen.magic_tuple(), _VERSIONS, settings)
        key = hashlib.sha256(repr(described).encode()).digest()
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        readable = re.sub(r"[^\w.]+", "-", name)[-80:]
        return _folder() / f"{readable}.{self._variant}.{key.hex()[:32]}{_FILE}", key

    def _warn(self, why: str) -> None:
        name = self._function.__qualname__
        _say(f"kernel {name} is compiled in every process: {why}")


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what `make` makes of these sources, from the disk if it was made before."""
    if not _trusted():
        return make()
    key = hashlib.sha256(repr((name, _VERSIONS)).encode()).digest()
    path = _folder() / f"{name}.{key.hex()[:32]}{_FILE}"
    try:
        return _read(path, key)
    except (OSError, ValueError):
        made = make()
    with contextlib.suppress(OSError):
        _write(path, key, made)
    return made


def cache_status() -> dict[str, Any]:
    """Return where compiled kernels are kept, how many, and why not if they cannot be."""
    folder, reason = None, None
    try:
        folder = str(_root())
        trust.check_folder(_folder())
        _make(_folder())
        tempfile.TemporaryFile(dir=_folder()).close()
    except OSError as error:
        reason = str(error)
    sizes = [path.stat().st_size for path in _files()]
    return {
        "folder": folder,
        "writable": reason is None,
        "files": len(sizes),
        "bytes": sum(sizes),
        "reason": reason,
    }


def clear_cache() -> int:
    """Remove every compiled kernel and return how many files that were."""
    return sum(_remove(folder) for folder in _folders())


@functools.cache
def source_digest() -> str:
    """Return a hash of all sources that kernels are made from."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in ("kernels", "geometry"):
        for path in sorted((package / room).rglob("*.py")):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _root() -> Path:
    chosen = os.environ.get("STEPCONV_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        root = platformdirs.user_cache_path("stepconv") / "kernels"
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from error
    if not root.is_absolute():  # older platformdirs
        raise FileNotFoundError("could not determine the home directory")
    return root


def _folder() -> Path:
    return _root() / f"sources-{source_digest()[:16]}"


def _trusted() -> bool:
    """Tell whether the folder may be used; if not, say why, once for each folder."""
    try:
        folder = _folder()
        trust.check_folder(folder)
    except trust.NotTrusted as error:
        if folder not in _refused:
            _refused.add(folder)
            _say(f"compiled kernels are neither read nor kept: {error}")
        return False
    except OSError:
        return False
    return True


def _say(why: str) -> None:
    warnings.warn(why, StepconvWarning, stacklevel=2)


def _folders() -> Iterator[Path]:
    """Yield the folders of this and of other versions of the sources."""
    with contextlib.suppress(OSError):
        for path in list(_root().iterdir()):
            if _FOLDER.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                yield path


def _files() -> Iterator[Path]:
    for folder in _folders():
        yield from folder.glob(f"*{_FILE}")


def _read(path: Path, key: bytes) -> bytes:
    # A named pipe would be waited for without the flag.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        trust.check_file(handle, path)
        content = file.read()
    stamp, payload = content[:_STAMP_BYTES], content[_STAMP_BYTES:]
    if hashlib.sha256(key + payload).digest() != stamp:
        raise ValueError(f"{path} is damaged")
    with contextlib.suppress(OSError):
        os.utime(path.parent)  # _tidy goes by it
    return payload


def _write(path: Path, key: bytes, payload: bytes) -> None:
    """Write a file in one step, as other processes may read or write it right now.

    It is not forced to the disk: after a crash the stamp tells.
    """
    _make(path.parent)
    handle, unfinished = tempfile.mkstemp(suffix=_UNFINISHED, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(key + payload).digest() + payload)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _make(folder: Path) -> None:
    for parent in reversed(folder.parents):
        with contextlib.suppress(FileExistsError):
            if not parent.exists():
                parent.mkdir(mode=0o700)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        _tidy(folder)


def _tidy(current: Path) -> None:
    """Remove the folders that no process has used for a while."""
    oldest = time.time() - _UNUSED_DAYS * 24 * 60 * 60
    for folder in _folders():
        with contextlib.suppress(OSError):
            if folder != current and folder.stat().st_mtime < oldest:
                _remove(folder)


def _remove(folder: Path) -> int:
    """Remove the files of ours in a folder, and the folder if that leaves it empty."""
    count = 0
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            if path.suffix in (_FILE, _UNFINISHED):
                path.unlink(missing_ok=True)
                count += 1
        folder.rmdir()
    return count
