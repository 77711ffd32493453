"""`stepconv look` counts what is there, and finds what is there twice."""

import json
from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.train.data import known

image = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three classes of four photographs; one is there twice, one is learnt from and judged by."""
    monkeypatch.setattr(known, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog", "owl"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                cells = rng.integers(0, 256, (40, 30, 3), np.uint8)
                image.fromarray(cells).save(folder / f"{number}.png")
    train = tmp_path / "photos" / "train"
    (train / "dog" / "again.png").write_bytes((train / "cat" / "1.png").read_bytes())
    leak = tmp_path / "photos" / "test" / "owl" / "leak.png"
    leak.write_bytes((train / "owl" / "2.png").read_bytes())
    return tmp_path / "photos"


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_it_tells_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output_of(capsys, "look", "photos").splitlines()
    assert lines[0] == "photos: 3 classes, pictures of 3x40x30 in bytes"
    assert lines[1] == "files of 40x30 to 40x30 pixels"
    rows = [line.split() for line in lines]
    assert ["class", "train", "test"] in rows
    assert ["dog", "5", "2"] in rows
    assert ["all", "13", "7"] in rows
    assert "1 pictures are there twice:" in lines
    assert "1 pictures are learnt from and judged by:" in lines
    [twin, leak] = [line for line in lines if " = " in line]
    assert {Path(part).name for part in twin.split(" = ")} == {"again.png", "1.png"}
    assert {Path(part).name for part in leak.split(" = ")} == {"2.png", "leak.png"}


def test_json_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(output_of(capsys, "look", "photos", "--json"))
    assert told["classes"] == ["cat", "dog", "owl"]
    assert told["counts"] == {"train": [4, 5, 4], "test": [2, 2, 3]}
    assert told["shape"] == [3, 40, 30]
    assert 120 < told["mean"] < 135
    assert len(told["twins"]) == len(told["leaks"]) == 1


@pytest.mark.parametrize("options", [(), ("--augment",)])
def test_a_sheet_is_a_picture(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    output_of(capsys, "look", "photos", "--sheet", "sheet.png", *options)
    with image.open("sheet.png") as sheet:
        assert sheet.size == (10 * 32, 3 * 42)
        cells = np.asarray(sheet)
    first = cells[1:41, 1:31]
    second = cells[1:41, 33:63]
    with image.open(f"photos/train/cat/{0}.png") as picture:
        assert first.shape == np.asarray(picture).shape
    assert not np.array_equal(first, second)


def test_signals_are_looked_at_too(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    np.savez("signals.npz", x=rng.normal(2, 3, (40, 90)), y=np.arange(40) % 2)
    lines = output_of(capsys, "look", "signals.npz", "--sheet", "sheet.png").splitlines()
    assert lines[0] == "signals.npz: 2 classes, pictures of 1x1x90 in numbers"
    assert "mean 2.0" in lines[1] or "mean 1.9" in lines[1]


def test_all_damaged_pictures_are_named(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (photos / "train" / "cat" / "0.png").read_bytes()
    damaged = {
        photos / "train" / "cat" / "0.png": whole[:60],
        photos / "test" / "dog" / "0.png": b"x",
    }
    for path, content in damaged.items():
        path.write_bytes(content)
    capsys.readouterr()
    assert main(["look", "photos"]) == 2
    printed, told = capsys.readouterr()
    assert (printed, told.count("\n")) == ("", 1)
    for path in damaged:
        assert str(path.relative_to(photos.parent)) in told
    assert "nor is 1 more" in told


def test_what_is_no_data_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "nosuch"]) == 2
    assert capsys.readouterr()[1].startswith("stepconv: data 'nosuch' is not known")
