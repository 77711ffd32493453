"""The kinds of files that `stepconv export` writes: what each holds, and which options it takes."""

from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from stepconv.cli.showing import output, stepped
from stepconv.errors import ArgumentError

_STEPS = {"step", "steps", "every", "link", "way", "cell"}
_DRAWN = _STEPS | {"letters", "dark"}
_MOVING = _DRAWN | {"width", "fps"}


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it holds, which options mean something there, what it is made of.

    Where no steps are asked for, it holds all of them or the first.
    """

    holds: str
    takes: set[str]
    all_steps: bool = True
    of_records: bool = True
    of_networks: bool = False


KINDS = {
    ".svg": Kind("a step as a drawing, or several as a film", _MOVING, all_steps=False),
    ".png": Kind("a step as a picture, or several as a film", _MOVING, all_steps=False),
    ".gif": Kind("the steps as a film", _MOVING),
    ".pptx": Kind("a slide for each step", _STEPS | {"letters"}),
    ".pdf": Kind("a page for each step", _DRAWN),
    ".cast": Kind("the steps as a terminal's recording", _STEPS | {"letters", "width", "fps"}),
    ".json": Kind("the steps as data", _STEPS),
    ".npz": Kind("the record itself", set()),
    ".html": Kind("a page that plays", {"way", "cell"}, of_networks=True),
    ".onnx": Kind("a trained network for other engines", set(), of_records=False, of_networks=True),
    ".toml": Kind("a network's description", set(), of_records=False, of_networks=True),
}
# Options that are not called what they are here.
_NAMES = {"way": "--as"}
# How wide pictures can be in pixels, and recordings in columns.
_PIXELS, _COLUMNS = (64, 8000), (40, 400)
# Steps a second: faster than this no film is shown.
_FASTEST = 50
# Packages that are not always there, and the extras that bring them.
_NEEDED = {
    ".png": ("PIL", "images"),
    ".gif": ("PIL", "images"),
    ".pptx": ("pptx", "slides"),
}


@dataclass(frozen=True)
class Wanted:
    """What was asked for beside TARGET: the file, which steps, and how they are drawn."""

    out: Path
    step: int | None = None
    steps: str | None = None
    every: int | None = None
    link: int | None = None
    width: int | None = None
    fps: float | None = None
    letters: bool = False
    dark: bool = False
    way: str | None = None
    cell: str | None = None
    force: bool = False

    @property
    def suffix(self) -> str:
        """The end of the file's name, which says its kind."""
        return self.out.suffix.lower()

    def kind(self) -> Kind:
        """Return the kind of file; what cannot be written, or means nothing there, is refused."""
        kind = KINDS.get(self.suffix)
        if kind is None:
            raise ArgumentError(f"{self.out} cannot be written: {', '.join(KINDS)} fit")
        for option in fields(self)[1:-1]:
            name, given = option.name, getattr(self, option.name)
            if given is not None and given is not False and name not in kind.takes:
                takers = ", ".join(suffix for suffix, other in KINDS.items() if name in other.takes)
                named = _NAMES.get(name, f"--{name}")
                typed = named if given is True else f"{named} {given}"
                raise ArgumentError(
                    f"{typed} has no place here: a {self.suffix} is {kind.holds}; {takers} take it"
                )
        output.check(self.out, tuple(KINDS), self.force)
        self._check_way()
        self._check_numbers()
        module, extra = _NEEDED.get(self.suffix, ("", ""))
        if module and find_spec(module) is None:
            raise ArgumentError(f"{self.out} needs {module}: pip install 'stepconv[{extra}]'")
        return kind

    def _check_way(self) -> None:
        if self.way is None and self.cell is not None:
            raise ArgumentError(f"--cell {self.cell} needs --as: --step says which window it is")
        stepped.check_letters(self.way, self.letters)

    def _check_numbers(self) -> None:
        low, high = _COLUMNS if self.suffix == ".cast" else _PIXELS
        if self.width is not None and not low <= self.width <= high:
            unit = "columns" if self.suffix == ".cast" else "pixels"
            raise ArgumentError(f"--width {self.width} is out of range: {low} to {high} {unit} fit")
        if self.fps is not None and not 0 < self.fps <= _FASTEST:
            raise ArgumentError(
                f"--fps {self.fps:g} is out of range: above 0 and up to {_FASTEST} a second fit"
            )
        if self.every is not None and self.every < 1:
            raise ArgumentError(f"--every {self.every} is out of range: from 1 on fits")
        if self.step is not None and self.every is not None:
            raise ArgumentError("--step and --every say two things: give one")
