"""The cache of compiled kernels: it is found again, and nothing wrong with it is ever noticed."""

import errno
import os
import pickle
import shutil
import stat
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from stepconv.kernels.compile import cache, cache_status, clear_cache, fingerprint, inner, parallel
from stepconv.kernels.cpu.machine.vector import tile
from tests.kernels import small_kernels as small
from tests.kernels.processes import finish, run, start

BOTH_FORMS = """
from stepconv.kernels.compile import decorators
bits = [check(small.row_sums.serial), check(small.row_sums)]
used = (small.row_sums.code, decorators._start)
found = [kernel.stats.cache_hits.total() for kernel in used]
print(json.dumps([bits, found]))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a test a cache of its own."""
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fresh():
    """Return a serial kernel that has compiled and loaded nothing yet."""
    return parallel(small.row_sums.function).code


def compute(kernel, dtype=np.float64):
    """Check a result of the kernel, which makes it load or compile."""
    x = np.linspace(-1, 1, 30).reshape(5, 6).astype(dtype)
    ref, comp = np.zeros(5, dtype), np.zeros(5, dtype)
    small.row_sums.py_func(x, ref)
    kernel(0, 1, x, comp)
    np.testing.assert_allclose(comp, ref, rtol=1e-5)


def found(kernel):
    return kernel.stats.cache_hits.total()


def stored(folder):
    return sorted(folder.rglob("*.kernel"))


def load(kernel):
    """Ask the cache of a kernel for what `compute` would ask."""
    signature = kernel.signatures[0]
    return kernel._cache.load_overload(signature, kernel.targetctx)


def test_the_next_process_loads_both_forms_and_they_do_not_collide(folder):
    bits, hits = run(BOTH_FORMS)
    assert hits == [0, 0]
    kept = {path.name.split(".")[-4] for path in stored(folder)}
    assert {"row_sums", "start"} <= kept
    assert bits[0] == bits[1]
    assert run(BOTH_FORMS) == [bits, [1, 1]]


@pytest.mark.slow
def test_kernels_of_one_name_from_different_processes_are_told_apart(folder):
    """Each was the first that its process compiled, so that their code has the same name."""
    script = """
found = []
for form, factor in order:
    out = np.zeros(9)
    getattr(kernels[factor], form)(np.ones(9), out)
    found.append(out.tolist() == [float(factor)] * 9)
print(json.dumps(found))
"""
    opening = "kernels = {factor: small.scaled(factor) for factor in (2, 3)}\n"
    for factor in (2, 3):
        order = [["serial", factor], ["__call__", factor]]
        assert run(opening + f"order = {order}" + script) == [True, True]
    order = [[form, factor] for form in ("serial", "__call__") for factor in (2, 3)]
    assert run(opening + f"order = {order}" + script) == [True] * 4


@pytest.mark.slow
def test_several_processes_may_fill_an_empty_cache_at_once(folder):
    answers = [finish(p) for p in [start(BOTH_FORMS) for _ in range(3)]]
    assert len({str(bits) for bits, _ in answers}) == 1
    assert run(BOTH_FORMS)[1] == [1, 1]
    assert {path.suffix for path in folder.rglob("*.*")} == {".kernel"}


def test_several_threads_may_fill_an_empty_cache_at_once(folder):
    kernels = [fresh() for _ in range(4)]
    threads = [threading.Thread(target=compute, args=(kernel,)) for kernel in kernels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(folder)) == 1


def test_a_file_that_is_damaged_anywhere_is_not_used(folder):
    kernel = fresh()
    compute(kernel)
    (path,) = stored(folder)
    good = path.read_bytes()
    assert load(kernel) is not None

    size = len(good)
    damaged = [good[:n] for n in (0, 1, 31, 32, 33, size // 2, size - 1)]
    for place in (0, 31, 32, 40, size // 3, size // 2, size - 1):
        flipped = bytearray(good)
        flipped[place] ^= 1 << (place % 8)
        damaged.append(bytes(flipped))
    damaged += [b"garbage", bytes(size), good + b"\0"]
    for content in damaged:
        path.write_bytes(content)
        assert load(kernel) is None


def test_a_damaged_file_is_compiled_and_written_again(folder):
    compute(fresh())
    (path,) = stored(folder)
    path.write_bytes(path.read_bytes()[:-1])
    again = fresh()
    compute(again)
    assert found(again) == 0
    third = fresh()
    compute(third)
    assert found(third) == 1


def test_a_whole_file_that_holds_something_else_is_not_used(folder):
    kernel = fresh()
    compute(kernel)
    target = kernel.targetctx
    path, key = kernel._cache._entry(kernel.signatures[0], target.codegen())
    for payload in (b"", b"no pickle", pickle.dumps(()), pickle.dumps((1, 2, 3))):
        cache._write(path, key, payload)
        assert load(kernel) is None


def test_the_file_of_one_kernel_is_not_used_for_another(folder):
    kernel = fresh()
    compute(kernel)
    (first,) = stored(folder)
    compute(kernel, np.float32)
    (second,) = set(stored(folder)) - {first}
    shutil.copy(second, first)
    assert load(kernel) is None


def test_kernels_run_where_no_folder_can_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(tmp_path / "file" / "cache"))
    compute(fresh())
    status = cache_status()
    assert not status["writable"]
    assert status["files"] == 0
    assert str(tmp_path / "file") in status["reason"]
    assert clear_cache() == 0


def test_a_warm_cache_is_used_where_nothing_may_be_written(folder, monkeypatch):
    compute(fresh())

    def refuse(*_args, **_options):
        raise PermissionError(errno.EACCES, "read-only")

    for name in ("mkdir", "replace", "utime", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(cache.tempfile, "mkstemp", refuse)
    kernel = fresh()
    compute(kernel)
    assert found(kernel) == 1
    compute(kernel, np.float32)
    assert len(stored(folder)) == 1


def test_a_full_disk_leaves_nothing_half_written(folder, monkeypatch):
    def refuse(*_args):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "replace", refuse)
    compute(fresh())
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_the_folder_may_vanish_while_in_use(folder):
    kernel = fresh()
    compute(kernel)
    shutil.rmtree(folder)
    compute(kernel)
    compute(kernel, np.float32)
    assert len(stored(folder)) == 1


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these modes")
def test_the_folder_is_private(folder):
    compute(fresh())
    (path,) = stored(folder)
    for made in (folder, path.parent, path):
        assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0


def test_edited_sources_have_a_folder_of_their_own(folder, monkeypatch):
    compute(fresh())
    monkeypatch.setattr(cache, "source_digest", lambda: "0" * 64)
    kernel = fresh()
    compute(kernel)
    assert found(kernel) == 0
    assert len(list(folder.iterdir())) == 2


def test_the_digest_covers_every_source(tmp_path, monkeypatch):
    kernels, geometry = tmp_path / "kernels", tmp_path / "geometry"
    for path in (kernels / "cpu" / "conv.py", geometry / "plan.py"):
        path.parent.mkdir(parents=True)
        path.write_text("one")
    monkeypatch.setattr(cache, "__file__", str(kernels / "compile" / "cache.py"))
    digest = cache.source_digest.__wrapped__
    digests = {digest()}
    (kernels / "cpu" / "conv.py").write_text("two")
    digests.add(digest())
    (geometry / "plan.py").write_text("two")
    digests.add(digest())
    (kernels / "cpu" / "conv.py").rename(kernels / "conv.py")
    digests.add(digest())
    assert len(digests) == 4


def test_folders_that_nobody_uses_are_removed(folder):
    month_ago = time.time() - 31 * 24 * 60 * 60
    for name in ("sources-" + "0" * 16, "sources-" + "1" * 16, "pictures"):
        (folder / name).mkdir(parents=True)
        (folder / name / "some.kernel").write_text("")
    for name in ("sources-" + "0" * 16, "pictures"):
        os.utime(folder / name, (month_ago, month_ago))
    compute(fresh())
    left = {path.name for path in folder.iterdir()}
    assert left == {"sources-" + "1" * 16, "pictures", cache._folder().name}


def test_clearing_removes_our_files_only(folder):
    compute(fresh())
    (path,) = stored(folder)
    (path.parent / "left.unfinished").write_text("")
    (path.parent / "notes.txt").write_text("")
    status = cache_status()
    assert status["folder"] == str(folder)
    assert (status["writable"], status["reason"]) == (True, None)
    assert (status["files"], status["bytes"]) == (1, path.stat().st_size)
    assert clear_cache() == 2
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["notes.txt"]
    assert clear_cache() == 0
    compute(fresh())
    assert len(stored(folder)) == 1


def test_kernels_run_for_a_user_without_a_home(tmp_path):
    script = f"""
import pwd
def nobody(uid): raise KeyError(uid)
pwd.getpwuid = nobody
for name in ("HOME", "XDG_CACHE_HOME", "STEPCONV_CACHE_DIR"):
    os.environ.pop(name, None)
os.chdir({str(tmp_path)!r})
check(small.row_sums)
print(json.dumps(room.cache_status()))
"""
    pytest.importorskip("pwd")
    status = run(script)
    assert not status["writable"]
    assert "home" in status["reason"]
    assert list(tmp_path.iterdir()) == []


def make(factor, constant=1.0):
    """Return two kernels whose code differs only by what they read."""
    namespace = {"constant": constant}
    source = "def shift(value): return value + constant\n"
    exec(compile(source, __file__, "exec"), namespace)
    shift = inner(namespace["shift"])

    @inner
    def change(value):
        return shift(value) * factor

    @parallel
    def kernel(worker, share, x, out):
        out[worker] = change(x[worker])

    return kernel


def test_the_fingerprint_tells_what_a_kernel_reads():
    prints = [fingerprint.fingerprint(make(*values).function) for values in [(2,), (3,), (2, 4.0)]]
    assert len(set(prints)) == 3
    assert fingerprint.fingerprint(make(2).function) == prints[0]


def test_the_fingerprint_tells_a_bool_a_float_and_arrays_apart():
    values = [1, 1.0, True, None, "1", (1,), [1], {1: 2}, {1}, 0.0, -0.0, 1j]
    values += [np.array([1, 2]), np.array([1, 3]), np.array([1.0, 2.0]), np.array([[1, 2]])]
    prints = {fingerprint.fingerprint(make(value).function) for value in values}
    assert len(prints) == len(values)


def test_the_fingerprint_does_not_tell_how_many_tiles_were_made_before():
    def made():
        @tile(np.float32)
        def doubled(v, x, out):
            v.store(out, v.load(x) * 2)

        return doubled

    first, second = make(made()), make(made())
    assert fingerprint.fingerprint(first.function) == fingerprint.fingerprint(second.function)


def test_the_fingerprint_tells_the_order_of_fields():
    kinds = [namedtuple("Pair", names) for names in ("a b", "b a")]
    prints = {fingerprint.fingerprint(make(kind).function) for kind in kinds}
    assert len(prints) == 2


def test_the_fingerprint_sees_into_nested_functions_and_modules(monkeypatch):
    def outer():
        def nested():
            return small.total, SEEN

        return nested

    first = fingerprint.fingerprint(outer)
    monkeypatch.setitem(globals(), "SEEN", 9)
    second = fingerprint.fingerprint(outer)
    monkeypatch.setattr(small, "total", small.weighted)
    third = fingerprint.fingerprint(outer)
    assert len({first, second, third}) == 3


SEEN = 8


def test_kernels_that_differ_by_a_closure_do_not_collide(folder):
    for factor in (2, 3, 2, 3):
        out = np.zeros(1)
        make(factor).serial(np.array([1.0]), out)
        assert out[0] == 2.0 * factor
    assert len(stored(folder)) == 2


def test_a_kernel_that_cannot_be_recognised_again_is_named(folder):
    unknown = object()

    def read():
        return unknown

    with pytest.raises(fingerprint.NoFingerprint, match="object at 0x"):
        fingerprint.fingerprint(read)


def test_a_kernel_that_cannot_be_stored_says_so_and_runs(folder, monkeypatch):
    def refuse(_function):
        raise fingerprint.NoFingerprint("it reads a secret")

    monkeypatch.setattr(cache, "fingerprint", refuse)
    with pytest.warns(
        UserWarning, match="row_sums is compiled in every process: it reads a secret"
    ):
        compute(fresh())
    assert not Path(folder).exists()
