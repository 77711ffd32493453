"""Rows of a program: how a kernel says what it is given, and what runs one row after another.

A program is a table of int64: each row holds the address of a kernel's code and its operands. The
runner is compiled once and runs any program, so a new network compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

from stepconv.kernels.compile import code_address, compiled, share_of, threads
from stepconv.kernels.compile.drawing import finish, publish
from stepconv.kernels.compile.tickets import ARGUMENTS, MOST
from stepconv.kernels.cpu.machine.addresses import int64s, named_rows
from stepconv.kernels.cpu.machine.operands import Row, call
from stepconv.kernels.cpu.machine.vector import address, lanes

Array = Any
Code = Callable[[Any], None]

LANES = lanes(np.float32)
VECTOR = 4 * LANES  # the bytes of a cell: one number for each image
# Where a program's controls stand: what differs from batch to batch.
IMAGES, CHUNKS, PIXELS, PIXEL_BYTES, ORDER, LABELS, ANSWERS, STEP_KEY = range(8)
CONTROLS = 8

WIDTH = 32  # numbers in a row: the kernel's address and its operands


class Family(NamedTuple):
    """A row of a table: cells whose windows have the same taps, both by address and number."""

    taps: Any
    tap_count: Any
    cells: Any
    cell_count: Any


family_at = named_rows(Family)


class Spot(NamedTuple):
    """An address, and how many bytes further it is for each next task."""

    address: int
    task: int

    def moved(self, offset: int) -> Spot:
        """Return the spot so many bytes further."""
        return Spot(self.address + offset, self.task)


def operands(*, spots: str = "", integers: str = "", floats: str = "") -> Callable[[Code], Code]:
    """Say what a kernel reads by name off its row: see machine/operands.py.

    @operands(spots="x out", integers="count", floats="scale")
    def scaled(o):
        x, out, scale = float32s(o.x), float32s(o.out), float32s(o.scale)[0]
        ...
    """
    names = Row(*(tuple(names.split()) for names in (spots, integers, floats)))

    def named(kernel: Code) -> Code:
        kernel.operands = names  # type: ignore[attr-defined]
        return kernel

    return named


def code_of(kernel: Code) -> int:
    """Compile a kernel for this processor and return where its code lies."""
    return code_address(kernel, kernel.operands)  # type: ignore[attr-defined]


def row(kernel: Code, values: dict[str, Any], code: Callable[[Code], int] = code_of) -> list[int]:
    """Return the row that calls a kernel with operands by name; all have to be there.

    A spot may be a plain address: that of every task. `code` says where a kernel's code lies.
    """
    names: Row = kernel.operands  # type: ignore[attr-defined]
    wanted = [*names.spots, *names.integers, *names.floats]
    if set(wanted) != set(values):
        raise TypeError(f"{kernel.__name__} takes {wanted}, not {list(values)}")
    numbers = [code(kernel)]
    for name in names.spots:
        value = values[name]
        numbers += value if isinstance(value, tuple) else Spot(value, 0)
    numbers += [int(values[name]) for name in names.integers]
    # The bits of a float32 in the place of an integer.
    numbers += [int(np.float32(values[name]).view(np.uint32)) for name in names.floats]
    return numbers + [0] * (WIDTH - len(numbers))


class _Job(NamedTuple):
    """A stage as the threads find it on the board."""

    rows: Any
    width: Any
    first: Any
    stop: Any
    tasks: Any


_job_at = named_rows(_Job)


def run(program: Array, stages: Array) -> None:
    """Run a program: stages of (first row, row after the last, tasks).

    Each task runs all rows of its stage one after another; a stage begins when all tasks of the one
    before have ended.
    """
    code = code_address(_run_rows, *[numba.int64] * 3)
    threads.run(_run_stages, code, program, stages, np.zeros(1, np.int64))


@compiled
def _run_stages(
    board: int,
    threads: int,
    parts: int,
    until: int,
    code: int,
    program: Array,
    stages: Array,
    stage: Array,
) -> bool:
    """Go through the stages from number stage[0], whose job is published where `parts` is 0."""
    published = parts == 0
    while stage[0] < stages.shape[0]:
        if not published:
            job, tasks = int64s(board + ARGUMENTS), stages[stage[0], 2]
            job[0], job[1] = address(program), program.shape[1] * 8
            job[2], job[3], job[4] = stages[stage[0], 0], stages[stage[0], 1], tasks
            publish(board, code, board + ARGUMENTS, threads, min(tasks, MOST))
        if not finish(board, until):
            return False
        stage[0] += 1
        published = False
    return True


def _run_rows(kept: int, worker: int, share: int) -> None:
    """Run the rows of a stage for each task of a share."""
    job = _job_at(kept, 0)
    for task in range(*share_of(job.tasks, share)):
        for k in range(job.first, job.stop):
            row = job.rows + k * job.width
            call(int64s(row)[0], row, task)
