"""Read a trace from a file that may come from anybody.

Nothing in it is believed before it is checked: sizes before memory is taken, hashes before arrays
are used, the call by making it again, numbers before they are shown. Nothing is ever executed.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from math import prod
from os import PathLike, fspath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import StepconvError, TraceError
from stepconv.geometry import integer
from stepconv.trace.file.check import check_step, check_trace
from stepconv.trace.file.write import (
    FORMAT,
    MOST_PACKED,
    VERSION,
    digest,
)
from stepconv.trace.gather import SUMMING, gather
from stepconv.trace.jobs import Job, job
from stepconv.trace.model import About, Step, Trace

Array = NDArray[Any]

_LARGEST_HEADER = 2**20
# Before its numbers a .npy member has a few lines about type and shape.
_PREAMBLE = 2**13
_MOST_AXES = 8

_ARGUMENTS = ("x", "w", "bias", "grad_out")
_RECORDED = ("output", "workers", "sums", "winners")
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


def load_trace(path: str | PathLike[str]) -> Trace:
    """Read a trace that `Trace.save` wrote, or somebody else after docs/trace-format.md.

    Whatever is wrong with the file is a TraceError that names the file and the reason.
    """
    name = fspath(path)
    with open(path, "rb") as file:
        try:
            return _read(file, str(name))
        except _DAMAGED as error:
            reason = str(error) or type(error).__name__
    raise TraceError(f"{name} is not a trace to rely on: {reason}")


def _read(file: BinaryIO, name: str) -> Trace:
    if not zipfile.is_zipfile(file):
        raise TraceError("it is no zip file, or was cut short")
    with zipfile.ZipFile(file) as archive:
        sizes = _sizes(archive)
        header = _header(archive, sizes)
        arrays = _arrays(archive, sizes, _object(header, "members"))
    wanted = _job(header, arrays)
    _check_arrays(wanted, arrays)
    trace = Trace(
        wanted.call,
        wanted.arrays,
        arrays["output"],
        arrays["workers"],
        arrays.get("sums"),
        arrays.get("winners"),
        _about(_object(header, "about")),
        partial(_examine, name),
    )
    check_trace(trace)
    return trace


def _examine(name: str, step: Step) -> None:
    """Raise a TraceError that names the file if a step contradicts the arrays of the call."""
    try:
        check_step(step)
    except TraceError as error:
        raise TraceError(f"{name}: {error}") from None


def _sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the size of each member, having made sure that unpacking them takes bounded memory."""
    members = archive.infolist()
    sizes = {info.filename.removesuffix(".npy"): info.file_size for info in members}
    known = {"header", *_ARGUMENTS, *_RECORDED}
    for info in members:
        if not info.filename.endswith(".npy") or info.filename.removesuffix(".npy") not in known:
            raise TraceError(f"it has a member {info.filename!r}, which no trace has")
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


def _header(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> dict[str, Any]:
    if sizes.get("header", _LARGEST_HEADER + 1) > _LARGEST_HEADER:
        raise TraceError("it has no header, or one that is too long")
    raw = _array(archive, "header", sizes["header"])
    if raw.dtype != np.uint8 or raw.ndim != 1:
        raise TraceError("its header is not a text")
    header = json.loads(raw.tobytes().decode("utf-8"))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise TraceError("its header does not say that it is a trace of stepconv")
    if header.get("version") != VERSION:
        raise TraceError(
            f"it has version {header.get('version')!r} of the format, this stepconv reads {VERSION}"
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
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise TraceError(f"{name} has version {version} of the .npy format, (1, 0) fits")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_PREAMBLE)
    if fortran or dtype.str not in _DTYPES:
        raise TraceError(f"{name} is of a type or an order that no trace has")
    if prod(shape) * dtype.itemsize != size - file.tell():
        raise TraceError(f"{name} is not as long as its shape says")
    if prod(shape) == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape)


def _job(header: dict[str, Any], arrays: Mapping[str, Array]) -> Job:
    """Return the call that the header tells of, checked as any call of the operation is."""
    name, gradient, options = header.get("function"), header.get("gradient"), header.get("options")
    if name not in ops.__all__ or not isinstance(options, dict) or "output" not in arrays:
        raise TraceError("its header names no call of stepconv, or the output is missing")
    given: dict[str, Any] = {
        argument: arrays[argument] for argument in _ARGUMENTS if argument in arrays
    }
    if name == "avg_pool_backward":
        # Of x only the shape matters, so that a trace does not keep it.
        given["x"] = np.broadcast_to(arrays["grad_out"].dtype.type(0), arrays["output"].shape)
    if name == "pad_backward":
        given["shape"] = arrays["output"].shape
    if name == "pad":
        kind = int if arrays["x"].dtype.kind in "biu" else float
        options = {**options, "value": kind(options.get("value", "0"))}
    return job(getattr(ops, name), (), {**given, **options}, gradient)


def _check_arrays(wanted: Job, arrays: Mapping[str, Array]) -> None:
    """Refuse arrays whose type or shape is not what recording the call would give."""
    for argument, computed in wanted.arrays.items():
        if computed.dtype != arrays[argument].dtype:
            raise TraceError(
                f"{argument} is {arrays[argument].dtype}, the call computes in {computed.dtype}"
            )
    output = arrays["output"]
    family = wanted.call.operation.family
    steps = output.size
    # Checked before the gather is laid out, whose size follows from the plan and the arrays.
    if output.shape != wanted.shape or output.dtype != wanted.dtype:
        raise TraceError(f"its output is {output.dtype} of shape {output.shape}, the call's is not")
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {"workers": ((steps,), (steps, 2))}
    if family in SUMMING:
        shapes["sums"] = ((steps, gather(wanted.call, wanted.arrays).fan_in),)
        if "sums" in arrays and arrays["sums"].dtype != output.dtype:
            raise TraceError(f"its sums are {arrays['sums'].dtype}, its output {output.dtype}")
    if family == "largest":
        shapes["winners"] = (output.shape,)
    if family == "route":
        shapes["winners"] = (wanted.arrays["grad_out"].shape,)
    for name in ("workers", "sums", "winners"):
        if (name in shapes) != (name in arrays):
            raise TraceError(f"{name} is missing, or has no place in a trace of {wanted.call.op}")
        if name in shapes and arrays[name].shape not in shapes[name]:
            raise TraceError(f"{name} of shape {arrays[name].shape} does not fit {steps} steps")
    for name in ("workers", "winners"):
        if name in arrays and arrays[name].dtype.kind != "i":
            raise TraceError(f"{name} is {arrays[name].dtype}: integers fit")


def _about(entry: dict[str, Any]) -> About:
    title, recorder = entry.get("title"), entry.get("recorder")
    notes, channels = entry.get("notes"), entry.get("channels")
    if (
        isinstance(title, str)
        and isinstance(recorder, str)
        and isinstance(notes, list)
        and isinstance(channels, list)
        and all(isinstance(text, str) for text in (*notes, *channels))
    ):
        return About(title, tuple(notes), tuple(channels), recorder)
    raise TraceError("what its header says about the trace is not in words")


def _object(header: dict[str, Any], key: str) -> dict[str, Any]:
    value = header.get(key)
    if not isinstance(value, dict):
        raise TraceError(f"its header has no {key!r}")
    return value
