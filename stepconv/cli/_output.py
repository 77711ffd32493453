"""One door to the disk: a file appears whole or not at all, and none is replaced unasked."""

import os
import secrets
from pathlib import Path

from stepconv.errors import ArgumentError


def check(path: Path, suffixes: tuple[str, ...], force: bool) -> None:
    """Refuse what `write` could not or should not write, before any work is done."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder, not a file")
    if path.suffix.lower() not in suffixes:
        raise ArgumentError(f"{path} cannot be written: {', '.join(suffixes)} fit")
    if not path.parent.is_dir():
        raise ArgumentError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.exists() and not force:
        raise ArgumentError(f"{path} is there already: --force overwrites it")


def write(path: Path, content: bytes) -> None:
    """Put `content` into `path`; whatever happens, no half-written file stays there."""
    target = path.resolve()  # a link stays a link
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            file.write(content)
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
