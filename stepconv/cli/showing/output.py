"""What commands write: files of the right kind, none replaced unasked."""

from pathlib import Path

from stepconv import files
from stepconv.errors import ArgumentError


def check(path: Path, suffixes: tuple[str, ...], force: bool) -> None:
    """Refuse what `write` could not or should not write, before any work is done."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder, not a file")
    if path.suffix.lower() not in suffixes:
        fits = f"{', '.join(suffixes)} fit{'s' * (len(suffixes) == 1)}"
        raise ArgumentError(f"{path} cannot be written: {fits}")
    if not path.parent.is_dir():
        raise ArgumentError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.exists() and not force:
        raise ArgumentError(f"{path} is there already: --force overwrites it")


def write(path: Path, content: bytes) -> None:
    """Put `content` into `path`; whatever happens, no half-written file stays there."""
    files.write(path, content)
