"""A picture as a network sees it: read from a file, and treated as those that it learnt from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.train.feed import Feed

    Array = NDArray[Any]

# What is smaller than this is a digit that was cut out already, and no sheet.
SHEET = 40


def read(file: Path) -> "Array":
    """Return a picture as (channels, rows, columns) of bytes, or the numbers of an array file."""
    from stepconv.cli.reading import array_files
    from stepconv.trace.gallery import worked
    from stepconv.train.data import pictures

    gallery = worked.pictures()
    if str(file) in gallery:
        known = gallery[str(file)].astype("uint8")
        return known if known.ndim == 3 else known[None]
    if file.is_dir():
        raise ArgumentError(f"{file} is a folder, not a file")
    if file.suffix.lower() in array_files.SUFFIXES:
        return array_files.read(file)
    if file.suffix.lower() not in pictures.FORMATS:
        fitting = ", ".join([*pictures.FORMATS, *array_files.SUFFIXES])
        raise ArgumentError(f"{file} cannot be read: {fitting} fit")
    return pictures.read(file)


def as_seen(
    given: "Array", shape: "tuple[int, ...]", feed: "Feed", as_is: bool, name: str
) -> "list[Array]":
    """Return what the network is shown of a picture or of numbers: an array of its shape.

    A sheet of paper is read for a network of digits: there may be several, or none.
    """
    import numpy as np

    from stepconv.train.data import arrays, centre, pictures, written

    if not feed.of_bytes and given.size == np.prod(shape):
        return [np.ascontiguousarray(given, np.float32).reshape(shape)]
    if given.dtype != np.uint8 or given.ndim == 2:
        if given.ndim not in (2, 3):
            raise ArgumentError(f"{name} is a signal, not a picture")
        if not np.isfinite(given).all():
            raise ArgumentError(f"{name} holds numbers that are not finite")
        # Numbers that do not exceed 1 count from black 0 to white 1, all others to white 255.
        levels = np.clip(given * (255.0 if given.max() <= 1 else 1.0), 0, 255)
        [given] = arrays.planes(np.rint(levels).astype(np.uint8)[np.newaxis], name, shape)
    form = "as-is" if as_is else feed.form
    if form == "digit" and shape == (1, centre.SIDE, centre.SIDE):
        gray = pictures.fit(given, (1, *given.shape[1:]))[0].astype(float)
        found = [centre.centred(gray)] if min(gray.shape) < SHEET else written.digits(gray)
        return [digit[np.newaxis] for digit in found]
    if form == "bright":
        gray = pictures.fit(given, (1, *given.shape[1:]))[0].astype(float)
        given = np.rint(centre.bright_on_black(gray)).astype(np.uint8)[np.newaxis]
    return [pictures.fit(given, shape)]
