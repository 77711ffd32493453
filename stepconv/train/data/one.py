"""One test picture of a data set, without reading those before it where that takes long."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.train.data import digits, idx, known, sets


class One(NamedTuple):
    """A picture (channels, rows, columns), and the name of its class."""

    picture: NDArray[Any]
    name: str


def read_one(
    name: str,
    number: int,
    *,
    data_dir: Path | None = None,
    shape: Sequence[int] | None = None,
) -> One:
    """Return the test picture of this number of a data set; -1 is the last.

    >>> read_one("digits", 7).picture.shape
    (1, 28, 28)
    """
    if name == sets.MADE:
        at = _within(name, number, digits.TESTING)
        samples = digits.make(1, first=digits.TRAINING + at)
        return One(samples.pictures[0], digits.CLASSES[samples.labels[0]])
    folder = known.find(name, data_dir) if name in known.HASHES else None
    if folder is None:
        data = sets.load(name, data_dir=data_dir, shape=shape)
        at = _within(name, number, len(data.test))
        return One(data.test.pictures[at], data.classes[data.test.labels[at]])
    files = zip(known.FILES, known.HASHES[name], strict=True)
    pictures, labels = (idx.read(folder / file, sha256) for file, sha256 in [*files][2:])
    at = _within(name, number, len(labels))
    return One(pictures[at][np.newaxis], known.CLASSES[name][labels[at]])


def _within(name: str, number: int, count: int) -> int:
    if not -count <= number < count:
        raise ArgumentError(
            f"picture {number} is not in {name}: it has {count:,} test pictures, "
            f"0 to {count - 1} fit"
        )
    return number % count
