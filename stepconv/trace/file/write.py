"""Write a trace to one file: NumPy arrays in a zip, with a header in JSON that lists their hashes.

The format is told in docs/trace-format.md; `load.py` reads it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.files import replacing
from stepconv.trace.jobs import spelled
from stepconv.trace.model import Trace

Array = NDArray[Any]

FORMAT = "stepconv-trace"
VERSION = 1
SUFFIX = ".trace.npz"

# So many bytes of arrays may be packed; more are stored as they are, which is as fast as the disk.
# A reader that keeps to it needs no more memory than the file is long, and this.
MOST_PACKED = 2**26


def save(trace: Trace, path: str | PathLike[str], *, force: bool = False) -> None:
    """Write the trace whole or not at all; an existing file is replaced only with `force`."""
    if not force and Path(path).exists():
        raise ArgumentError(f"{path} is there already: force=True overwrites it")
    with replacing(Path(path)) as file:
        _write(trace, file)


def _write(trace: Trace, file: BinaryIO) -> None:
    arrays = {name: _portable(array) for name, array in members(trace).items()}
    header = {
        "format": FORMAT,
        "version": VERSION,
        **_call(trace),
        "about": asdict(trace.about),
        "members": {
            name: {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "sha256": digest(array),
            }
            for name, array in arrays.items()
        },
    }
    text = json.dumps(header, indent=1, ensure_ascii=False, allow_nan=False)
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


def members(trace: Trace) -> dict[str, Array]:
    """Return all arrays of a trace by the names they have in its file."""
    optional = {"sums": trace.sums, "winners": trace.winners}
    return {
        **trace.arrays,
        "output": trace.output,
        **{name: array for name, array in optional.items() if array is not None},
        "workers": trace.workers,
    }


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's bytes, as they stand in its file."""
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _portable(array: Array) -> Array:
    """Return the array in C order and little-endian, whatever this machine prefers."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _call(trace: Trace) -> dict[str, Any]:
    """Return the call as it is written in the header."""
    function, gradient, options = spelled(trace.call)
    if "value" in options:
        # JSON has no word for NaN and Inf.
        value = options["value"]
        options["value"] = str(int(value) if isinstance(value, bool) else value)
    return {"function": function.__name__, "gradient": gradient, "options": options}
