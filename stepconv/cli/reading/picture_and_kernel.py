"""What PICTURE and KERNEL may be on the command line: a name, a file, or numbers typed out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.cli.reading import array_files, picture_files, typed
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def picture(text: str) -> picture_files.Picture:
    """Return the picture of the gallery, or the one in the file, that `text` names."""
    from stepconv.trace.gallery import worked

    known = worked.pictures()
    if text in known:
        array = known[text]
        return picture_files.from_array(array.transpose(1, 2, 0) if array.ndim == 3 else array)
    path = Path(text)
    if not path.suffix and not path.exists():
        raise ArgumentError(f"picture {text!r} is not known: {worked.closest(text, known)}")
    return picture_files.read(path)


def kernel(text: str) -> "NDArray[Any]":
    """Return the named kernel, the one in a .npy or .csv file, or the one that `text` spells."""
    from stepconv.trace.gallery import worked

    known = worked.named_kernels()
    if text in known:
        return known[text].kernel
    if Path(text).suffix.lower() in array_files.SUFFIXES:
        return array_files.read(Path(text))
    if text.strip()[:1].isalpha():
        raise ArgumentError(f"kernel {text!r} is not known: {worked.closest(text, known)}")
    return typed.parse(text)
