"""Arrays by name from an .npz, which is not trusted: it says how large it is before it is read."""

import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.files import check_plain
from stepconv.train.data import idx

Array = NDArray[Any]


def read(path: Path, wanted: Sequence[Sequence[str]], also: Sequence[str]) -> dict[str, Array]:
    """Return the first group of members that is there whole, and those of `also` that are."""
    check_plain(path)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            every = archive.namelist()
            names = [name.removesuffix(".npy") for name in every if name.endswith(".npy")]
            if len(set(names)) != len(names):
                raise DataError(f"{path} is damaged: it holds a member twice")
            for members in wanted:
                if set(members) <= set(names):
                    chosen = [*members, *(name for name in also if name in names)]
                    return {name: _member(archive, name, path) for name in chosen}
    # OSError: damaged offsets point to before the file's beginning.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise DataError(f"{path} is no .npz, or a damaged one: {error}") from None
    fitting = " or ".join(", ".join(members) for members in wanted)
    raise DataError(f"{path} holds {', '.join(names) or 'nothing'}: {fitting} fit")


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> Array:
    stored = archive.getinfo(f"{name}.npy")
    if stored.file_size > idx.MOST_BYTES:
        raise DataError(
            f"{path}: {name} is too large: {stored.file_size:,} bytes, {idx.MOST_BYTES:,} fit"
        )
    with archive.open(stored) as file:
        shape, column_order, dtype = _header(file, f"{path}: {name}")
        # The header must promise what is there, so a small file cannot ask for much memory.
        if prod(shape) * dtype.itemsize != stored.file_size - file.tell():
            raise DataError(f"{path}: {name} is damaged: it is not as long as its header says")
        cells = np.frombuffer(file.read(), dtype)
    if len(cells) != prod(shape):
        raise DataError(f"{path}: {name} is cut short")
    return cells.reshape(shape, order="F" if column_order else "C")


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return what the head of an array says: its shape, whether columns come first, its type."""
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, column_order, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, column_order, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # a damaged header is half a line of Python: anything may follow
        raise DataError(f"{name} is damaged: {error}") from None
    if dtype.kind not in "biufU" or not dtype.itemsize or min(shape, default=0) < 0:
        raise DataError(f"{name} is of shape {shape} and type {dtype}: numbers fit, or names")
    return shape, column_order, dtype
