"""Kernels run on all threads and on one with the same bits, from any thread of any process."""

import os

import numpy as np
import pytest

from stepconv.kernels import compile as room
from stepconv.kernels.compile.tickets import SHARE
from tests.kernels import small_kernels as small
from tests.kernels.processes import run

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Keep the compiled kernels of one process for the next."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _own_cache(cache, monkeypatch):
    monkeypatch.setenv("STEPCONV_CACHE_DIR", cache)


def numbers(*shape):
    return np.random.default_rng(1).normal(size=shape)


def test_all_forms_of_a_kernel_give_the_same_bits():
    x = numbers(50, 7)
    ref, serial, threaded = np.zeros(50), np.zeros(50), np.zeros(50)
    small.row_sums.py_func(x, ref)
    small.row_sums.serial(x, serial)
    small.row_sums(x, threaded)
    assert ref.tobytes() == serial.tobytes() == threaded.tobytes()


def test_tuples_of_numbers_and_of_arrays_reach_the_threads():
    factors = numbers(1001), numbers(1001)
    serial, threaded = np.zeros(1001), np.zeros(1001)
    small.fill_shares.serial((3, 0.5), factors, serial)
    assert serial.tobytes() == (1001 * 3 * 0.5 * factors[0] * factors[1]).tobytes()
    small.fill_shares((3, 0.5), factors, threaded)
    parts = 8 * room.thread_count()
    spans = [room.share_of(1001, part << SHARE | parts) for part in range(parts)]
    sizes = np.concatenate([np.full(last - first, last - first) for first, last in spans])
    np.testing.assert_allclose(threaded, serial * sizes / 1001)


def test_every_task_belongs_to_one_share():
    for tasks in (0, 1, 7, 100):
        for parts in (1, 2, 3, 16):
            spans = [room.share_of(tasks, part << SHARE | parts) for part in range(parts)]
            assert [i for span in spans for i in range(*span)] == list(range(tasks))


def test_types_that_differ_have_code_of_their_own():
    x = numbers(6, 4)
    for given in (x, x.astype("float32"), np.asfortranarray(x), x[::2, ::-1], frozen(x)):
        out, expected = np.zeros(len(given)), np.zeros(len(given))
        small.row_sums(given, out)
        small.row_sums.py_func(given, expected)
        np.testing.assert_allclose(out, expected, rtol=1e-6)


def frozen(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def test_a_kernel_looks_like_its_function():
    assert small.row_sums.__name__ == "row_sums"
    assert small.row_sums.__module__ == small.__name__
    assert small.row_sums.__doc__ == "Sum the weighted cells of each row."


def test_inner_and_compiled_functions_can_be_called_from_python():
    x = numbers(5)
    assert small.weighted(2.0, 5) == small.weighted.py_func(2.0, 5) == 4.0
    assert small.total(x) == small.total.py_func(x)


def test_what_a_kernel_calls_is_its_own(monkeypatch, tmp_path):
    """A helper in code from the cache may have the name of another: no other code may find it."""
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(tmp_path))
    kernel = room.parallel(small.row_sums.function)
    kernel.serial(np.ones((2, 3)), np.zeros(2))
    for code in kernel.code.inspect_llvm().values():
        assert "define internal" in code
        assert "linkonce" not in code


def test_inner_functions_are_no_machine_code_by_themselves():
    @room.inner
    def half(a):
        return a / 2

    @room.compiled
    def halves(a):
        return half(a) + half(a + 1)

    assert halves(3) == 3.5
    [part] = half.overloads.values()
    assert not part.library.get_pointer_to_function(part.fndesc.llvm_func_name)


def test_division_by_zero_follows_ieee():
    @room.inner
    def divide(a, b):
        return a / b

    @room.compiled
    def ratio(a, b):
        return divide(a, b)

    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))


def test_four_threads_may_call_at_once():
    script = """
seen = set()
def work():
    for _ in range(300):
        seen.add(check(small.row_sums))
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(json.dumps(len(seen)))
"""
    assert run(script, STEPCONV_THREADS="2") == 1


@needs_fork
def test_a_forked_child_has_threads_of_its_own():
    script = """
def child():
    check(small.row_sums)
    check(small.row_sums, np.float32)  # a signature that the parent has not compiled
    assert room.threading_status() == after
    assert in_child(grandchild) == 0
def grandchild():
    check(small.row_sums)
check(small.row_sums)
after = room.threading_status()
assert after["running"] == 3
statuses = [in_child(child), in_child(child)]
check(small.row_sums)
print(json.dumps(statuses))
"""
    assert run(script, STEPCONV_THREADS="3") == [0, 0]


@pytest.mark.slow
@needs_fork
def test_a_child_may_be_forked_while_threads_call_and_compile():
    script = """
done = threading.Event()
def call():
    while not done.is_set():
        check(small.row_sums)
def compile_again():
    while not done.is_set():
        check(room.parallel(small.row_sums.function))
def child():
    check(small.row_sums)
    check(room.parallel(small.row_sums.function))
threads = [threading.Thread(target=work) for work in (call, call, compile_again)]
[t.start() for t in threads]
statuses = [in_child(child) for _ in range(5)]
done.set()
[t.join() for t in threads]
print(json.dumps(statuses))
"""
    # Without a cache every kernel made anew is compiled anew.
    statuses = run(script, STEPCONV_THREADS="2", STEPCONV_CACHE_DIR=os.devnull + "/none")
    assert statuses == [0] * 5


def test_status_starts_no_threads():
    script = """
before = room.threading_status()
room.cache_status()
again = room.threading_status()
check(small.row_sums)
print(json.dumps([before, again, room.threading_status()]))
"""
    before, again, after = run(script, NUMBA_NUM_THREADS="3")
    assert before == again
    assert [before[name] for name in ("threads", "max_threads", "running")] == [3, 3, 1]
    assert after == {**before, "running": 3}


def test_kernels_run_without_the_compiler():
    script = """
print(json.dumps([check(small.row_sums), check(small.row_sums.serial), room.threading_status()]))
"""
    threaded, serial, status = run(script, NUMBA_DISABLE_JIT="1")
    assert threaded == serial
    assert status["running"] == 1
