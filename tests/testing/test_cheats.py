"""Whoever sets out to cheat, or to break the checker, gets a verdict, and it is not "right"."""

import os
import sys
import time
from pathlib import Path

import pytest

import stepconv
from stepconv.errors import ArgumentError
from stepconv.testing import checks
from stepconv.testing.report.verdict import Report
from stepconv.testing.report.words import lines

PACKAGE = Path(stepconv.__file__).parent
RIGHT = """
    h, k = w.shape
    out = np.zeros((x.shape[0] - h + 1, x.shape[1] - k + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (x[i : i + h, j : j + k] * w).sum()
"""


def judged(tmp_path: Path, body: str, before: str = "", **options: object) -> Report:
    """Check a function whose body this is; `RIGHT` stands for loops that are right."""
    file = tmp_path / "homework.py"
    body = body.replace("RIGHT", RIGHT.strip())
    file.write_text(f"import numpy as np\nimport os, sys\n{before}\ndef conv(x, w):\n    {body}\n")
    return checks.check(f"{file}:conv", "correlate", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import stepconv; return stepconv.correlate(x, w)", "stepconv is not to be used here"),
        (
            "sys.meta_path[:] = [f for f in sys.meta_path if 'Path' in str(f)]; import stepconv; "
            "return stepconv.correlate(x, w)",
            "stepconv is not to be used here",
        ),
        (
            "import subprocess; subprocess.run([sys.executable, '-c', 'import stepconv'])",
            "other programs are not to be started here",
        ),
        ("os.system('true')", "other programs are not to be started here"),
        ("os.execv(sys.executable, ['python'])", "other programs are not to be started here"),
        (
            f"import importlib.util as u; s = u.spec_from_file_location('mine', {str(PACKAGE)!r} + "
            "'/__init__.py'); s.loader.exec_module(u.module_from_spec(s))",
            "the files of stepconv are not to be read here",
        ),
        (
            "import scipy.signal as s; return s.correlate2d(x, w, 'valid')",
            "scipy is not to be used",
        ),
        ("RIGHT\n    x += 1\n    return out", "it changed x"),
        ("RIGHT\n    return out * (1 + 5e-5)", "numbers of its result are wrong"),
        ("RIGHT\n    return out.astype(np.int16).astype(float)", "numbers of its result are wrong"),
        ("RIGHT\n    return out if x.size < 99 else out * 0", "numbers of its result are wrong"),
        ("RIGHT\n    return np.full(out.shape, np.nan)", "numbers of its result are wrong"),
        ("return np.ones(1 << 32)", "MemoryError"),
        ("return np.ones((1 << 24, 1))", "its result is too large"),
        ("return np.zeros((0, 3))", "its result has shape (0, 3)"),
        ("return np.array([object()])", "it returned an array of object"),
        ("os.kill(os.getpid(), 9)", "its process ended by SIGKILL"),
        ("os.abort()", "its process ended by SIGABRT"),
        ("import signal; os.kill(os.getppid(), signal.SIGSTOP); return x[999]", "IndexError"),
        ("[os.write(n, b'[' * 99999 + b'\\n') for n in (3, 4, 5, 6)]; return x", ""),
        ('import json; json.dumps = lambda *a: \'{"sizes": [], "results": -3}\'; return x', ""),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("raise type('\\x1b[31mError', (Exception,), {})('\\x1b]0;owned\\x07')", "\\x1b[31mError"),
        ("return type('\\x1b[2J', (), {})()", "it returned \\x1b[2J"),
    ],
)
def test_a_cheat_is_never_right(body: str, said: str, tmp_path: Path) -> None:
    report = judged(tmp_path, body, seconds=3.0, memory=512, forbidden=["scipy"])
    assert report.failure is not None
    assert said in report.failure.wrong
    assert all(c.isprintable() for line in lines(report) for c in line)


def test_the_function_under_the_cheats_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, "RIGHT\n    return out").right


def test_the_numbers_are_drawn_anew_unless_a_seed_is_given(tmp_path: Path) -> None:
    def arrays(**options: object) -> list[bytes]:
        report = judged(tmp_path, "RIGHT\n    return out", **options)
        return [one.given["x"].tobytes() for one in report.evidence]

    assert arrays() != arrays()
    assert arrays(seed=4) == arrays(seed=4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks nothing")
def test_what_it_forks_ends_with_it_wherever_it_goes(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    body = (
        "import time\n    pid = os.fork()\n    if pid == 0:\n        os.setsid()\n"
        "        time.sleep(300)\n        os._exit(0)\n"
        f"    open({str(told)!r}, 'w').write(str(pid))\n    return x[999]"
    )
    assert not judged(tmp_path, body).right
    patience = 100 if sys.platform.startswith("linux") else 0
    while runs(int(told.read_text())) and patience > 0:
        time.sleep(0.1)
        patience -= 1
    assert patience > 0 or not sys.platform.startswith("linux")


def runs(pid: int) -> bool:
    """Tell whether there is such a process, and it has not ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_loading_counts_against_the_seconds(tmp_path: Path) -> None:
    with pytest.raises(checks.GuestError, match=r"it took longer than 0\.5 s"):
        judged(tmp_path, "return x", before="import time; time.sleep(5)", seconds=0.5)


def test_numpy_cannot_be_forbidden(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="numpy cannot be forbidden"):
        judged(tmp_path, "return x", forbidden=["numpy"])
