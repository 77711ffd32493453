"""Data sets of the user's own: folders of pictures, an .npz, idx files.

    pictures/cat/1.png  pictures/dog/1.jpg …              a folder for each class
    pictures/train/cat/1.png …  pictures/test/cat/2.png   the same, with a test part
    data.npz with x_train, y_train, x_test, y_test        (or x, y) as Keras has them
    data/train-images-idx3-ubyte …                        the four files of MNIST, .gz or not

Nothing here is trusted: a file says how large it is before memory is taken for it.
"""

import hashlib
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.train import chance
from stepconv.train.data import idx, known, samples

Array = NDArray[Any]
# Class names, fingerprint, training and test samples.
Loaded = tuple[tuple[str, ...], str, samples.Samples, samples.Samples]

PICTURES = (".png", ".jpg", ".jpeg")
MOST_PIXELS = 50_000_000
MOST_CLASSES = 1000
# What a data set without a test part of its own gives away for one: every sixth, as in MNIST.
TEST_SHARE = 6
# How the members of an .npz may be called: training pictures and labels, test ones if any.
MEMBERS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x", "y"),
    ("images", "labels"),
)


def load(path: Path, shape: tuple[int, ...]) -> Loaded:
    """Return what is in the file or folder; class folders are brought to `shape`."""
    if path.is_file():
        return _of_arrays(path, _npz(path))
    either = [(path / file, path / file.removesuffix(".gz")) for file in known.FILES]
    found = [file for pair in either for file in pair if file.is_file()]
    missing = [packed.name for packed, plain in either if not {packed, plain} & {*found}]
    if not found:
        return _class_folders(path, shape)
    if missing:
        raise DataError(f"{path} holds {found[0].name} but misses {', '.join(missing)}")
    return _of_arrays(path, [idx.read(a if a in found else b) for a, b in either])


def _of_arrays(path: Path, arrays: list[Array]) -> Loaded:
    parts = [
        samples.Samples(_planes(pictures, path), _labels(labels, path))
        for pictures, labels in zip(arrays[::2], arrays[1::2], strict=True)
    ]
    for part in parts:
        samples.check(part.pictures, part.labels, str(path))
    count = 1 + max(int(part.labels.max()) for part in parts)
    return _finished(tuple(map(str, range(count))), parts, path)


def _finished(classes: tuple[str, ...], parts: list[samples.Samples], path: Path) -> Loaded:
    if len(parts) == 1:
        if len(parts[0]) < 2:
            raise DataError(f"{path} holds one picture: some to learn from and some to test fit")
        parts = [*samples.split(parts[0], max(1, len(parts[0]) // TEST_SHARE))]
    train, test = parts
    digest = hashlib.sha256()
    for part in (train, test):
        digest.update(part.pictures.tobytes())
        digest.update(part.labels.tobytes())
    return classes, digest.hexdigest(), train, test


def _planes(pictures: Array, path: Path) -> NDArray[np.uint8]:
    """Return pictures as (count, channels, rows, columns) in bytes."""
    given = pictures.shape
    if pictures.ndim == 3:
        pictures = pictures[:, np.newaxis]
    elif pictures.ndim == 4 and pictures.shape[1] not in (1, 3) and pictures.shape[3] in (1, 3):
        pictures = pictures.transpose(0, 3, 1, 2)  # as TensorFlow orders them
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or pictures.size == 0:
        raise DataError(
            f"{path}: pictures of shape {given}: (count, rows, columns) fits, "
            f"or one or three channels before or behind rows and columns"
        )
    if pictures.dtype == np.uint8:
        return np.ascontiguousarray(pictures)
    low, high = float(pictures.min()), float(pictures.max())
    if not (low >= 0 and high <= 255):
        raise DataError(f"{path}: pixels from {low:g} to {high:g}: 0 to 1 or 0 to 255 fits")
    times = 255 if high <= 1 else 1
    return np.rint(np.ascontiguousarray(pictures) * float(times)).astype(np.uint8)


def _labels(labels: Array, path: Path) -> NDArray[np.int64]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: labels of shape {labels.shape} and type {labels.dtype}: "
            f"one integer for each picture fits"
        )
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < MOST_CLASSES:
        raise DataError(
            f"{path}: labels from {labels.min()} to {labels.max()}: 0 to {MOST_CLASSES - 1} fit"
        )
    return labels.astype(np.int64)


def _npz(path: Path) -> list[Array]:
    with path.open("rb") as file:
        return _unzipped(file, path)


def _unzipped(file: IO[bytes], path: Path) -> list[Array]:
    try:
        with zipfile.ZipFile(file) as archive:
            every = archive.namelist()
            names = [name.removesuffix(".npy") for name in every if name.endswith(".npy")]
            if len(set(names)) != len(names):
                raise DataError(f"{path} is damaged: it holds a member twice")
            for members in MEMBERS:
                if set(members) <= set(names):
                    return [_member(archive, name, path) for name in members]
    # OSError: damaged offsets point to before the file's beginning.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise DataError(f"{path} is no .npz, or a damaged one: {error}") from None
    wanted = " or ".join(", ".join(members) for members in MEMBERS)
    raise DataError(f"{path} holds {', '.join(names) or 'nothing'}: {wanted} fit")


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> Array:
    stored = archive.getinfo(f"{name}.npy")
    if stored.file_size > idx.MOST_BYTES:
        raise DataError(
            f"{path}: {name} is too large: {stored.file_size:,} bytes, {idx.MOST_BYTES:,} fit"
        )
    with archive.open(stored) as file:
        shape, column_order, dtype = _header(file, f"{path}: {name}")
        # The header must promise what is there, so a small file cannot ask for much memory.
        if prod(shape) * dtype.itemsize != stored.file_size - file.tell():
            raise DataError(f"{path}: {name} is damaged: it is not as long as its header says")
        cells = np.frombuffer(file.read(), dtype)
    if len(cells) != prod(shape):
        raise DataError(f"{path}: {name} is cut short")
    return cells.reshape(shape, order="F" if column_order else "C")


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return what the head of an array says: its shape, whether columns come first, its type."""
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, column_order, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, column_order, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # a damaged header is half a line of Python: anything may follow
        raise DataError(f"{name} is damaged: {error}") from None
    if dtype.kind not in "biuf" or min(shape, default=0) < 0:
        raise DataError(f"{name} is of shape {shape} and type {dtype}: numbers fit")
    return shape, column_order, dtype


def _class_folders(path: Path, shape: tuple[int, ...]) -> Loaded:
    halves = [path / "train", path / "test"]
    parts = halves if all(half.is_dir() for half in halves) else [path]
    classes = _folders(parts[0])
    if len(classes) < 2:
        raise DataError(
            f"{path} holds no class folders: {path}/cat/1.png and {path}/dog/1.png would fit, "
            f"an .npz, or the four idx files of MNIST"
        )
    for part in parts[1:]:
        if _folders(part) != classes:
            raise DataError(f"{part} has other class folders than {parts[0]}")
    return _finished(classes, [_read_folders(part, classes, shape) for part in parts], path)


def _folders(path: Path) -> tuple[str, ...]:
    return tuple(
        sorted(f.name for f in path.iterdir() if f.is_dir() and not f.name.startswith("."))
    )


def _read_folders(path: Path, classes: tuple[str, ...], shape: tuple[int, ...]) -> samples.Samples:
    found: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        inside = sorted((path / name).iterdir())
        inside = [f for f in inside if f.suffix.lower() in PICTURES and not f.name.startswith(".")]
        if not inside:
            raise DataError(f"{path / name} holds no pictures: .png and .jpg fit")
        found += [(file, label) for file in inside]
    if len(found) * prod(shape) > idx.MOST_BYTES:
        raise DataError(f"{path} is too large: {len(found):,} pictures of {shape}")
    # Mixed, so that the first few are of every class; always in the same way.
    found = [found[i] for i in chance.shuffled(len(found), 0, 0)]
    pictures = np.empty((len(found), *shape), np.uint8)
    for picture, (file, _) in zip(pictures, found, strict=True):
        picture[:] = read_picture(file, shape)
    return samples.Samples(pictures, np.array([label for _, label in found], np.int64))


def read_picture(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the picture as (channels, rows, columns), gray or RGB, stretched to that size."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise DataError(f"{file} needs Pillow: pip install 'stepconv[images]'") from None
    channels, rows, columns = shape
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as opened:
            if prod(opened.size) > MOST_PIXELS:
                raise DataError(f"{file} is too large: at most {MOST_PIXELS:,} pixels fit")
            image = ImageOps.exif_transpose(opened)
            if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
                image = image.convert("RGBA")
                paper = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(paper, image)
            image = image.convert("L" if channels == 1 else "RGB")
            if image.size != (columns, rows):
                image = image.resize((columns, rows), Image.Resampling.BOX)
            cells = np.asarray(image)
    except DataError:
        raise
    except Exception as error:  # damaged bytes make decoders raise almost anything
        raise DataError(f"{file} is no PNG or JPEG picture, or damaged: {error}") from None
    return cells[np.newaxis] if channels == 1 else np.moveaxis(cells, 2, 0)
