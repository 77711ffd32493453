"""What lessons say of trained networks, for which their readers wait: it comes out so."""

from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.cli.lesson.opening import _HOW
from stepconv.cli.reading.networks import trained
from stepconv.lessons.experiments.changes import changed
from stepconv.train.data.digits import TRAINING, make
from stepconv.train.runs import predictor


def accuracy(folder: Path, shift: int = 0) -> float:
    """Return the share of made digits that a run reads when they stand so far to the right."""
    digits = make(400, first=TRAINING)
    moved = np.zeros_like(digits.pictures)
    moved[..., shift:] = digits.pictures[..., : moved.shape[-1] - shift]
    told = predictor(trained(folder)).logits(moved).argmax(axis=1)
    return float((told == digits.labels).mean())


def train(folder: Path, model: str, *options: str, data: str = "digits") -> Path:
    words = ["train", model, "--data", data, "--quiet", "--out", str(folder), *options]
    assert main(words) == 0
    return folder


@pytest.mark.slow
def test_a_shift_is_harder_on_a_dense_network(tmp_path: Path) -> None:
    # As lessons train what they look into.
    windows = train(tmp_path / "lenet5", "lenet5", *_HOW)
    dense = train(tmp_path / "mlp", "mlp", *_HOW)
    assert min(accuracy(windows), accuracy(dense)) > 0.9
    assert accuracy(dense, shift=3) < 0.5 < accuracy(windows, shift=3)


@pytest.mark.slow
def test_augmentation_makes_more_of_a_few_digits(tmp_path: Path) -> None:
    few = ("--limit", "200", "--epochs", "100")
    plain = train(tmp_path / "plain", "lenet5", *few)
    augmented = train(tmp_path / "augmented", "lenet5", *few, "--augment")
    assert accuracy(augmented) > accuracy(plain) + 0.04


@pytest.mark.slow
def test_a_shuffle_of_all_pixels_is_harder_on_windows(tmp_path: Path) -> None:
    learnt, judged = make(6000), make(1000, first=TRAINING)
    missed = {}
    for order in ("", "shuffle"):
        pictures = [
            np.stack([changed(picture[0], order)[np.newaxis] for picture in some.pictures])
            for some in (learnt, judged)
        ]
        data = tmp_path / f"digits{order}.npz"
        arrays = dict(zip(("x_train", "x_test"), pictures, strict=True))
        np.savez(data, **arrays, y_train=learnt.labels, y_test=judged.labels)
        for model in ("lenet5", "mlp"):
            run = train(tmp_path / f"{model}{order}", model, "--epochs", "2", data=str(data))
            told = predictor(trained(run)).logits(pictures[1]).argmax(axis=1)
            missed[model, order] = (told != judged.labels).mean()
    assert missed["mlp", "shuffle"] < 2 * missed["mlp", ""]
    assert missed["lenet5", "shuffle"] > 2.5 * missed["lenet5", ""]
