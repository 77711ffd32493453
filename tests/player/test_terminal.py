"""The real program in a real terminal, under tmux: sizes, colours, pipes, signals, exceptions."""

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAY = f"{sys.executable} -m stepconv play"
_PATIENCE = 40

tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """A tmux session that a person could sit at."""

    def __init__(self, width: int, height: int) -> None:
        self.name = f"stepconv-{uuid.uuid4().hex[:8]}"
        self.call(
            "new-session",
            "-d",
            "-x",
            str(width),
            "-y",
            str(height),
            "env -u COLUMNS -u LINES PS1='$ ' sh",
        )
        self.run(f"cd {ROOT}; stty cols {width} rows {height}")

    def call(self, *arguments: str) -> str:
        command = ["tmux", "-L", self.name, "-f", os.devnull, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def run(self, command: str) -> None:
        self.call("send-keys", "-l", command)
        self.keys("Enter")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.call("send-keys", key)

    def screen(self, *options: str) -> str:
        return self.call("capture-pane", "-p", *options)

    def wait(self, text: str) -> str:
        """Wait until a text is on the screen; return the screen."""
        return self.wait_until(lambda seen: text in seen, text)

    def wait_until(self, holds: Callable[[str], bool], what: str) -> str:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            seen = self.screen()
            if holds(seen):
                return seen
            time.sleep(0.05)
        raise AssertionError(f"{what} did not appear:\n{self.screen()}")

    def is_restored(self) -> bool:
        """Whether the shell is back: own screen, visible cursor, no mouse, keys echoed in lines."""
        state = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
        self.run("stty -a")
        settings = self.wait("icanon")
        modes = self.call("display-message", "-p", state).split()
        return modes == ["0", "1", "0"] and not re.search(r"-(echo|icanon)\b", settings)

    def close(self) -> None:
        self.call("kill-server")


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    opened = Terminal(*getattr(request, "param", (80, 24)))
    yield opened
    opened.close()


def child_of(terminal: Terminal) -> int:
    """Return the process that runs in the terminal's shell."""
    shell = terminal.call("display-message", "-p", "#{pane_pid}").strip()
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", shell], capture_output=True, text=True)
    return int(found.stdout.split()[0])


@tmux
@pytest.mark.slow
@pytest.mark.parametrize("terminal", [(80, 24), (60, 20), (120, 40), (200, 60)], indirect=True)
def test_it_plays_steps_and_leaves(terminal: Terminal) -> None:
    terminal.run(f"{PLAY} vertical-edge-rgb; echo status=$?")
    terminal.wait("step 0 of 64")
    terminal.keys("Right", "Right", "Right")
    seen = terminal.wait("step 3 of 64")
    assert "75 + 75 + 75 = 225" in seen
    assert "[25 25  0]" in seen
    assert "[225]" in seen
    # Where there is room, all three colours stand there.
    assert seen.count("25 25 25 25 25  0  0  0  0  0") in (7, 21)
    terminal.keys("g", "8", "Enter")
    terminal.wait("step 8 of 64")
    terminal.keys("Space")
    terminal.wait("▶")
    terminal.wait("step 10 of 64")
    terminal.keys("Space", "w")
    assert "no window" not in terminal.wait("8 = (10 - 3 + 2·0) / 1 + 1")
    terminal.keys("q")
    terminal.wait("status=0")
    assert terminal.is_restored()


@tmux
@pytest.mark.slow
def test_a_resized_window_is_drawn_anew(terminal: Terminal) -> None:
    terminal.run(f"{PLAY} photo-rgb-padded")
    terminal.wait("step 0 of 100")
    for step, (width, height) in enumerate(((60, 20), (30, 8), (120, 40), (80, 24)), 1):
        terminal.call("resize-window", "-x", str(width), "-y", str(height))
        terminal.keys("Right")

        def is_whole(seen: str, step: int = step, height: int = height) -> bool:
            lines = seen.splitlines()
            return len(lines) == height and f"step {step} of" in lines[0] and "space" in lines[-1]

        seen = terminal.wait_until(is_whole, f"a whole screen of {width}x{height}")
        assert "[" in seen


@tmux
@pytest.mark.slow
def test_without_colours_there_are_brackets_and_marks(terminal: Terminal) -> None:
    terminal.run(f"NO_COLOR=1 TERM=xterm-256color {PLAY}; echo status=$?")
    assert "▸ moving-average-1d" in terminal.wait("choose")
    seen = terminal.screen("-e")
    terminal.keys("Escape")
    terminal.wait("status=0")
    terminal.run(f"NO_COLOR=1 TERM=xterm-256color {PLAY} same-4x4")
    assert "[ 0  0  0]" in terminal.wait("step 0 of 16")
    for codes in (seen, terminal.screen("-e")):
        assert not re.search(r"[34]8;[25];|\x1b\[(\d+;)*(3|4|9|10)[0-7][;m]", codes)


@tmux
@pytest.mark.slow
@pytest.mark.parametrize("terminal", [(80, 24), (60, 20), (120, 40), (200, 60)], indirect=True)
def test_a_chain_is_followed_and_stood_on(terminal: Terminal) -> None:
    terminal.run(f"{PLAY} two-convolutions; echo status=$?")
    terminal.wait("link 0 of 8")
    terminal.keys("]")
    terminal.wait("link 1 of 8")
    terminal.keys("s")
    terminal.wait("7 subtract 3x3")
    terminal.keys("Enter")
    terminal.wait("where to?")
    terminal.keys("Enter")
    terminal.wait("link 0 of 8")
    terminal.keys("q")
    terminal.wait("status=0")
    assert terminal.is_restored()


@tmux
@pytest.mark.slow
def test_sixteen_colours_are_enough(terminal: Terminal) -> None:
    terminal.run(f"COLORTERM= TERM=xterm-16color {PLAY} --input digit-5-28x28 --kernel sobel-x")
    seen = terminal.wait("step 0 of 676")
    assert set("░▒▓█") & set(seen)  # half blocks in sixteen colours would be mud
    codes = terminal.screen("-e")
    assert "38;2;" not in codes
    assert re.search(r"\x1b\[[\d;]*(4[1-7]|10[1-7])[;m]", codes)


@tmux
@pytest.mark.slow
def test_a_dumb_terminal_gets_what_show_prints(terminal: Terminal) -> None:
    terminal.run(f"TERM=dumb {PLAY} same-4x4; echo status=$?")
    seen = terminal.wait("status=0")
    assert "Same padding of the same image" in seen
    assert terminal.is_restored()


@tmux
@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("HUP", 129)])
def test_killed_while_playing_it_restores_the_terminal(
    terminal: Terminal, name: str, status: int
) -> None:
    terminal.run(f"{PLAY} vertical-edge-rgb; echo status=$?")
    terminal.wait("step 0 of 64")
    terminal.keys("Space")
    terminal.wait("▶")
    subprocess.run(["kill", f"-{name}", str(child_of(terminal))], check=True)
    terminal.wait(f"status={status}")
    assert terminal.is_restored()


@tmux
@pytest.mark.slow
def test_ctrl_c_leaves(terminal: Terminal) -> None:
    terminal.run(f"{PLAY} same-4x4; echo status=$?")
    terminal.wait("step 0 of 16")
    terminal.keys("C-c")
    terminal.wait("status=0")
    assert terminal.is_restored()


@tmux
@pytest.mark.slow
def test_after_an_exception_the_terminal_is_restored(terminal: Terminal, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(
        "from stepconv.player.app import Player, play\n"
        "from stepconv.trace import example_trace\n"
        "def broken(self, *some): raise RuntimeError('a planted bug')\n"
        "Player.action_do = broken\n"
        "raise SystemExit(play(example_trace('same-4x4')))\n"
    )
    terminal.run(f"PYTHONPATH={ROOT} {sys.executable} {script}; echo status=$?")
    terminal.wait("step 0 of 16")
    terminal.keys("Right")
    assert "a planted bug" in terminal.wait("status=1")
    assert terminal.is_restored()


def test_on_a_pipe_it_shows() -> None:
    def out(command: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "stepconv", command, "vertical-edge-gray"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            timeout=60,
        ).stdout

    played = out("play")
    assert played == out("show")
    assert "\x1b" not in played
    assert "step 0 of 64" in played


def test_an_example_that_only_counts_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from stepconv.cli import main

    assert main(["play", "size-10-3-p0-s2"]) == 0
    assert "4 = floor((10 - 3 + 2·0) / 2) + 1" in capsys.readouterr().out


def test_nonsense_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    from stepconv.cli import main

    assert main(["play", "no-such-example"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("stepconv: ")
    assert err.count("\n") == 1


@tmux
@pytest.mark.slow
@pytest.mark.parametrize("terminal", [(80, 24), (60, 20), (120, 40)], indirect=True)
def test_a_call_is_chosen_edited_and_told_as_a_command(terminal: Terminal) -> None:
    terminal.run(f"{PLAY}; echo status=$?")
    terminal.wait("play: ")
    terminal.run("valid-4x4")
    terminal.wait("space play")  # the preview has none
    terminal.keys("e", "7", "Enter")
    terminal.wait("[ 7]")
    terminal.keys("c")
    terminal.wait("printed when")
    terminal.keys("q")
    assert "--kernel '7 " in terminal.wait("status=0")
    assert terminal.is_restored()
