"""What is changed while a network learns: it holds from there on, is written down, and repeats."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.errors import ArgumentError, DataError
from stepconv.train.events import Changed, EpochEnded, Finished, Stepped
from stepconv.train.keeping import changes
from stepconv.train.recipe import Recipe
from stepconv.train.runs import Run, Stored
from tests.train.sets import a_run, finish, made

ALL = {"lr": 0.002, "momentum": 0.5, "batch_size": 100, "weight_decay": 0.01}


def changed_at(run: Run, step: int, wishes: dict[str, Any], stop_after: int = 10**9) -> list[Any]:
    """Train with wishes made after a step; leave after another."""
    told, found = run.events(save_every=0), []
    for event in told:
        found.append(event)
        if isinstance(event, Stepped) and event.step == step:
            for name, value in wishes.items():
                run.changes.wish(run.recipe, name, value)
        if isinstance(event, Stepped) and event.step == stop_after:
            break
    told.close()
    return found


def weights(folder: Path) -> dict[str, Any]:
    return Stored.read(folder).arrays


def same(one: Path, other: Path) -> bool:
    mine, theirs = weights(one), weights(other)
    return all(np.array_equal(array, theirs[name]) for name, array in mine.items())


@pytest.mark.parametrize(
    "name", ["batch_size", *(pytest.param(name, marks=pytest.mark.slow) for name in list(ALL)[:2])]
)
def test_it_holds_from_the_next_step_on(tmp_path: Path, name: str) -> None:
    finish(a_run(tmp_path / "as-it-began"))
    events = changed_at(a_run(tmp_path / "changed"), 4, {name: ALL[name]})
    assert [e for e in events if isinstance(e, Changed)] == [Changed(4, name, ALL[name])]
    assert not same(tmp_path / "as-it-began", tmp_path / "changed")
    assert isinstance(events[-1], Finished)


def test_without_a_change_nothing_is_written(tmp_path: Path) -> None:
    finish(a_run(tmp_path))
    assert not (tmp_path / changes.FILE).exists()


@pytest.mark.parametrize(
    "stop_after", [5, *(pytest.param(step, marks=pytest.mark.slow) for step in (2, 6, 9))]
)
def test_a_resume_repeats_it(tmp_path: Path, stop_after: int) -> None:
    changed_at(a_run(tmp_path / "whole"), 4, ALL)
    changed_at(a_run(tmp_path / "parts"), 4, ALL, stop_after)
    run = Run.resumed(tmp_path / "parts", made())
    changed_at(run, 4, ALL if stop_after < 4 else {})
    assert same(tmp_path / "whole", tmp_path / "parts")
    one, other = ((tmp_path / name / changes.FILE).read_text() for name in ("whole", "parts"))
    assert one == other


def test_a_run_killed_after_the_change_makes_it_again_from_an_older_state(tmp_path: Path) -> None:
    changed_at(a_run(tmp_path / "whole"), 4, ALL)
    changed_at(a_run(tmp_path / "killed"), 4, {}, stop_after=3)
    (tmp_path / "killed" / changes.FILE).write_bytes(
        (tmp_path / "whole" / changes.FILE).read_bytes()
    )
    finish(Run.resumed(tmp_path / "killed", made()))
    assert same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_the_state_alone_is_enough(tmp_path: Path) -> None:
    changed_at(a_run(tmp_path / "whole"), 4, ALL)
    changed_at(a_run(tmp_path / "parts"), 4, ALL, stop_after=6)
    (tmp_path / "parts" / changes.FILE).unlink()
    finish(Run.resumed(tmp_path / "parts", made()))
    assert same(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_batches_of_another_size_see_every_picture_once_an_epoch(tmp_path: Path) -> None:
    for size in (10, 100):
        events = changed_at(a_run(tmp_path / str(size)), 2, {"batch_size": size})
        seen, epochs = 0, []
        for event in events:
            if isinstance(event, Stepped):
                seen += event.images
                assert event.images <= max(64, size)
            if isinstance(event, EpochEnded):
                epochs.append(seen)
                seen = 0
        assert epochs == [300, 300, 300]


@pytest.mark.slow
def test_a_schedule_comes_down_to_the_same_end_whatever_the_batches(tmp_path: Path) -> None:
    rates = {}
    for size in (64, 30):
        events = changed_at(a_run(tmp_path / str(size)), 1, {"batch_size": size})
        rates[size] = [event.rate for event in events if isinstance(event, Stepped)]
    assert set(rates[30][1:]) <= set(rates[64])
    assert rates[30][-1] == rates[64][-1]


@pytest.mark.slow
def test_the_rate_is_scaled_and_keeps_its_schedule(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    doubled = 2 * run.recipe.lr
    events = changed_at(run, 5, {"lr": doubled})
    steps = [event for event in events if isinstance(event, Stepped)]
    plain = run.recipe.rates(len(steps))
    for number, event in enumerate(steps):
        assert event.rate == pytest.approx(plain(number) * (2 if number >= 5 else 1))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("lr", -1, "lr"),
        ("momentum", 2, "momentum"),
        ("batch_size", 0, "batch_size=0"),
        ("batch_size", 5000, "1024 fits"),
        ("weight_decay", 3, "weight_decay"),
        ("seed", 3, "cannot be changed"),
    ],
)
def test_what_cannot_be_is_refused_at_once(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ArgumentError, match=reason):
        changes.Changes().wish(Recipe(), name, value)


def test_momentum_is_of_sgd_alone() -> None:
    with pytest.raises(ArgumentError, match="is of sgd"):
        changes.Changes().wish(replace(Recipe(), optimizer="adam", lr=0.001), "momentum", 0.5)


@pytest.mark.parametrize("line", ["{", '{"step": 1}', '{"step": "x", "name": "lr", "value": 1}'])
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, line: str) -> None:
    (tmp_path / changes.FILE).write_text(line + "\n")
    with pytest.raises(DataError, match="damaged"):
        changes.load(tmp_path)
