"""Pictures and the class of each, whole sets of them, and parts of these."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.train import chance

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
