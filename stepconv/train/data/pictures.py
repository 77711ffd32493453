"""One reader of picture files, for training and for questions: gray or RGB, as a person sees them.

Whatever a file holds (a palette, CMYK, 1, 8, 16 or 32 bits, a turn that EXIF tells of) becomes
bytes from black 0 to white 255. What is transparent shows white paper.
"""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.files import check_plain

Bytes = NDArray[np.uint8]

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# A 48-megapixel photograph passes; a file that would unpack to gigabytes does not.
MOST_PIXELS = 50_000_000
# Damaged files that are named; of more it is told how many there are.
NAMED = 5
# Modes of Pillow without colour; "I" and "F" are numbers of 16 or 32 bits.
GRAY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


class Damaged(DataError):
    """Files that cannot be read, each with what was said of it; all are told in one line.

    >>> str(Damaged([("a.png", "a.png is no picture"), ("b.png", "…"), ("c.png", "…")]))
    'a.png is no picture; nor are 2 more: b.png, c.png'
    """

    def __init__(self, told: Sequence[tuple[str, str]]) -> None:
        self.told = tuple(told)
        (_, first), *others = told
        names = ", ".join(name for name, _ in others[:NAMED]) + ", …" * (len(others) > NAMED)
        are = "are" if len(others) > 1 else "is"
        super().__init__(f"{first}; nor {are} {len(others):,} more: {names}" if others else first)


class Size(NamedTuple):
    """What a file says of its picture before it is decoded."""

    rows: int
    columns: int
    channels: int


def size(file: Path) -> Size:
    """Return how large the picture is, upright, and whether it has colour."""
    with _opened(file) as image:
        columns, rows = image.size
        try:
            turn = image.getexif().get(0x0112, 1)
        except Exception as error:  # of a PNG it may stand at the end
            raise _damaged(file, error) from None
        if turn > 4:  # lies on its side
            rows, columns = columns, rows
        return Size(rows, columns, 3 if _has_colour(image) else 1)


def read(file: Path, shape: tuple[int, ...] | None = None) -> Bytes:
    """Return the picture as (channels, rows, columns), in its own size and colours, or `shape`."""
    with _opened(file) as image:
        if shape is not None:
            # A JPEG may be unpacked smaller, as long as it stays larger than what is wanted.
            image.draft(None, (2 * max(shape[1:]),) * 2)
        try:
            image.load()
            picture = _upright(image)
        except Exception as error:  # damaged bytes make decoders raise almost anything
            raise _damaged(file, error) from None
    return _planes(picture if shape is None else _stretched(picture, shape))


def fit(planes: Bytes, shape: tuple[int, ...]) -> Bytes:
    """Return a picture of one or three channels as one of `shape`: gray or RGB, stretched."""
    from PIL import Image

    image = Image.fromarray(planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, 2))
    return _planes(_stretched(image, shape))


def _opened(file: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise DataError(f"{file} needs Pillow: pip install 'stepconv[images]'") from None
    check_plain(file)
    # Ours says what it is, so Pillow's limit is switched off while ours does the checking.
    theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        image = Image.open(file, formats=sorted(set(FORMATS.values())))
    except FileNotFoundError:
        raise DataError(f"{file}: no such file") from None
    except Exception as error:
        raise _damaged(file, error) from None
    finally:
        Image.MAX_IMAGE_PIXELS = theirs
    if prod(image.size) > MOST_PIXELS:
        image.close()
        raise DataError(f"{file} is too large: at most {MOST_PIXELS:,} pixels fit")
    return image


def _damaged(file: Path, error: Exception) -> DataError:
    return DataError(f"{file} is no picture, or damaged: {error}")


def _upright(image: Any) -> Any:
    """Return the image turned as EXIF says, in 8 bits, gray or RGB, on white paper."""
    from PIL import Image, ImageOps

    clear = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    colour = _has_colour(image)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif clear:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB" if colour else "L")


def _has_colour(image: Any) -> bool:
    if image.mode == "P":
        shades = image.getpalette("RGB") or []
        return shades[::3] != shades[1::3] or shades[::3] != shades[2::3]
    return image.mode not in GRAY


def _eight_bits(values: NDArray[Any]) -> Bytes:
    """Return numbers from 0 to 1, to 255, to 65535 or to 2^32 - 1 as bytes.

    >>> _eight_bits(np.array([0, 257, 65535])).tolist(), _eight_bits(np.array([0.5, 1.0])).tolist()
    ([0, 1, 255], [128, 255])
    """
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high < 2**32):
        raise ValueError(f"its numbers run from {low:g} to {high:g}: from 0 on fits")
    unit = values.dtype.kind == "f" and high <= 1
    most = 1 if unit else 255 if high <= 255 and values.dtype.itemsize > 2 else 65535
    most = 2**32 - 1 if high > 65535 else most
    return np.rint(values * (255 / most)).astype(np.uint8)


def _stretched(image: Any, shape: tuple[int, ...]) -> Any:
    from PIL import Image

    channels, rows, columns = shape
    if channels not in (1, 3):
        raise DataError(f"pictures have one channel or three, the network reads {channels}")
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (columns, rows):
        image = image.resize((columns, rows), Image.Resampling.BOX)
    return image


def _planes(image: Any) -> Bytes:
    cells = np.asarray(image)
    return np.ascontiguousarray(cells[np.newaxis] if cells.ndim == 2 else np.moveaxis(cells, 2, 0))
