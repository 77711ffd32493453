"""The promises of the command line itself: one line of complaint, exit statuses, a quick start."""

import os
import subprocess
import sys

import pytest
import typer

import stepconv
from stepconv.cli import COMMANDS, main, terminal
from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError, ArgumentTypeError


def run(*arguments, **environment):
    """Run `python -m stepconv` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stepconv", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def run_function(function, *arguments):
    """Run `function` as the only command of an app."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return terminal.run(app, arguments)


def assert_one_line(error_output, *words):
    assert error_output.startswith("stepconv: ")
    assert error_output.endswith("\n")
    assert error_output.count("\n") == 1
    for word in words:
        assert word in error_output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["docter"], ["'docter'", "did you mean 'doctor'?"]),
        (["xyzzy"], ["'xyzzy'", "there are", "doctor"]),
        (["--bogus"], ["--bogus", "(see stepconv --help)"]),
        (["doctor", "--bogus"], ["--bogus", "(see stepconv doctor --help)"]),
        (["doctor", "surplus"], ["surplus", "(see stepconv doctor --help)"]),
        (["doctor", "--data-dir"], ["--data-dir", "argument"]),
        (["doctor", "--json=7"], ["--json"]),
        (["two\nlines"], ["two"]),
        (["\x1b[31mred"], ["red"]),
        ([""], ["''"]),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(arguments, words, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_line(err, *words)
    assert "\x1b" not in err


def test_a_bad_argument_in_a_process_of_its_own():
    result = run("doctor", "--bogus")
    assert result.returncode == 2
    assert result.stdout == ""
    assert_one_line(result.stderr, "--bogus")


def test_a_bad_value_is_one_line_and_status_2(capsys):
    def steps(count: int) -> None:
        pass

    assert run_function(steps, "many") == 2
    assert_one_line(capsys.readouterr().err, "count", "many", "valid int")


def test_a_missing_argument_is_one_line_and_status_2(capsys):
    def show(target: str) -> None:
        pass

    assert run_function(show) == 2
    assert_one_line(capsys.readouterr().err, "target", "Missing")


@pytest.mark.parametrize(
    "error",
    [
        ArgumentError("stride=0 is too small:\n1 or more fits"),
        ArgumentTypeError("stride=0 is too small: 1 or more fits"),
    ],
)
def test_an_error_of_ours_is_one_line_and_status_2(error, capsys):
    def fail() -> None:
        raise error

    assert run_function(fail) == 2
    assert capsys.readouterr().err == "stepconv: stride=0 is too small: 1 or more fits\n"


def test_an_unreadable_file_is_one_line_and_status_2(capsys, tmp_path):
    def read() -> None:
        (tmp_path / "absent").read_bytes()

    assert run_function(read) == 2
    assert_one_line(capsys.readouterr().err, "absent: No such file or directory")


def test_a_bug_keeps_its_traceback():
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_function(fail)


def test_a_command_chooses_its_status():
    def check() -> None:
        raise typer.Exit(terminal.WRONG)

    assert run_function(check) == 1


def test_ctrl_c_is_quiet_and_status_130(capsys):
    def wait() -> None:
        raise KeyboardInterrupt

    assert run_function(wait) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed_pipe:
        result = subprocess.run(
            [sys.executable, "-m", "stepconv", "--help"],
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert result.returncode == 141
    assert result.stderr == b""


def test_a_character_that_the_terminal_lacks_is_replaced():
    result = run("doctor", "--bogus→", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 2
    assert_one_line(result.stderr, "--bogus")


def test_version():
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"stepconv {stepconv.__version__}\n"


def test_no_arguments_is_help(capsys):
    assert main([]) == 0
    bare = capsys.readouterr()
    assert main(["--help"]) == 0
    asked = capsys.readouterr()
    assert bare.err == asked.err == ""
    assert bare.out.strip() == asked.out.strip()
    assert "Usage: stepconv [OPTIONS] COMMAND" in asked.out


def test_help_lists_the_commands_that_are_there(capsys):
    main(["--help"])
    listing = capsys.readouterr().out.partition("Commands:")[2]
    assert [line.split()[0] for line in listing.strip().splitlines()] == list(COMMANDS)
    assert "..." not in listing


@pytest.mark.parametrize("command", COMMANDS)
def test_each_commands_help_shows_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"\n      stepconv {command}" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_help_keeps_to_60_columns():
    result = run("doctor", "--help", COLUMNS="60")
    assert max(map(len, result.stdout.splitlines())) <= 60


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["doctor", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments):
    script = (
        "import sys; from stepconv.cli import main; "
        f"status = main({arguments!r}); "
        "heavy = {'numpy', 'numba', 'llvmlite', 'textual', 'rich'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else status)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_command_with_a_target_has_all_its_options_beside_its_own():
    @targets.with_target
    def tell(*, times: int = 1, asked: targets.Asked, loud: bool = False) -> None:
        told.append((times, asked, loud))

    told = []
    assert run_function(tell, "edges", "--times", "2", "--padding", "same", "--ceil-mode") == 0
    assert told == [(2, targets.Asked("edges", padding="same", ceil_mode=True), False)]
    assert told[0][1].options == ["padding", "ceil_mode"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("maxpool", "`stepconv play eight-22x16 --op max-pool …`"),
        ("conv", "`stepconv play eight-22x16 --op correlate …`"),
        ("convolve", "--op convolve"),
        ("vertical-edge-rgb", "`stepconv play vertical-edge-rgb` plays it"),
        ("example", "did you mean 'examples'?"),
        ("zzz", "there are demo, examples"),
    ],
)
def test_what_is_no_command_gets_a_hint_that_helps(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("near", "exact"),
    [
        (["-h"], ["--help"]),
        (["help"], ["--help"]),
        (["play", "-h"], ["play", "--help"]),
        (["help", "apply"], ["apply", "--help"]),
    ],
)
def test_help_is_found_by_any_of_its_names(
    near: list[str], exact: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(exact) == 0
    helped = capsys.readouterr().out
    assert main(near) == 0
    assert capsys.readouterr().out == helped


def test_alone_at_a_terminal_it_offers_what_to_try(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    assert main([]) == 0
    offered = capsys.readouterr().out
    assert "stepconv play eight-22x16 --kernel sobel-x" in offered
    assert "stepconv lesson" in offered
    assert "vertical-edge-rgb" in offered
    assert max(map(len, offered.splitlines())) <= 60
    assert len(offered.splitlines()) <= 23
