"""A training that is over, taken from its folder: the network, how it is fed, what it came to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.nn import checkpoint
from stepconv.nn.checkpoint import Network
from stepconv.train import runs
from stepconv.train.feed import Feed
from stepconv.train.history import History
from stepconv.train.judge import names, probabilities


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with all it takes to use it."""

    network: Network
    feed: Feed
    classes: tuple[str, ...]
    history: History

    def probabilities(self, pictures: NDArray[Any]) -> NDArray[np.float64]:
        """Return a row for each picture (n, channels, rows, columns): a share for each class."""
        predictor = runs.predictor(self.network)
        return probabilities(predictor.logits(self.feed.numbers(np.asarray(pictures))))


def load(folder: str | Path) -> Trained:
    """Return what lies in a run folder."""
    path = Path(folder)
    network = checkpoint.load_network(path / runs.MODEL)
    classes = names(network.about.get("classes", ()), network.model.classes)
    lines = (path / runs.METRICS).read_text("utf-8").splitlines()
    try:
        history = History(runs.metrics_in(line) for line in lines)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path / runs.METRICS} is damaged: {error}") from None
    return Trained(network, Feed.told(network.about), tuple(classes), history)
