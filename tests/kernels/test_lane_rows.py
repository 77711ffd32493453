"""Programs: rows find their kernels, stages wait for each other, code is remembered on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.kernels.compile import code_address
from stepconv.kernels.cpu.lanes.rows import (
    WIDTH,
    Spot,
    operands,
    row,
    run,
)
from stepconv.kernels.cpu.machine.addresses import float32s, int64s
from tests.kernels.processes import run as run_script


@operands(spots="out", integers="number", floats="share")
def note(o: Any) -> None:
    """out[task] = out[task] · number + task + share, in cells of a task's own."""
    out = int64s(o.out)
    out[0] = out[0] * o.number + o.task + np.int64(float32s(o.share)[0] * 4)


@operands(spots="source out", integers="count")
def total(o: Any) -> None:
    """out = the sum of what the tasks before have written."""
    source, out = int64s(o.source), int64s(o.out)
    out[0] = 0
    for i in range(o.count):
        out[0] += source[i]


def test_rows_run_in_order_and_stages_wait() -> None:
    out, sums = np.zeros(9, np.int64), np.zeros(1, np.int64)
    at = Spot(out.ctypes.data, 8)
    program = np.array(
        [
            row(note, {"out": at, "number": 1, "share": 0.25}),
            row(note, {"out": at, "number": 10, "share": 0.0}),
            row(total, {"source": at, "out": sums.ctypes.data, "count": 9}),
        ],
        np.int64,
    )
    run(program, np.array([[0, 2, 9], [2, 3, 1]], np.int64))
    assert program.shape == (3, WIDTH)
    assert out.tolist() == [10 * (task + 1) + task for task in range(9)]
    assert sums[0] == out.sum()
    again = out.copy()
    out[:] = 0
    run(program, np.array([[0, 2, 9]], np.int64))
    assert (out == again).all()


def test_a_row_wants_every_operand_by_name() -> None:
    with pytest.raises(TypeError, match="note takes"):
        row(note, {"out": 0, "number": 1})
    with pytest.raises(TypeError, match="note takes"):
        row(note, {"out": 0, "number": 1, "share": 1.0, "more": 2})


def test_code_is_compiled_once() -> None:
    assert code_address(note, note.operands) == code_address(note, note.operands)
    assert row(note, {**dict.fromkeys(["out", "number", "share"], 0)})[0] != 0


@pytest.mark.slow
def test_code_is_remembered_on_disk_and_made_anew_if_damaged(tmp_path: Path) -> None:
    script = """
from tests.kernels.test_lane_rows import note, row, run
out = np.zeros(3, np.int64)
operands = {"out": (out.ctypes.data, 8), "number": 1, "share": 0.5}
run(np.array([row(note, operands)]), np.array([[0, 1, 3]]))
print(json.dumps(out.tolist()))
"""
    folder = str(tmp_path / "cache")
    assert run_script(script, STEPCONV_CACHE_DIR=folder) == [2, 3, 4]
    [path] = Path(folder).rglob("*.note.code.*.kernel")
    content = path.read_bytes()
    before = path.stat().st_mtime_ns
    assert run_script(script, STEPCONV_CACHE_DIR=folder) == [2, 3, 4]
    assert path.stat().st_mtime_ns == before
    path.write_bytes(content[: len(content) // 2])
    assert run_script(script, STEPCONV_CACHE_DIR=folder) == [2, 3, 4]
    assert len(path.read_bytes()) > len(content) // 2
