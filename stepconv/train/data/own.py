"""Data sets of the user's own: folders of pictures, tables of paths, arrays, idx files.

    pictures/cat/1.png  pictures/dog/1.jpg …              a folder for each class
    pictures/train/cat/1.png …  pictures/test/cat/2.png   the same, with parts; val/ too
    pictures:more                                         several folders: like names, one class
    pictures.csv with lines of path,label                 and a part, if a column says so
    data.npz with x_train, y_train, x_test, y_test        (or x, y) as Keras has them
    data/train-images-idx3-ubyte …                        the four files of MNIST, .gz or not

Nothing here is trusted: a file says how large it is before memory is taken for it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.train.data import arrays, idx, known, npz, pictures
from stepconv.train.data.files import Found, Listed, folders, several, table
from stepconv.train.data.samples import Samples, Source, check

Array = NDArray[Any]

# How the members of an .npz may be called: training pictures and labels, test ones if any.
MEMBERS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x", "y"),
    ("images", "labels"),
)
# What may be there beside: a validation part, and the names of the classes.
VALIDATION = (("x_val", "y_val"), ("val_images", "val_labels"))
NAMES = ("classes", "class_names", "names")
# Photographs are brought to a square, unless they are all of one size that is no larger than this.
LARGEST, USUAL = 224, 64
# So many headers tell how large the pictures of a folder are.
LOOKED_AT = 500


def paths_of(name: str) -> list[Path]:
    """Return the file or folder that a name means, or several folders, with : between them."""
    alone = Path(name).expanduser()
    parts = [alone] if alone.exists() else [Path(p).expanduser() for p in name.split(os.pathsep)]
    return parts if all(path.exists() for path in parts) else []


def load(paths: Sequence[Path], shape: tuple[int, ...] | None) -> Source:
    """Return what is in a file, or in folders; pictures in files are to be brought to `shape`."""
    if len(paths) > 1:
        for path in paths:
            if not path.is_dir():
                raise DataError(f"{path} is no folder: only folders of pictures are put together")
        return _of_files(several(paths), shape)
    (path,) = paths
    if path.suffix.lower() == ".csv" and path.is_file():
        return _of_files(table(path), shape)
    if path.is_file():
        if path.suffix.lower() != ".npz" and not is_zipfile(path):
            raise DataError(f"{path} is no data set: a folder of pictures, an .npz or a .csv fits")
        return _npz(path, shape)
    either = [(path / file, path / file.removesuffix(".gz")) for file in known.FILES]
    found = [file for pair in either for file in pair if file.is_file()]
    missing = [packed.name for packed, plain in either if not {packed, plain} & {*found}]
    if not found:
        return _of_files(folders(path), shape)
    if missing:
        raise DataError(f"{path} holds {found[0].name} but misses {', '.join(missing)}")
    x, y, x_test, y_test = [idx.read(a if a in found else b) for a, b in either]
    return _of_arrays(path, {"train": (x, y), "test": (x_test, y_test)}, shape)


def usual_shape(files: tuple[Path, ...]) -> tuple[int, ...]:
    """Return the shape to bring pictures to: their own if they share one, else a square.

    They have colour if one of them has. A damaged one has no size; who decodes all names it.
    """
    some = files[:: max(1, len(files) // LOOKED_AT)]
    sizes = []
    for number, file in enumerate(some):
        try:
            sizes.append(pictures.size(file))
        except DataError:
            if number == len(some) - 1 and not sizes:
                raise
    channels = max(size.channels for size in sizes)
    if len({(size.rows, size.columns) for size in sizes}) == 1:
        rows, columns, _ = sizes[0]
        if max(rows, columns) <= LARGEST:
            return channels, rows, columns
    side = min(USUAL, int(np.median([min(size.rows, size.columns) for size in sizes])))
    return channels, side, side


def _of_files(found: Found, shape: tuple[int, ...] | None) -> Source:
    parts: dict[str, Listed | Samples] = {**found.parts}
    if shape is None:
        shape = usual_shape(found.parts["train"].files)
    return Source(found.classes, parts, shape=shape, notes=found.notes)


def _npz(path: Path, shape: tuple[int, ...] | None) -> Source:
    also = [name for pair in VALIDATION for name in pair]
    found = npz.read(path, MEMBERS, [*also, *NAMES])
    names = [name for members in MEMBERS for name in members if name in found]
    pairs = {"train": (found[names[0]], found[names[1]])}
    if len(names) == 4:
        pairs["test"] = (found[names[2]], found[names[3]])
    for x, y in VALIDATION:
        if x in found and y in found:
            pairs["validation"] = (found[x], found[y])
    called = next((found[name] for name in NAMES if name in found), np.array([], str))
    return _of_arrays(path, pairs, shape, [str(name) for name in called.ravel()])


def _of_arrays(
    path: Path,
    pairs: dict[str, tuple[Array, Array]],
    shape: tuple[int, ...] | None,
    known_classes: list[str] | None = None,
) -> Source:
    given = [labels for _, labels in pairs.values()]
    classes, numbers, notes = arrays.classes(given, str(path), known_classes or ())
    for cells, labels in pairs.values():
        check(cells, labels, str(path))
    if len(classes) < 2:
        raise DataError(f"{path} holds one class, {classes[0]}: two or more fit")
    every = [arrays.planes(cells, str(path), shape) for cells, _ in pairs.values()]
    if len({cells.dtype for cells in every}) > 1:  # bytes and numbers are fed in two ways
        raw = (arrays.numbers(cells, str(path), shape) for cells, _ in pairs.values())
        every = [np.ascontiguousarray(cells, np.float32) for cells in raw]
    samples = map(Samples, every, numbers)
    return Source(classes, dict(zip(pairs, samples, strict=True)), notes=notes)
