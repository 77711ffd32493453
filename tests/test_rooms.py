"""The house keeps its plan: who may import whom, and a first line in every file that says why."""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepconv

PACKAGE = Path(stepconv.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400
MOST_MODULES = 14
# Folders that may hold more, and why.
MAY_BE_CROWDED = {"cli.commands": "a module for each command"}

# A room may import itself, `errors`, `files`, `operations`, and what stands here.
MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "operations": set(),
    "geometry": set(),
    "kernels": {"geometry"},
    "ops": {"geometry", "kernels"},
    "trace": {"ops", "kernels", "geometry"},
    "algorithms": {"ops", "trace", "geometry"},
    "player": {"trace", "algorithms", "geometry"},
    "nn": {"ops", "kernels", "geometry"},
    "inside": {"nn", "trace", "ops", "kernels", "geometry"},
    "explorer": {"inside", "player", "nn", "trace", "geometry"},
    "train": {"nn", "ops", "geometry"},
    "sweep": {"train", "nn", "kernels"},
    "export": {"trace", "inside", "player", "web"},
    "lessons": {"trace", "inside", "train", "sweep", "geometry"},
    "testing": {"ops", "geometry", "trace"},
    "web": {"trace", "inside", "nn", "train", "stepconv"},
    "bench": {"ops", "kernels", "geometry", "testing", "stepconv"},
    "cli": {
        *("geometry", "kernels", "ops", "trace", "player", "nn", "inside", "train", "testing"),
        *("bench", "explorer", "export", "sweep", "lessons", "web", "algorithms", "stepconv"),
    },
    "__main__": {"cli"},
}
_SCREENS = ("player.views", "player.render", "player.app")
_STEPPER = ("player.stepped.app",)
_EXPLORERS = ("explorer.app", "explorer.watch.app")
# What is private to Numba and llvmlite, and the files that may use it.
PRIVATE = (
    "numba.core",
    "numba.np",
    "numba._dispatcher",
    "numba.cuda.cudadrv",
    "numba.cuda.core",
    "llvmlite.binding.ffi",
)
PRIVATE_IN = ("kernels.compile.numba_parts", "kernels.cuda.machine.numba_parts")
APART = {
    # Backends know nothing of each other's kernels, and a network's steps know no backend.
    ("nn.steps",): ("kernels.cpu", "kernels.cuda", "nn.cpu", "nn.cuda"),
    ("kernels.cuda", "nn.cuda"): ("kernels.cpu", "nn.cpu"),
    ("kernels.cpu", "nn.cpu"): ("kernels.cuda", "nn.cuda"),
    # A frame knows no lines, lines know no screens, and what plays knows neither.
    ("player.frame",): ("player.text", "player.keys", "player.playback", *_SCREENS),
    ("player.text", "player.keys"): ("player.playback", *_SCREENS),
    ("player.playback", "player.search"): ("player.text", "player.keys", *_SCREENS),
    ("player.views",): ("player.render", "player.app"),
    ("player.stepped.lines", "player.stepped.playback"): ("player.keys", *_SCREENS),
    ("player.stepped.screen",): ("player.render", "player.app"),
    # So in the explorer.
    ("explorer.frame", "explorer.bench"): ("explorer.views", "explorer.visit", "explorer.app"),
    ("explorer.standing", "explorer.at_bench", "explorer.visit"): (
        *("explorer.views", "explorer.keys", "explorer.app", *_SCREENS),
    ),
    ("explorer.views",): ("explorer.app", "player.render", "player.app"),
}
# The public face looks its names up when they are used, so only a type checker sees its imports.
FACE = {"errors", "geometry", "kernels", "ops", "trace", "inside"}
# A package from elsewhere, and the rooms or modules that may use it.
GUESTS = {
    # The rest of the player is plain data before any colour: it knows no terminal.
    "rich": ("player.render", "player.stage", "cli"),
    "textual": (
        "player.app",
        "player.stage",
        "player.chooser",
        "player.door",
        *_STEPPER,
        *_EXPLORERS,
        "cli",
    ),
    "typer": ("cli",),
    "hypothesis": ("testing",),
    "numba": ("kernels", "cli.commands.doctor"),
    "llvmlite": ("kernels", "cli.commands.doctor"),
    "onnx": ("nn.onnx", "nn.published.graph"),
    "pptx": ("export.slides",),
    "onnxruntime": ("cli.commands.export_onnx",),
}


def dotted(path: Path) -> str:
    """Return a module's name without the package's: `kernels.cpu.conv`, `` for the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return module.partition(".")[0]


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Yield the full name of all that a source imports, in whatever corner it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = ["stepconv", *filter(None, module.split("."))]
            above = here[: len(here) + is_package - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def forbidden(source: str, module: str, is_package: bool = False) -> set[str]:
    """Return what a module of this name and source imports against the plan."""
    everyones = {"errors", "files", "operations", "__version__"}
    allowed = {*MAY_IMPORT.get(room(module), FACE), *everyones, room(module)}
    found = set()
    for name in imports(source, module, is_package):
        top, _, inner = name.partition(".")
        if top != "stepconv":
            private = within(name, PRIVATE) and not within(module, PRIVATE_IN)
            right = not private and (top not in GUESTS or within(module, GUESTS[top]))
        elif not inner or inner in stepconv.__all__:
            right = "stepconv" in allowed  # the public face reaches every room
        else:
            app = within(inner, ("player.app", *_STEPPER)) and not within(
                module, ("player", "explorer.app", "cli")
            )
            strange = any(within(module, a) and within(inner, b) for a, b in APART.items())
            right = room(inner) in allowed and not app and not strange
        if not right:
            found.add(name)
    return found


def test_there_are_modules_to_look_at() -> None:
    names = {dotted(path) for path in MODULES}
    assert {"", "errors", "geometry.plan", "kernels.cpu.conv.choose", "ops.pooling"} <= names


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_only_what_it_may(path: Path) -> None:
    is_package = path.name == "__init__.py"
    assert forbidden(path.read_text("utf-8"), dotted(path), is_package) == set()


def test_every_module_is_in_a_room() -> None:
    for path in MODULES:
        assert room(dotted(path)) in {"", *MAY_IMPORT}, f"the plan has no room for {path}"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_opens_with_a_sentence(path: Path) -> None:
    source = path.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring, "no docstring"
    first = docstring.splitlines()[0]
    assert first[-1] in ".:", f"the first line is no sentence: {first}"
    assert len(first.split()) >= 4, f"the first line says too little: {first}"


def test_no_folder_is_crowded() -> None:
    inside = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    crowded = {dotted(folder) for folder, modules in inside.items() if modules > MOST_MODULES}
    assert crowded <= set(MAY_BE_CROWDED), "a room within the room?"


class TwoIdeas(UserWarning):
    """A file is so long that it may hold two ideas."""


@pytest.mark.filterwarnings("default::tests.test_rooms.TwoIdeas")
def test_long_files_are_named() -> None:
    long = {dotted(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    long = {name: lines for name, lines in long.items() if lines > LONGEST}
    if long:
        warnings.warn(f"more than {LONGEST} lines, one idea or two? {long}", TwoIdeas, stacklevel=1)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("geometry.plan", "import stepconv.kernels"),
        ("geometry.plan", "from stepconv.ops import pad"),
        ("geometry.plan", "from stepconv import kernels"),
        ("geometry.plan", "import stepconv"),
        ("geometry.plan", "from stepconv import correlate"),
        ("geometry.plan", "def late():\n    from ..ops import pad"),
        ("geometry.plan", "from .. import kernels"),
        ("kernels.cpu.conv.choose", "from stepconv.ops.arrays import Array"),
        ("kernels.cpu.conv.choose", "from ....ops import pad"),
        ("kernels.cuda.pad", "from stepconv.kernels.cpu.pad import pad"),
        ("kernels.cpu.pad", "from stepconv.kernels.cuda import pad"),
        ("nn.cuda.layers", "from stepconv.kernels.cpu.lanes import cells"),
        ("nn.cuda.layers", "from stepconv.nn.cpu.windows import families"),
        ("nn.steps.records", "from stepconv.kernels.cpu.lanes.rows import LANES"),
        ("kernels.compile.lean", "from numba.core import compiler"),
        ("kernels.cpu.pad", "from numba.np.ufunc.parallel import threading_layer"),
        ("ops.padding", "import numba"),
        ("ops.padding", "from numba import njit"),
        ("ops.padding", "import stepconv.cli"),
        ("trace.record", "import rich.table"),
        ("trace.record", "from stepconv.player import frames"),
        ("player.frame.frames", "from rich.text import Text"),
        ("player.frame.words", "import textual"),
        ("player.frame.film", "from stepconv.player.text.lines import Line"),
        ("player.text.layout", "from stepconv.player import render"),
        ("train.loop", "from stepconv.kernels import find"),
        ("nn.layers", "from stepconv import train"),
        ("lessons.names", "from stepconv.player import keys"),
        ("nn.model", "from stepconv.inside import look_inside"),
        ("inside.look", "from stepconv.train.feed import Feed"),
        ("testing.checks", "from stepconv import player"),
        ("trace.model", "import hypothesis"),
        ("export.reel", "from stepconv.player.app import Player"),
        ("export.figure", "import rich"),
        ("export.stepped", "from stepconv.algorithms import Step"),
        ("player.app", "from stepconv.cli import main"),
        ("cli.commands.train", "import hypothesis"),
        ("cli.commands.show", "import numba"),
        ("", "from stepconv.player.app import Player"),
        ("explorer.visit", "from stepconv.explorer.views import screen"),
        ("explorer.views.screen", "import textual"),
        ("explorer.visit", "from stepconv.train import data"),
        ("algorithms.winograd", "from stepconv.kernels.winograd import INPUT"),
        ("algorithms.runs", "from stepconv.player.frame.grid import Grid"),
    ],
)
def test_a_wrong_import_would_be_noticed(module: str, source: str) -> None:
    assert forbidden(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("geometry.plan", "from stepconv.errors import ArgumentError"),
        ("geometry.plan", "from stepconv.geometry.axis import Axis"),
        ("geometry.plan", "from .axis import Axis"),
        ("ops.padding", "from stepconv import kernels"),
        ("ops.padding", "from ..geometry import Plan"),
        ("kernels.compile.decorators", "import numba"),
        ("kernels.cuda.network.cells", "from stepconv.kernels.kinds import TANH"),
        ("nn.cuda.layers", "from stepconv.nn.steps.records import ConvStep"),
        ("player.render", "import rich"),
        ("player.app", "import textual"),
        ("cli.commands.doctor", "import numba\nimport stepconv\nimport stepconv.train"),
        ("cli.commands.play", "from stepconv.player.app import Player"),
        ("testing.strategies", "import hypothesis"),
        ("__main__", "from stepconv.cli import main"),
        ("", "from stepconv.ops import pad"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert forbidden(source, module) == set()
