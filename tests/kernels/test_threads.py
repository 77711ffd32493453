"""Any number of threads, any process, any state of the cache: the same bits, and never an abort."""

import os
from pathlib import Path

import pytest

from tests.kernels.processes import run

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

OPENING = """
import random
import stepconv
from tests.kernels.every_operation import digest, digest_of, works
"""


def digest_with(threads: int) -> str:
    """Return the hash of all results in a process with so many threads."""
    environment = {"STEPCONV_THREADS": str(threads)}
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


@pytest.mark.slow
def test_four_threads_calling_at_once_get_what_one_would(reference: str) -> None:
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
print(json.dumps([wrong, digest()]))
"""
    assert run(OPENING + script, STEPCONV_THREADS="2") == [[], reference]


@needs_fork
def test_a_child_forked_after_use_gets_the_same_bits(reference: str) -> None:
    script = """
def child():
    assert digest() == expected
    assert room.threading_status()["running"] == 2
expected = digest()
print(json.dumps([in_child(child), in_child(child), digest() == expected, expected]))
"""
    assert run(OPENING + script, STEPCONV_THREADS="2") == [0, 0, True, reference]


@pytest.mark.slow
@needs_fork
def test_a_pool_of_forked_processes_gets_the_same_bits(reference: str) -> None:
    script = """
import multiprocessing
def child(_number):
    return digest()
before = digest()
with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map_async(child, range(3)).get(timeout=200)
print(json.dumps([before, *answers, digest()]))
"""
    assert run(OPENING + script, STEPCONV_THREADS="2") == [reference] * 5


# A few kernels that compile quickly.
FEW = """
x = np.linspace(-1, 1, 60).reshape(6, 10)
results = [stepconv.relu(x), stepconv.relu_backward(x, x), stepconv.pad(x, 2, mode="reflect")]
print(json.dumps([result.tobytes().hex() for result in results]))
"""


RECORD = """
x = np.arange(400.0).reshape(20, 20)
trace = stepconv.record(stepconv.correlate, x, x[:3, :3], backend="cpu")
print(json.dumps([trace.output.tobytes().hex(), sorted(set(trace.workers.tolist()))]))
"""


@pytest.mark.slow
def test_a_recorder_writes_down_its_threads(tmp_path: Path) -> None:
    environment = {"STEPCONV_CACHE_DIR": str(tmp_path), "STEPCONV_THREADS": "2"}
    first, second = (run(OPENING + RECORD, **environment) for _ in range(2))
    assert first[0] == second[0]
    assert set(first[1]) <= {0, 1}


@pytest.mark.slow
def test_a_cache_folder_that_cannot_be_made_changes_no_bit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here a folder is wanted")
    folder = str(tmp_path / "file" / "cache")
    expected = run(OPENING + FEW)
    assert run(OPENING + FEW, STEPCONV_CACHE_DIR=folder) == expected
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.slow
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


# A kernel of many tasks, each of which takes milliseconds.
LONG = """
from stepconv.kernels.compile import parallel, share_of, tickets
import time

@parallel
def slow(worker, share, out):
    for i in range(*share_of(out.size, share)):
        total = 0.0
        for k in range(3_000_000):
            total += 1 / (k + i + 1.0)
        out[i] = total
slow(np.zeros(1))
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_ends_a_long_call_and_the_next_one_is_whole(threads: str) -> None:
    script = """
def interrupt():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
out = np.zeros(16 * 16 * 16)
try:
    slow(out)
    ended = "whole"
except KeyboardInterrupt:
    ended = "interrupted"
left = int((out == 0).sum())
again = np.zeros(16)
slow(again)
print(json.dumps([ended, left > 0, bool((again > 0).all())]))
"""
    assert run(LONG + script, STEPCONV_THREADS=threads) == ["interrupted", True, True]


def test_who_comes_while_the_workers_are_busy_computes_alone() -> None:
    script = """
first, second = np.zeros(400), np.zeros(8)
caller = threading.Thread(target=slow, args=(first,))
caller.start()
time.sleep(0.2)
slow(second)
done = bool((second > 0).all()), bool((first == 0).any())
caller.join()
print(json.dumps([*done, bool((first > 0).all())]))
"""
    assert run(LONG + script, STEPCONV_THREADS="2") == [True, True, True]


def test_workers_with_nothing_to_do_are_parked() -> None:
    script = """
from stepconv.kernels.compile import threads
slow(np.zeros(64))
pool, patience = threads._pool, 100
while len(pool._parked) < 2 and patience:
    time.sleep(0.1)
    patience -= 1
slow(np.zeros(64))
print(json.dumps(patience > 0))
"""
    assert run(LONG + script, STEPCONV_THREADS="3") is True


def test_arrays_are_lent_to_threads_without_their_owners() -> None:
    """An owner may be forgotten while others work: the caller is back in Python now and then."""
    script = """
from stepconv.kernels.compile import threads, tickets
check(small.row_sums)
laid = threads._pool.board.numbers[tickets.ARGUMENTS // 8 :]
# The address of the code; then of the first array: owner, Python's object, number of items.
print(json.dumps([bool(laid[0]), *laid[1:4].tolist()]))
"""
    assert run(script, STEPCONV_THREADS="2") == [True, 0, 0, 200]


def test_nobody_parks_while_a_call_goes_on() -> None:
    """Its last part may be a long one, and another stage may follow."""
    script = """
from stepconv.kernels.compile import threads
slow(np.zeros(64))
pool = threads._pool
@parallel
def long(worker, share, out):
    for i in range(*share_of(out.size, share)):
        total = 0.0
        for k in range(300_000_000):
            total += 1 / (k + i + 1.0)
        out[i] = total
caller = threading.Thread(target=long, args=(np.zeros(1),))
caller.start()
while not pool.board.numbers[tickets.RUNNING // 8]:
    time.sleep(0.001)
time.sleep(0.2)
parked = len(pool._parked) if pool.board.numbers[tickets.RUNNING // 8] else 0
caller.join()
print(json.dumps([parked, int(pool.board.numbers[tickets.RUNNING // 8])]))
"""
    assert run(LONG + script, STEPCONV_THREADS="3") == [0, 0]


def test_who_is_about_to_park_goes_home_too() -> None:
    script = """
from stepconv.kernels.compile import threads
left = []
for _ in range(20):
    check(small.row_sums)
    pool, threads._pool = threads._pool, None
    workers = list(pool._workers)
    pool.close()
    left += [worker for worker in workers if worker.is_alive()]
print(json.dumps(len(left)))
"""
    assert run(script, STEPCONV_THREADS="3") == 0


def test_a_process_ends_while_a_daemon_computes() -> None:
    script = """
def forever():
    while True:
        slow(np.zeros(64))
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
print(json.dumps("end"))
"""
    assert run(LONG + script, STEPCONV_THREADS="2") == "end"


@pytest.mark.parametrize("told", ["0", "-1", "many", "1000"])
def test_a_number_of_threads_that_does_not_fit_is_named(told: str) -> None:
    script = """
try:
    room.thread_count()
except ValueError as error:
    print(json.dumps(str(error)))
"""
    message = run(script, STEPCONV_THREADS=told)
    assert message.startswith(f"STEPCONV_THREADS={told!r}")
    assert "1 to" in message
