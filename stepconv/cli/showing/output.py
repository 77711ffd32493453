"""What commands write: files of the right kind, none replaced unasked."""

import os
from pathlib import Path

from stepconv.errors import ArgumentError


def check(path: Path, suffixes: tuple[str, ...], force: bool) -> None:
    """Refuse what could not or should not be written, before any work is done."""
    if path.suffix.lower() not in suffixes and not path.is_dir():
        fits = f"{', '.join(suffixes)} fit{'s' * (len(suffixes) == 1)}"
        raise ArgumentError(f"{path} cannot be written: {fits}")
    check_place(path)
    if path.exists() and not force:
        raise ArgumentError(f"{path} is there already: --force overwrites it")


def check_folder(path: Path) -> None:
    """Refuse a folder where none can be made, before any work is done."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ArgumentError(f"{path} cannot be made: {there} is a file")
    if not os.access(there, os.W_OK):
        raise ArgumentError(f"{path} cannot be made: {there} may not be written to")


def check_place(path: Path) -> None:
    """Refuse a file where none can be, before any work is done."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder, not a file")
    if not path.parent.is_dir():
        raise ArgumentError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise ArgumentError(f"{path} cannot be written: {path.parent} may not be written to")
