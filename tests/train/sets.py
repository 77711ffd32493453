"""Small data sets and runs for the tests of training."""

from pathlib import Path
from typing import Any

from stepconv import nn
from stepconv.nn import Conv, Dense, Dropout, Flatten, MaxPool, Model, ReLU
from stepconv.train.data import DataSet, Samples, digits
from stepconv.train.recipe import Recipe
from stepconv.train.runs import Run


def made(train: int = 300, test: int = 50) -> DataSet:
    """Return a few made digits."""
    classes = tuple("0123456789")
    none = digits.make(0)
    parts = digits.make(train), none, digits.make(test, first=train)
    return DataSet("digits", "few", classes, *parts, form="digit")


def model(name: str = "small") -> Model:
    """Return a network that learns in a moment and draws lots while it does."""
    layers = (
        *(Conv(4, 5, stride=2), ReLU(), MaxPool(2), Flatten()),
        *(Dense(24), ReLU(), Dropout(0.2), Dense(10)),
    )
    return Model(name, (1, 28, 28), layers, 10)


def a_run(folder: Path, data: DataSet | None = None, **choices: Any) -> Run:
    """Return a run of a few steps."""
    how = Recipe(**{"epochs": 3, "batch_size": 64, "seed": 5, **choices})
    return Run.new(folder, model(), data or made(), how)


def finish(run: Run) -> list[Any]:
    """Train to the end, saving after every step."""
    return list(run.events(save_every=0))


__all__ = ["DataSet", "Samples", "a_run", "finish", "made", "model", "nn"]
