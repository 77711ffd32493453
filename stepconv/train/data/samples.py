"""Pictures and the class of each, whole sets of them, and parts of these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.train import chance
from stepconv.train.data import decoded

if TYPE_CHECKING:
    from stepconv.train.data.files import Listed

Indices = NDArray[np.int64]

# So many pictures, of so many cells, tell the mean and the deviation well enough.
ENOUGH, ENOUGH_CELLS = 5000, 60_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures of (count, channels, rows, columns), in bytes or float32, and the class of each.

    `names` are the files that they came from, if they did.
    """

    pictures: NDArray[Any]
    labels: Indices
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, indices: "Indices | slice") -> "Samples":
        """Return some of them."""
        names = tuple(self.names[i] for i in np.arange(len(self))[indices]) if self.names else ()
        return Samples(self.pictures[indices], self.labels[indices], names)

    def release(self) -> None:
        """Give back the memory in which pictures that lie on disk were read."""
        decoded.release(self.pictures)

    def name(self, index: int) -> str:
        """Return how to call a picture: by its file, or by its number."""
        return self.names[index] if self.names else f"picture {index}"


@dataclass(frozen=True, eq=False)
class Source:
    """What was found under a name: the classes, and parts that may still lie in files.

    `shape` is what pictures in files are to be brought to. `form` says how pictures are treated
    before a network sees them: "digit", "bright" on black, or "as-is".
    """

    classes: tuple[str, ...]
    parts: "Mapping[str, Samples | Listed]"
    shape: tuple[int, ...] | None = None
    notes: list[str] = field(default_factory=list)
    form: str = "as-is"
    fingerprint: str = ""


@dataclass(frozen=True, eq=False)
class DataSet:
    """What a network learns from, what it is held back for, and what it is judged by.

    `fingerprint` tells this data from any other; a stopped run goes on with nothing else. `form` is
    that of its source, and `notes` is what a person should know of how it was read.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples
    form: str = "as-is"
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, rows and columns of a picture."""
        return self.train.pictures.shape[1:]

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training pixels; bytes count from 0 to white 1."""
        pictures = self.train.pictures
        enough = min(ENOUGH, max(1, ENOUGH_CELLS // pictures[0].size))
        mean, spread = _moments(pictures[:: max(1, len(pictures) // enough)])
        self.train.release()
        unit = 255 if pictures.dtype == np.uint8 else 1
        mean, spread = mean / unit, spread / unit
        return round(mean, 4 if unit > 1 else 9), round(spread, 4 if unit > 1 else 9) or 1.0


def _moments(pictures: NDArray[Any]) -> tuple[float, float]:
    """Return mean and standard deviation, a few pictures at a time: they may be large.

    With a first guess m of the mean: mean = m + mean of (x - m),  var = mean of (x - m)² - (…)².
    """
    guess = float(pictures[0].mean(dtype=float))
    sums = np.zeros(2)
    for start in range(0, len(pictures), 64):
        apart = pictures[start : start + 64].astype(float) - guess
        sums += apart.sum(), np.square(apart, out=apart).sum()
    mean, square = sums / pictures.size
    return guess + float(mean), float(np.sqrt(max(square - mean * mean, 0)))


def check(pictures: NDArray[Any], labels: NDArray[Any], name: str) -> None:
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


def renumbered(data: DataSet, classes: Sequence[str], outputs: int) -> DataSet:
    """Return data whose labels are the numbers that a network gives to classes of these names.

    Classes that are numbers without names may be those of a network whose classes have some.
    """
    check_labels(data, outputs)
    if not classes or tuple(classes) == data.classes:
        return data
    at = {name: number for number, name in enumerate(classes)}
    if unknown := [name for name in data.classes if name not in at]:
        if not all(name.isdecimal() and int(name) < outputs for name in data.classes):
            raise DataError(
                f"{data.name} has the class {unknown[0]!r}, which the network does not know: "
                f"{', '.join(classes)} fit"
            )
        at = {name: int(name) for name in data.classes}
    number = np.array([at[name] for name in data.classes])
    return replace(
        data,
        classes=tuple(classes),
        train=replace(data.train, labels=number[data.train.labels]),
        validation=replace(data.validation, labels=number[data.validation.labels]),
        test=replace(data.test, labels=number[data.test.labels]),
    )


def batches(samples: Samples, size: int) -> Iterable[Samples]:
    """Yield the samples in their order, `size` at a time; the last may be fewer."""
    return (samples.pick(slice(at, at + size)) for at in range(0, len(samples), size))


def of_each(labels: Indices, count: int) -> Indices:
    """Return the places of the first few of each class, as large a share of it as of the others.

    Where the shares are no whole numbers, the classes that lose most by rounding get one more; no
    class gets none as long as there are enough for all.

    >>> of_each(np.array([0, 0, 1, 0, 0, 1, 2]), 4).tolist()
    [0, 1, 2, 6]
    """
    counts = np.bincount(labels)
    exact = counts * (min(count, len(labels)) / len(labels))
    least = 1 if count >= (counts > 0).sum() else 0
    quota = np.maximum(exact.astype(int), np.minimum(counts, least))
    while quota.sum() != min(count, len(labels)):
        step = 1 if quota.sum() < count else -1
        room = quota < counts if step > 0 else quota > least
        quota[np.argmax(np.where(room, step * (exact - quota), -np.inf))] += step
    chosen = [np.flatnonzero(labels == label)[:many] for label, many in enumerate(quota)]
    return np.sort(np.concatenate(chosen))


def split(labels: Indices, held_back: int) -> tuple[Indices, Indices]:
    """Return the places that stay and those that are held back, of each class its share.

    Always the same ones.
    """
    order = chance.shuffled(len(labels), 0, 0)
    held = np.zeros(len(labels), bool)
    held[order[of_each(labels[order], held_back)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
