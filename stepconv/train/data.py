"""Pictures with labels to learn from, wherever they come from: one shape, one kind of error."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, DataError
from stepconv.train import chance, known

MADE = "digits"
# What a data set without a test part of its own gives away for one: every sixth, as in MNIST.
TEST_SHARE = 6
# So many pictures tell the mean and the deviation well enough.
ENOUGH = 5000


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures of (count, channels, rows, columns) in bytes, and the class of each."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, indices: "NDArray[np.int64] | slice") -> "Samples":
        """Return some of them."""
        return Samples(self.pictures[indices], self.labels[indices])


@dataclass(frozen=True, eq=False)
class DataSet:
    """What a network learns from, what it is held back for, and what it is judged by.

    `fingerprint` tells this data from any other; a stopped run goes on with nothing else.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, rows and columns of a picture."""
        return self.train.pictures.shape[1:]

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training pixels, from black 0 to white 1."""
        some = self.train.pictures[:: max(1, len(self.train) // ENOUGH)]
        return round(float(some.mean()) / 255, 4), round(float(some.std()) / 255, 4) or 1.0


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
        from stepconv.train import digits

        classes, fingerprint = digits.CLASSES, digits.FINGERPRINT
        train = digits.make(min(limit or digits.TRAINING, digits.TRAINING))
        test = digits.make(digits.TESTING, first=digits.TRAINING)
    else:
        from stepconv.train import own

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


def check(pictures: NDArray[np.uint8], labels: NDArray[np.integer], name: str) -> None:
    """Refuse pictures and labels that cannot belong together."""
    if len(pictures) != len(labels):
        raise DataError(f"{name}: {len(pictures)} pictures but {len(labels)} labels")
    if not len(labels):
        raise DataError(f"{name} holds no pictures")


def check_labels(data: DataSet, outputs: int) -> None:
    """Refuse classes that a network with so many outputs cannot tell."""
    if len(data.classes) > outputs:
        raise DataError(
            f"{data.name} has {len(data.classes)} classes, the network tells {outputs} apart"
        )


def batches(samples: Samples, size: int) -> Iterable[Samples]:
    """Yield the samples in their order, `size` at a time; the last may be fewer."""
    return (samples.pick(slice(at, at + size)) for at in range(0, len(samples), size))


def split(samples: Samples, held_back: int) -> tuple[Samples, Samples]:
    """Return the samples without, and with only, as many as are held back; always the same."""
    order = chance.shuffled(len(samples), 0, 0)
    rest, held = np.sort(order[held_back:]), np.sort(order[:held_back])
    return samples.pick(rest), samples.pick(held)


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
