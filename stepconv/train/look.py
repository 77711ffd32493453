"""A data set before anything is learnt from it: what is in it, and what may be wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.train import augment
from stepconv.train.data import pictures
from stepconv.train.data.samples import DataSet, Samples

PARTS = ("train", "validation", "test")
# So many files are asked how large their pictures are.
ASKED = 500
AT_ONCE = 256


@dataclass(frozen=True)
class Overview:
    """What there is to say of a data set.

    `counts` has a row for each part and a column for each class. `twins` are pairs of training
    pictures that are the same cell for cell, `leaks` pairs of a training picture and one that the
    network is judged by. `sizes` are rows and columns of the smallest and the largest file.
    """

    counts: dict[str, list[int]]
    mean: float
    spread: float
    least: float
    most: float
    sizes: tuple[tuple[int, int], tuple[int, int]] | None
    twins: list[tuple[str, str]]
    leaks: list[tuple[str, str]]


def overview(data: DataSet) -> Overview:
    """Look at all pictures of a data set once."""
    parts = {part: getattr(data, part) for part in PARTS if len(getattr(data, part))}
    train, classes = data.train, len(data.classes)
    first: dict[bytes, str] = {}
    twins: list[tuple[str, str]] = []
    leaks: list[tuple[str, str]] = []
    for part, samples in parts.items():
        for number, key in enumerate(_keys(samples)):
            name = samples.name(number)
            if key in first:
                (twins if part == "train" else leaks).append((first[key], name))
            elif part == "train":
                first[key] = name
    mean, spread = data.scale
    unit = 255 if train.pictures.dtype == np.uint8 else 1
    return Overview(
        {part: np.bincount(p.labels, minlength=classes).tolist() for part, p in parts.items()},
        mean * unit,
        spread * unit,
        min(float(some.min()) for some in _bites(train)),
        max(float(some.max()) for some in _bites(train)),
        _sizes(train),
        twins,
        leaks,
    )


def sheet(data: DataSet, columns: int, changed: bool = False) -> NDArray[Any]:
    """Return pictures (classes, columns, channels, rows, columns): the first few of each class.

    With `changed`, the first one and what augmentation makes of it in one epoch after the other.
    """
    rows = []
    for label in range(len(data.classes)):
        places = np.flatnonzero(data.train.labels == label)[: 1 if changed else columns]
        row = np.zeros((columns, *data.shape), data.train.pictures.dtype)
        row[: len(places)] = data.train.pictures[places]
        if changed and len(places):
            amounts = augment.usual(data.form, data.shape)
            for epoch in range(1, columns):
                row[epoch] = augment.apply(row[:1], places, 0, epoch, amounts)[0]
        rows.append(row)
    return np.stack(rows)


def _keys(samples: Samples) -> Iterator[bytes]:
    """Yield what tells a picture from all others."""
    for some in _bites(samples):
        for picture in some:
            yield blake2b(picture.tobytes(), digest_size=16).digest()


def _bites(samples: Samples) -> Iterator[NDArray[Any]]:
    """Yield the pictures, some at a time, and let those go that lie on disk."""
    for start in range(0, len(samples), AT_ONCE):
        yield samples.pictures[start : start + AT_ONCE]
        samples.release()


def _sizes(samples: Samples) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if not samples.names:
        return None
    some = samples.names[:: max(1, len(samples) // ASKED)]
    found = [pictures.size(Path(name)) for name in some]
    ordered = sorted((size.rows * size.columns, size.rows, size.columns) for size in found)
    return ordered[0][1:], ordered[-1][1:]
