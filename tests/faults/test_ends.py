"""However a command ends, its status tells, one line says it, and the terminal is as it was."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.cli import ending, main, terminal
from stepconv.errors import StepconvWarning
from tests.faults.rows import mostly_slow

pty = pytest.importorskip("pty", reason="this system has no such terminals")
from tests.faults.terminals import COMMAND, Terminal  # noqa: E402

SLOW = "import time\ndef conv(x, w):\n    time.sleep(99)\n"


@pytest.fixture
def homework(tmp_path: Path) -> Path:
    (tmp_path / "slow.py").write_text(SLOW)
    return tmp_path


SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGALRM", "SIGINT")
SHOWN = {
    "play vertical-edge-rgb": b"keys",
    "check slow.py:conv --seconds 90": b"calling",
    "demo": b"1",
    "train lenet5 --data digits --epochs 99": b"digits",
    "bench": b"\x1b[",
}
# Each command with two of the signals, each signal at least once.
ENDS = [
    (typed, SIGNALS[(2 * number + also) % len(SIGNALS)])
    for number, typed in enumerate(SHOWN)
    for also in (0, 1)
]


@pytest.mark.parametrize(("typed", "name"), mostly_slow(ENDS, 16))
def test_a_signal_gives_the_terminal_back(typed: str, name: str, homework: Path) -> None:
    shown = Terminal(typed.split(), homework)
    assert shown.until(lambda painted: SHOWN[typed] in painted)
    number = getattr(signal, name)
    status = shown.end(number)
    assert status == (0 if typed.startswith("play") and name == "SIGINT" else 128 + number) or (
        status == 130
    )
    assert shown.is_as_it_was
    assert b"Traceback" not in shown.painted
    if not typed.startswith("play"):
        said = shown.painted.decode(errors="replace").splitlines()[-1]
        assert "stepconv: " in said


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.05, 0.2, 0.4, 0.7, 1.1, 2.0])
@pytest.mark.parametrize("typed", ["apply eight-22x16 sobel-x -o out.npy --force"])
def test_ctrl_c_at_any_moment(typed: str, delay: float, tmp_path: Path) -> None:
    environment = {**os.environ, "STEPCONV_CACHE_DIR": str(tmp_path / "cache")}
    started = subprocess.Popen(
        [*COMMAND, *typed.split()],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    time.sleep(delay)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    if delay >= 0.2:  # before, Python itself may not have begun
        assert started.returncode in (0, 130)
        assert "Traceback" not in said
        assert said.count("\n") <= 1


@pytest.mark.slow
def test_an_interrupt_that_nobody_hears_comes_again() -> None:
    script = (
        "import ctypes, signal, time, typer\nfrom stepconv.cli import terminal\n"
        "kind = ctypes.CFUNCTYPE(None)\n"
        "def command():\n"
        "    kind(lambda: signal.raise_signal(signal.SIGINT))()\n"
        "    time.sleep(9)\n    print('never')\n"
        "app = typer.Typer()\napp.command()(command)\nraise SystemExit(terminal.run(app, []))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stepconv: interrupted\n")


def test_signals_become_exceptions_in_a_block_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ending.Ended) as caught, ending.in_order():
        signal.raise_signal(signal.SIGTERM)
    assert (caught.value.code, caught.value.name) == (143, "SIGTERM")
    with pytest.raises(KeyboardInterrupt), ending.in_order():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before


STREAMS = ["examples --json", "show vertical-edge-rgb --plain", "shapes lenet5", "doctor", "--help"]


@pytest.mark.parametrize("typed", mostly_slow(STREAMS, 9))
def test_a_stream_that_takes_nothing_is_one_line(typed: str) -> None:
    closed = f"exec {' '.join(COMMAND)} {typed}"
    for redirected, what in ((">&-", "Bad file descriptor"), (">/dev/full", "No space left")):
        if what != "No space left" or Path("/dev/full").exists():
            done = _in_shell(f"{closed} {redirected}")
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)
            assert done.stderr.startswith(f"stepconv: standard output: {what}")


@pytest.mark.slow
def test_what_reads_nothing_and_says_nothing_needs_no_streams(tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    done = _in_shell(f"exec {' '.join(COMMAND)} apply eight-22x16 sobel-x -o {out} <&- >&- 2>&-")
    assert done.returncode == 0
    assert np.load(out).shape


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["examples", "show vertical-edge-rgb --plain", "examples --json"])
def test_a_reader_that_leaves_has_one_status(typed: str) -> None:
    command = f"{' '.join(COMMAND)} {typed} | true; exit ${{PIPESTATUS[0]}}"
    done = _in_shell(command)
    assert (done.returncode, done.stderr) == (141, "")


def _in_shell(command: str) -> Any:
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "", "99999999999"])
def test_a_size_that_no_terminal_has_is_forgotten(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["shapes", "lenet5"]) == 0
    assert "61,706" in capsys.readouterr().out


@pytest.mark.slow
def test_without_utf_8_json_is_escaped_and_nothing_breaks() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    for typed in ("examples --json", "show vertical-edge-rgb --json"):
        done = subprocess.run(
            [*COMMAND, *typed.split()], env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0
        for line in done.stdout.decode("ascii").splitlines():
            assert "?" not in json.dumps(json.loads(line)).replace("?", "", line.count("?"))
            json.loads(line)


def test_a_path_with_escapes_is_harmless_in_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("\x1b[2Jgone", "\u202eabc", "\udcff", "two\nlines", "\x9b31m"):
        for typed in (
            ["show", "--input", f"{name}.npy"],
            ["shapes", f"{name}.toml"],
            ["play", name],
        ):
            assert main(typed) == 2
            err = capsys.readouterr().err
            assert err.count("\n") == 1
            assert err[:-1].isprintable()


def test_warnings_of_libraries_never_precede_the_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    monkeypatch.setattr(sys, "warnoptions", [])
    with terminal._warnings_in_a_line():
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
        warnings.warn("ours \x1b[2J", StepconvWarning, stacklevel=1)
    assert capsys.readouterr().err == "stepconv: ours \\x1b[2J\n"


# What no terminal should send, and some do.
SEQUENCES = [
    *(b"\x1b[<35;99999999999999999999;5m", b"\x1b[<-1;0;0M", b"\x1b[M\xff\xff\xff", b"\x1b[<;;M"),
    *(b"\x1b[200~", b"\x1b[201~", b"\x1b[1114112u", b"\x1b[99999999999u", b"\x1b[57441;1:3u"),
    *(b"\x1b[97;;1114112u", b"\x1b[;u", b"\x1b[27;5;1114112~", b"\x1b[48;0;0;0;0t", b"\x1b[I"),
    *(
        b"\x1b]11;rgb:zz\x07",
        b"\x1bP+q\x1b\\",
        b"\xff\xfe\xc3",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(b"\x00", b"\x1b[1;2:9A", b"\x1b[?2048;0$y", b"\x1b[;;;;;m"),
]
KEYS = b"abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789 ,.;:+-*/=?!<>[]{}()\t\r\x7f"
ENDING_KEYS = b"\x03\x11\x1a\x1c\x04"


def test_every_sequence_is_passed_by_and_keys_after_it_are_heard() -> None:
    from textual import events
    from textual._xterm_parser import XTermParser

    from stepconv.player.door import understood

    for sequence in SEQUENCES:
        parser, heard = XTermParser(False), list[Any]()
        text = (sequence + b"\x1b[201~" + b"zz").decode("utf-8", errors="replace")
        for character in text:
            heard += understood(parser, character)
        assert any(isinstance(one, events.Key | events.Paste) for one in heard), sequence


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_the_player_survives_whatever_is_typed(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    typed = ["play vertical-edge-rgb", "play --input 1,2;3,4 --kernel 1,2 --then relu"][seed % 2]
    shown = Terminal(typed.split(), tmp_path)
    assert shown.until(lambda painted: b"keys" in painted or b"step" in painted)
    for _ in range(300):
        content = bytes(chance.choice(KEYS) for _ in range(20))
        if chance.random() < 0.3:
            content = chance.choice(SEQUENCES)
        elif chance.random() < 0.1:
            content = bytes(chance.randrange(256) for _ in range(9))
            content = content.translate(None, ENDING_KEYS + b"\x1b")
        shown.send(content)
        if chance.random() < 0.1:
            shown.resize(chance.randrange(1, 60), chance.randrange(1, 200))
        shown.until(lambda _: False, 0.01)
    shown.end(signal.SIGTERM)
    assert shown.status in (0, 143)
    assert shown.is_as_it_was
    assert b"Traceback" not in shown.painted


@pytest.mark.slow
def test_a_storm_of_resizing(tmp_path: Path) -> None:
    shown = Terminal(["play", "vertical-edge-rgb"], tmp_path)
    assert shown.until(lambda painted: b"keys" in painted)
    for number in range(300):
        shown.resize(1 + number % 60, 1 + 7 * number % 211)
        shown.until(lambda _: False, 0.002)
    shown.resize(24, 80)
    shown.send(b"q")
    assert shown.end() == 0
    assert shown.is_as_it_was


@pytest.mark.slow
def test_a_terminal_that_goes_without_a_word_ends_the_player(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    # In a session of its own that has no terminal: nobody sends it a signal.
    player = subprocess.Popen(
        [*COMMAND, "play", "vertical-edge-rgb"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    painted = b""
    while b"cross-correlation" not in painted:
        painted += os.read(master, 65536)
    os.close(master)
    assert player.wait(60) == 128 + signal.SIGHUP
