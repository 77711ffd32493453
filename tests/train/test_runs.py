"""A run stopped at any moment, even by kill -9, goes on as if it had never been stopped."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.errors import ArgumentError, DataError
from stepconv.nn import Conv, Dense, Flatten, Model, ReLU, Trainer, checkpoint
from stepconv.train import events, loop, runs
from stepconv.train.feed import Feed
from stepconv.train.lock import free_folder
from stepconv.train.recipe import Recipe
from stepconv.train.runs import METRICS, MODEL, STATE, Run, Stored
from tests.kernels.processes import REPOSITORY
from tests.train.sets import a_run, finish, made, model

STEPS = 15  # 300 pictures in batches of 64, three times


@pytest.fixture(autouse=True)
def _saved_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save after each epoch, however short."""
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_EPOCHS", 0)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody stopped."""
    folder = tmp_path_factory.mktemp("straight")
    finish(a_run(folder))
    return folder


def numbers(folder: Path) -> list[Any]:
    """Return all that a run's state holds but the time it took."""
    stored = Stored.read(folder)
    arrays = [(name, array.tobytes()) for name, array in sorted(stored.arrays.items())]
    metrics = [replace(m, images_per_second=0, seconds=0) for m in stored.position.history]
    return [arrays, metrics, stored.position.epoch, stored.position.images, stored.recipe]


def assert_same(folder: Path, straight: Path) -> None:
    assert (folder / MODEL).read_bytes() == (straight / MODEL).read_bytes()
    assert numbers(folder) == numbers(straight)


def test_events_tell_the_whole_story(tmp_path: Path) -> None:
    run = a_run(tmp_path, epochs=2)
    told = list(run.events(save_every=1e9))
    kinds = [type(event).__name__ for event in told]
    epoch = ["Stepped"] * 5 + ["Saved", "EpochEnded"]
    assert kinds == ["Started", *epoch, *epoch, "Finished"]
    steps = [event for event in told if isinstance(event, events.Stepped)]
    assert [event.step for event in steps] == list(range(1, 11))
    assert [event.images for event in steps[:5]] == [64, 64, 64, 64, 44]
    rates = run.recipe.rates(10)
    assert [event.rate for event in steps] == [rates(step) for step in range(10)]


def test_metrics_have_the_promised_keys(straight: Path) -> None:
    lines = [json.loads(line) for line in (straight / METRICS).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for line in lines:
        assert list(line) == [
            *("epoch", "train_loss", "train_accuracy", "test_accuracy"),
            *("images_per_second", "seconds"),
        ]
        assert 0 <= line["train_accuracy"] <= 1
        assert 0 <= line["test_accuracy"] <= 1
        assert line["images_per_second"] > 0


def test_metrics_are_what_plain_steps_give(straight: Path) -> None:
    data, how = made(), Recipe(epochs=3, batch_size=64, seed=5)
    feed = Feed.of(data)
    trainer = Trainer(model(), how.make_optimizer(), seed=5, scale=feed.scale, shift=feed.shift)
    rates, step = how.rates(STEPS), 0
    for metrics in Stored.read(straight).position.history:
        order = loop.chance.shuffled(300, 5, metrics.epoch - 1)
        loss = right = 0.0
        for start in range(0, 300, 64):
            rows = order[start : start + 64]
            mean, correct = trainer.step(data.train.pictures, data.train.labels, rates(step), rows)
            loss, right, step = loss + mean * len(rows), right + correct, step + 1
        told = trainer.logits(data.test.pictures).argmax(axis=1)
        assert metrics.train_loss == pytest.approx(loss / 300)
        assert metrics.train_accuracy == right / 300
        assert metrics.test_accuracy == (told == data.test.labels).mean()


@pytest.fixture
def three_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make as many steps, before anybody hears of them, as a GPU would make more."""
    monkeypatch.setattr(Trainer, "together", 3)


@pytest.mark.usefixtures("three_together")
@pytest.mark.parametrize("stop_after", [1, 3, 4, 10])
def test_it_goes_on_from_steps_that_were_made_together(
    stop_after: int, straight: Path, tmp_path: Path
) -> None:
    run, heard = a_run(tmp_path), []
    for event in run.events(save_every=0):
        if isinstance(event, events.Stepped):
            heard.append(event.step)
            if event.step == stop_after:
                break
    assert heard == list(range(1, stop_after + 1))
    again = Run.resumed(tmp_path, made())
    # Five batches of an epoch are three steps and two.
    assert again.trainer.steps == {1: 3, 3: 3, 4: 5, 10: 10}[stop_after]
    finish(again)
    assert_same(tmp_path, straight)


@pytest.mark.usefixtures("three_together")
def test_no_state_is_saved_after_a_loss_that_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, true = a_run(tmp_path), Trainer.step

    def step(self: Trainer, *arguments: Any) -> tuple[float, int]:
        loss, correct = true(self, *arguments)
        return (nan if self.steps == 7 else loss), correct

    monkeypatch.setattr(Trainer, "step", step)
    told = list(run.events(save_every=0))
    assert isinstance(told[-1], events.Diverged)
    assert told[-1].step == 7
    assert Stored.read(tmp_path).arrays["steps"] == 5


@pytest.mark.parametrize("stop_after", [1, 4, 5, 9, 15])
def test_it_goes_on_from_any_step(stop_after: int, straight: Path, tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for event in run.events(save_every=0):
        if isinstance(event, events.Stepped) and event.step == stop_after:
            break
    again = Run.resumed(tmp_path, made())
    assert again.trainer.steps == stop_after
    told = finish(again)
    assert isinstance(told[0], events.Started)
    assert told[0].step == stop_after
    assert_same(tmp_path, straight)


def test_changed_pictures_are_changed_alike_after_a_stop(tmp_path: Path) -> None:
    finish(a_run(tmp_path / "straight", augment=True, optimizer="adamw", schedule="cosine"))
    run = a_run(tmp_path / "stopped", augment=True, optimizer="adamw", schedule="cosine")
    for event in run.events(save_every=0):
        if isinstance(event, events.Stepped) and event.step == 7:
            break
    finish(Run.resumed(tmp_path / "stopped", made()))
    assert_same(tmp_path / "stopped", tmp_path / "straight")


def test_winograds_way_is_kept_after_a_stop(tmp_path: Path) -> None:
    wide = Model(
        "wide",
        (1, 28, 28),
        (Conv(32, 5, stride=3), Conv(32, 3, padding=1), ReLU(), Flatten(), Dense(10)),
        10,
    )

    def begin(folder: str, **choices: Any) -> Run:
        return Run.new(tmp_path / folder, wide, made(), Recipe(epochs=1, **choices))

    finish(begin("straight", algorithm="winograd"))
    for event in begin("stopped", algorithm="winograd").events(save_every=0):
        if isinstance(event, events.Stepped) and event.step == 2:
            break
    finish(Run.resumed(tmp_path / "stopped", made()))
    assert_same(tmp_path / "stopped", tmp_path / "straight")
    finish(begin("direct"))
    two = [Stored.read(tmp_path / name).arrays for name in ("direct", "straight")]
    weights = [arrays["parameter.conv2.weight"] for arrays in two]
    assert not np.array_equal(*weights)
    assert np.allclose(*weights, atol=1e-3)


def test_it_goes_on_from_an_older_checkpoint(straight: Path, tmp_path: Path) -> None:
    run, older = a_run(tmp_path), b""
    for event in run.events(save_every=1e9):
        if isinstance(event, events.EpochEnded) and event.metrics.epoch == 1:
            older = (tmp_path / STATE).read_bytes()
        if isinstance(event, events.Stepped) and event.step == 8:
            break
    (tmp_path / STATE).write_bytes(older)
    again = Run.resumed(tmp_path, made())
    assert again.trainer.steps == 5
    finish(again)
    assert_same(tmp_path, straight)


def test_a_finished_run_has_nothing_left_to_do(straight: Path) -> None:
    before = (straight / MODEL).read_bytes()
    told = finish(Run.resumed(straight, made()))
    assert [type(event).__name__ for event in told] == ["Started", "Finished"]
    assert (straight / MODEL).read_bytes() == before


SCRIPT = """
import sys
from pathlib import Path
from stepconv.kernels.compile import use_threads
from stepconv.train.runs import Run
from tests.train.sets import a_run, made
use_threads(int(sys.argv[3]))
folder = Path(sys.argv[1])
run = Run.resumed(folder, made()) if sys.argv[2] == "resume" else a_run(folder)
for event in run.events(save_every=0):
    print(type(event).__name__, flush=True)
"""


def start(folder: Path, how: str, threads: int = 2) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), how, str(threads)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NUMBA_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_killed_without_a_warning(straight: Path, tmp_path: Path) -> None:
    for how, steps in (("new", 4), ("resume", 3)):
        with start(tmp_path, how) as process:
            assert process.stdout is not None
            for line in process.stdout:
                steps -= line == "Stepped\n"
                if not steps:
                    break
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        checkpoint.load_network(tmp_path / MODEL)
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"half of")  # what a kill may leave
    assert 0 < Stored.read(tmp_path).arrays["steps"] < STEPS
    with start(tmp_path, "resume", threads=1) as process:
        process.communicate()
    assert process.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {MODEL, STATE, METRICS}
    assert_same(tmp_path, straight)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_bit(threads: int, straight: Path, tmp_path: Path) -> None:
    with start(tmp_path, "new", threads) as process:
        process.communicate()
    assert_same(tmp_path, straight)


def test_ctrl_c_saves_and_stops(straight: Path, tmp_path: Path) -> None:
    told, handler = [], signal.getsignal(signal.SIGINT)
    for event in a_run(tmp_path).events(save_every=1e9):
        told.append(event)
        if isinstance(event, events.Stepped) and event.step == 7:
            signal.raise_signal(signal.SIGINT)
    assert told[-1] == events.Stopped(epoch=2, step=7)
    assert signal.getsignal(signal.SIGINT) == handler
    finish(Run.resumed(tmp_path, made()))
    assert_same(tmp_path, straight)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt, which a process that was started in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_a_second_ctrl_c_means_now(tmp_path: Path) -> None:
    told = a_run(tmp_path).events()
    assert isinstance(next(told), events.Started)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    told.close()


def test_a_loss_that_is_no_number_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, true = a_run(tmp_path), Trainer.step

    def step(self: Trainer, *arguments: Any) -> tuple[float, int]:
        loss, correct = true(self, *arguments)
        return (nan if self.steps == 7 else loss), correct

    monkeypatch.setattr(Trainer, "step", step)
    told = list(run.events(save_every=1e9))
    assert told[-1] == events.Diverged(
        2, 7, "try a smaller step, --lr 0.003, or a gentle start, --warm-up 100"
    )
    assert Stored.read(tmp_path).arrays["steps"] == 5  # the last good checkpoint


def test_a_huge_rate_diverges(tmp_path: Path) -> None:
    told = finish(a_run(tmp_path, lr=1e6, schedule="constant"))
    assert isinstance(told[-1], events.Diverged)


def test_a_full_disk_leaves_the_last_checkpoint(
    straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path)
    flush, writes = os.fsync, [0]

    def full(handle: int) -> None:
        writes[0] += 1
        if writes[0] > 40:
            raise OSError(28, "No space left on device")
        flush(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        finish(run)
    monkeypatch.undo()
    assert {path.name for path in tmp_path.iterdir()} == {MODEL, STATE, METRICS}
    finish(Run.resumed(tmp_path, made()))
    assert_same(tmp_path, straight)


def test_what_does_not_fit_is_refused_by_name(straight: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="holds a training already: --resume"):
        a_run(straight)
    with pytest.raises(ArgumentError, match=r"holds no training to go on with"):
        Run.resumed(tmp_path, made())
    with pytest.raises(ArgumentError, match=r"was trained on other data: digits \(few\), not"):
        Run.resumed(straight, replace(made(), fingerprint="other"))
    stored = Stored.read(straight)
    stored.check(straight, model(), {"epochs": 3, "seed": 5})
    with pytest.raises(ArgumentError, match="holds a small, not a lenet5"):
        stored.check(straight, runs.from_dict({**runs.to_dict(model()), "name": "lenet5"}), {})
    other = runs.to_dict(model())
    other["layers"][0]["stride"] = 1
    with pytest.raises(ArgumentError, match="holds a small of other layers"):
        stored.check(straight, runs.from_dict(other), {})
    with pytest.raises(ArgumentError, match="--algorithm direct, not winograd"):
        stored.check(straight, None, {"algorithm": "winograd"})
    with pytest.raises(ArgumentError, match="--epochs 3, not 2; --batch-size 64, not 8"):
        stored.check(straight, None, {"epochs": 2, "batch_size": 8, "seed": 5})


def test_a_damaged_state_is_refused(straight: Path, tmp_path: Path) -> None:
    content = bytearray((straight / STATE).read_bytes())
    content[-100] ^= 4
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(DataError, match=r"state\.safetensors is damaged"):
        Run.resumed(tmp_path, made())


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": -1}, "batch_size=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"limit": 0}, "limit=0"),
        (
            {"optimizer": "sdg"},
            "'sdg' is not known: sgd, adam, adamw, rmsprop, ",
        ),
        ({"schedule": "linear"}, "linear"),
        ({"algorithm": "fft"}, "algorithm='fft' is not known: direct, winograd fit"),
        ({"lr": -0.1}, "-0.1"),
        ({"lr": nan}, "nan"),
    ],
)
def test_a_recipe_refuses_what_cannot_be_cooked(choices: dict[str, Any], what: str) -> None:
    with pytest.raises(ArgumentError, match=what):
        Recipe(**choices)


def test_the_network_in_the_folder_answers_as_the_trainer_did(straight: Path) -> None:
    data = made()
    network = checkpoint.load_network(straight / MODEL)
    [*_, last] = Stored.read(straight).position.history
    assert loop.accuracy(runs.predictor(network), data.test) == last.test_accuracy
    assert network.about["classes"] == list("0123456789")


def test_it_learns() -> None:
    data = made(1500, 300)
    how = Recipe(epochs=8, batch_size=32)
    trainer = Trainer(model(), how.make_optimizer(), scale=runs.scale(data))
    for event in loop.train(trainer, data, how):
        last = event
    assert isinstance(last, events.Finished)
    assert last.history[-1].test_accuracy > 0.85
    assert last.history[-1].train_loss < last.history[0].train_loss / 2


def test_a_folder_belongs_to_one_training(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with pytest.raises(ArgumentError, match="is in use by another training"):
        a_run(tmp_path)
    told = run.events()
    next(told)
    for begin in (lambda: a_run(tmp_path), lambda: Run.resumed(tmp_path, made())):
        with pytest.raises(ArgumentError, match="is in use by another training"):
            begin()
    told.close()
    Run.resumed(tmp_path, made())


def test_of_many_that_begin_at_once_one_has_the_folder(tmp_path: Path) -> None:
    crowd = [start(tmp_path / "run", "new") for _ in range(4)]
    for process in crowd:
        process.communicate()
    assert sorted(process.returncode for process in crowd) == [0, 1, 1, 1]
    assert len(Stored.read(tmp_path / "run").position.history) == 3


def test_a_killed_training_leaves_no_lock(tmp_path: Path) -> None:
    with start(tmp_path, "new") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "Stepped\n":
            pass
        process.send_signal(signal.SIGKILL)
    finish(Run.resumed(tmp_path, made()))


def test_free_folders_are_made_by_whoever_asks_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: free_folder(tmp_path / "runs" / "small"), range(20)))
    assert len({*found}) == 20
    assert all(folder.is_dir() for folder in found)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up here")
def test_a_terminal_that_closes_saves(straight: Path, tmp_path: Path) -> None:
    with start(tmp_path, "new") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "Stepped\n":
            pass
        process.send_signal(signal.SIGHUP)
        told = process.stdout.read().split()
    assert process.returncode == 0
    assert told[-1] == "Stopped"
    finish(Run.resumed(tmp_path, made()))
    assert_same(tmp_path, straight)


def test_whoever_gives_up_listening_loses_no_step(straight: Path, tmp_path: Path) -> None:
    for event in a_run(tmp_path).events(save_every=1e9):
        if isinstance(event, events.Stepped) and event.step == 8:
            break
    again = Run.resumed(tmp_path, made())
    assert again.trainer.steps == 8
    finish(again)
    assert_same(tmp_path, straight)


def test_a_network_for_which_there_is_no_memory_is_refused(tmp_path: Path) -> None:
    huge = Model("huge", (1, 28, 28), (Flatten(), Dense(2_000_000_000), Dense(10)), 10)
    with pytest.raises(ArgumentError, match=r"huge needs [\d,.]+ GiB to train in batches of 64"):
        Run.new(tmp_path, huge, made(), Recipe())


def test_the_best_epoch_is_kept_and_the_test_looked_at_once(tmp_path: Path) -> None:
    data = made(300, 60)
    part, rest = data.train.pick(slice(200)), data.train.pick(slice(200, 300))
    held = replace(data, train=part, validation=rest)
    run = a_run(tmp_path / "all", held, epochs=12, lr=0.2, schedule="constant")
    found = [e.metrics for e in finish(run) if isinstance(e, events.EpochEnded)]
    judged = [m.validation_accuracy for m in found]
    assert all(m.test_accuracy is None for m in found)
    assert run.verdict().accuracy == loop.accuracy(
        runs.predictor(checkpoint.load_network(tmp_path / "all" / MODEL)), data.test
    )
    best = max(range(1, 13), key=lambda epoch: (judged[epoch - 1], epoch))
    short = a_run(tmp_path / "short", held, epochs=best, lr=0.2, schedule="constant")
    finish(short)
    kept = [checkpoint.load_network(tmp_path / name / MODEL) for name in ("all", "short")]
    for name, array in kept[0].parameters.items():
        assert np.array_equal(array, kept[1].parameters[name])


def test_patience_ends_a_training_and_keeps_it_ended(tmp_path: Path) -> None:
    data = made(300, 60)
    held = replace(data, validation=data.test)
    told = finish(a_run(tmp_path, held, epochs=50, lr=1e-9, patience=2))
    assert isinstance(told[-1], events.Finished)
    assert len(told[-1].history) == 3
    again = finish(Run.resumed(tmp_path, held))
    assert [type(event).__name__ for event in again] == ["Started", "Finished"]
    with pytest.raises(ArgumentError, match="patience=2 needs --validation"):
        a_run(tmp_path / "other", patience=2)


def test_steps_end_a_training_within_an_epoch(tmp_path: Path) -> None:
    told = finish(a_run(tmp_path, steps=7))
    assert sum(isinstance(event, events.Stepped) for event in told) == 7
    assert [m.epoch for m in told[-1].history] == [1, 2]
    again = finish(Run.resumed(tmp_path, made()))
    assert [type(event).__name__ for event in again] == ["Started", "Finished"]


def test_a_training_goes_on_longer_where_its_rates_allow_it(tmp_path: Path) -> None:
    finish(a_run(tmp_path / "long", epochs=5, schedule="constant"))
    finish(a_run(tmp_path / "short", epochs=2, schedule="constant"))
    finish(Run.resumed(tmp_path / "short", made(), epochs=5))
    finish(a_run(tmp_path / "other", epochs=2))
    two = [Stored.read(tmp_path / name).arrays for name in ("long", "short")]
    assert all(np.array_equal(two[0][name], two[1][name]) for name in two[0])
    with pytest.raises(ArgumentError, match="the one-cycle schedule was made for 2 epochs"):
        Run.resumed(tmp_path / "other", made(), epochs=5)


def test_a_training_begins_with_what_another_learnt(straight: Path, tmp_path: Path) -> None:
    begun = checkpoint.load_network(straight / MODEL)
    few = replace(model(), layers=(*model().layers[:-1], Dense(3)), classes=3)
    data = made()
    data = replace(
        data,
        classes=("a", "b", "c"),
        train=replace(data.train, labels=data.train.labels % 3),
        test=replace(data.test, labels=data.test.labels % 3),
    )
    run = Run.new(tmp_path / "few", few, data, Recipe(), start=begun)
    taken = run.trainer.parameters()
    assert np.array_equal(taken["dense1.weight"], begun.parameters["dense1.weight"])
    assert taken["dense2.weight"].shape == (3, 24)
    other = Model("other", (1, 28, 28), (Conv(3, 3), Flatten(), Dense(10)), 10)
    with pytest.raises(ArgumentError, match="nothing of small fits other"):
        Run.new(tmp_path / "other", other, made(), Recipe(), start=begun)


def test_a_run_of_a_version_that_only_scaled_goes_on(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.feed = Feed(runs.scale(made()))
    run.save()
    arrays, about = checkpoint.load(tmp_path / STATE, "state")
    del about["feed"]
    for new in ("steps", "momentum", "validation", "patience", "evaluate_every", "start"):
        del about["recipe"][new]
    checkpoint.save(tmp_path / STATE, "state", arrays, about)
    del run
    assert Run.resumed(tmp_path, made()).feed == Feed(runs.scale(made()))


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"lr": 1e-9}, "nothing is learnt: the loss is"),
        ({"lr": 30.0, "optimizer": "sgd"}, "silent|loss is"),
    ],
)
def test_a_network_that_learns_nothing_is_noticed(
    choices: dict[str, Any], what: str, tmp_path: Path
) -> None:
    told = finish(a_run(tmp_path, epochs=12, schedule="constant", **choices))
    found = [event for event in told if isinstance(event, events.Warned)]
    if isinstance(told[-1], events.Diverged):
        return
    [warned] = found
    assert re.search(what, warned.trouble)
    assert "--lr" in warned.advice


def test_a_network_that_learns_is_left_alone(tmp_path: Path) -> None:
    told = finish(a_run(tmp_path, made(600), epochs=8))
    assert not any(isinstance(event, events.Warned) for event in told)


def test_short_epochs_do_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SECONDS_BETWEEN_EPOCHS", 1e9)
    told = list(a_run(tmp_path, epochs=6).events(save_every=1e9))
    kinds = [type(event).__name__ for event in told]
    assert kinds[-2:] == ["Saved", "Finished"]
    assert kinds.count("Saved") == 1
    assert len(Stored.read(tmp_path).position.history) == 6


def test_a_few_pictures_are_not_judged_by_thousands(tmp_path: Path) -> None:
    asked, data = [], made(60, 5000)
    run = a_run(tmp_path, data, epochs=3)
    whole = Trainer.logits

    def counting(self: Trainer, images: Any, rows: Any = None) -> Any:
        asked.append(len(images))
        return whole(self, images, rows)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Trainer, "logits", counting)
        finish(run)
    assert sum(asked) < 5000 + 2 * 300
