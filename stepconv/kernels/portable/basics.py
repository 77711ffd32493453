"""What a network needs beside its kernels where there is no engine: e^x, who runs rows, chance.

Browsers and C libraries disagree in the last bits of e^x. All of this is compiled with the kernels,
so that every machine gives the same ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.compile import inner
from stepconv.kernels.cpu.lanes.cells import mixed
from stepconv.kernels.cpu.machine.addresses import int64s
from stepconv.kernels.cpu.machine.operands import call

_LARGEST = 750.0  # e^750 is infinite and e^-750 is 0, for float64


def exponential(x: float) -> float:
    """Return e^x: a series for e^(x / 1024), then ten squares; twelve digits are right.

    >>> round(exponential(1.0), 11)
    2.71828182846
    """
    x = _LARGEST if x > _LARGEST else x  # a NaN stays one
    x = -_LARGEST if x < -_LARGEST else x
    t = x / 1024
    y = 1.0
    for n in range(16, 0, -1):
        y = 1 + t / n * y  # 1 + t + t² / 2! + … + t^16 / 16!
    for _ in range(10):
        y *= y
    return y


def logarithm(x: float) -> float:
    """Return log x for x >= 1: x is halved until below 1.5, then 2 · artanh((x - 1) / (x + 1)).

    >>> round(logarithm(10.0), 11)
    2.30258509299
    """
    if x == np.inf:
        return x
    halves = 0.0
    while x > 1.5:
        x /= 2
        halves += 1
    t = (x - 1) / (x + 1)
    y = 0.0
    for n in range(31, 0, -2):
        y = y * t * t + 1 / n  # 1 + t² / 3 + t^4 / 5 + … + t^30 / 31
    return halves * 0.6931471805599453 + 2 * t * y


def run(program: int, width: int, stages: int, count: int) -> None:
    """Run a program as lanes/rows.py does, on one thread: rows are `width` bytes apart.

    A stage is its first row, the row after its last, and how many tasks it has.
    """
    for number in range(count):
        stage = int64s(stages + 24 * number)
        for task in range(stage[2]):
            for k in range(stage[0], stage[1]):
                row = program + k * width
                call(int64s(row)[0], row, task)


def order_keys(out: int, count: int, seed: int, epoch: int) -> None:
    """Write the numbers whose order is that of an epoch's pictures: as train/chance.py has it."""
    keys = int64s(out)
    key = _stirred(_stirred(np.uint64(seed)) + np.uint64(epoch))
    for i in range(count):
        keys[i] = np.int64(_stirred(np.uint64(i) * _GOLDEN + key))


def step_key(seed: int, step: int) -> Any:
    """Return the 32 bits that choose a step's silenced cells: as nn/dropout.py has it."""
    key = np.uint32(0)
    for word in (seed, seed >> 32, step, step >> 32):
        key = np.uint32(mixed(np.uint32(key ^ mixed(np.uint32(word)))) + np.uint32(1))
    return np.int64(key)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@inner
def _stirred(word: Any) -> Any:
    """Stir the bits of a word: SplitMix64."""
    word = np.uint64(word) + _GOLDEN
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
