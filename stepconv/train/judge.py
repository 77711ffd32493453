"""How well a network tells pictures apart: its answers beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.nn.trainer import Predictor
from stepconv.train import loop
from stepconv.train.data import Samples

Floats = NDArray[np.float64]


class Score(NamedTuple):
    """How far a class can be relied on; None where nothing was of it, or told as it."""

    precision: float | None  # of those that were told as it, the part that is
    recall: float | None  # of those that are, the part that was told


@dataclass(frozen=True, eq=False)
class Verdict:
    """The classes that were right and the ones that were told, with how sure the network was.

    `ranks` says how many classes the network held likelier than the right one.
    """

    labels: NDArray[np.int64]
    told: NDArray[np.int64]
    sure: Floats
    ranks: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """The part that was told right, from 0 to 1."""
        return float((self.told == self.labels).mean())

    @property
    def wrong(self) -> NDArray[np.int64]:
        """Numbers of the pictures it got wrong, those it was surest of first."""
        missed = np.flatnonzero(self.told != self.labels)
        return missed[np.argsort(-self.sure[missed], kind="stable")]

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """Return how often each true class (row) was told as each class (column)."""
        table = np.zeros((classes, classes), np.int64)
        np.add.at(table, (self.labels, self.told), 1)
        return table

    def scores(self, classes: int) -> list[Score]:
        """Return precision and recall of each class."""
        table = self.confusion(classes)
        right, told, there = table.diagonal(), table.sum(axis=0), table.sum(axis=1)
        return [
            Score(*(float(r / n) if n else None for n in counts))
            for r, *counts in zip(right, told, there, strict=True)
        ]

    def within(self, most: int) -> float:
        """Return the part whose class is among the `most` that the network held likeliest."""
        return float((self.ranks < most).mean())


def judge(predictor: Predictor, samples: Samples) -> Verdict:
    """Return what the network says of the samples."""
    shares = probabilities(loop.answers(predictor, samples))
    of_truth = shares[np.arange(len(shares)), samples.labels][:, np.newaxis]
    ranks = (shares > of_truth).sum(axis=1)
    return Verdict(samples.labels, shares.argmax(axis=1), shares.max(axis=1), ranks)


def names(classes: Sequence[str], outputs: int) -> list[str]:
    """Return a name for every output of a network, a number where the data had no such class.

    >>> names(["cat", "dog"], 4)
    ['cat', 'dog', '2', '3']
    """
    return [*classes, *map(str, range(len(classes), outputs))]


def probabilities(answers: Any) -> Floats:
    """Return the answers as shares of 1: e^z / Σ e^z along each row.

    >>> probabilities(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    z = np.asarray(answers, float)
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
