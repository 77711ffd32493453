"""The checker is checked: right functions pass, and each planted mistake is found and named."""

import inspect
import json
import time
from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.errors import ArgumentError
from stepconv.testing import checks, report
from stepconv.testing.cases import TASKS, cases
from stepconv.testing.checks import Verdict
from stepconv.testing.load import GuestError
from stepconv.testing.suspects import suspicion

# A convolution as homework has it; each mistake is a line of it written otherwise.
CONV = """
import numpy as np

def conv(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    rows = (x.shape[0] - w.shape[0]) // stride + 1
    columns = (x.shape[1] - w.shape[1]) // stride + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[top : top + w.shape[0], left : left + w.shape[1]]
            out[i, j] = (window * w).sum()
    return out
"""
# The same for pools.
POOL = """
import numpy as np

def pool(x, window, stride, padding=0):
    rows, columns = window if isinstance(window, tuple) else (window, window)
    x = np.pad(x.astype(float), padding, constant_values=FILL)
    high = (x.shape[0] - rows) // stride_of(stride, 0) + 1
    wide = (x.shape[1] - columns) // stride_of(stride, 1) + 1
    out = np.zeros((high, wide))
    for i in range(high):
        for j in range(wide):
            top, left = i * stride_of(stride, 0), j * stride_of(stride, 1)
            out[i, j] = BEST(x[top : top + rows, left : left + columns])
    return out

def stride_of(stride, axis):
    return stride[axis] if isinstance(stride, tuple) else stride
"""


def judged(tmp_path: Path, source: str, op: str, name: str = "conv", **options: object) -> Verdict:
    file = tmp_path / "homework.py"
    file.write_text(source)
    return checks.check(f"{file}:{name}", op, **options)  # type: ignore[arg-type]


def pool(best: str, fill: str) -> str:
    return POOL.replace("BEST", best).replace("FILL", fill)


def test_a_right_convolution_is_right(tmp_path: Path) -> None:
    verdict = judged(tmp_path, CONV, "correlate")
    assert verdict.right
    assert verdict.calls > 20
    assert verdict.untested == ("bias", "dilation", "groups", "mode")
    assert verdict.remarks == ()


@pytest.mark.parametrize(
    ("line", "mistake", "suspicion"),
    [
        ("* w)", "* w[::-1, ::-1])", "the kernel was mirrored: this is a convolution"),
        ("* w)", "* w[:, ::-1])", "the kernel was mirrored"),
        ("j * stride", "j", "stride was used on the rows alone"),
        ("// stride + 1", "// stride", "a loop stops one window early"),
        ("range(columns)", "range(columns - 1)", "the last column was not computed"),
        ("(x, padding)", "(x, ((padding, 0), (padding, 0)))", "the padding was put in front alone"),
        ("(x, padding)", "(x, 2 * padding)", "padding=1 was taken for 2"),
        ("np.pad(x, padding)", "x", "padding=1 was ignored"),
        ("np.pad(x, padding)", "np.pad(x, padding, 'edge')", "mode='replicate'"),
        ("(rows, columns))", "(rows, columns), int)", "digits behind the point were lost"),
        ("(rows, columns))", "(rows, columns), x.dtype)", "numbers wrapped round at 256"),
        ("return out", "return out.T", "rows and columns of the result were exchanged"),
        ("return out", "return np.maximum(out, 0)", "negative numbers became 0"),
        ("return out", "return np.roll(out, 1, 1)", ""),
    ],
)
def test_a_mistake_is_found_and_named(
    line: str, mistake: str, suspicion: str, tmp_path: Path
) -> None:
    assert line in CONV
    failure = judged(tmp_path, CONV.replace(line, mistake), "correlate").failure
    assert failure is not None
    assert suspicion in failure.suspicion
    assert bool(suspicion) == bool(failure.suspicion)


@pytest.mark.parametrize(
    ("best", "fill", "op", "suspicion"),
    [
        ("np.max", "-np.inf", "max-pool", None),
        ("np.max", "0", "max-pool", "the zeros of the padding won"),
        ("np.min", "np.inf", "max-pool", "the smallest was taken"),
        ("np.mean", "0", "max-pool", "the average was taken"),
        ("np.nanmean", "np.nan", "avg-pool", None),
        ("np.mean", "0", "avg-pool", "cells of the padding were counted"),
        ("np.sum", "0", "avg-pool", "the sum was not divided"),
        ("np.max", "0", "avg-pool", "the largest was taken"),
    ],
)
def test_pools(best: str, fill: str, op: str, suspicion: str | None, tmp_path: Path) -> None:
    verdict = judged(tmp_path, pool(best, fill), op, "pool")
    assert verdict.right is (suspicion is None)
    if verdict.failure is not None:
        assert suspicion is not None
        assert suspicion in verdict.failure.suspicion


def test_an_option_can_be_what_is_meant(tmp_path: Path) -> None:
    counting = pool("np.mean", "0")
    assert judged(tmp_path, counting, "avg-pool", "pool", count_include_pad=True).right
    with pytest.raises(ArgumentError, match="ceil_mode has no place here: correlate has none"):
        judged(tmp_path, CONV, "correlate", ceil_mode=True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True: pass", "it took longer than 1 s"),
        ("import os; os._exit(0)", "its process ended"),
        ("import ctypes; ctypes.string_at(0)", "its process ended"),
        ("raise SystemExit(0)", "SystemExit: 0 (line 2)"),
        ("return x[100]", "IndexError: index 100 is out of bounds"),
        ("return input()", "EOFError"),
        ("return None", "it returned NoneType: an array of real numbers fits"),
        ("return 'text'", "it returned str"),
        ("return [[1, 2], [3]]", "it returned a list whose rows are not all as long"),
        ("return x + 1j", "it returned an array of complex128"),
        ("x *= 2; return x", "it changed x: work on a copy"),
        ("import stepconv; return x", "stepconv is not to be used here (line 2)"),
        ("import torch; return x", "torch is not to be used here (line 2)"),
        ("import os; [os.write(n, b'{}\\n') for n in (3, 4, 5)]; return x", ""),
        ("import sys; sys.stdout.write('hello'); return x * w", ""),
    ],
)
def test_whatever_a_function_does_it_is_wrong_and_nothing_else(
    body: str, said: str, tmp_path: Path
) -> None:
    source = f"def conv(x, w):\n    {body}\n"
    verdict = judged(tmp_path, source, "correlate", seconds=1.0, forbidden=["torch"])
    assert verdict.failure is not None
    assert said in verdict.failure.said


def test_what_a_function_starts_ends_with_it(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    late = f"import time; time.sleep(3); open({str(alive)!r}, 'w')"
    source = (
        "import subprocess, sys\n"
        "def conv(x, w):\n"
        f"    subprocess.Popen([sys.executable, '-c', {late!r}])\n"
        "    while True: pass\n"
    )
    assert not judged(tmp_path, source, "correlate", seconds=0.5).right
    time.sleep(4)
    assert not alive.exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def conv(x, w:", "SyntaxError: '(' was never closed (line 1)"),
        ("import no_such_package", "No module named 'no_such_package' (line 1)"),
        ("import stepconv", "stepconv is not to be used here (line 1)"),
        ("def other(): pass", "it has no function 'conv', but other"),
        ("def conv(x): pass", "cannot be called with x, w: its arguments are x"),
        ("def conv(x, w, colour): pass", "needs colour, which nobody gives it: bias, stride"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_what_cannot_be_run(source: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(GuestError) as caught:
        judged(tmp_path, source, "correlate")
    assert said in str(caught.value)


def test_lists_prints_and_libraries_are_remarks(tmp_path: Path) -> None:
    source = f"import scipy\nprint('hello')\n{CONV}".replace("return out", "return out.tolist()")
    verdict = judged(tmp_path, source, "correlate")
    assert verdict.right
    assert verdict.remarks == ("it returns list, not an array", "it prints", "it uses scipy")


@pytest.mark.parametrize("op", TASKS)
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_every_case_is_a_legal_call(op: str, rank: int) -> None:
    task = TASKS[op]
    options = {*inspect.signature(task.function).parameters} - {*task.positional, "backend"}
    for takes in (options, set()):
        asked = list(cases(op, rank, takes, {}))
        for case in asked:
            assert len(task.answers(case.call)) == len(task.results)
        assert len({case.about for case in asked}) >= 3
        assert takes <= {"algorithm", "groups"} | {
            name for case in asked for name in (*case.call.options, *case.call.arrays)
        }


@pytest.mark.parametrize("op", TASKS)
@pytest.mark.parametrize("rank", [1, 2, pytest.param(4, marks=pytest.mark.slow)])
def test_any_wrong_result_is_looked_into(op: str, rank: int) -> None:
    task = TASKS[op]
    takes = {*inspect.signature(task.function).parameters} - {*task.positional, "backend"}
    abouts = {case.about: case for case in cases(op, rank, takes, {})}
    for case in abouts.values():
        for name, expected in zip(task.results, task.answers(case.call), strict=True):
            for wrong in (np.asarray(expected) + 0.37, np.zeros((*np.shape(expected), 2))):
                told = suspicion(op, case.call, name, np.asarray(expected), wrong, np.isclose)
                assert told == ""


def test_gradients_layers_and_signals(tmp_path: Path) -> None:
    source = """
import numpy as np

def back(x, w, grad_out):
    grad_x, grad_w = np.zeros(x.shape), np.zeros(w.shape)
    for i in range(grad_out.shape[0]):
        for j in range(grad_out.shape[1]):
            part = np.s_[i : i + w.shape[0], j : j + w.shape[1]]
            grad_x[part] += grad_out[i, j] * w
            grad_w += grad_out[i, j] * x[part]
    return grad_x, grad_w

def layer(x, w, b=None):
    n, c, h, k = *x.shape[:2], x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1
    out = np.zeros((n, len(w), h, k))
    for i in range(h):
        for j in range(k):
            window = x[:, None, :, i : i + w.shape[2], j : j + w.shape[3]]
            out[:, :, i, j] = (window * w).sum((2, 3, 4))
    return out if b is None else out + b[:, None, None]

def first(x, w):
    return layer(x[:, :1], w[:, :1])

def signal(x, w):
    return np.convolve(x, w, "valid")
"""
    verdict = judged(tmp_path, source, "correlate-backward", "back")
    assert verdict.right
    assert verdict.remarks == ("it returns no grad_bias",)
    assert judged(tmp_path, source, "correlate", "layer", rank=4).right
    wrong = judged(tmp_path, source, "correlate", "first", rank=4).failure
    assert wrong is not None
    assert wrong.suspicion == "the first channel was taken alone"
    assert judged(tmp_path, source, "convolve", "signal", rank=1).right
    wrong = judged(tmp_path, source, "correlate", "signal", rank=1).failure
    assert wrong is not None
    assert wrong.suspicion == "the kernel was mirrored: this is a convolution"


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.py").write_text(CONV)
    Path("bad.py").write_text(CONV.replace("* w)", "* w[::-1, ::-1])"))
    assert main(["check", "good.py:conv", "--op", "correlate"]) == 0
    assert capsys.readouterr().out.startswith("right: conv does what correlate does, in ")
    assert main(["check", "bad.py:conv", "--op", "correlate"]) == 1
    out = capsys.readouterr().out
    assert "it looks as if the kernel was mirrored" in out
    assert "row 0, column 0: 0x0 + 8x2 = 16; 0 came" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["check", "bad.py:conv", "--op", "correlate", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["right"] is False
    assert data["failure"]["expected"][0][0] == 16
    for arguments, said in (
        (["no.py:conv", "--op", "correlate"], "no.py: No such file"),
        (["good.py", "--op", "correlate"], "FILE.py:function or module:function fits"),
        (["good.py:conv", "--op", "corelate"], "did you mean 'correlate'?"),
        (["good.py:pool", "--op", "max-pool"], "it has no function 'pool', but conv"),
    ):
        assert main(["check", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert said in captured.err
        assert captured.err.count("\n") == 1


def test_a_module_can_be_checked() -> None:
    verdict = checks.check("numpy:convolve", "convolve", rank=1)
    assert verdict.failure is not None
    assert "padding='full'" in verdict.failure.suspicion
    assert "it should be" in "\n".join(report.lines(verdict))
