"""Arrays and files of arrays that are not what they seem."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import ops
from stepconv.cli import main
from stepconv.errors import ArgumentError, ArgumentTypeError, TraceError
from stepconv.files import npy
from stepconv.trace.file.chain import load
from tests.faults.rows import mostly_slow

DRAW = np.random.default_rng(0)


def bits(*shape: int) -> Any:
    return DRAW.random(shape) > 0.5


X, W = bits(4, 5), bits(2, 2)
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("pad", (X, 1), {"value": 1}),
    ("max_pool", (X, 2), {}),
    ("relu", (X,), {}),
    ("flip", (X,), {}),
    ("correlate", (X, W), {"padding": 1}),
    ("convolve", (X, W), {}),
    ("correlate_transpose", (X, W), {}),
    ("pad", (X, 1), {"mode": "reflect"}),
    ("avg_pool", (X, 2), {}),
    *((name, (X,), {}) for name in ("leaky_relu", "tanh", "sigmoid", "softmax")),
    *((name, (X, ~X), {}) for name in ("add", "subtract")),
    ("concat", (bits(2, 3, 3), bits(1, 3, 3)), {}),
    *(("correlate_backward", (X, W, bits(3, 4)), {"gradient": g}) for g in ("x", "w", "bias")),
    *(("convolve_backward", (X, W, bits(3, 4)), {"gradient": g}) for g in ("x", "w")),
    ("correlate_transpose_backward", (X, W, bits(5, 6)), {}),
    ("max_pool_backward", (X, bits(2, 2), 2), {}),
    ("avg_pool_backward", (X, bits(2, 2), 2), {}),
    ("pad_backward", (bits(6, 7), (4, 5), 1), {}),
    *(
        (f"{name}_backward", (X, ~X), {})
        for name in ("relu", "leaky_relu", "tanh", "sigmoid", "softmax")
    ),
]


def test_each_operation_is_there() -> None:
    recordable = {name for name in ops.__all__ if not name.startswith("use_")}
    assert recordable <= {name for name, _, _ in CALLS} | {"explain"}


@pytest.mark.parametrize(("name", "given", "options"), CALLS, ids=range(len(CALLS)))
def test_a_trace_of_booleans_comes_back(
    name: str, given: Any, options: Any, tmp_path: Path
) -> None:
    trace = stepconv.record(getattr(ops, name), *given, **options, backend="textbook")
    trace.save(tmp_path / "booleans.npz")
    again = stepconv.load_trace(tmp_path / "booleans.npz")
    np.testing.assert_array_equal(again.output, trace.output)
    assert again.output.dtype == trace.output.dtype
    assert [step.in_words() for step in again] == [step.in_words() for step in trace]


def test_a_masked_array_is_refused() -> None:
    x = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    for call in (
        lambda: stepconv.correlate(x, [1.0]),
        lambda: stepconv.correlate([1.0, 2.0], x),
        lambda: stepconv.correlate([[1.0]], [[1.0]], bias=x[:1]),
        lambda: stepconv.relu(x),
        lambda: stepconv.max_pool(x, 2),
        lambda: stepconv.record(stepconv.pad, x, 1),
    ):
        with pytest.raises(ArgumentTypeError, match=r"is a masked array.*\.filled\(0\) fits"):
            call()
    np.testing.assert_array_equal(stepconv.correlate(x.filled(0), [1.0]), [1, 0, 3])


HEADERS = [
    "(" * 500,
    "'''",
    "  x\n y\n\tz",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808,)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f99', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': 3, 'shape': (3,)}",
    "{1: 2}",
    "[" * 90 + "]" * 90,
    "0" * 5000,
    "\x00",
    "b'\\xff'",
]


@pytest.mark.parametrize("text", HEADERS, ids=range(len(HEADERS)))
def test_a_header_is_one_error_whatever_python_stumbles_over(text: str, tmp_path: Path) -> None:
    body = text.encode("latin1") + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body + bytes(24)
    with pytest.raises(ArgumentError) as caught:
        npy.header(io.BytesIO(content))
    assert "\n" not in str(caught.value)
    path = tmp_path / "array.npy"
    path.write_bytes(content)
    assert main(["show", "--input", str(path), "--op", "relu"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "typed",
    mostly_slow(
        [
            "show --input pipe.npy --op relu",
            "show --input pipe.csv --op relu",
            "show --input pipe.png --op relu",
            "show pipe.npz",
            "show --input eight-22x16 --kernel pipe.npy",
            "apply pipe.png sobel-x -o out.png",
            "shapes pipe.toml",
            "predict pipe.safetensors pipe.png",
            "evaluate pipe.safetensors --data digits",
            "train pipe.toml --data digits",
            "check pipe.py:f",
        ],
        3,
    ),
)
def test_a_named_pipe_is_refused(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("npy", "csv", "png", "npz", "toml", "safetensors", "py"):
        os.mkfifo(f"pipe.{suffix}")
    assert main(typed.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1
    for read in (stepconv.load_trace, load):
        with pytest.raises((ArgumentError, TraceError), match="pipe or a device"):
            read("pipe.npz")
