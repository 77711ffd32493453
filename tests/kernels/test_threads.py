"""Any number of threads, any process, any state of the cache: the same bits, and never an abort."""

import os
from importlib import import_module
from pathlib import Path

import pytest

from tests.kernels.processes import run

try:
    import_module("numba.np.ufunc.omppool")
    no_omp = ""
except ImportError as error:
    no_omp = f"Numba finds no OpenMP: {error}"

LAYERS = ["workqueue", pytest.param("omp", marks=pytest.mark.skipif(bool(no_omp), reason=no_omp))]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

OPENING = """
import random
import stepconv
from tests.kernels.every_operation import digest, digest_of, works
"""


def digest_with(threads: int, layer: str = "default") -> str:
    """Return the hash of all results in a process with so many threads."""
    environment = {"NUMBA_NUM_THREADS": str(threads), "NUMBA_THREADING_LAYER": layer}
    used, bits = run(
        OPENING
        + "bits = digest()\n"
        + "print(json.dumps([room.threading_status()['threads'], bits]))",
        **environment,
    )
    assert used == threads
    return str(bits)


@pytest.fixture(scope="module")
def reference() -> str:
    """The hash of all results, computed by a single thread."""
    return digest_with(1)


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_changes_no_bit(threads: int, reference: str) -> None:
    assert digest_with(threads) == reference


def test_the_same_call_gives_the_same_bits_again(reference: str) -> None:
    script = "print(json.dumps([digest() for _ in range(3)]))"
    assert run(OPENING + script, NUMBA_NUM_THREADS="3") == [reference] * 3


@pytest.mark.parametrize("layer", LAYERS)
def test_four_threads_calling_at_once_get_what_one_would(layer: str, reference: str) -> None:
    """From the first call on: no kernel has been loaded when they start."""
    script = """
tasks = works()
found = {}
def work(name):
    order = list(range(len(tasks)))
    random.Random(name).shuffle(order)
    for _ in range(2):
        for place in order:
            found.setdefault(place, set()).add(digest_of(tasks[place]))
threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
alone = [{digest_of(task)} for task in tasks]
wrong = [place for place, bits in enumerate(alone) if found[place] != bits]
print(json.dumps([room.threading_status()["layer"], wrong, digest()]))
"""
    environment = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    assert run(OPENING + script, **environment) == [layer, [], reference]


@needs_fork
@pytest.mark.parametrize("layer", LAYERS)
def test_a_child_forked_after_use_gets_the_same_bits(layer: str, reference: str) -> None:
    """It computes with the serial form of every kernel, so that is held to the bits as well."""
    script = """
def child():
    assert digest() == expected
    assert room.threading_status()["threads"] == 1
expected = digest()
print(json.dumps([in_child(child), in_child(child), digest() == expected, expected]))
"""
    environment = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    assert run(OPENING + script, **environment) == [0, 0, True, reference]


@needs_fork
@pytest.mark.parametrize("layer", LAYERS)
def test_a_pool_of_forked_processes_gets_the_same_bits(layer: str, reference: str) -> None:
    script = """
import multiprocessing
def child(_number):
    return digest()
before = digest()
with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map_async(child, range(3)).get(timeout=200)
print(json.dumps([before, *answers, digest()]))
"""
    environment = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    assert run(OPENING + script, **environment) == [reference] * 5


# A few kernels that compile quickly.
FEW = """
x = np.linspace(-1, 1, 60).reshape(6, 10)
results = [stepconv.relu(x), stepconv.relu_backward(x, x), stepconv.pad(x, 2, mode="reflect")]
print(json.dumps([result.tobytes().hex() for result in results]))
"""


# The recorder's code asks which thread runs it, so Numba's threads have to be there to load it.
RECORD = """
x = np.arange(400.0).reshape(20, 20)
trace = stepconv.record(stepconv.correlate, x, x[:3, :3], backend="cpu")
print(json.dumps([trace.output.tobytes().hex(), sorted(set(trace.workers.tolist()))]))
"""


def test_a_recorder_from_the_cache_writes_down_its_threads(tmp_path: Path) -> None:
    environment = {"STEPCONV_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": "2"}
    first, second = (run(OPENING + RECORD, **environment) for _ in range(2))
    assert first == second
    assert first[1] == [0, 1]


def test_a_cache_folder_that_cannot_be_made_changes_no_bit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here a folder is wanted")
    folder = str(tmp_path / "file" / "cache")
    expected = run(OPENING + FEW)
    assert run(OPENING + FEW, STEPCONV_CACHE_DIR=folder) == expected
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_read_only_or_damaged_cache_changes_no_bit(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    script = OPENING + FEW
    expected = run(script, STEPCONV_CACHE_DIR=str(folder))
    stored = sorted(folder.rglob("*.kernel"))
    assert len(stored) >= 3

    for place, path in enumerate(stored):
        content = path.read_bytes()
        path.write_bytes(content[: (0, len(content) // 2, len(content) - 1)[place % 3]])
    # Who is root may write here all the same, and writes the damaged files anew.
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in places:
        path.chmod(0o500)
    try:
        assert run(script, STEPCONV_CACHE_DIR=str(folder)) == expected
    finally:
        for path in places:
            path.chmod(0o700)
    assert run(script, STEPCONV_CACHE_DIR=str(folder)) == expected
    assert sorted(folder.rglob("*.kernel")) == stored
