"""What docs/networks.md shows runs as it stands there, in that order."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.testing.gradients import gradient_error
from stepconv.train import trained
from stepconv.train.data import digits
from stepconv.train.events import Metrics
from stepconv.train.history import History
from tests.train.sets import a_run, finish

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"


def test_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(digits, "TESTING", 100)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(blocks) >= 8
    known: dict[str, Any] = {}
    for code in blocks:
        exec(code.replace("limit=2000", "limit=600"), known)
    assert known["losses"][-1] < known["losses"][0]
    assert known["table"].sum() == 100
    assert known["saliency"].shape == (2, 28, 28)
    assert np.allclose(known["shares"].sum(axis=1), 1)
    assert len(known["history"]) == 3
    assert known["own_losses"][-1] < known["own_losses"][0]
    assert known["after"].shape == (16, 6, 5, 5)


def metrics(epoch: int, judged: float | None = 0.5) -> Metrics:
    return Metrics(epoch, 1 / epoch, 0.1 * epoch, judged, 1000.0, 1.0)


def test_a_history_is_arrays_and_a_picture() -> None:
    history = History([metrics(1), metrics(2, None), metrics(3, 0.9)])
    assert history["train_loss"].tolist() == [1, 1 / 2, 1 / 3]
    assert np.isnan(history["test_accuracy"]).tolist() == [False, True, False]
    assert [m.epoch for m in history[1:]] == [2, 3]
    shown = history._repr_html_()
    assert shown.count("<polyline") == 3
    assert shown.count("<tr>") == 4
    assert repr(history) == "History of 3 epochs: loss 0.3333, 90.00% right"
    assert "<svg" in History([])._repr_html_()


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    finish(run)
    found = trained.load(tmp_path)
    assert found.classes == tuple("0123456789")
    assert list(found.history) == run.position.history
    told = found.probabilities(run.data.test.pictures).argmax(axis=1)
    assert np.array_equal(told, run.verdict().told)


def test_a_wrong_gradient_is_noticed() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert gradient_error(np.sin, lambda x, grad: np.cos(x) * grad, x) < 1e-7
    for wrong in (np.sin, lambda x: 1.01 * np.cos(x), lambda x: -np.cos(x)):
        assert gradient_error(np.sin, lambda x, grad, f=wrong: f(x) * grad, x) > 1e-3
    with pytest.raises(ValueError, match="2 gradients for 1 inputs"):
        gradient_error(np.sin, lambda x, grad: (grad, grad), x)
