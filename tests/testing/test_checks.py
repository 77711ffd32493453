"""The checker is checked: right functions pass, and each planted mistake is found and named."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.errors import ArgumentError
from stepconv.testing import checks
from stepconv.testing.cases import cases, thought_out
from stepconv.testing.forms import finding
from stepconv.testing.guest.host import GuestError
from stepconv.testing.report.snippet import snippet
from stepconv.testing.report.verdict import Report
from stepconv.testing.report.words import lines
from stepconv.testing.slips import theory
from stepconv.testing.tasks import TASKS

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


def judged(tmp_path: Path, source: str, op: str, name: str = "conv", **options: object) -> Report:
    file = tmp_path / "homework.py"
    file.write_text(source)
    return checks.check(f"{file}:{name}", op, seed=5, **options)  # type: ignore[arg-type]


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
        ("(x, padding)", "(x, 2 * padding)", "twice as much was padded"),
        ("np.pad(x, padding)", "x", "the padding was left out"),
        ("np.pad(x, padding)", "np.pad(x, padding, 'edge')", "the border repeats the edge"),
        ("(rows, columns))", "(rows, columns), int)", "digits behind the point were lost"),
        ("(rows, columns))", "(rows, columns), x.dtype)", "kept in the input's own type"),
        ("return out", "return out.T", "rows and columns of the result were exchanged"),
        ("return out", "return np.maximum(out, 0)", "negative numbers became 0"),
        ("return out", "return np.roll(out, 2, 1) + 0.5", ""),
    ],
)
def test_a_mistake_is_found_and_named(
    line: str, mistake: str, suspicion: str, tmp_path: Path
) -> None:
    assert line in CONV
    report = judged(tmp_path, CONV.replace(line, mistake), "correlate")
    assert not report.right
    assert suspicion in report.slip
    assert bool(suspicion) == bool(report.slip)


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
    assert (suspicion or "") in verdict.slip


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
    assert said in verdict.failure.wrong


@pytest.mark.slow
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


def described(op: str) -> dict[str, object]:
    """Return what a guest tells of a function that takes all that the operation does."""
    task = TASKS[op]
    parameters = [[name, "POSITIONAL_OR_KEYWORD", False, ""] for name in task.positional]
    parameters += [[name, "KEYWORD_ONLY", True, "None"] for name in task.options]
    return {"kind": "function", "parameters": parameters, "source": {}, "attributes": []}


@pytest.mark.parametrize("op", TASKS)
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_every_case_is_a_legal_call(op: str, rank: int) -> None:
    task = TASKS[op]
    try:
        every = finding.readings(described(op), op, "homework.py:mine", rank)
    except ArgumentError:
        assert rank == 3 or op in ("flip", "relu", "relu-backward")  # one rank is like another
        return
    asked = list(cases(every[0], {}, np.random.default_rng(7)))
    for case in asked:
        assert len(task.answers(case.call)) == len(task.results)
    assert len({case.about for case in asked}) >= (4 if op == "dropout" else 8)
    given = {name for case in asked for name in (*case.call.options, *case.call.arrays)}
    plain = {"groups"} if rank < 3 else set()
    assert set(task.options) <= given | plain | {"algorithm"}


@pytest.mark.parametrize("op", TASKS)
def test_every_slip_can_be_made_and_none_is_made_by_what_is_right(op: str) -> None:
    function = TASKS[op].function
    right = checks.check(lambda *given, **options: function(*given, **options), op, seed=3)
    assert right.right
    for number in range(len(TASKS[op].results)):
        assert theory.explained(right.evidence, number) is None
    assert len(thought_out(op)) >= (4 if op == "dropout" else 9)


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
    report = judged(tmp_path, source, "correlate", "first", rank=4)
    assert report.slip == "the first channel was taken alone"
    assert judged(tmp_path, source, "convolve", "signal", rank=1).right
    report = judged(tmp_path, source, "correlate", "signal", rank=1)
    assert report.slip == "the kernel was mirrored: this is a convolution"


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.py").write_text(CONV)
    Path("bad.py").write_text(CONV.replace("* w)", "* w[::-1, ::-1])"))
    assert main(["check", "good.py:conv", "--op", "correlate"]) == 0
    assert capsys.readouterr().out.startswith("right: conv does what correlate does, in ")
    assert main(["check", "bad.py:conv", "--op", "correlate", "--seed", "1"]) == 1
    out = capsys.readouterr().out
    assert "it looks as if the kernel was mirrored" in out
    assert "row 0, column 0: " in out
    assert "print(mine - right)" in out
    assert main(["check", "bad.py:conv", "--op", "correlate", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["right"] is False
    assert data["slip"] == "flip"
    assert data["tested"] == ["stride", "padding"]
    assert data["stages"]["plain"]["of"] > 5
    assert 0 <= data["points"] < 1
    assert np.shape(data["failure"]["expected"]) == np.shape(data["failure"]["got"])
    assert main(["check", "no.py:conv", "--op", "correlate", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["right"] is None
    assert main(["check", "bad.py:conv", "--no-answers", "-o", "case.html"]) == 1
    assert "it should be" not in capsys.readouterr().out
    assert "the kernel was mirrored" in Path("case.html").read_text()
    assert main(["check", "--list-forms"]) == 0
    assert "deeplearning-ai-conv" in capsys.readouterr().out
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
    assert verdict.right
    verdict = checks.check("numpy:convolve", "correlate", rank=1)
    assert "the kernel was mirrored" in verdict.slip
    assert "it should be" in "\n".join(lines(verdict))


COURSES = """
import numpy as np

def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)

def affine_backward(dout, cache):
    x, w, b = cache
    return dout.dot(w.T), x.T.dot(dout), dout.sum(axis=0)

def linear(x, weight, bias):
    return x @ weight.T + bias

def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)

def crossentropy(y_true, y_pred):
    return -(y_true * np.log(y_pred)).sum(axis=1).mean()

def batchnorm_forward(x, gamma, beta, bn_param):
    eps, mode = bn_param.get("eps", 1e-5), bn_param["mode"]
    assert mode == "train"
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta, (x, gamma, eps)

def batchnorm_backward(dout, cache):
    x, gamma, eps = cache
    std = np.sqrt(x.var(0) + eps)
    y = (x - x.mean(0)) / std
    dx = gamma / std * (dout - dout.mean(0) - y * (dout * y).mean(0))
    return dx, (dout * y).sum(0), dout.sum(0)

def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    mask = (np.random.rand(*x.shape) < p) / p  # p is what is kept there
    return (x * mask if mode == "train" else x), (dropout_param, mask)

def sgd(w, dw, config=None):
    config.setdefault("learning_rate", 1e-2)
    w -= (config["learning_rate"] * dw).astype(w.dtype)
    return w, config

def adam(w, dw, config=None):
    config["t"] += 1
    m = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    v = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw ** 2
    m, v = m / (1 - config["beta1"] ** config["t"]), v / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config
"""


@pytest.mark.parametrize(
    ("function", "op", "form"),
    [
        ("affine_forward", "dense", "x (N, I), w (I, O), b (O) -> (out, cache)"),
        ("affine_backward", "dense-backward", "dout (N, O), cache"),
        ("linear", "dense", "x (N, I), weight (O, I), bias (O)"),
        ("linear_forward", "dense", "A (I, N), W (O, I), b (O, 1) -> (out, cache)"),
        (
            *("crossentropy", "cross-entropy"),
            "y_true (N, K) as ones, y_pred (N, K) as probabilities",
        ),
        (
            *("batchnorm_forward", "batch-norm"),
            "x (N, D), gamma (D), beta (D), bn_param = {'eps', 'mode'} -> (out, cache)",
        ),
        ("batchnorm_backward", "batch-norm-backward", "dout (N, D), cache"),
        ("dropout_forward", "dropout", "x (N, D), dropout_param = {'p', 'mode'} -> (out, cache)"),
        ("sgd", "sgd", "w (I, O), dw (I, O), config = {'learning_rate'} -> (out, cache)"),
        ("adam", "adam", None),
    ],
)
def test_what_courses_train_with(tmp_path: Path, function: str, op: str, form: str | None) -> None:
    file = tmp_path / "homework.py"
    file.write_text(COURSES)
    report = checks.check(f"{file}:{function}", op)
    assert report.right, report
    assert form in (None, report.form)


def test_a_formula_that_is_wrong_is_shown_in_python(tmp_path: Path) -> None:
    source = "def sgd(w, grad, lr):\n    return w + lr * grad\n"
    report = judged(tmp_path, source, "sgd", "sgd")
    assert report.slip_name == "uphill"
    assert "right = stepconv.testing.formulas.sgd(w=w, grad=grad, lr=0.5)" in snippet(report)
