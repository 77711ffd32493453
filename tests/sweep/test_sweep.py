"""Sweeps: the same bytes wherever they run, half ones go on, a process that dies costs little."""

import contextlib
import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from stepconv.cli import main
from stepconv.errors import ArgumentError
from stepconv.sweep import experiment, local, results, trial
from stepconv.train.recipe import Recipe
from stepconv.train.runs import MODEL, STATE

FILE = """
model = "mlp"
[train]
data = "digits"
epochs = 2
limit = 60
[vary]
lr = [0.01, 0.05]
seed = [0, 1]
"""


@pytest.fixture
def trainings(tmp_path: Path) -> list[experiment.Training]:
    (tmp_path / "e.toml").write_text(FILE)
    return experiment.read(tmp_path / "e.toml")


@pytest.fixture
def place(tmp_path: Path) -> trial.Place:
    return trial.Place(tmp_path / "results", 1)


def bits(results: Path) -> dict[str, bytes]:
    """Return the networks of all run folders."""
    return {path.parent.name: path.read_bytes() for path in results.glob(f"*/{MODEL}")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the trainings come to one after the other, in this process."""
    folder = tmp_path_factory.mktemp("one")
    (folder / "e.toml").write_text(FILE)
    for each in experiment.read(folder / "e.toml"):
        assert trial.attempt(each, trial.Place(folder / "results", 1)).status == "finished"
    return bits(folder / "results")


def test_a_trial_is_what_train_does(tmp_path: Path, expected: dict[str, bytes]) -> None:
    out = tmp_path / "run"
    words = "train mlp --data digits --epochs 2 --limit 60 --lr 0.05 --seed 1 --quiet --out"
    assert main([*words.split(), str(out)]) == 0
    assert (out / MODEL).read_bytes() == expected["lr=0.05,seed=1"]


def test_a_half_done_trial_goes_on(
    trainings: list[experiment.Training], place: trial.Place, expected: dict[str, bytes]
) -> None:
    one = trainings[0]
    run = trial._run(one, place.results / one.name, place, None)
    told = run.events(save_every=0)
    for _ in range(4):
        next(told)
    told.close()
    assert trial.done(place.results / one.name) is None
    outcome = trial.attempt(one, place)
    assert outcome.status == "finished"
    assert bits(place.results)[one.name] == expected[one.name]
    assert trial.done(place.results / one.name) == outcome


def test_what_fails_is_told(trainings: list[experiment.Training], tmp_path: Path) -> None:
    (tmp_path / "results").write_text("no folder")
    outcome = trial.attempt(trainings[0], trial.Place(tmp_path / "results", 1))
    assert outcome.status == "failed"
    assert outcome.told


def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda: 8)
    assert local.shares(30, None) == (8, 1)
    assert local.shares(2, None) == (2, 4)
    assert local.shares(30, 3) == (3, 2)
    assert local.shares(1, None) == (1, 8)


@pytest.mark.slow
def test_processes_give_the_same_bytes(
    trainings: list[experiment.Training], place: trial.Place, expected: dict[str, bytes]
) -> None:
    place.results.mkdir()
    found = list(local.run(trainings, place, 3))
    assert {each.status for each in found} == {"finished"}
    assert bits(place.results) == expected


@pytest.mark.slow
def test_a_process_that_is_killed_costs_a_checkpoint(
    trainings: list[experiment.Training], place: trial.Place, expected: dict[str, bytes]
) -> None:
    place.results.mkdir()
    killed: list[int] = []

    def kill() -> None:
        # The first that has begun a run.
        while not killed:
            begun = any(place.results.glob(f"*/{STATE}"))
            for process in Path("/proc").glob("[0-9]*") if begun else ():
                with contextlib.suppress(OSError):
                    mine = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
                    if mine and b"spawn_main" in (process / "cmdline").read_bytes():
                        os.kill(int(process.name), signal.SIGKILL)
                        killed.append(int(process.name))
                        return
            time.sleep(0.005)

    threading.Thread(target=kill, daemon=True).start()
    found = list(local.run(trainings, place, 2))
    assert killed
    assert sorted(each.name for each in found) == sorted(expected)
    assert {each.status for each in found} == {"finished"}
    assert bits(place.results) == expected


class Planted(Recipe):
    """A recipe with a mistake that no trial foresees."""

    def suited(self, *_: Any) -> NoReturn:
        raise ZeroDivisionError("planted")


@pytest.mark.slow
def test_what_no_trial_foresees_is_its_own_trouble(
    trainings: list[experiment.Training], place: trial.Place, expected: dict[str, bytes]
) -> None:
    place.results.mkdir()
    bad, *good = trainings
    bad = replace(bad, recipe=Planted(**vars(bad.recipe)))
    found = {each.name: each for each in local.run([bad, *good], place, 2)}
    assert found.pop(bad.name) == trial.Outcome(
        bad.name, "failed", told="ZeroDivisionError: planted"
    )
    assert {each.status for each in found.values()} == {"finished"}
    assert bits(place.results) == {each.name: expected[each.name] for each in good}


@pytest.mark.slow
def test_three_workers_of_dask_one_of_which_is_killed(
    trainings: list[experiment.Training], place: trial.Place, expected: dict[str, bytes]
) -> None:
    distributed = pytest.importorskip("distributed")
    from stepconv.sweep import cluster

    place.results.mkdir()
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as workers:
        address = workers.scheduler_address
        told = cluster.run(trainings, place, None, address)
        first = next(told)
        with distributed.Client(address) as client:
            pids = client.run(os.getpid)
            os.kill(next(iter(pids.values())), signal.SIGKILL)
        found = [first, *told]
    assert sorted(each.name for each in found) == sorted(expected)
    assert {each.status for each in found} == {"finished"}
    assert bits(place.results) == expected


@pytest.mark.slow
def test_clusters_that_cannot_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from stepconv.sweep import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    with pytest.raises(ArgumentError, match="no scheduler answers there"):
        list(cluster.run([], trial.Place(tmp_path, 1), None, "tcp://127.0.0.1:9"))
    with pytest.raises(ArgumentError, match="does not see"):
        list(cluster.run([], trial.Place(tmp_path / "nowhere", 1), 1, "dask"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, expected: dict[str, bytes]) -> Path:
    """A folder of finished runs."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "e.toml").write_text(FILE)
    for each in experiment.read(folder / "e.toml"):
        trial.attempt(each, trial.Place(folder / "results", 1))
    return folder


def test_a_finished_sweep_is_skipped(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = bits(swept / "results")
    words = ["sweep", str(swept / "e.toml"), "-o", str(swept / "results")]
    assert main(words) == 0
    assert bits(swept / "results") == before
    capsys.readouterr()
    assert main([*words, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.count("to do") == 0
    assert len(out.splitlines()) == 4


def test_compare_takes_seeds_together(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(swept / "results"), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["lr"], row["runs"]) for row in rows] == [(0.01, 2), (0.05, 2)]
    for row in rows:
        wanted = [
            trial.done(swept / "results" / f"lr={row['lr']},seed={seed}").test_accuracy  # type: ignore[union-attr]
            for seed in (0, 1)
        ]
        assert row["accuracies"] == wanted
        assert row["test_accuracy"] == pytest.approx(sum(wanted) / 2)  # type: ignore[arg-type]
        assert row["spread"] == pytest.approx(abs(wanted[0] - wanted[1]) / 2**0.5)  # type: ignore[operator]


def test_compare_draws(swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "curves.svg"
    assert main(["compare", str(swept / "results"), "--along", "lr"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].split() == ["lr", "runs", "test", "spread", "seconds"]
    assert any("⠀" <= c <= "⣿" for c in told)
    assert main(["compare", str(swept / "results"), "-o", str(picture)]) == 0
    assert picture.read_text().startswith("<svg")
    import xml.etree.ElementTree as ElementTree

    assert ElementTree.fromstring(picture.read_text()).tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sweep nowhere.toml -o r", "nowhere.toml"),
        ("sweep e.toml -o e.toml", "is a file"),
        ("sweep e.toml -o r --on mars", "--on 'mars' is not known"),
        ("sweep e.toml -o r --workers 0", "--workers"),
        ("sweep e.toml", "--out"),
        ("compare nowhere", "is no folder"),
        ("compare .", "holds no run"),
        ("compare results --by colour", "no run has 'colour'"),
        ("compare results --along seed -o c.png", ".svg"),
        ("compare results --by seed --along optimizer -o c.svg", "no curve to draw"),
    ],
)
def test_bad_input_is_one_line(
    swept: Path,
    words: str,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(swept)
    assert main(words.split()) == 2
    err: Any = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_runs_of_other_networks_are_told_by_their_names(swept: Path, tmp_path: Path) -> None:
    out = tmp_path / "lenet"
    words = "train lenet5 --data digits --epochs 1 --limit 40 --quiet --out"
    assert main([*words.split(), str(out)]) == 0
    runs = results.read([out, swept / "results"])
    assert len(runs) == 5
    assert results.varied(runs)[0] == "model"
    assert not any(name.startswith("layers.") for name in results.varied(runs))
