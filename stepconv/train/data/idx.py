"""The idx files in which MNIST came to the world: a short header, then bytes, often gzipped.

    00 00 08 03   bytes, three axes
    00 00 ea 60   60,000 pictures
    00 00 00 1c   28 rows
    00 00 00 1c   28 columns
    …             one byte a pixel

A file says how long it is before any memory is taken for it, and must be exactly that long.
"""

import hashlib
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError

UNSIGNED_BYTES = 8
GZIP = b"\x1f\x8b"
# More than a million pictures of MNIST's size pass, a bomb does not.
MOST_BYTES = 2**30


def read(path: Path, sha256: str | None = None) -> NDArray[np.uint8]:
    """Return the array in an idx file, gzipped or not; `sha256` is of the unpacked bytes."""
    return parse(path.read_bytes(), str(path), sha256)


def parse(stored: bytes, name: str, sha256: str | None = None) -> NDArray[np.uint8]:
    """Return the array in the bytes of an idx file called `name`."""
    unpack = _Unpacker(stored, name)
    head = unpack(4)
    if head.lstrip()[:1] == b"<":
        raise DataError(f"{name} is a web page, not data: it was saved from the wrong address")
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] != UNSIGNED_BYTES or not head[3]:
        raise DataError(
            f"{name} is no idx file of bytes: it begins with {head.hex(' ') or 'nothing'}, "
            f"00 00 08 and the number of axes fits"
        )
    axes = head[3]
    sizes = unpack(4 * axes)
    shape = tuple(int(size) for size in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
    shown = "x".join(map(str, shape))
    if len(shape) < axes:
        raise DataError(f"{name} is cut short: it ends in its header")
    if prod(shape) > MOST_BYTES:
        raise DataError(f"{name} is too large: {shown} bytes, at most {MOST_BYTES:,} fit")
    cells = unpack(prod(shape) + 1)  # one more, to notice what is too long
    if len(cells) != prod(shape):
        trouble = "cut short" if len(cells) < prod(shape) else "too long"
        raise DataError(f"{name} is {trouble}: its header promises {shown} bytes")
    unpack.end()
    if sha256 and unpack.hash.hexdigest() != sha256:
        raise DataError(f"{name} does not hold what it should: its SHA-256 is another one")
    return np.frombuffer(cells, np.uint8).reshape(shape)


class _Unpacker:
    """Gives the bytes of a file piece by piece, gunzipped where they need it, and hashes them."""

    def __init__(self, stored: bytes, name: str) -> None:
        self.rest, self.name = stored, name
        self.hash = hashlib.sha256()
        self.gunzip: Any = zlib.decompressobj(31) if stored[:2] == GZIP else None

    def __call__(self, length: int) -> bytes:
        """Return the next `length` bytes, fewer at the end of the file."""
        if self.gunzip:
            try:
                # A length of 0 would mean without limit.
                piece = self.gunzip.decompress(self.rest, length) if length else b""
            except zlib.error as error:
                raise DataError(f"{self.name} is damaged: {error}") from None
            self.rest = self.gunzip.unconsumed_tail
        else:
            piece, self.rest = self.rest[:length], self.rest[length:]
        self.hash.update(piece)
        return piece

    def end(self) -> None:
        """Refuse a gzip file whose checksum, which stands behind the data, is missing."""
        if self.gunzip and not self.gunzip.eof:
            raise DataError(f"{self.name} is cut short: the end of the gzip file is missing")
