"""A training that cannot be is refused in one line, before anything is loaded or made."""

from pathlib import Path

import pytest

from stepconv.cli import main
from stepconv.train.data import sets
from tests.faults.rows import mostly_slow

ROWS = [
    ("--data nosuch", "data 'nosuch' is not known"),
    ("--freeze nolayer", "frozen layer 'nolayer' has no weights: conv1"),
    ("--patience 2", "--patience 2 needs --validation"),
    ("--classes 5", "digits has 10 classes, the network tells 5 apart"),
    ("--classes 0", "--classes 0 is too small"),
    ("--seed -1", "seed=-1 does not fit"),
    ("--seed 99999999999999999999", "seed=99999999999999999999 is too large"),
    ("--batch-size 0", "batch_size=0 does not fit"),
    ("--batch-size 2000000000", "GiB to train in batches of 2000000000"),
    ("--epochs 2 --steps 5", "--epochs 2 and --steps 5 say two things"),
    ("--input 3x9999x9999", "digits holds pictures of 1x28x28"),
    ("--out file/run", "file is a file"),
]


@pytest.mark.parametrize(("typed", "said"), mostly_slow(ROWS, 2))
def test_it_is_refused_before_a_word_of_loading(
    typed: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("data are loaded")

    monkeypatch.setattr(sets, "_source", never)
    assert main(["train", "lenet5", "--data", "digits", *typed.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
