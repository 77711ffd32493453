"""`stepconv lesson` on a pipe: lists, data, sentences, progress, and what does not fit."""

import json
import subprocess
from pathlib import Path

import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.lesson import opening
from stepconv.cli.reading.lessons import tools
from stepconv.lessons import reading, shelf
from stepconv.lessons.progress import Progress
from stepconv.nn import checkpoint


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["lesson", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_list_of_scenes_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    scenes = json.loads(told(capsys, "--list", "--json"))
    assert len(scenes) == sum(len(lesson.scenes) for lesson in shelf.lessons())
    for scene in scenes:
        assert {"lesson", "title", "items", "opens"} <= set(scene)
        assert scene["opens"].startswith(("stepconv ", "drawing "))
        assert "{" not in scene["title"]
    alone = json.loads(told(capsys, "images", "--list", "--json"))
    assert alone == [scene for scene in scenes if scene["lesson"] == "images"]


def test_a_lesson_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "convolution", "--plain")
    assert out == told(capsys, "1")  # what a pipe gets
    assert "\x1b" not in out
    assert "{" not in out
    assert "10x0.2 + 50x0.2 + 60x0.2 + 10x0.2 + 20x0.2 = 30." in out
    assert "To look: stepconv play moving-average-1d" in out


def test_a_network_of_a_lesson_is_trained_first_in_a_shell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = told(capsys, "networks", "--scene", "3", "--plain")
    wanted = "stepconv train lenet5 --data digits, then stepconv explore runs/lenet5-digits"
    assert f"To look: {wanted}\n" in out


def test_a_sweep_of_a_lesson_is_made_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    ran: list[list[str]] = []

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        ran.append(command[3:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert opening.run(["compare", "@pictures"]) == 0
    folder = str(tmp_path / "stepconv" / "sweeps" / "pictures")
    assert ran == [["sweep", "pictures", "-o", folder], ["compare", folder]]
    assert "compares trainings" in capsys.readouterr()[0]


def test_the_steps_of_an_algorithm_stand_beside_a_text(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.md"
    text = "# Mine\n\n## Steps\nopens: play vertical-edge-gray --as {way}\n\n{said}\n"
    count = 'costs("vertical-edge-gray --as im2col")[0].counts.multiplications'
    path.write_text(text.format(way="im2col", said=f"It takes {{144 = {count}}} products."))
    out = told(capsys, str(path))
    assert "It takes 144 products." in out
    assert "To look: stepconv play vertical-edge-gray --as im2col" in out
    scene = reading.read(path).scenes[0]
    found = opening.opened(scene, tools())
    assert not found.is_film
    assert len(found.frames) == 6
    assert found.frames[0][0] == "im2col, step 0 of 6: windows of row 0, laid out"
    assert found.command == ("play", "vertical-edge-gray", "--as", "im2col")
    path.write_text(text.format(way="magic", said="Look."))
    assert "direct, im2col" in opening.opened(reading.read(path).scenes[0], tools()).message


@pytest.mark.slow
def test_a_drawing_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "learning", "--plain")
    assert "39 of 784 pixels differ, distance 5.2" in out  # a frame that is not the last
    assert "step 200   loss" in out
    assert "step 100   loss" not in out
    assert not set("█▓▒░▀│─▶") & set(told(capsys, "networks", "--plain") + out)


def test_a_lesson_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = json.loads(told(capsys, "convolution", "--json"))
    assert (lesson["lesson"], lesson["title"]) == ("convolution", "What a convolution is")
    asked = [scene["question"] for scene in lesson["scenes"] if scene["question"]]
    assert all(any(answer["right"] for answer in each["answers"]) for each in asked)


def test_one_scene(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "convolution", "--scene", "2", "--plain")
    assert "Scene 2 of" in out
    assert "Scene 1 of" not in out


def test_a_lesson_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "3-mine.md"
    path.write_text("# Mine\n\n## Sizes\n\nIt is {8 = size(10, 3)}.\n")
    assert "It is 8." in told(capsys, str(path))
    path.write_text("# Mine\n\n## Sizes\n\nIt is {9 = size(10, 3)}.\n")
    assert main(["lesson", str(path)]) == 2
    assert "mine, line 3, 'Sizes': {9 = size(10, 3)} does not hold" in capsys.readouterr().err


def test_reset_forgets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("stepconv.lessons.progress.folder", lambda: tmp_path)
    lessons = shelf.lessons()[:2]
    progress = Progress.load()
    for lesson in lessons:
        progress.visit(lesson, 0)
    progress.save()
    assert main(["lesson", "1", "--reset"]) == 0
    assert [Progress.load().count(lesson) for lesson in lessons] == [0, 1]
    assert main(["lesson", "--reset"]) == 0
    assert [Progress.load().count(lesson) for lesson in lessons] == [0, 0]


def test_a_lessons_network_has_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stepconv.lessons.progress.folder", lambda: tmp_path)
    assert main(["explore", "@mlp", "--plain"]) == 2
    assert "@mlp is not trained yet: the scenes of `stepconv lesson`" in capsys.readouterr().err
    folder = opening.network_folder("@mlp:mnist")
    assert folder == tmp_path / "networks" / "mlp-mnist"
    folder.mkdir(parents=True)
    model = nn.build("mlp")
    weights = nn.initial_parameters(model, 0), nn.initial_statistics(model)
    checkpoint.save_network(folder / "model.safetensors", checkpoint.Network(model, *weights))
    assert main(["predict", "@mlp:mnist", "digit-5-28x28"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["imges"], "no lesson 'imges': did you mean 'images'?"),
        (["9"], "no lesson '9': convolution, images"),
        (["missing.md"], "missing.md: No such file"),
        ([""], "no lesson ''"),
        (["images", "--scene", "0"], "--scene 0 is not in images: 1 to "),
        (["images", "--scene", "999"], "--scene 999 is not in images: 1 to "),
        (["--scene", "2"], "--scene 2 is of no lesson"),
        (["images", "--plain", "--json"], "--plain and --json say different things"),
        (["images", "--present", "--reset"], "--present and --reset say different things"),
        (["images", "--scene", "two"], "two"),
        (["images", "layers"], "layers"),
        (["pyproject.toml"], "pyproject, line "),
        (["traces/flip.trace.npz"], "is not written in UTF-8"),
    ],
)
def test_what_does_not_fit_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lesson", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("stepconv: ")
    assert err.count("\n") == 1
    assert words in err
