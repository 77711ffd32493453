"""Pictures with labels to learn from, wherever they come from: one shape, one kind of error."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, DataError
from stepconv.train.data import digits, known, own
from stepconv.train.data.samples import DataSet, Samples, check, split

MADE = "digits"


def load(
    name: str,
    *,
    data_dir: Path | None = None,
    shape: tuple[int, ...] = (1, 28, 28),
    limit: int | None = None,
    validation: int = 0,
    progress: known.Progress | None = None,
) -> DataSet:
    """Return the data set of that name, or the one in the file or folder of that name.

    `limit` keeps the first training pictures; `validation` holds so many of them back, the same
    ones for every seed. Pictures in class folders are brought to `shape`.
    """
    if limit is not None and limit < 1:
        raise ArgumentError(f"limit={limit} leaves nothing to learn from: 1 or more fits")
    if name in known.HASHES:
        pictures, labels, test_pictures, test_labels = known.load(name, data_dir, progress)
        classes, fingerprint = known.CLASSES[name], name
        train, test = samples(pictures, labels, name), samples(test_pictures, test_labels, name)
    elif name == MADE:
        classes, fingerprint = digits.CLASSES, digits.FINGERPRINT
        train = digits.make(min(limit or digits.TRAINING, digits.TRAINING))
        test = digits.make(digits.TESTING, first=digits.TRAINING)
    else:
        path = Path(name).expanduser()
        if not path.exists():
            names = ", ".join([*known.HASHES, MADE])
            raise ArgumentError(f"data {name!r} is not known: {names}, a folder or an .npz fit")
        classes, fingerprint, train, test = own.load(path, shape)
    if train.pictures.shape[1:] != test.pictures.shape[1:]:
        shapes = [_size(part.pictures.shape[1:]) for part in (train, test)]
        raise DataError(f"{name}: training pictures are {shapes[0]}, test ones {shapes[1]}")
    if train.pictures.shape[1:] != tuple(shape):
        found = _size(train.pictures.shape[1:])
        raise DataError(f"{name} holds pictures of {found}, the network reads {_size(shape)}")
    data = DataSet(name, fingerprint, classes, train.pick(slice(limit)), train.pick(slice(0)), test)
    return _hold_back(data, validation)


def samples(pictures: NDArray[np.uint8], labels: NDArray[np.uint8], name: str) -> Samples:
    """Return gray pictures and their labels, checked against each other."""
    if pictures.ndim != 3 or labels.ndim != 1:
        raise DataError(f"{name}: pictures have {pictures.ndim} axes and labels {labels.ndim}")
    check(pictures, labels, name)
    return Samples(pictures[:, np.newaxis], labels.astype(np.int64))


def _hold_back(data: DataSet, count: int) -> DataSet:
    if not 0 <= count < len(data.train):
        raise ArgumentError(
            f"validation={count} does not leave anything of {len(data.train)} training pictures"
        )
    if not count:
        return data
    train, validation = split(data.train, count)
    return replace(data, train=train, validation=validation)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
