"""A little of what `fuzz` does without end, and all that it ever found."""

from pathlib import Path

import pytest

from tests.faults import fuzz

FOUND = sorted(fuzz.CORPUS.glob("*.bin"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_once_is_refused_or_read(path: Path, tmp_path: Path) -> None:
    kind = path.name.partition("-")[0]
    assert fuzz.trouble(kind, path.read_bytes(), tmp_path) == ""


@pytest.mark.slow
def test_the_fuzzer_starts_from_what_is_right(tmp_path: Path) -> None:
    for make, _, read in fuzz.KINDS.values():
        for content in make(tmp_path):
            read(content, tmp_path)


def test_the_fuzzer_sees_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("seen")

    monkeypatch.setitem(fuzz.KINDS, "npy", (fuzz.arrays, fuzz.another_array, stumble))
    assert "KeyError: 'seen'" in fuzz.trouble("npy", b"", tmp_path)


def test_a_few_files_from_strangers() -> None:
    assert fuzz.run(seed=7, seconds=60, most=200)["found"] == 0


@pytest.mark.slow
def test_many_files_from_strangers() -> None:
    assert fuzz.run(seed=8, seconds=40)["found"] == 0
