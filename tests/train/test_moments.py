"""Moments of a training: which are kept, and that a stopped run keeps the same ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv.cli import main
from stepconv.nn import checkpoint
from stepconv.train.data import digits
from stepconv.train.events import Stepped
from stepconv.train.keeping import moments
from stepconv.train.runs import Run
from tests.train.sets import a_run, finish, made


@given(st.integers(1, 10**6), st.integers(1, 40))
def test_no_more_than_asked_for_the_last_among_them(total: int, count: int) -> None:
    found = moments.steps(total, count)
    assert found == sorted(set(found))
    assert 1 <= len(found) <= count
    assert found[-1] == total
    assert count < 2 or found[0] == 0


def test_none_is_kept_unless_asked_for(tmp_path: Path) -> None:
    finish(a_run(tmp_path))
    assert list(moments.kept(tmp_path)) == []
    assert moments.steps(100, 0) == []


def with_moments(folder: Path) -> Run:
    run = a_run(folder)
    run.keep = 5
    return run


def test_the_first_is_the_beginning_and_the_last_the_end(tmp_path: Path) -> None:
    finish(with_moments(tmp_path))
    found = dict(moments.kept(tmp_path))
    assert list(found) == moments.steps(15, 5)
    end = checkpoint.load_network(tmp_path / "model.safetensors")
    last = checkpoint.load_network(found[15])
    for name, array in end.parameters.items():
        assert (last.parameters[name] == array).all()
    first = checkpoint.load_network(found[0])
    assert any((first.parameters[name] != array).any() for name, array in end.parameters.items())


@pytest.mark.parametrize(
    "stop_after", [4, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 7))]
)
def test_a_stopped_run_keeps_the_same(tmp_path: Path, stop_after: int) -> None:
    finish(with_moments(tmp_path / "whole"))
    told = with_moments(tmp_path / "parts").events(save_every=0)
    for event in told:
        if isinstance(event, Stepped) and event.step == stop_after:
            break
    told.close()
    finish(Run.resumed(tmp_path / "parts", made()))
    whole, parts = (dict(moments.kept(tmp_path / name)) for name in ("whole", "parts"))
    assert list(whole) == list(parts)
    for step, path in whole.items():
        assert path.read_bytes() == parts[step].read_bytes()


def test_what_is_no_moment_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / moments.FOLDER
    folder.mkdir()
    for name in ("step-x.safetensors", "notes.txt", "step-000007.safetensors"):
        (folder / name).touch()
    assert [step for step, _ in moments.kept(tmp_path)] == [7]


@pytest.mark.slow
def test_the_command_keeps_them_and_a_resume_goes_on_keeping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "TESTING", 40)
    folder = tmp_path / "run"
    given = ["--data", "digits", "--limit", "128", "--schedule", "constant", "--epochs", "2"]
    assert main(["train", "lenet5", *given, "--keep", "4", "--quiet", "--out", str(folder)]) == 0
    assert [step for step, _ in moments.kept(folder)] == moments.steps(4, 4)
    resumed = ["train", "--resume", "--out", str(folder), "--epochs", "4", "--quiet"]
    assert main(resumed) == 0
    assert {8} <= {step for step, _ in moments.kept(folder)}


def test_a_number_of_moments_below_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "lenet5", "--keep", "-1"]) == 2
    assert "keep=-1" in capsys.readouterr().err
