"""Rows of a program: how a kernel says what it is given, and what runs one row after another.

A program is a table of int64: each row holds the address of a kernel's code and its operands. The
runner is compiled once and runs any program, so a new network compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from stepconv.kernels.compile import code_address, staged
from stepconv.kernels.cpu.machine.addresses import named_rows
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


def row(kernel: Code, values: dict[str, Any]) -> list[int]:
    """Return the row that calls a kernel with operands by name; all have to be there.

    A spot may be a plain address: that of every task.
    """
    names: Row = kernel.operands  # type: ignore[attr-defined]
    wanted = [*names.spots, *names.integers, *names.floats]
    if set(wanted) != set(values):
        raise TypeError(f"{kernel.__name__} takes {wanted}, not {list(values)}")
    numbers = [code_address(kernel, names)]
    for name in names.spots:
        value = values[name]
        numbers += value if isinstance(value, tuple) else Spot(value, 0)
    numbers += [int(values[name]) for name in names.integers]
    # The bits of a float32 in the place of an integer.
    numbers += [int(np.float32(values[name]).view(np.uint32)) for name in names.floats]
    return numbers + [0] * (WIDTH - len(numbers))


@staged
def run(program: Array, stages: Array) -> None:
    """Run a program: stages of (first row, row after the last, tasks).

    Each task runs all rows of its stage one after another; a stage begins when all tasks of the one
    before have ended.
    """
    rows, width = address(program), program.shape[1] * 8
    for stage in range(stages.shape[0]):
        first, stop = stages[stage, 0], stages[stage, 1]
        for number in prange(stages[stage, 2]):
            task = np.int64(number)
            for k in range(first, stop):
                call(program[k, 0], rows + k * width, task)
