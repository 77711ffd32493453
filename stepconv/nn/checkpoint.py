"""Networks on disk: a file that other tools read too, and that tells when a bit has flipped.

The format is safetensors: the length of a header, the header in JSON, then the numbers. Weights
stand under PyTorch's names. The metadata hold what else there is to know, each entry in JSON, and a
SHA-256 of all of it.

    checkpoint.save_network(path, Network(model, parameters, statistics, about))
    network = checkpoint.load_network(path)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import files
from stepconv.errors import DataError, StepconvError
from stepconv.files import schema
from stepconv.files.schema import Check, Unlike, flag, listing, named, plain, real, text
from stepconv.nn.description import from_dict, to_dict
from stepconv.nn.layers import sizes
from stepconv.nn.model import Model

Array = NDArray[Any]
Arrays = dict[str, Array]

FORMAT = "stepconv 1"
# What a network is called in its run folder.
FILE = "model.safetensors"
# What is known about a network, if it is told at all.
_ABOUT: dict[str, Check] = {
    "model": named(plain, 100),
    "classes": listing(text(1000), 1_000_000),
    "scale": real(-1e30, 1e30),
    "shift": real(-1e30, 1e30),
    "form": text(40),
    "of_bytes": flag,
    "data": text(10_000),
    "fingerprint": text(10_000),
    "recipe": named(plain, 100),
    "sure_from": real(0, 1),
}
_TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "|u1"}


@dataclass(frozen=True, eq=False)
class Network:
    """A model with what it has learnt, and what is known about how it came by it."""

    model: Model
    parameters: Arrays
    statistics: Arrays
    about: dict[str, Any] = field(default_factory=dict)


def save_network(path: Path, network: Network) -> None:
    """Write a network; `about` is plain data."""
    save(path, "network", {**network.parameters, **network.statistics}, _notes(network))


def metadata_of(network: Network) -> dict[str, str]:
    """Return what the file of a network says beside its arrays, for whoever else writes one."""
    return _metadata("network", _notes(network))


def _notes(network: Network) -> dict[str, Any]:
    return {"model": to_dict(network.model), **network.about}


def _metadata(kind: str, about: Mapping[str, Any]) -> dict[str, str]:
    told = {key: json.dumps(value, ensure_ascii=False) for key, value in about.items()}
    return {"format": FORMAT, "kind": kind, **told}


def load_network(path: Path) -> Network:
    """Return the network in a file, or say what is wrong with the file."""
    arrays, about = load(path, "network", _ABOUT)
    try:
        model = from_dict(about.pop("model", None))
    except StepconvError as error:
        raise DataError(f"{path} holds no network of ours: {error}") from None
    wanted = {**model.parameter_shapes, **model.statistic_shapes}
    for name, shape in wanted.items():
        if name not in arrays:
            raise DataError(f"{path} lacks {name}, which its network needs")
        if arrays[name].shape != shape:
            raise DataError(f"{path}: {name} is {sizes(arrays[name].shape)}, not {sizes(shape)}")
    parameters = {name: arrays[name] for name in model.parameter_shapes}
    statistics = {name: arrays[name] for name in model.statistic_shapes}
    return Network(model, parameters, statistics, about)


def load_arrays(path: Path) -> Arrays:
    """Return the arrays of a safetensors file that anybody has written."""
    files.check_plain(path)
    try:
        return _decode(np.fromfile(path, np.uint8).data)[0]
    except (
        *(ValueError, KeyError, TypeError, AttributeError, RecursionError),
        *(OverflowError, IndexError, MemoryError),
    ):
        raise DataError(f"{path} is damaged, or no safetensors file") from None


def save(path: Path, kind: str, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Write arrays and plain data; the same ones give the same bytes."""
    with files.replacing(path) as file:
        file.writelines(_encoded(arrays, _metadata(kind, about)))


def load(path: Path, kind: str, checks: Mapping[str, Check] = {}) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and the plain data in a file of that kind, each entry as its check wants.

    Who has signed a file rightly may still have written what he liked.
    """
    files.check_plain(path)
    content = np.fromfile(path, np.uint8).data
    try:
        arrays, metadata = _decode(content)
    except (
        *(ValueError, KeyError, TypeError, AttributeError, RecursionError),
        *(OverflowError, IndexError, MemoryError),
    ):
        raise DataError(f"{path} is damaged, or no safetensors file") from None
    if metadata.get("format") != FORMAT:
        raise DataError(f"{path} was not written by stepconv, or by a later version of it")
    if metadata.pop("sha256", None) != _digest(arrays, metadata):
        raise DataError(f"{path} is damaged: its contents do not match their SHA-256")
    if metadata.get("kind") != kind:
        raise DataError(f"{path} holds a {str(metadata.get('kind'))[:40]}, not a {kind}")
    own = {"format", "kind"}
    try:
        return arrays, {
            key: schema.read(told, checks.get(key, plain), key[:40])
            for key, told in metadata.items()
            if key not in own
        }
    except Unlike as error:
        raise DataError(f"{path} is not what it should be: {error}") from None


# The library called safetensors writes metadata in an order that changes from process to process.
def _encoded(arrays: Mapping[str, Array], metadata: dict[str, str]) -> Iterator[bytes]:
    """Yield the parts of a file: the large ones are not put together in memory."""
    codes = {np.dtype(name): code for code, name in _TYPES.items()}
    header: dict[str, Any] = {
        "__metadata__": {**metadata, "sha256": _digest(arrays, metadata)},
    }
    # Wide numbers first, so that all of them lie at multiples of their size.
    names, end = sorted(arrays, key=lambda name: -arrays[name].itemsize), 0
    for name in names:
        array = arrays[name]
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": codes[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for name in names:
        yield arrays[name].tobytes()


def _decode(content: memoryview | bytes) -> tuple[Arrays, dict[str, str]]:
    """Return the arrays, which are parts of the content and no copies, and the metadata."""
    view = memoryview(content)
    length = int.from_bytes(view[:8], "little")
    data = view[8 + length :]
    if len(view) < 8 + length:
        raise ValueError("cut")
    header = json.loads(bytes(view[8 : 8 + length]).decode())
    metadata = header.pop("__metadata__", {})
    if any(type(each) is not str for each in (*metadata.keys(), *metadata.values())):
        raise ValueError("metadata")
    arrays, end = {}, 0
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        if type(start) is not int or type(stop) is not int or not start == end <= stop:
            raise ValueError("gap")
        cells = np.frombuffer(data[start:stop], _TYPES[entry["dtype"]])
        # Others' files may have numbers at places where a processor is slow to read them.
        arrays[name] = np.require(cells.reshape(entry["shape"]), requirements="A")
        end = stop
    if end != len(data):
        raise ValueError("cut")
    return arrays, metadata


def _digest(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """Return the SHA-256 of names, shapes, types, numbers and metadata."""
    digest = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
