"""Rows of a program: how a kernel says what it is given, and what runs one row after another.

A program is a table of int64: each row holds the address of a kernel's code and its operands. The
runner is compiled once and runs any program, so a new network compiles nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange

from stepconv.kernels.compile import code_address, staged
from stepconv.kernels.cpu.machine.addresses import call
from stepconv.kernels.cpu.machine.vector import address, lanes

Array = Any
Code = Callable[[int, int], None]

LANES = lanes(np.float32)
VECTOR = 4 * LANES  # the bytes of a cell: one number for each image
# Where a program's controls stand: what differs from batch to batch.
IMAGES, CHUNKS, PIXELS, PIXEL_BYTES, ORDER, LABELS, ANSWERS, STEP_KEY = range(8)
CONTROLS = 8

WIDTH = 32  # numbers in a row: the kernel's address and its operands


def operands(names: str) -> Callable[[Code], Code]:
    """Say how a kernel's operands are called, in the order in which it reads them from its row."""

    def named(kernel: Code) -> Code:
        kernel.operands = names.split()  # type: ignore[attr-defined]
        return kernel

    return named


def row(kernel: Code, values: dict[str, int | float]) -> list[int]:
    """Return the row that calls a kernel with operands by name; all have to be there."""
    names: list[str] = kernel.operands  # type: ignore[attr-defined]
    if set(names) != set(values):
        raise TypeError(f"{kernel.__name__} takes {names}, not {list(values)}")
    numbers = [code_address(kernel), *(_word(values[name]) for name in names)]
    return numbers + [0] * (WIDTH - len(numbers))


def _word(value: int | float) -> int:
    """Return an integer as it is, and the bits of a float32 in the place of one."""
    if isinstance(value, float):
        return int.from_bytes(struct.pack("=f", value) + bytes(4), "little")
    return int(value)


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
