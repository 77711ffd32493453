"""The defaults are worth what the guide says, on real data where it is at hand."""

import statistics
from pathlib import Path

import numpy as np
import pytest

from stepconv import nn
from stepconv.train import data, events, trained
from stepconv.train.data import known, written
from stepconv.train.recipe import Recipe
from stepconv.train.runs import Run
from tests.train import paper


def accuracy(name: str, how: Recipe, folder: Path) -> float:
    """Return the test accuracy of lenet5 after a training."""
    found = data.load(name)
    *_, last = Run.new(folder, nn.build("lenet5"), found, how).events()
    assert isinstance(last, events.Finished)
    return last.history[-1].test_accuracy


@pytest.mark.slow
def test_lenet5_reads_mnist(tmp_path: Path) -> None:
    if known.find("mnist") is None:
        pytest.skip("MNIST is not on this machine")
    found = [accuracy("mnist", Recipe(seed=seed), tmp_path / str(seed)) for seed in range(3)]
    assert statistics.median(found) >= 0.99


@pytest.mark.slow
def test_lenet5_reads_made_digits(tmp_path: Path) -> None:
    assert accuracy("digits", Recipe(), tmp_path) >= 0.99


@pytest.mark.slow
def test_lenet5_reads_digits_on_paper(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    if known.find("mnist") is None:
        pytest.skip("MNIST is not on this machine")
    accuracy("mnist", Recipe(augment=True), tmp_path)
    run = trained.load(tmp_path)
    right = 0
    for seed in range(20):
        found = written.digits(paper.sheet(seed % 10, paper.KINDS[seed % 6], seed))
        told = run.probabilities(np.stack(found)[:, np.newaxis]).argmax(axis=1)
        right += told.tolist() == [seed % 10]
    assert right >= 19
