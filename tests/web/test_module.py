"""The kernels as WebAssembly: the same bits as their twin for this processor, and nothing else."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stepconv.errors import StepconvError
from stepconv.kernels.portable import basics, library
from stepconv.kernels.portable.splice import splice
from stepconv.nn import SGD, Trainer
from tests.nn.networks import STACKS, network

wasmtime = pytest.importorskip("wasmtime")
ROOT = Path(__file__).parents[2]
QUICK = ("dropout",)


def compared(module: Path, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what a process that computes portably says of networks; it writes the module."""
    command = [sys.executable, "-m", "tests.web.browserless", str(module), *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def hold(found: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    assert [(each["network"], each["optimizer"]) for each in found] == [
        (name, kind) for name in names for kind in ("sgd", "adam")
    ]
    for each in found:
        assert each["moved"] > 1e-3, each
        assert math.isfinite(each["loss"]), each
        assert [each[what] for what in ("weights", "statistics", "answers")] == [True] * 3, each


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a module, and how some networks compare."""
    path = tmp_path_factory.mktemp("web") / "kernels.wasm"
    return path, compared(path, QUICK)


@pytest.fixture(scope="module")
def module(made: tuple[Path, Any]) -> Any:
    return wasmtime.Module(wasmtime.Engine(), made[0].read_bytes())


@pytest.mark.slow
def test_some_networks_have_the_bits_of_the_twin(made: tuple[Path, list[dict[str, Any]]]) -> None:
    hold(made[1], QUICK)


@pytest.mark.slow
def test_every_network_has_the_bits_of_the_twin(tmp_path: Path) -> None:
    names = (*(name for name in STACKS if name not in QUICK), "lenet5", "mini-vgg", "mini-resnet")
    hold(compared(tmp_path / "kernels.wasm", names), names)


def test_the_module_asks_for_memory_and_a_table_alone(module: Any) -> None:
    assert [(each.module, each.name) for each in module.imports] == [
        ("env", "__linear_memory"),
        ("env", "__indirect_function_table"),
    ]


def test_the_module_has_every_kernel(module: Any) -> None:
    names = [kernel.__name__ for kernel in library.kernels()]
    assert len(names) > 25
    assert [each.name for each in module.exports] == [*library.EXPORTED, *names]


def test_what_is_no_object_file_is_not_spliced() -> None:
    with pytest.raises(KeyError):
        splice(b"\0asm\1\0\0\0", ["run"])


def test_a_process_that_began_otherwise_is_told_what_is_needed() -> None:
    with pytest.raises(StepconvError, match=r"begun with NUMBA_CPU_NAME=generic .*\+sse2"):
        Trainer(network("dense"), SGD(), backend="portable")


@pytest.mark.parametrize("x", [0.0, -1e-9, 1.0, -0.3, -17.5, -103.97, -700.0, 700.0])
def test_powers_of_e(x: float) -> None:
    assert basics.exponential(x) == pytest.approx(math.exp(x), rel=2e-12)


def test_powers_of_e_at_the_ends() -> None:
    assert basics.exponential(-math.inf) == basics.exponential(-800.0) == 0
    assert basics.exponential(math.inf) == math.inf
    assert math.isnan(basics.exponential(math.nan))


@pytest.mark.parametrize("x", [1.0, 1.0 + 1e-12, 1.5, 2.0, 9.99, 1000.0, 1e300])
def test_logarithms(x: float) -> None:
    assert basics.logarithm(x) == pytest.approx(math.log(x), rel=1e-15, abs=1e-27)


def test_logarithms_at_the_ends() -> None:
    assert basics.logarithm(math.inf) == math.inf
    assert math.isnan(basics.logarithm(math.nan))


@pytest.mark.slow
def test_a_relaxed_module_differs_in_its_multiplications_alone(tmp_path: Path, module: Any) -> None:
    assert compared(tmp_path / "kernels.wasm", ()) == []
    content = (tmp_path / "kernels.relaxed").read_bytes()
    relaxed = wasmtime.Module(wasmtime.Engine(), content)
    assert [each.name for each in relaxed.exports] == [each.name for each in module.exports]
    assert len(relaxed.imports) == 2
    madd = b"\xfd\x85\x02"  # f32x4.relaxed_madd
    assert content.count(madd) > 100
    assert (tmp_path / "kernels.wasm").read_bytes().count(madd) == 0
