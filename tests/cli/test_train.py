"""Training on the command line: lines, JSON and a live screen; stopped, resumed, refused."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.showing import report, training
from stepconv.player.text import curve
from stepconv.train import data, events
from stepconv.train.data import digits
from stepconv.train.runs import METRICS, MODEL, STATE
from tests.conftest import BACKENDS
from tests.kernels.processes import REPOSITORY
from tests.train.sets import model

OPTIONS = ("--limit", "300", "--epochs", "2", "--seed", "5")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run where a file small.toml lies, with fewer test pictures to make."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(digits, "TESTING", 60)
    (tmp_path / "small.toml").write_text(nn.to_toml(model()))
    return tmp_path


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == status
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    *_, last = err.splitlines()
    assert last.startswith("stepconv: ")
    return last


def test_on_a_pipe_it_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "train", "small.toml", *OPTIONS)
    lines = out.splitlines()
    assert lines[0].startswith("small on digits · ")
    assert lines[1].split() == ["epoch", "loss", "train", "test", "images/s", "seconds"]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert "rows: what it is; columns: what was told" in lines
    assert lines[-1].endswith("the network is in runs/small-digits")
    assert "\x1b" not in out
    assert {path.name for path in Path("runs/small-digits").iterdir()} == {MODEL, STATE, METRICS}


def test_what_goes_on_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with training.waiting(Console(stderr=True)) as say:
        for text in (
            "loading",
            "downloading a: 1 MB",
            "downloading a: 2 MB",
            "downloading b: 1 MB",
        ):
            say(text)
    assert capsys.readouterr().err.splitlines() == [
        *("loading", "downloading a: 1 MB", "downloading b: 1 MB")
    ]


def test_json_is_what_the_folder_holds(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "train", "small.toml", *OPTIONS, "--json", "--out", "here")
    assert out == Path("here", METRICS).read_text()
    assert [json.loads(line)["epoch"] for line in out.splitlines()] == [1, 2]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "small.toml", *OPTIONS, "--quiet", "--out", "here"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("here", MODEL).exists()


def test_layers_that_winograds_way_does_not_suit_are_told_of_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = (nn.Conv(32, 5, stride=3), nn.Conv(32, 3, padding=1), nn.Flatten(), nn.Dense(10))
    Path("wide.toml").write_text(nn.to_toml(nn.Model("wide", (1, 28, 28), stack, 10)))
    options = ("--limit", "64", "--epochs", "1", "--algorithm", "winograd")
    assert main(["train", "wide.toml", *options]) == 0
    [said] = [line for line in capsys.readouterr().err.splitlines() if "winograd" in line]
    assert said == (
        "stepconv: --algorithm winograd: summed directly are conv1, dense1 "
        "(no 3x3 window that moves by one cell)"
    )
    assert "suits no layer of small" in refusal(capsys, "train", "small.toml", *options)


def test_a_new_run_gets_a_new_folder(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("train", "small.toml", "--limit", "64", "--epochs", "1", "--quiet")
    for _ in range(2):
        output_of(capsys, *options)
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        "small-digits",
        "small-digits-2",
    ]
    before = Path("runs/small-digits", MODEL).read_bytes()
    assert Path("runs/small-digits-2", MODEL).read_bytes() == before
    output_of(capsys, *options, "--resume")  # there is nothing left to do


def test_augmented_pictures_make_another_network(capsys: pytest.CaptureFixture[str]) -> None:
    output_of(capsys, "train", "small.toml", *OPTIONS, "--quiet", "--out", "plain")
    output_of(capsys, "train", "small.toml", *OPTIONS, "--quiet", "--out", "more", "--augment")
    assert Path("plain", MODEL).read_bytes() != Path("more", MODEL).read_bytes()


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stepconv", "train", "small.toml", "--limit", "300"]
    with subprocess.Popen(
        [*command, "--epochs", "400", "--out", "over here", "--data-dir", "."],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stdout.readline().startswith("    3 "):
            pass
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said
    found = re.search(r"stopped and saved after step (\d+); to go on: .*stepconv (train .*)", said)
    assert found
    assert int(found[1]) >= 15
    assert found[2] == "train --resume --out 'over here' --data-dir ."
    error = refusal(capsys, *shlex.split(found[2]), "--epochs", "3")
    assert "over here was begun with --epochs 400, not 3" in error


def test_a_rate_that_is_too_large_ends_with_advice(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--schedule", "constant", "--lr", "1e6")
    assert main(["train", "small.toml", *OPTIONS, *options]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("stepconv: the loss is no number any more, in epoch 1, step")
    assert "try a smaller step, --lr 100000, or" in last


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["lenet6"], "no model 'lenet6': did you mean 'lenet5'?"),
        (["nothing.toml"], "nothing.toml cannot be read"),
        (["runs/nothing"], "a .toml file or a run folder fit"),
        (["lenet5", "--data", "mnits"], "data 'mnits' is not known: "),
        (["lenet5", "--epochs", "0"], "epochs=0 does not fit: 1 or more does"),
        (["lenet5", "--lr", "fast"], "'fast'"),
        (["lenet5", "--optimizer", "sdg"], "optimizer='sdg' is not known"),
        (["lenet5", "--schedule", "linear"], "linear"),
        (["lenet5", "--seed", "-1"], "seed=-1"),
        (["lenet5", "--threads", "0"], "--threads 0 does not fit"),
        (["lenet5", "--backend", "textbook"], "--backend textbook runs no networks: cpu, cuda"),
        (["lenet5", "--quiet", "--json"], "--quiet and --json say two things"),
        (["lenet5", "--lr", "-1"], "lr=-1.0 is out of range"),
        (["lenet5", "--resume", "--out", "none"], "none holds no training to go on with"),
        (["lenet5", "--resume"], "runs/lenet5-digits holds no training to go on with"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert what in refusal(capsys, "train", *arguments)


@pytest.mark.skipif("cuda" in BACKENDS, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told_of_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in (["train", "lenet5"], ["evaluate", "none"], ["predict", "none", "none.png"]):
        said = refusal(capsys, *command, "--backend", "cuda")
        assert said.startswith("stepconv: backend 'cuda' is not available: ")
        assert len(said.splitlines()) == 1


def test_another_model_is_not_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    output_of(capsys, "train", "small.toml", *OPTIONS, "--quiet", "--out", "here")
    error = refusal(capsys, "train", "lenet5", "--resume", "--out", "here")
    assert "here holds a small, not a lenet5" in error
    assert "--resume goes on with it" in refusal(capsys, "train", "lenet5", "--out", "here")


def told() -> list[Any]:
    """Return the events of a training that nobody made."""
    metrics = [events.Metrics(e, 0.5 / e, 0.9, 0.91, 12345.6, 1.5) for e in (1, 2)]
    steps = [events.Stepped(1 + s // 10, s + 1, 64, 40, 2 / (s + 1), 0.1) for s in range(20)]
    return [
        events.Started(2, 10, 0, (), steps=20),
        *steps[:10],
        events.EpochEnded(metrics[0]),
        *steps[10:],
        events.EpochEnded(metrics[1]),
        events.Finished(tuple(metrics)),
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_screen_fits(width: int) -> None:
    screen = training.Screen("lenet5 on mnist · 61,706 parameters · 60,000 pictures · seed 0")
    heights = set()
    for event in told():
        screen.hear(event)
        console = Console(file=io.StringIO(), width=width, height=24)
        console.print(screen.draw(width))
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        assert max(map(len, shown.splitlines())) <= width
        # A terminal writes ^C behind the last line; if that wraps, a line is drawn twice.
        assert len(shown.splitlines()[-1]) <= width - 2
        heights.add(len(shown.splitlines()))
    assert max(heights) <= 23
    assert "epoch 2 of 2 ━━━━" in shown
    assert "0:00 left" in shown
    assert "loss 0.1000, log scale" in shown
    assert "right 62.5%, test 91.0%" in shown
    assert "100% " in shown
    assert " 0% " in shown
    assert re.search(r"2   0\.2500  90\.00%  91\.00%    12,346      1\.5", shown)


def test_the_live_screen_passes_all_events_on() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=60, height=24)
    assert list(training.live(iter(told()), console, "small")) == told()
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """Return where the dots of a curve are, as (row, column)."""
    found = set()
    for y, line in enumerate(lines):
        for x, character in enumerate(line):
            for row, column, bit in (
                *((0, 0, 1), (1, 0, 2), (2, 0, 4), (3, 0, 64)),
                *((0, 1, 8), (1, 1, 16), (2, 1, 32), (3, 1, 128)),
            ):
                if (ord(character) - 0x2800) & bit:
                    found.add((4 * y + row, 2 * x + column))
    return found


def test_a_curve_has_its_dots_where_the_values_are() -> None:
    assert dots(curve.curve([0, 1], 1, 1)) == {(3, 0), (0, 1), (1, 1), (2, 1)}
    assert dots(curve.curve([5] * 8, 4, 2)) == {(7, x) for x in range(8)}
    assert dots(curve.curve([1, 2, 3, 4], 2, 1)) == {(3 - x, x) for x in range(4)}
    assert dots(curve.curve([0.5] * 4, 2, 2, 0.0, 1.0)) == {(4, x) for x in range(4)}
    assert dots(curve.curve([], 3, 2)) == set()
    assert dots(curve.curve([float("nan"), float("inf"), 1.0], 1, 1)) == {(3, 0), (3, 1)}


def test_a_confusion_is_counted_in_rows_of_the_truth() -> None:
    import numpy as np

    from stepconv.train.judge import Verdict

    verdict = Verdict(
        np.array([0, 0, 1, 2, 2]),
        np.array([0, 1, 1, 2, 0]),
        np.array([0.9, 0.5, 0.8, 0.7, 0.6]),
        np.array([0, 1, 0, 0, 2]),
    )
    assert verdict.accuracy == 0.6
    assert verdict.wrong.tolist() == [4, 1]
    assert verdict.within(2) == 0.8
    assert verdict.scores(4) == [(0.5, 0.5), (0.5, 1.0), (1.0, 0.5), (None, None)]
    assert report.weakest(verdict.scores(3), ["a", "b", "c"]) == [
        "lowest recall: a, 50.0%",
        "lowest precision: a, 50.0%",
    ]
    table = verdict.confusion(3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    lines = report.confusion(table, ["a", "b", "c"], 60)
    assert [line.split() for line in lines[1:]] == [
        ["a", "b", "c"],
        ["a", "1", "1", "·"],
        ["b", "·", "1", "·"],
        ["c", "1", "·", "1"],
    ]
    assert report.confusion(table, ["a", "b", "c"], 5) == []
    assert report.mistakes(table, ["a", "b", "c"])[1:] == [
        "  a, told as b: 1 times",
        "  c, told as a: 1 times",
    ]


def test_the_report_of_clothes_fits_60_columns() -> None:
    import numpy as np

    from stepconv.train.data.known import CLASSES

    table = np.full((10, 10), 1000)
    lines = report.confusion(table, CLASSES["fashion-mnist"], 60)
    assert lines
    assert max(map(len, lines)) <= 60


def test_the_data_named_is_the_data_used(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    some = data.load("digits", limit=100)
    np.savez(
        "mine.npz",
        x_train=some.train.pictures[:, 0],
        y_train=some.train.labels % 3,
        x_test=some.test.pictures[:, 0],
        y_test=some.test.labels % 3,
    )
    # Ten outputs for three classes: some may be told that there are not.
    output_of(capsys, "train", "small.toml", "--data", "mine.npz", "--epochs", "1", "--lr", "1e-9")
    assert Path("runs/small-mine", MODEL).exists()
    np.save("one.npy", some.test.pictures[0, 0])
    out = output_of(capsys, "predict", "runs/small-mine", "one.npy", "--json")
    assert list(json.loads(out)["probabilities"]) == list("0123456789")
    out = output_of(capsys, "evaluate", "runs/small-mine", "--json")
    assert np.shape(json.loads(out)["confusion"]) == (10, 10)


def photos(folder: Path, classes: str = "cat dog owl", depth: int = 8) -> Path:
    """Put pictures into class folders: of one shade for each class, 8 or 16 bits deep."""
    import numpy as np

    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for label, name in enumerate(classes.split()):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            cells = rng.integers(0, 40, (28, 28)) + 90 * label
            dtype, unit = (np.uint16, 257) if depth == 16 else (np.uint8, 1)
            image.fromarray((cells * unit).astype(dtype)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep decoded pictures apart from those of whoever runs the tests."""
    from stepconv.train.data import known

    monkeypatch.setattr(known, "cache_folder", lambda: tmp_path / "cache")


@pytest.mark.usefixtures("cache")
def test_a_network_of_the_zoo_has_the_classes_of_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(tmp_path / "photos")
    out = output_of(capsys, "train", "mlp", "--data", "photos", "--epochs", "2", "--out", "run")
    assert "mlp on photos" in out
    assert "pictures of 1x28x28 · 3 classes" in out
    told = json.loads(output_of(capsys, "predict", "run", "photos/dog/1.png", "--json"))
    assert list(told["probabilities"]) == ["cat", "dog", "owl"]


@pytest.mark.usefixtures("cache")
def test_sixteen_bits_are_trained_and_predicted_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(tmp_path / "deep", depth=16)
    output_of(capsys, "train", "mlp", "--data", "deep", "--epochs", "30", "--quiet", "--out", "run")
    files = sorted((tmp_path / "deep").glob("*/*.png"))
    lines = output_of(capsys, "predict", "run", *map(str, files), "--json").splitlines()
    assert [json.loads(line)["class"] for line in lines] == [file.parent.name for file in files]


@pytest.mark.usefixtures("cache")
def test_ten_classes_of_28x28_are_not_taken_for_digits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bright pictures would be inverted, cut out and centred if they were."""
    import numpy as np

    from stepconv.cli.commands import predict
    from stepconv.nn.checkpoint import load_network
    from stepconv.train.feed import Feed

    photos(tmp_path / "ten", " ".join("0123456789"))
    output_of(capsys, "train", "mlp", "--data", "ten", "--epochs", "1", "--quiet", "--out", "run")
    feed = Feed.told(load_network(tmp_path / "run" / MODEL).about)
    given = predict.read(tmp_path / "ten" / "2" / "3.png")
    [seen] = predict.as_seen(given, (1, 28, 28), feed, False, "x")
    assert np.array_equal(seen, given)
    [digit] = predict.as_seen(given, (1, 28, 28), Feed(form="digit"), False, "x")
    assert not np.array_equal(digit, given)


@pytest.mark.usefixtures("cache")
def test_runs_are_used_from_any_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(tmp_path / "photos")
    options = ("--schedule", "constant", "--epochs", "1", "--quiet", "--out", "run")
    output_of(capsys, "train", "mlp", "--data", "photos", *options)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert json.loads(output_of(capsys, "evaluate", "../run", "--json"))["pictures"] == 4
    output_of(capsys, "predict", "../run", "../photos/cat/0.png")
    output_of(capsys, "train", "--resume", "--out", "../run", "--epochs", "3", "--quiet")
    assert len(Path("../run", METRICS).read_text().splitlines()) == 3
    Path("../photos").rename("../moved")
    output_of(capsys, "train", "--resume", "--out", "../run", "--data", "../moved", "--quiet")


@pytest.mark.usefixtures("cache")
def test_what_is_odd_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos(tmp_path / "photos") / "cat" / "notes.heic").write_text("?")
    assert main(["train", "mlp", "--data", "photos", "--epochs", "1", "--json"]) == 0
    err = capsys.readouterr().err
    assert "stepconv: photos: skipped files" in err
    assert "1 .heic" in err


@pytest.mark.slow
def test_two_that_begin_at_once_get_two_folders(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stepconv", "train", "small.toml", "--limit", "100"]
    crowd = [
        subprocess.Popen(
            [*command, "--epochs", "2", "--quiet"],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for _ in range(3)
    ]
    assert [process.wait() for process in crowd] == [0, 0, 0]
    made = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert made == ["small-digits", "small-digits-2", "small-digits-3"]


def test_a_network_that_learns_nothing_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--limit", "64", "--epochs", "60", "--lr", "1e-9")
    assert main(["train", "small.toml", *options, "--json"]) == 0
    assert "nothing is learnt: the loss is" in capsys.readouterr().err


def test_too_large_a_network_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = model().layers
    (tmp_path / "huge.toml").write_text(
        nn.to_toml(nn.Model("huge", (1, 28, 28), (nn.Flatten(), nn.Dense(10**9), *layers[-1:]), 10))
    )
    assert "huge needs" in refusal(capsys, "train", "huge.toml", "--limit", "64")
    assert not (tmp_path / "runs" / "huge-digits").exists()


def test_networks_may_be_written_to_edit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = output_of(capsys, "shapes", "lenet5", "--input", "3x64x64", "--classes", "3", "--toml")
    assert nn.from_toml(out) == nn.build("lenet5", (3, 64, 64), 3)


def test_a_training_begins_with_another(capsys: pytest.CaptureFixture[str]) -> None:
    output_of(capsys, "train", "small.toml", *OPTIONS, "--quiet", "--out", "first")
    options = ("--limit", "300", "--steps", "1", "--lr", "1e-9", "--from", "first")
    output_of(capsys, "train", "small.toml", *options, "--quiet", "--out", "second")
    told = [
        json.loads(Path(name, METRICS).read_text().splitlines()[-1])["test_accuracy"]
        for name in ("first", "second")
    ]
    assert told[0] == told[1]


def test_a_run_may_be_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = '[training]\noptimizer = "rmsprop"\nepochs = 3\nlimit = 100\nfreeze = "conv1"\n'
    (tmp_path / "all.toml").write_text(nn.to_toml(model()) + table)
    output_of(capsys, "train", "all.toml", "--epochs", "2", "--quiet", "--out", "run")
    about = nn.checkpoint.load_network(tmp_path / "run" / MODEL).about["recipe"]
    assert about["optimizer"] == "rmsprop"
    assert (about["epochs"], about["limit"], about["freeze"]) == (2, 100, "conv1")
    (tmp_path / "all.toml").write_text(nn.to_toml(model()) + "[training]\nepoch = 3\n")
    said = refusal(capsys, "train", "all.toml")
    assert "training: epoch=3 is not known: did you mean 'epochs'?" in said
    (tmp_path / "all.toml").write_text(nn.to_toml(model()) + '[training]\nepochs = "three"\n')
    assert "epochs" in refusal(capsys, "train", "all.toml")
