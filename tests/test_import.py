"""Importing stepconv costs next to nothing: each part loads when it is first used."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import stepconv

REPOSITORY = Path(stepconv.__file__).parents[1]
HEAVY = ("numpy", "numba", "llvmlite", "rich", "textual", "typer", "hypothesis", "PIL")


def loaded_by(script: str) -> set[str]:
    """Return the heavy packages that a fresh Python has loaded at the end of a script."""
    report = f"\nimport sys\nprint(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{script}{report}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import stepconv", set()),
        ("import stepconv; dir(stepconv); stepconv.__version__; stepconv.__all__", set()),
        ("import stepconv.errors; import stepconv; stepconv.ArgumentError", set()),
        ("import stepconv; stepconv.output_size(10, 3, stride=2)", set()),
        ("import stepconv.geometry", set()),
        ("from stepconv import backends, use_backend; backends(); use_backend('cpu')", set()),
        ("import stepconv; stepconv.correlate", {"numpy"}),
        ("import stepconv\nfor name in stepconv.__all__: getattr(stepconv, name)", {"numpy"}),
        ("from stepconv import *", {"numpy"}),
        ("import stepconv; stepconv.correlate([1], [1], backend='textbook')", {"numpy"}),
        (
            "import stepconv\nwith stepconv.use_backend('textbook'):\n"
            "    stepconv.max_pool([1, 2], 2); stepconv.flip([1])",
            {"numpy"},
        ),
        (
            "import stepconv\ntry: stepconv.correlate([1], [1, 2])\nexcept ValueError: pass",
            {"numpy"},
        ),
        ("import stepconv; stepconv.relu([1])", {"numpy", "numba", "llvmlite"}),
        ("import stepconv.cli", {"typer"}),
    ],
)
def test_what_a_script_loads(script: str, expected: set[str]) -> None:
    assert loaded_by(script) == expected


def test_nothing_of_cuda_is_loaded_for_those_who_do_not_ask() -> None:
    script = (
        "import sys, stepconv\n"
        "stepconv.relu([1]); stepconv.backends(); stepconv.record(stepconv.relu, [1])\n"
        "assert 'stepconv.kernels.cuda' not in sys.modules"
    )
    loaded_by(script)


def test_nothing_of_cuda_is_loaded_for_those_who_train() -> None:
    script = (
        "import sys, numpy as np\n"
        "from stepconv import nn\n"
        "trainer = nn.Trainer(nn.build('mlp'), batch_size=2)\n"
        "trainer.step(np.zeros((2, 28, 28), np.uint8), [0, 1], 0.1)\n"
        "mine = [name for name in sys.modules if name.startswith('stepconv')]\n"
        "assert not [name for name in mine if 'cuda' in name or 'nn.card' in name], mine"
    )
    loaded_by(script)


def test_every_public_name_is_there() -> None:
    for name in stepconv.__all__:
        assert getattr(stepconv, name).__name__ == name
        assert getattr(stepconv, name).__doc__
    assert stepconv.__all__ == sorted(stepconv.__all__)
    assert set(stepconv.__all__) <= set(dir(stepconv))
    assert "__version__" in dir(stepconv)


def test_a_name_is_looked_up_once() -> None:
    assert stepconv.correlate is stepconv.correlate
    assert vars(stepconv)["correlate"] is stepconv.correlate


def test_an_unknown_name_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'stepconv' has no attribute 'corelate'"):
        stepconv.corelate  # noqa: B018
    assert not hasattr(stepconv, "numpy")
    with pytest.raises(ImportError, match="cannot import name 'corelate' from 'stepconv'"):
        from stepconv import corelate  # noqa: F401


def test_no_name_of_a_room_hides_a_public_one() -> None:
    """`import stepconv.pad` of a module `pad` would put itself in the place of the function."""
    rooms = {path.stem for path in (REPOSITORY / "stepconv").iterdir()}
    assert rooms.isdisjoint(stepconv.__all__)


def test_types_are_shipped() -> None:
    assert files("stepconv").joinpath("py.typed").is_file()
