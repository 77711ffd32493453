"""What a scene opens: a record to play, lines to read beside the text, or a command of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stepconv.errors import ArgumentError, StepconvError

if TYPE_CHECKING:
    from stepconv.lessons.names import Tools
    from stepconv.lessons.scene import Scene
    from stepconv.trace import Chain, Trace

# Commands that print and end at once: what they say stands beside the text.
PRINTS = ("shapes", "show", "examples", "why", "look")
# What a lesson makes on the spot: a network, `@lenet5`, `@lenet5:mnist`; a sweep, `@pictures`.
_MADE_HERE = "@"
_DATA = "digits"
# Enough to read digits, in a few seconds.
_HOW = ("--epochs", "2", "--limit", "6000")


@dataclass(frozen=True)
class Opened:
    """What there is to see of a scene: one of a record, frames of lines, a command to run."""

    record: Trace | Chain | None = None
    frames: Sequence[Sequence[str]] = ()
    command: tuple[str, ...] = ()
    message: str = ""
    is_film: bool = True


def opened(scene: Scene, tools: Tools, width: int = 78) -> Opened:
    """Return what a scene opens; what cannot be opened becomes a message."""
    from stepconv.lessons import drawings, names

    try:
        frames = drawings.draw(scene.draws) if scene.draws else ()
        if names.is_played(scene):
            return Opened(record=tools.record(names.target(scene)), frames=frames)
        words = tuple(shlex.split(scene.opens))
        if names.is_stepped(scene):
            pages = stepped(names.target(scene), width)
            return Opened(frames=frames or pages, command=words, is_film=bool(frames))
        if frames:
            return Opened(frames=frames, command=words)
        if words and words[0] in PRINTS and not _networks(words):
            return Opened(frames=[printed(words, width)])
        return Opened(command=words)
    except (StepconvError, OSError, ValueError) as error:
        return Opened(message=str(error))


def stepped(target: str, width: int) -> list[list[str]]:
    """Return the steps of an algorithm, each as lines that stand beside a text."""
    from stepconv.cli.reading.lessons import steps
    from stepconv.lessons.drawings.grid import HIGH
    from stepconv.player.stepped.lines import body
    from stepconv.player.text.lines import as_text

    found = steps(target).steps
    return [
        [
            f"{algorithm}, step {number} of {len(found)}: {step.title}"[:width],
            *(as_text(line).rstrip() for line in body(step, width, HIGH - 1).lines),
        ]
        for number, (algorithm, step) in enumerate(found)
    ]


def printed(words: Sequence[str], width: int) -> list[str]:
    """Return the lines that a command prints on a terminal of that width."""
    from rich.text import Text

    from stepconv.cli import main

    out, err = io.StringIO(), io.StringIO()
    # As on a terminal, as what is meant for a pipe may be wider than any screen.
    with (
        _environment(COLUMNS=str(width), FORCE_COLOR="1", TERM="xterm"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = main(list(words))
    if status:
        raise ArgumentError(err.getvalue().strip().removeprefix("stepconv: "))
    return [Text.from_ansi(line).plain.rstrip() for line in out.getvalue().splitlines()]


@contextlib.contextmanager
def _environment(**changed: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run(words: Sequence[str]) -> int:
    """Run a command in this terminal, in a process of its own; train first what it speaks of."""
    import subprocess

    known = list(words)
    for place, word in _networks(words):
        status, folder = _swept(word) if words[0] == "compare" else _trained(word)
        if status:
            return status
        known[place] = str(folder)
    if known[0] == "explore":
        known.append("--escape-leaves")
    if words[0] == "train" and "--out" not in words:
        known += ["--out", str(_emptied(training_folder(words)))]
    return subprocess.run([sys.executable, "-m", "stepconv", *known]).returncode


def has_own_screen(words: Sequence[str]) -> bool:
    """Tell whether a command takes the screen until it is left, rather than print and end."""
    return words[0] in ("explore", "play", "lesson") and "--at" not in words


def _networks(words: Sequence[str]) -> list[tuple[int, str]]:
    return [(place, word) for place, word in enumerate(words) if word.startswith(_MADE_HERE)]


def network_folder(word: str) -> Path:
    """Return where a network that a lesson trains is kept.

    >>> network_folder("@lenet5").name, network_folder("@mlp:mnist").name
    ('lenet5-digits', 'mlp-mnist')
    """
    from stepconv.lessons import progress

    return progress.folder() / "networks" / "-".join(_model_and_data(word))


def training_folder(words: Sequence[str]) -> Path:
    """Return where what a scene trains is kept, named by all that is typed.

    >>> training_folder(["train", "lenet5", "--data", "mnist"]) == network_folder("@lenet5:mnist")
    True
    """
    name = "-".join(word.removeprefix("--") for word in words[1:] if word != "--data")
    return network_folder(_MADE_HERE).with_name(name)


def typed(words: Sequence[str]) -> list[str]:
    """Return what one types in a shell instead: the trainings first, then their run folders.

    >>> typed(["explore", "@mlp:mnist"])
    ['stepconv train mlp --data mnist', 'stepconv explore runs/mlp-mnist']
    >>> typed(["compare", "@pictures"])
    ['stepconv sweep pictures -o results', 'stepconv compare results']
    """
    known, before = list(words), []
    for place, word in _networks(words):
        if words[0] == "compare":
            known[place] = "results"
            before.append(f"stepconv sweep {word.removeprefix(_MADE_HERE)} -o results")
        else:
            model, data = _model_and_data(word)
            known[place] = f"runs/{network_folder(word).name}"
            before.append(f"stepconv train {model} --data {data}")
    return [*before, f"stepconv {shlex.join(known)}"]


def _model_and_data(word: str) -> tuple[str, str]:
    model, _, data = word.removeprefix(_MADE_HERE).partition(":")
    return model, data or _DATA


def _emptied(folder: Path) -> Path:
    """Return a folder for a training; what an earlier one left there, whole or not, goes."""
    import shutil

    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _trained(word: str) -> tuple[int, Path]:
    """Return where a network is; if it is not there yet it is trained where it can be watched."""
    folder = network_folder(word)
    if (folder / "model.safetensors").is_file():
        return 0, folder
    model, data = _model_and_data(word)
    command = ["train", model, "--data", data, *_HOW, "--out", str(_emptied(folder))]
    return _made("looks into a network", command), folder


def _swept(word: str) -> tuple[int, Path]:
    """Return where the trainings of a sweep are; those that are not done are made now."""
    from stepconv.lessons import progress

    name = word.removeprefix(_MADE_HERE)
    folder = progress.folder() / "sweeps" / name
    return _made("compares trainings", ["sweep", name, "-o", str(folder)]), folder


def _made(why: str, command: list[str]) -> int:
    """Run a command that makes what a scene needs."""
    import subprocess

    print(f"This scene {why}: stepconv {shlex.join(command)}\n", flush=True)
    return subprocess.run([sys.executable, "-m", "stepconv", *command]).returncode
