"""Decoded pictures, kept on disk: files are unpacked once, and a set may be larger than memory.

A file of the cache holds the cells of all pictures one behind the other, then their SHA-256. It is
named after what it was made from (files with their sizes and times, the shape), appears whole or
not at all, and is read as it lies on disk. Whoever deletes it loses nothing but time.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import files as disk
from stepconv.errors import DataError
from stepconv.train.data import known, pictures

Bytes = NDArray[np.uint8]

# Another number whenever the same files become other cells.
VERSION = 1
AT_ONCE = 64
DIGEST = 32


def decoded(
    files: Sequence[Path], shape: tuple[int, ...], say: Callable[[int, int], None] | None = None
) -> tuple[Bytes, str]:
    """Return the pictures (count, channels, rows, columns) in these files, and their SHA-256."""
    path = known.cache_folder() / "pictures" / _name(files, shape)
    cells = len(files) * prod(shape)
    digest = _checked(path, cells)
    if digest is None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            digest = _write(path, files, shape, say or _silent)
        except OSError as error:
            raise DataError(f"decoded pictures cannot be kept: {error}") from None
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(held, np.uint8, cells).reshape(len(files), *shape), digest


def release(array: NDArray[Any]) -> None:
    """Give the memory back in which a mapped file was read; it is read again when asked for."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def _name(files: Sequence[Path], shape: tuple[int, ...]) -> str:
    about: list[Any] = [VERSION, shape]
    for file in files:
        known_of = file.stat()
        about.append([str(file.absolute()), known_of.st_size, known_of.st_mtime_ns])
    return f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]}.cells"


def _checked(path: Path, cells: int) -> str | None:
    """Return the digest of a file that is there and whole."""
    if not path.is_file() or path.stat().st_size != cells + DIGEST:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for start in range(0, cells, 2**22):
            digest.update(file.read(min(2**22, cells - start)))
        return digest.hexdigest() if file.read() == digest.digest() else None


def _write(
    path: Path, files: Sequence[Path], shape: tuple[int, ...], say: Callable[[int, int], None]
) -> str:
    """Decode on all cores (Pillow lets go of Python's lock) and write in the order of the files.

    What cannot be read is named at the end, so that all of it can be mended at once.
    """

    def read(file: Path) -> Bytes | DataError:
        try:
            return pictures.read(file, shape)
        except DataError as error:
            return error

    digest, damaged = hashlib.sha256(), list[tuple[str, str]]()
    with disk.replacing(path) as out, ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            for file, picture in zip(some, pool.map(read, some), strict=True):
                if isinstance(picture, DataError):
                    damaged.append((str(file), str(picture)))
                else:
                    content = picture.tobytes()
                    digest.update(content)
                    out.write(content)
            say(start + len(some), len(files))
        if damaged:
            raise pictures.Damaged(damaged)
        out.write(digest.digest())
    return digest.hexdigest()


def _silent(done: int, count: int) -> None:
    pass
