"""A guest of the checker is a stranger: what it does, sends or claims ends in a verdict."""

import io
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.errors import ArgumentError, StepconvError
from stepconv.testing import checks
from stepconv.testing.calls import Call
from stepconv.testing.closeness import bound
from stepconv.testing.guest import bans, host, process
from stepconv.testing.report.verdict import Report
from stepconv.testing.report.words import lines
from stepconv.testing.tasks import TASKS
from tests.faults.rows import mostly_slow

PACKAGE = Path(stepconv.__file__).parent
SCIPY = "import importlib.util as u, importlib.machinery as m; "
LINUX = sys.platform == "linux"
RIGHT = """out = np.zeros((x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (x[i : i + w.shape[0], j : j + w.shape[1]] * w).sum()
"""


def judged(tmp_path: Path, body: str, before: str = "", **options: Any) -> Report:
    """Check a function whose body this is; `RIGHT` stands for loops that are right."""
    file = tmp_path / "homework.py"
    body = body.replace("RIGHT\n", RIGHT)
    file.write_text(f"import numpy as np\nimport os, sys\n{before}\ndef conv(x, w):\n    {body}\n")
    return checks.check(f"{file}:conv", "correlate", rank=2, **{"seconds": 3.0, **options})


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the processes of a test's guests have a mark that no other test's have."""
    own, count = f"faults-{os.getpid()}-{time.monotonic_ns()}", itertools.count()
    monkeypatch.setattr(host, "token_hex", lambda _: f"{own}.{next(count)}.")
    return own


CHEATS = [
    # It says that nothing was changed.
    (
        "o, real = x.copy(), np.save\n    RIGHT\n    x += 1\n"
        "    np.save = lambda f, a, **k: real(f, o if a is x else a, **k)\n    return out",
        "it changed x" if hasattr(os, "memfd_create") else "",
    ),
    # It is right on what is small.
    ("RIGHT\n    return out if x.size < 1100 else out * 0", "of its result are wrong"),
    ("RIGHT\n    return out if w.size < 900 else out + 1", "of its result are wrong"),
    # It is nearly right.
    ("RIGHT\n    return out + 5e-5 * np.abs(out).max()", "of its result are wrong"),
    ("RIGHT\n    return out.round(4)", "of its result are wrong"),
    # It takes the ban off.
    (
        "try:\n        import stepconv\n    except ImportError as e:\n"
        "        g = e.__traceback__.tb_next.tb_frame.f_globals\n"
        "        g.update({n: () for n in list(g) if n.isupper() or n[:1] == '_'})\n"
        "    import builtins\n    builtins.isinstance = builtins.any = lambda *a: False\n"
        "    import stepconv\n    return stepconv.correlate(x, w)",
        "",
    ),
    (
        "class S(str):\n        __hash__ = lambda s: 1\n        __eq__ = lambda s, o: False\n"
        "    __import__(S('stepconv'))",
        "stepconv is not to be used here",
    ),
    ("import gc; gc.get_objects()", "what Python keeps inside"),
    (
        "try:\n        import _xxsubinterpreters as s\n    except ImportError:\n"
        "        import _interpreters as s\n    s.create()",
        "not to be",
    ),
    # It asks another process.
    (
        "import multiprocessing as m; m.get_context('spawn').Process(target=print).start()",
        "other programs are not to be started here",
    ),
    (
        "sys.modules.pop('_posixsubprocess', 0); import _posixsubprocess",
        "_posixsubprocess is not to be used here",
    ),
    ("import ctypes; ctypes.CDLL(None).system(b'true')", "system is not to be called here"),
    # It reads the answers under another name.
    (
        f"os.path.exists('mine') or os.symlink({str(PACKAGE)!r}, 'mine'); "
        "sys.path.insert(0, '.'); import mine",
        "the files of stepconv are not to be read here",
    ),
    (
        f"os.chdir({str(PACKAGE)!r}); open(b'kernels/textbook.py')",
        "the files of stepconv are not to be read here",
    ),
    (
        f"d = os.open({str(PACKAGE.parent)!r}, os.O_RDONLY); "
        "os.open('stepconv/ops/sliding.py', 0, dir_fd=d)",
        "this folder is not to be opened here",
    ),
    (
        f"{SCIPY}s = m.PathFinder.find_spec('scipy'); "
        "s = u.spec_from_file_location('mine', s.origin); "
        "s.loader.exec_module(u.module_from_spec(s))",
        "the files of scipy are not to be read here",
    ),
    # It turns on others.
    ("os.kill(-1, 0)", "other processes are not to be signalled here"),
    ("os.kill(1, 0)", "other processes are not to be signalled here"),
    (
        "p = int(open(f'/proc/{os.getppid()}/stat').read().split()[3]); os.kill(p, 19)"
        if LINUX
        else "os.killpg(1, 0)",
        "other processes are not to be signalled here",
    ),
]


@pytest.mark.parametrize(("body", "said"), mostly_slow(CHEATS, 9))
def test_a_cheat_is_never_right(
    body: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = judged(tmp_path, body, forbidden=["scipy"], seed=7)
    assert report.failure is not None
    assert said in report.failure.wrong
    assert all(c.isprintable() for line in lines(report) for c in line)


@pytest.mark.slow
def test_who_does_none_of_it_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, "RIGHT\n    return out", forbidden=["scipy"]).right
    several = "from multiprocessing.pool import Pool\n    with Pool(2) as p: p.map(abs, [1])\n    "
    if LINUX and sys.version_info < (3, 14):  # where a pool forks
        assert judged(tmp_path, f"{several}RIGHT\n    return out", seconds=30.0).right


TAKERS = [
    ("while True: os.fork()", "more than 32 processes"),
    (
        "import time\n    for _ in range(40): os.fork() or time.sleep(9)\n    time.sleep(2)",
        "32 proc",
    ),
    (
        "for _ in range(3):\n        if os.fork() == 0:\n            os.setsid()\n"
        "            while True: pass\n    return x[999]",
        "IndexError",
    ),
    (
        "import mmap\n    m = [mmap.mmap(-1, 1 << 28) for _ in range(8)]\n"
        "    for one in m:\n        for i in range(0, 1 << 28, 1 << 20):\n"
        "            one[i : i + (1 << 20)] = bytes(1 << 20)\n    while True: pass",
        "took more than 64 MiB of memory",
    ),
    ("b = bytearray(1 << 27); return x", "MemoryError"),
]


@pytest.mark.skipif(not LINUX, reason="only Linux says what runs")
@pytest.mark.parametrize(("body", "said"), mostly_slow(TAKERS))
def test_what_it_starts_and_takes_ends_with_it(
    body: str, said: str, tmp_path: Path, mark: str
) -> None:
    report = judged(tmp_path, body, memory=64)
    assert report.failure is not None
    assert said in report.failure.wrong
    assert host._marked(mark, -1) == []


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="only Linux kills with the parent")
def test_a_guest_ends_with_who_asked_even_if_that_is_killed(tmp_path: Path) -> None:
    file, here = tmp_path / "homework.py", tmp_path / "here"
    file.write_text(
        "import os, time\ndef conv(x, w):\n"
        f"    open({str(here)!r}, 'w').write(f'{{os.getppid()}} {{os.getpid()}}')\n"
        "    while True: time.sleep(1)\n"
    )
    asking = subprocess.Popen(
        [sys.executable, "-m", "stepconv", "check", f"{file}:conv", "--seconds", "300"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not (here.exists() and here.read_text().count(" ")) and time.monotonic() < until:
        time.sleep(0.05)
    asking.kill()
    asking.wait()
    pids = here.read_text().split()
    while any(runs(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(runs(pid) for pid in pids)


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


HEADERS = [
    {},
    [],
    None,
    "text",
    {"sizes": 3},
    {"sizes": [-1]},
    {"sizes": [1 << 40]},
    {"sizes": [1.5]},
    {"sizes": [True]},
    {"sizes": [0] * 100},
    {"sizes": [], "results": -3},
    {"sizes": [], "results": "2", "kinds": [], "shared": False, "of": 1},
    {"sizes": [], "error": {"a": 1}, "printed": False, "used": []},
    {"sizes": [], "error": "x" * 99_999, "printed": False, "used": []},
    {"sizes": [], "error": "odd", "printed": 1, "used": []},
    {"sizes": [], "error": "odd", "printed": False, "used": []},
    {"sizes": [], "error": "odd", "printed": False, "used": [[[]]]},
    {"sizes": [], "kinds": [{}], "shared": False, "results": 0, "of": 0, "printed": False},
]


def answering(tmp_path: Path, answer: bytes) -> Report:
    """Return what is said of a guest that answers each call with these bytes itself."""
    code = (
        "for n in range(3, 16):\n        try: os.write(n, ANSWER)\n        except OSError: pass\n"
        "    os._exit(0)"
    )
    return judged(tmp_path, code.replace("ANSWER", repr(answer)))


@pytest.mark.parametrize("header", mostly_slow(HEADERS, 8))
def test_an_answer_of_its_own_is_a_verdict(header: Any, tmp_path: Path) -> None:
    report = answering(tmp_path, json.dumps(header).encode() + b"\n")
    assert report.failure is not None
    assert report.failure.wrong in (
        "it answered for itself, with something else",
        "its process ended",
        "odd",
    )


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_no_such_answer_is_read(header: Any) -> None:
    guest, said = host.Guest("numpy:convolve"), ""
    try:
        told, arrays = process.receive(io.BytesIO(json.dumps(header).encode() + b"\n"))
        said = guest._read(told, arrays, 0).error
    except ValueError:
        return
    assert said == "odd"


def npy(header: str) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


ARRAYS = [
    b"",
    b"PK\x03\x04" + bytes(60),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,)}"),
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
    npy("(" * 200),
    npy("  x\n y\n"),
    npy("'''"),
]


@pytest.mark.parametrize("content", mostly_slow(ARRAYS, 8))
def test_an_array_that_is_not_there_is_a_verdict(content: bytes, tmp_path: Path) -> None:
    told = {"kinds": ["ndarray"], "shared": False, "results": 1, "of": 1, "printed": False}
    header = json.dumps({**told, "used": [], "sizes": [len(content), 0, 0]})
    report = answering(tmp_path, header.encode() + b"\n" + content)
    assert not report.right


TELLINGS = [
    b"[" * 100_000 + b"\n",
    b'{"kind": "function"}\n',
    b'{"kind": "class", "methods": [], "sizes": []}\n',
    b'{"sizes": [], "kind": "function", "methods": {}, "static": [], "asked": "", '
    b'"parameters": [["x"]], "others": {}, "attributes": [], "source": {}}\n',
    b'{"sizes": [], "error": "\\u001b]0;owned\\u0007\\u202e"}\n',
    b"\xff\xfe\n",
    b'{"sizes": [], "kind": ' + b"9" * 5000 + b"}\n",
]


@pytest.mark.parametrize("line", mostly_slow(TELLINGS, 8))
def test_what_it_tells_of_itself_is_read_through_a_schema(line: bytes, tmp_path: Path) -> None:
    before = (
        f"for n in range(3, 16):\n    try: os.write(n, {line!r})\n    except OSError: pass\n"
        "os._exit(0)"
    )
    with pytest.raises(StepconvError) as caught:
        judged(tmp_path, "return x", before)
    assert "cannot be loaded" in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_bound_is_that_of_each_number() -> None:
    x = np.array([1e6, 1e6, 1.0, 1.0, 1.0])
    (most,) = bound(TASKS["correlate"], Call({"x": x, "w": np.array([1.0, -1.0])}, {}))
    assert most[0] == 4 * 2e6
    assert most[-1] == 2 * 2e6  # two units of the largest sum, for transforms
    (exact,) = bound(TASKS["correlate"], Call({"x": np.arange(9), "w": np.ones(3, int)}, {}))
    assert exact.max() == 2 * 21


def test_shared_memory_shows_what_became_of_an_array() -> None:
    shared = process.Shared.made()
    if shared is None:
        pytest.skip("this system has no such memory")
    arrays = [np.arange(6.0).reshape(2, 3), np.array(5), np.zeros((0, 3)), np.ones(3, ">i2")]
    places = shared.laid(arrays)
    assert places is not None
    seen = shared.seen(places)
    for one, other in zip(arrays, seen, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    seen[0][:] = 7
    assert (shared.seen(places)[0] == 7).all()
    assert shared.laid([np.zeros(process.LARGEST)]) is None
    with pytest.raises(PermissionError):
        os.ftruncate(shared.handle, 0)
    del seen
    shared.close()


def test_the_ban_knows_files_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    inside = tmp_path / "package" / "module.py"
    inside.write_text("")
    (tmp_path / "other").hardlink_to(inside)
    assert bans._inode(tmp_path / "other") in set(bans._inodes(tmp_path / "package"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("photo.png:f", "'photo.png' is neither Python nor a module"),
        ("a.py:f:x", "'a.py:f' is neither Python nor a module"),
        ("a.py:f-x", "'a.py:f-x' names no function"),
        ("nowhere.py:f", "nowhere.py: No such file"),
        ("a.py", "'a.py' names no function"),
    ],
)
def test_what_names_no_function_is_told_so(
    target: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("")
    (tmp_path / "photo.png").write_text("")
    with pytest.raises(ArgumentError, match=said):
        host.parsed(target)


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text("raise SystemExit('asked')")
    out = tmp_path / "nowhere" / "report.html"
    assert main(["check", f"{tmp_path}/a.py:f", "-o", str(out)]) == 2
    assert f"there is no folder {out.parent}" in capsys.readouterr().err
