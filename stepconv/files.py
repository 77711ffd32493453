"""One door to the disk: a file appears whole or not at all, whatever stops the writing."""

import os
import secrets
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import BinaryIO


def write_whole(path: str | PathLike[str], fill: Callable[[BinaryIO], object]) -> None:
    """Put into `path` what `fill` writes; until all of it is on the disk, the old file stays."""
    target = Path(path).resolve()  # a link stays a link
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
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
