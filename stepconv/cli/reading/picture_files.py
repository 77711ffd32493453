"""Pictures from PNG, JPEG, WebP and array files and back; Pillow is not asked for arrays."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.cli.reading import array_files
from stepconv.errors import ArgumentError
from stepconv.files import check_plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
# How they are written: as close to what was computed as they can be.
_WRITTEN: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "WEBP": {"lossless": True, "exact": True},
}
SUFFIXES = (*FORMATS, *array_files.SUFFIXES)

# A 48-megapixel photograph passes; a file that would unpack to gigabytes does not.
MOST_PIXELS = 50_000_000


@dataclass(frozen=True, eq=False)
class Picture:
    """What is filtered, and what belongs to it.

    `planes` are (channels, rows, columns) with one channel or three, (1, length) for a signal.
    `alpha` is (rows, columns). `white` is the value that a screen shows as white.
    """

    planes: "Array"
    alpha: "Array | None" = None
    white: int = 255

    @property
    def is_signal(self) -> bool:
        """Whether this is a row of numbers rather than a picture."""
        return bool(self.planes.ndim == 2)

    def channels_last(self) -> "Array":
        """Return the values as picture files order them, alpha behind the colours."""
        import numpy as np

        layers = [*self.planes] if self.alpha is None else [*self.planes, self.alpha]
        return layers[0] if len(layers) == 1 else np.stack(layers, axis=-1)


def in_8_bits(values: "Array") -> "Array":
    """Return values round 0 to 255 as a screen shows them."""
    import numpy as np

    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def from_array(array: "Array", name: str = "the array") -> Picture:
    """Return a picture of (rows, columns) or (rows, columns, 3 or 4), or a signal.

    Numbers that do not exceed 1 count from black 0 to white 1, all others to white 255.
    """
    import numpy as np

    if array.ndim not in (1, 2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ArgumentError(
            f"{name} has shape {array.shape}: (rows, columns), (rows, columns, 3 or 4) "
            f"or (length,) fits"
        )
    _check_size(name, array.shape[:2])
    white = 1 if np.all(array[np.isfinite(array)] <= 1) else 255
    if array.ndim < 3:
        return Picture(array[np.newaxis], white=white)
    planes = np.ascontiguousarray(np.moveaxis(array, 2, 0))
    return Picture(planes[:3], planes[3] if len(planes) == 4 else None, white)


def read(path: Path) -> Picture:
    """Return the picture in a file, as a person would see it: turned as EXIF says."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder, not a file")
    check_plain(path)
    if suffix not in SUFFIXES:
        raise ArgumentError(f"{path} cannot be read: {_listed(SUFFIXES)} fit")
    if suffix in array_files.SUFFIXES:
        return from_array(array_files.read(path), str(path))
    return _read_image(path)


def encode(picture: Picture, suffix: str) -> bytes:
    """Return the bytes of a file with that suffix; picture files must hold 8-bit values."""
    if suffix == ".csv" and len(picture.planes) + (picture.alpha is not None) > 1:
        raise ArgumentError("a picture with channels does not fit into .csv: .npy or .png does")
    if suffix in array_files.SUFFIXES:
        return array_files.encode(picture.channels_last(), suffix)
    from PIL import Image

    file = io.BytesIO()
    kind = FORMATS[suffix]
    try:
        Image.fromarray(picture.channels_last()).save(file, kind, **_WRITTEN.get(kind, {}))
    except (KeyError, OSError, ValueError) as error:  # KeyError: a Pillow without WebP
        raise ArgumentError(f"this picture does not fit into {suffix}: {error}") from None
    return file.getvalue()


def need_pillow(path: Path) -> None:
    """Refuse a picture file where Pillow is missing, before any work is done."""
    if path.suffix.lower() not in FORMATS:
        return
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise ArgumentError(
            f"{path} needs Pillow: pip install 'stepconv[images]' (.npy and .csv work without)"
        ) from None


def _read_image(path: Path) -> Picture:
    need_pillow(path)
    with path.open("rb") as file:
        if not file.read(1):
            raise ArgumentError(f"{path} is empty: 0 bytes")
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with (
            _our_limit(),
            Image.open(path, formats=tuple(dict.fromkeys(FORMATS.values()))) as opened,
        ):
            _check_size(str(path), opened.size)
            image = _plain(ImageOps.exif_transpose(opened))
            values = np.asarray(image)
    except ArgumentError:
        raise
    except UnidentifiedImageError:
        raise ArgumentError(f"{path} is not a PNG, JPEG or WebP picture") from None
    except Exception as error:  # damaged bytes make decoders raise almost anything
        raise ArgumentError(f"{path} is damaged: {error}") from None
    if values.dtype == np.uint16:
        return Picture(values[np.newaxis] / 257)  # 65535 / 257 = 255
    layers = values[np.newaxis] if values.ndim == 2 else np.moveaxis(values, 2, 0)
    layers = np.ascontiguousarray(layers)
    if image.mode in ("LA", "RGBA"):
        return Picture(layers[:-1], layers[-1])
    return Picture(layers)


def _plain(image: Any) -> Any:
    """Return the image as gray or RGB, each with alpha if it has any, or as 16-bit gray."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):
        # 16 bits, in whichever of its modes Pillow reads them.
        return Image.fromarray(np.asarray(image).astype(np.uint16))
    clear = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    if image.mode in ("1", "L", "LA"):
        return image.convert("LA" if clear else "L")
    return image.convert("RGBA" if clear else "RGB")


@contextmanager
def _our_limit() -> Iterator[None]:
    """Switch Pillow's own limit off while ours, which says what it is, does the checking."""
    from PIL import Image

    theirs, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = theirs


def _check_size(name: str, sides: tuple[int, ...]) -> None:
    if prod(sides) > MOST_PIXELS:
        shown = "x".join(f"{side:,}" for side in sides)
        raise ArgumentError(f"{name} is too large: {shown} pixels, at most {MOST_PIXELS:,} fit")


def _listed(suffixes: tuple[str, ...]) -> str:
    return f"{', '.join(suffixes[:-1])} and {suffixes[-1]}"
