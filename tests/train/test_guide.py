"""What the guide shows works as it stands there."""

import re
from pathlib import Path

import pytest

from stepconv.cli.commands import train
from stepconv.train.data import digits
from stepconv.train.recipe import Recipe

GUIDE = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_python_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "TESTING", 60)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    [code] = [block for block in blocks if "loop.train" in block]
    exec(code.replace("limit=3000", "limit=200"), {})
    assert "Metrics(epoch=2" in capsys.readouterr().out


def test_the_options_are_told_as_they_are() -> None:
    rows = re.findall(r"^\| `--([a-z-]+)` \| `?([^|`]+)`? \|", GUIDE.read_text("utf-8"), re.M)
    told = dict(rows)
    recipe = Recipe().to_dict()
    told_with_value = (
        *("epochs", "batch_size", "optimizer", "schedule", "weight_decay"),
        *("algorithm", "validation", "evaluate_every"),
    )
    for name in told_with_value:
        assert told[name.replace("_", "-")].strip() == str(recipe[name])
    assert told["lr"].startswith(f"{recipe['lr']};")
    hints = train.train.__annotations__
    for name in told_with_value:
        assert f"[{recipe[name]}]" in hints[name].__metadata__[0].help
