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
from stepconv.cli import main
from stepconv.cli.commands import demo
from stepconv.cli.showing import demo_network
from stepconv.player.frame.film import Film
from stepconv.player.frame.frames import frame
from stepconv.player.text import layout
from stepconv.player.text.lines import line_width
from stepconv.trace import worked_example
from stepconv.train import runs

CONVOLUTION, POOLING, GRADIENT = demo.scenes()


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["demo", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_it_shows_what_a_lecture_would_stop_at() -> None:
    assert [CONVOLUTION.trace[step].result for step in CONVOLUTION.telling] == [0, 225, 0]
    assert [POOLING.trace[step].result for step in POOLING.telling] == [7, 9, 8, 5]
    gradient = np.zeros(16, int)
    gradient[list(GRADIENT.telling)] = 1
    expected = worked_example("max-pool-backward").expected
    np.testing.assert_array_equal(gradient.reshape(4, 4), np.asarray(expected) != 0)


@pytest.mark.parametrize("scene", demo.scenes(), ids=lambda scene: scene.id)
def test_frames_fit_and_do_not_jump(scene: demo.Scene) -> None:
    film = Film(scene.trace)
    for width, height in ((60, 23), (80, 23), (60, 19)):
        for step in range(len(film)):
            lines = layout.screen(frame(film, step), width, height)
            assert len(lines) == height
            assert max(map(line_width, lines)) <= width


@pytest.mark.slow
def test_on_a_pipe_it_is_plain_text_without_a_pause(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("stepconv.cli.terminal.which", lambda name: f"/somewhere/{name}")
    out = output_of(capsys)
    assert "\x1b" not in out
    assert "= 225" in out
    assert max(map(len, out.splitlines())) <= 60
    assert output_of(capsys, "--fast") == out


def test_plain_says_it_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "--plain")
    assert "red: 25x1 + 25x0 + 0x(-1)" in out
    assert "= 75, green: 75, blue: 75, total: 225." in out
    assert "the largest of 2, 2, 4, 5 is 5, at row 3, column 3." in out
    assert "row 2, column 1: wins 1 window: 1." in out
    assert not set("[]·│") & set(out)


def test_it_suggests_only_what_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stepconv.cli.terminal.which", lambda name: f"/somewhere/{name}")
    for command in demo.suggestions():
        program, *arguments = command.split()
        assert program == "stepconv"
        assert main(arguments) == 0


def test_it_suggests_what_can_be_typed_without_an_active_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stepconv.cli.terminal.which", lambda name: None)
    monkeypatch.setattr("sys.argv", [".venv/bin/stepconv", "demo"])
    assert demo.suggestions()[1] == ".venv/bin/stepconv examples"
    monkeypatch.setattr("sys.argv", ["/somewhere/stepconv/__main__.py", "demo"])
    assert demo.suggestions()[1].endswith(" -m stepconv examples")


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
    steps = sum(len(scene.trace) for scene in (CONVOLUTION, POOLING, GRADIENT))
    assert len(pauses) == steps
    assert 5 < sum(pauses) < 30
    shown = screen.getvalue()
    assert "48;2;11;95;216m" in shown  # blue
    assert "48;2;255;154;31m" in shown  # orange
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
    monkeypatch.setattr("stepconv.cli.terminal.stdout", lambda: console)
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
    trainer, data, told = demo_network._begin()
    *_, last = told
    assert last.history[-1].test_accuracy > 0.95
    return trainer, data


def test_the_network_reads(learnt: tuple[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    trainer, data = learnt
    demo_network.read(Console(file=io.StringIO()), trainer, data.test, drawn=False)
    out = capsys.readouterr().out
    found = re.findall(r"a (\d) is told as (\d) \((\d+)%\)", out)
    assert [int(label) for label, _, _ in found] == data.test.labels[:4].tolist()
    told = trainer.logits(data.test.pictures[:4]).argmax(axis=1)
    assert [int(one) for _, one, _ in found] == told.tolist()


def test_the_window_is_the_networks_own(learnt: tuple[Any, Any]) -> None:
    trainer, data = learnt
    trace, number, best = demo_network.first_layer(trainer, data)
    parameters = trainer.parameters()
    x = data.test.pictures[:1] * np.float32(runs.scale(data))
    answers = ops.correlate(x, parameters["conv1.weight"], parameters["conv1.bias"])[0]
    assert np.unravel_index(answers.argmax(), answers.shape)[0] == number
    # Rounded weights give nearly what the network itself computes.
    assert trace[best].result == pytest.approx(answers.max(), abs=0.2)
    assert trace[best].result == max(step.result for step in trace)


def test_on_a_screen_the_network_is_drawn_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, pauses = io.StringIO(), list[float]()
    console = Console(
        file=screen, force_terminal=True, color_system="truecolor", width=60, height=24
    )
    monkeypatch.setattr("stepconv.cli.terminal.stdout", lambda: console)
    demo_network.play(console, pauses.append, drawn=True)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert 3 < sum(pauses) < 15
    assert "lenet5 learns from 3,000 made digits" in shown
    assert "· from 0: step" in shown
    assert "loss 0." in shown
    assert max(map(len, shown.splitlines())) <= 60
