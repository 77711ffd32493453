"""How well a network tells pictures apart: its answers beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.nn.trainer import Predictor
from stepconv.train import loop
from stepconv.train.data import Samples

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The classes that were right and the ones that were told, with how sure the network was."""

    labels: NDArray[np.int64]
    told: NDArray[np.int64]
    sure: Floats

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


def judge(predictor: Predictor, samples: Samples) -> Verdict:
    """Return what the network says of the samples."""
    shares = probabilities(loop.answers(predictor, samples))
    return Verdict(samples.labels, shares.argmax(axis=1), shares.max(axis=1))


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
