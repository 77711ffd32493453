"""The doors to the disk: a file appears whole under its name, or not at all.

npy        the header of a .npy file that anybody may have sent
schema     what a stranger's plain data has to look like
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stepconv.errors import ArgumentError


def write(path: Path, content: bytes) -> None:
    """Put `content` into `path`; whatever happens, no half-written file stays there."""
    with replacing(path) as file:
        file.write(content)


def tidy(folder: Path) -> None:
    """Remove the drafts that a killed process left in a folder; nobody may be writing there."""
    for draft in folder.glob(".*.part"):
        draft.unlink(missing_ok=True)


def check_plain(path: Path) -> None:
    """Refuse what is there and no file with an end: a named pipe, a device, a socket."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ArgumentError(f"{path} is a pipe or a device: a plain file fits")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write; it takes the name `path` when the block ends without an error."""
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file() and not target.is_dir():
        with target.open("wb") as device:  # nobody wants /dev/null replaced
            yield device
        return
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        if error.filename not in (None, str(draft), str(target)):
            raise  # another file's trouble, from inside the block
        # The name of the draft would puzzle whoever reads the message.
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        draft.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Let the file's new name survive a power cut, where the system offers that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
