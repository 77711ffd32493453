"""The demo shows true numbers in 60 columns: on pipes, on terminals and to screen readers."""

import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from stepconv import ops
from stepconv.cli import _demo_network, _demo_scenes, available, demo, main
from stepconv.trace import worked_example
from stepconv.train import runs

CONVOLUTION, POOLING, GRADIENT = _demo_scenes.scenes()


def text(lines: list[_demo_scenes.Line]) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in lines]


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["demo", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_window_the_products_and_the_sum_of_step_4() -> None:
    lines = text(CONVOLUTION.draw(3, None))
    assert lines[1] == "vertical-edge-rgb · window 4 of 64 · row 0, column 3"
    assert lines[3].startswith(" 25 25 25[25 25  0] 0  0  0  0 ")
    assert lines[3].split("]")[1].split() == ["0"] * 4 + ["1", "0", "-1", "25", "0", "0"]
    for channel in ("red", "green", "blue"):
        assert any(re.search(rf"{channel} +25 \+ 25 \+ 25 = +75$", line) for line in lines)
    assert any(re.search(r" 75 \+ 75 \+ 75 = 225$", line) for line in lines)
    assert "output 8x8: 8 = (10 - 3 + 2·0) / 1 + 1" in lines
    assert lines[14] == "   0   0   0[225]  ·   ·   ·   · "


def test_every_step_shows_the_output_so_far_and_its_own_sum() -> None:
    (expected,) = np.asarray(worked_example("vertical-edge-rgb").expected)
    for step, value in enumerate(np.ravel(expected)):
        lines = text(CONVOLUTION.draw(step, None))
        cells = " ".join(lines[-8:]).translate({ord("["): " ", ord("]"): " "}).split()
        assert cells[: step + 1] == [f"{v:g}" for v in np.ravel(expected)[: step + 1]]
        assert set(cells[step + 1 :]) <= {"·"}
        assert lines[11].endswith(f"= {value:>3g}")


def test_the_numbers_come_from_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    true = ops.correlate

    def wrong(*arguments: object, **options: object) -> object:
        return true(*arguments, **options) + 1  # type: ignore[arg-type]

    monkeypatch.setattr(ops, "correlate", wrong)
    scene = _demo_scenes.scenes()[0]
    assert any(line.endswith("=  76") for line in text(scene.draw(3, None)))


def test_roles_are_marked_by_brackets_too() -> None:
    for scene in (CONVOLUTION, POOLING, GRADIENT):
        for step in range(scene.steps):
            for line in scene.draw(step, None):
                if any(role == "window" for _, role in line):
                    assert "[" in "".join(piece for piece, _ in line)


@pytest.mark.parametrize("scene", [CONVOLUTION, POOLING, GRADIENT], ids=lambda s: s.example.id)
def test_frames_fit_and_do_not_jump(scene: _demo_scenes.Scene) -> None:
    for height in (19, 23):
        frames = [text(scene.draw(step, height)) for step in range(scene.steps)]
        assert len({len(frame) for frame in frames}) == 1
        assert len(frames[0]) <= height
        assert max(len(line) for frame in frames for line in frame) <= 60


def test_a_low_screen_shows_the_row_at_work() -> None:
    for step in range(CONVOLUTION.steps):
        assert any("]" in line for line in text(CONVOLUTION.draw(step, 19))[14:])


def test_pooling_lists_every_window() -> None:
    lines = text(POOLING.draw(3, None))
    for equation in ("max(2, 3, 4, 7) = 7", "max(1, 9, 3, 5) = 9", "max(8, 2, 1, 3) = 8"):
        assert any(line.endswith(equation) for line in lines)
    assert " 8 2[2 2]" in lines[4]


def test_the_gradient_goes_to_the_winners() -> None:
    lines = text(GRADIENT.draw(0, None))
    assert lines[2].startswith("  0[55] 0  0 ")
    assert lines[2].endswith("0[1]0 0 ")
    assert lines[-1] == "The largest cells, 55, 41, 90, 95, get it; the others get 0."


def test_on_a_pipe_it_is_plain_text_without_a_pause(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys)
    assert "\x1b" not in out
    assert "= 225" in out
    assert max(map(len, out.splitlines())) <= 60
    assert output_of(capsys, "--fast") == out


def test_plain_says_it_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "--plain")
    assert "red: 25 + 0 + 0 + 25 + 0 + 0 + 25 + 0 + 0 = 75" in out
    assert "All channels: 75 + 75 + 75 = 225." in out
    assert "25 + 0 + (-25)" in out
    assert "max(2, 2, 4, 5) = 5" in out
    assert "row 0 column 1, row 1 column 2, row 2 column 1, row 3 column 3" in out
    assert not set("[]·│") & set(out)


def test_it_suggests_only_what_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    commands = demo.suggestions()
    assert len(commands) >= 2
    for command in commands:
        program, name, *rest = command.split()
        assert program == "stepconv"
        assert name in available()
        assert main([name, *rest]) == 0


def test_without_pillow_it_suggests_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(command.endswith("-o edges.png") for command in demo.suggestions())
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name != "PIL" and found(name))
    assert any(command.endswith("-o edges.csv") for command in demo.suggestions())


def test_a_terminal_gets_a_paced_playback_in_colour() -> None:
    screen, pauses = io.StringIO(), list[float]()
    console = Console(
        file=screen, force_terminal=True, color_system="truecolor", width=60, height=24
    )
    demo.play(console, pauses.append)
    steps = sum(scene.steps for scene in (CONVOLUTION, POOLING, GRADIENT))
    assert len(pauses) == steps
    assert 5 < sum(pauses) < 30
    shown = screen.getvalue()
    assert "\x1b[1;38;5;33m" in shown  # blue
    assert "\x1b[1;38;5;208m" in shown  # orange
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 3  # the cursor comes back


@pytest.mark.parametrize(
    ("arguments", "term", "paced"),
    [
        ([], "xterm", True),
        (["--fast"], "xterm", False),
        (["--plain"], "xterm", False),
        ([], "dumb", False),
    ],
)
def test_only_a_terminal_that_can_redraw_is_paced(
    arguments: list[str], term: str, paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": term})
    pauses: list[float] = []
    monkeypatch.setattr("stepconv.cli._console.stdout", lambda: console)
    monkeypatch.setattr("time.sleep", pauses.append)
    assert main(["demo", *arguments]) == 0
    assert bool(pauses) == paced


def test_no_color_leaves_the_brackets() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, no_color=True, width=60, height=24)
    demo.draw(console)
    assert "38;5" not in screen.getvalue()
    assert "225" in screen.getvalue()


def test_in_a_process_of_its_own() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stepconv", "demo"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "60"},
        timeout=300,
    )
    assert result.returncode == 0
    assert result.stderr == ""
    assert "75 + 75 + 75 = 225" in result.stdout
    assert "It reads digits that it has never seen" in result.stdout


@pytest.fixture(scope="module")
def learnt() -> tuple[Any, Any]:
    """A network that learnt as in the demo."""
    trainer, data, told = _demo_network._begin()
    *_, last = told
    assert last.history[-1].test_accuracy > 0.95
    return trainer, data


def test_the_network_reads(learnt: tuple[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    trainer, data = learnt
    _demo_network.read(Console(file=io.StringIO()), trainer, data.test, drawn=False)
    out = capsys.readouterr().out
    found = re.findall(r"a (\d) is told as (\d) \((\d+)%\)", out)
    assert [int(label) for label, _, _ in found] == data.test.labels[:4].tolist()
    told = trainer.logits(data.test.pictures[:4]).argmax(axis=1)
    assert [int(one) for _, one, _ in found] == told.tolist()


def test_the_window_is_the_networks_own(learnt: tuple[Any, Any]) -> None:
    trainer, data = learnt
    trace, number, best = _demo_network.first_layer(trainer, data)
    parameters = trainer.parameters()
    x = data.test.pictures[:1] * np.float32(runs.scale(data))
    answers = ops.correlate(x, parameters["conv1.weight"], parameters["conv1.bias"])[0]
    assert np.unravel_index(answers.argmax(), answers.shape)[0] == number - 1
    # Rounded weights give nearly what the network itself computes.
    assert trace[best].result == pytest.approx(answers.max(), abs=0.2)
    assert trace[best].result == max(step.result for step in trace)


def test_on_a_screen_the_network_is_drawn_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, pauses = io.StringIO(), list[float]()
    console = Console(
        file=screen, force_terminal=True, color_system="truecolor", width=60, height=24
    )
    monkeypatch.setattr("stepconv.cli._console.stdout", lambda: console)
    _demo_network.play(console, pauses.append, drawn=True)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert 3 < sum(pauses) < 15
    assert "lenet5 learns from 3,000 made digits" in shown
    assert "cross-correlation · step" in shown
    assert "loss 0." in shown
    assert max(map(len, shown.splitlines())) <= 60
