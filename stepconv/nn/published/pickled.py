"""PyTorch's .pth files: the tensors in them, by name, and nothing that runs.

Such a file is a pickle, which may call any function there is. Here it gets three: it may name a
storage, make a tensor of one, and make a dict. All else is refused by its name.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stepconv import files
from stepconv.errors import DataError

Array = NDArray[Any]

# How long a pickle may be, and what a tensor may have; the numbers lie beside it.
MOST_PICKLE, MOST_NUMBERS, MOST_AXES = 2**26, 2**31, 8
# How the older kind of file begins: a number of PyTorch's own, in a pickle.
_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


class _Refused(Exception):
    """The pickle asks for what no tensor needs; the text says what."""


@dataclass(frozen=True)
class _Kind:
    """A type of storage, by the type of its numbers."""

    dtype: str


@dataclass
class _Tensor:
    """A part of a storage, as a tensor sees it."""

    storage: str
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(path: Path) -> dict[str, Array]:
    """Return the tensors of a file by name, or say why not."""
    files.check_plain(path)
    with path.open("rb") as file:
        size = path.stat().st_size
        try:
            if zipfile.is_zipfile(file):
                return _from_zip(file, size)
            file.seek(0)
            return _from_stream(file, size)
        except _Refused as refused:
            raise DataError(f"{path}: {refused}") from None
        except (
            *(pickle.UnpicklingError, zipfile.BadZipFile, struct.error, EOFError, KeyError),
            *(ValueError, TypeError, IndexError, AttributeError, UnicodeDecodeError),
            # A zip may say that it is encrypted, or lie about where its parts are.
            *(RecursionError, MemoryError, OverflowError, RuntimeError, OSError),
        ):
            raise DataError(f"{path} is damaged, or no file of PyTorch's weights") from None


class _Restricted(pickle._Unpickler):
    """Reads what tensors are made of, and refuses all else.

    It is the one of them that is written in Python: the other takes memory for as many objects as a
    file says there are.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _STORAGES:
            return _Kind(_STORAGES[name])
        raise _Refused(f"its pickle asks for {module}.{name}: tensors alone fit")

    def persistent_load(self, told: Any) -> tuple[str, str]:
        what, kind, key, *_ = told
        if what != "storage" or not isinstance(kind, _Kind):
            raise _Refused("its pickle names something that is no storage")
        return str(key), kind.dtype


def _rebuilt(storage: tuple[str, str], offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    key, dtype = storage
    sizes, steps = tuple(map(int, shape)), tuple(map(int, strides))
    told = (offset, *sizes, *steps)
    possible = len(sizes) == len(steps) <= MOST_AXES and 0 <= min(told) <= max(told) <= MOST_NUMBERS
    if not possible or prod(sizes) > MOST_NUMBERS:
        raise _Refused(f"a tensor has the sizes {sizes} and the steps {steps}")
    return _Tensor(key, dtype, int(offset), sizes, steps)


def _unpickled(file: BinaryIO) -> Any:
    return _Restricted(file, encoding="utf-8").load()


def _from_zip(file: BinaryIO, size: int) -> dict[str, Array]:
    """Read the newer kind: a zip with a pickle, and a file for each storage."""
    with zipfile.ZipFile(file) as packed:
        names = packed.namelist()
        found = [name for name in names if name.endswith("data.pkl")]
        if len(found) != 1 or packed.getinfo(found[0]).file_size > MOST_PICKLE:
            raise _Refused("it holds no single pickle of weights")
        root = found[0].removesuffix("data.pkl")
        told = _unpickled(io.BytesIO(packed.read(found[0])))

        def storage(key: str) -> bytes:
            about = packed.getinfo(f"{root}data/{key}")
            if about.file_size > size:  # weights are stored as they are
                raise _Refused(f"storage {key} is larger than the file")
            return packed.read(about)

        return _arrays(told, storage)


def _from_stream(file: BinaryIO, size: int) -> dict[str, Array]:
    """Read the older kind: pickles behind each other, then each storage behind its length."""
    if _unpickled(file) != _MAGIC:
        raise _Refused("it does not begin as PyTorch's files do")
    for _ in range(2):  # the version of the protocol, and what machine wrote it
        _unpickled(file)
    told, keys = _unpickled(file), _unpickled(file)
    types = {tensor.storage: tensor.dtype for tensor in _tensors(told).values()}
    found = {}
    for key in map(str, keys):
        (count,) = struct.unpack("<q", file.read(8))
        length = count * np.dtype(types.get(key, "<f4")).itemsize
        if not 0 <= length <= size:
            raise _Refused(f"storage {key} is larger than the file")
        found[key] = file.read(length)
    return _arrays(told, found.__getitem__)


def _tensors(told: Any) -> dict[str, _Tensor]:
    """Return the tensors by name; what trains keeps them inside a dict of more."""
    for inside in ("state_dict", "model", "model_state_dict"):
        if isinstance(told, dict) and isinstance(told.get(inside), dict):
            told = told[inside]
            break
    if not isinstance(told, dict) or not told:
        raise _Refused("it holds no weights by name")
    return {str(name): one for name, one in told.items() if isinstance(one, _Tensor)}


def _arrays(told: Any, storage: Callable[[str], bytes]) -> dict[str, Array]:
    held: dict[str, Array] = {}
    made = {}
    for name, tensor in _tensors(told).items():
        if tensor.storage not in held:
            held[tensor.storage] = np.frombuffer(storage(tensor.storage), tensor.dtype)
        numbers = held[tensor.storage]
        ends = [(size - 1) * step for size, step in zip(tensor.shape, tensor.strides, strict=True)]
        last = tensor.offset + sum(ends)
        if prod(tensor.shape) and last >= numbers.size:
            raise _Refused(f"tensor {name} reaches beyond its storage")
        steps = [step * numbers.itemsize for step in tensor.strides]
        view = np.lib.stride_tricks.as_strided(
            numbers[tensor.offset :], tensor.shape, steps, writeable=False
        )
        made[name] = np.ascontiguousarray(view)
    return made
