"""Arrays in a zip with a header in JSON that lists their hashes: one door for whole records.

Nothing in a file is believed before it is checked: sizes before memory is taken, hashes before
arrays are used. Nothing is ever executed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from math import prod
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, StepconvError, TraceError
from stepconv.files import check_plain, npy, replacing
from stepconv.geometry import integer

Array = NDArray[Any]
Record = TypeVar("Record")


class Kind(NamedTuple):
    """A kind of file: what it is called, its format and version, and which members it may have."""

    name: str
    format: str
    version: int
    members: str


# So many bytes of arrays may be packed; more are stored as they are, which is as fast as the disk.
# A reader that keeps to it needs no more memory than the file is long, and this.
MOST_PACKED = 2**26
_LARGEST_HEADER = 2**20
# Before its numbers a .npy member has a few lines about type and shape.
_PREAMBLE = 2**13
_MOST_AXES = 8
_DTYPES = ("|b1", "|i1", "|u1", *(f"<{k}{n}" for k in "iu" for n in (2, 4, 8)), "<f2", "<f4", "<f8")

# How a damaged zip, .npy or JSON can fail, a seek to nowhere included.
_DAMAGED = (
    StepconvError,
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,  # NotImplementedError is one
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    zipfile.BadZipFile,
    zlib.error,
)


def write(
    path: str | PathLike[str],
    kind: Kind,
    header: Mapping[str, Any],
    arrays: Mapping[str, Array],
    force: bool,
) -> None:
    """Write a file whole or not at all; an existing one is replaced only with `force`."""
    if not force and Path(path).exists():
        raise ArgumentError(f"{path} is there already: force=True overwrites it")
    with replacing(Path(path)) as file:
        _write(file, kind, header, arrays)


def _write(
    file: BinaryIO, kind: Kind, header: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    arrays = {name: _portable(array) for name, array in arrays.items()}
    told = {
        "format": kind.format,
        "version": kind.version,
        **header,
        "members": {
            name: {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "sha256": digest(array),
            }
            for name, array in arrays.items()
        },
    }
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    packed = sum(array.nbytes for array in arrays.values()) <= MOST_PACKED
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    # Level 1: numbers hardly shrink further for five times the time.
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        everything = {"header": np.frombuffer(text.encode(), np.uint8), **arrays}
        for name, array in everything.items():
            # The same trace gives the same bytes: no date of today.
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            with archive.open(info, "w", force_zip64=array.nbytes >= 2**31) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's bytes, as they stand in its file."""
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _portable(array: Array) -> Array:
    """Return the array in C order and little-endian, whatever this machine prefers."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def read(
    path: str | PathLike[str],
    kind: Kind,
    understand: Callable[[dict[str, Any], dict[str, Array], str], Record],
) -> Record:
    """Return what `understand` makes of header, arrays and name of a file that anybody may send.

    Whatever is wrong with the file is a TraceError that names the file and the reason.
    """
    name = fspath(path)
    check_plain(Path(path))
    with open(path, "rb") as file:
        try:
            return understand(*_members(file, kind), name)
        except _DAMAGED as error:
            reason = str(error) or type(error).__name__
    raise TraceError(f"{name} is not a {kind.name} to rely on: {reason}")


def _members(file: BinaryIO, kind: Kind) -> tuple[dict[str, Any], dict[str, Array]]:
    if not zipfile.is_zipfile(file):
        raise TraceError("it is no zip file, or was cut short")
    with zipfile.ZipFile(file) as archive:
        sizes = _sizes(archive, kind)
        header = _header(archive, sizes, kind)
        return header, _arrays(archive, sizes, entries(header, "members"))


def entries(header: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an entry of the header that has entries itself."""
    value = header.get(key)
    if not isinstance(value, dict):
        raise TraceError(f"its header has no {key!r}")
    return value


def _sizes(archive: zipfile.ZipFile, kind: Kind) -> dict[str, int]:
    """Return the size of each member, having made sure that unpacking them takes bounded memory."""
    members = archive.infolist()
    sizes = {info.filename.removesuffix(".npy"): info.file_size for info in members}
    known = re.compile(rf"(header|{kind.members})\.npy")
    for info in members:
        if not known.fullmatch(info.filename):
            raise TraceError(f"it has a member {info.filename!r}, which no {kind.name} has")
    if len(sizes) < len(members):
        raise TraceError("it has a member twice")
    if any(
        info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in members
    ):
        raise TraceError("a member is packed in a way that no trace is")
    packed = [info for info in members if info.compress_type != zipfile.ZIP_STORED]
    if sum(info.file_size for info in packed) > MOST_PACKED + len(packed) * _PREAMBLE:
        raise TraceError(f"its packed members would take more than {MOST_PACKED} bytes")
    if any(info.file_size > info.compress_size for info in members if info not in packed):
        raise TraceError("a member is said to be larger than it is")
    return sizes


def _header(archive: zipfile.ZipFile, sizes: Mapping[str, int], kind: Kind) -> dict[str, Any]:
    if sizes.get("header", _LARGEST_HEADER + 1) > _LARGEST_HEADER:
        raise TraceError("it has no header, or one that is too long")
    raw = _array(archive, "header", sizes["header"])
    if raw.dtype != np.uint8 or raw.ndim != 1:
        raise TraceError("its header is not a text")
    header = json.loads(raw.tobytes().decode("utf-8"))
    if not isinstance(header, dict) or header.get("format") != kind.format:
        raise TraceError(f"its header does not say that it is a {kind.name} of stepconv")
    if header.get("version") != kind.version:
        raise TraceError(
            f"it has version {header.get('version')!r} of the format, "
            f"this stepconv reads {kind.version}"
        )
    return header


def _arrays(
    archive: zipfile.ZipFile, sizes: Mapping[str, int], listed: dict[str, Any]
) -> dict[str, Array]:
    """Return the members' arrays, if they are those that the header lists."""
    if listed.keys() != sizes.keys() - {"header"}:
        odd = sorted(listed.keys() ^ (sizes.keys() - {"header"}))
        raise TraceError(f"its header and its members disagree about {', '.join(odd)}")
    return {name: _listed_array(archive, name, sizes[name], listed[name]) for name in listed}


def _listed_array(archive: zipfile.ZipFile, name: str, size: int, entry: Any) -> Array:
    if not isinstance(entry, dict) or entry.get("dtype") not in _DTYPES:
        raise TraceError(f"{name} is of a type that no trace has")
    shape = tuple(integer("shape", n, 0, 2**62) for n in entry.get("shape", "?"))
    expected = prod(shape) * np.dtype(entry["dtype"]).itemsize
    if len(shape) > _MOST_AXES or not expected < size <= expected + _PREAMBLE:
        raise TraceError(f"{name} of shape {shape} does not fit into a member of {size} bytes")
    array = _array(archive, name, size)
    if array.dtype.str != entry["dtype"] or array.shape != shape:
        raise TraceError(f"{name} has another type or shape than the header says")
    if digest(array) != entry.get("sha256"):
        raise TraceError(f"{name} is damaged: its bytes do not have the hash of the header")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _array(archive: zipfile.ZipFile, name: str, size: int) -> Array:
    """Return a .npy member of so many bytes as an array that cannot be written to."""
    with archive.open(f"{name}.npy") as member:
        data = member.read(size + 1)
    if len(data) != size:
        raise TraceError(f"{name} is not as long as it says")
    file = io.BytesIO(data)
    shape, fortran, dtype = npy.header(file)
    if fortran or dtype.str not in _DTYPES:
        raise TraceError(f"{name} is of a type or an order that no trace has")
    if prod(shape) * dtype.itemsize != size - file.tell():
        raise TraceError(f"{name} is not as long as its shape says")
    if prod(shape) == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape)
