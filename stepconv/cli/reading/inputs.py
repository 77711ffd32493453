"""What --input may be: a picture, an array or numbers typed out; and which axis has colours."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.trace import About

    Array = NDArray[Any]

_COLOURS = ("red", "green", "blue")


def read(
    text: str, channel: str | None = None, channels: str | None = None
) -> "tuple[Array, About]":
    """Return the numbers as (rows, columns), (channels, rows, columns) or (length,), and words."""
    from stepconv.cli.reading import typed
    from stepconv.trace import About

    planes, notes = _laid(numbers(text), text, channels)
    title = "numbers typed in" if _is_literal(text) else text
    names = _COLOURS if planes.ndim == 3 and len(planes) == 3 else ()
    if channel is None:
        return planes, About(title, notes, names)
    if planes.ndim < 3:
        raise ArgumentError(f"--channel {channel} has no place here: {title} has one channel")
    number = names.index(channel) if channel in names else typed.integer("--channel", channel)
    if not 0 <= number < planes.shape[-3]:
        raise ArgumentError(
            f"--channel {channel} is not in {title}, which has channels 0 to {planes.shape[-3] - 1}"
        )
    name = channel if names else f"channel {number}"
    return planes[..., number, :, :], About(f"{title}, {name}", notes)


def numbers(text: str) -> "Array":
    """Return the numbers that a text spells, or those in the file or picture that it names."""
    from stepconv.cli.reading import array_files, picture_and_kernel, typed

    if _is_literal(text):
        array = typed.parse(text)
        # One filter's channels, as typed, are those of one picture.
        return array[0] if array.ndim > 2 and len(array) == 1 else array
    if Path(text).suffix.lower() == ".npy":
        return array_files.read(Path(text))
    planes = picture_and_kernel.picture(text).planes
    return planes if len(planes) == 3 else planes[0]


def _laid(array: "Array", text: str, channels: str | None) -> "tuple[Array, tuple[str, ...]]":
    """Return an array with its channels before its rows, and how that was told.

    Of an array file (rows, columns, 3) is taken for a colour picture.
    """
    import numpy as np

    if channels not in (None, "first", "last"):
        raise ArgumentError(f"--channels {channels!r} is not known: first or last fits")
    if array.ndim < 3 or (channels is None and Path(text).suffix.lower() != ".npy"):
        return array, ()
    last = array.ndim == 3 and array.shape[-1] == 3 and array.shape[0] != 3
    if (channels or ("last" if last else "first")) == "last":
        array, axis, other = np.ascontiguousarray(np.moveaxis(array, -1, -3)), "last", "first"
    else:
        axis, other = "first", "last"
    count, rows, columns = array.shape[-3:]
    if array.ndim > 3 and axis == "first":
        return array, ()
    kind = "Colour picture" if count == 3 else f"{count} channels of"
    note = (
        f"{kind} {rows}x{columns}, {axis} axis = channels; --channels {other} reads it otherwise."
    )
    return array, (note,)


def _is_literal(text: str) -> bool:
    """Tell numbers typed out from names and files: `1 2; 3 4` from `letter-a` and `2.csv`."""
    words = text.replace(";", " ").replace(",", " ").split()
    return (
        bool(words)
        and not any(c.isalpha() and c not in "eE" for c in words[0])
        and (len(words) > 1 or not Path(text).suffix or words[0].replace(".", "").isdigit())
    )
