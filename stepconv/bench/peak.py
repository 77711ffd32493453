"""What this machine can do at most: multiply-adds in registers, and copies of memory.

Run as a process of its own, `python -m stepconv.bench.peak THREADS`; prints a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from stepconv.kernels.compile import parallel, share_of, use_threads
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    address,
    lanes,
    registers,
    tile,
)

_STEPS = 200_000
_BYTES = {"2048² float32": 2048 * 2048 * 4, "8192² float32": 8192 * 8192 * 4}


@cache
def _multiply_adds(dtype: str, sums: int) -> Any:
    """Return a kernel that runs `sums` independent chains of sum = a·b + sum on each thread."""

    @tile(np.dtype(dtype))
    def chains(v: Vectors, numbers: Int, out: Int, count: Int) -> None:
        a, b = v.load(numbers), v.load(numbers + v.bytes)

        def step(_: Int, state: list[Vector]) -> list[Vector]:
            return [v.fma(a, b, sum_) for sum_ in state]

        # Chains that begin alike would be taken for one.
        first = [v.load(numbers + (2 + i) * v.bytes) for i in range(sums)]
        for i, total in enumerate(v.loop(count, first, step)):
            v.store(out + i * v.bytes, total)

    @parallel
    def run(worker: int, share: int, numbers: Any, out: Any, count: int) -> None:
        for t in range(*share_of(out.shape[0], share)):
            chains(address(numbers), address(out[t]), count)

    return run


@parallel
def _copy(worker: int, share: int, source: Any, target: Any) -> None:
    for i in range(*share_of(source.size, share)):
        target[i] = source[i]


def flops(dtype: str, threads: int, repeats: int = 15) -> float:
    """Return floating-point operations a second, the most that was seen."""
    use_threads(threads)
    # Two chains' worth of registers stay for a and b; eight chains hide an FMA's latency.
    sums = registers() - 4
    width = lanes(dtype)
    numbers = np.random.default_rng(0).random((2 + sums) * width).astype(dtype)
    out = np.zeros((threads, sums * width), dtype)
    kernel = _multiply_adds(dtype, sums)
    seconds = _best(lambda: kernel(numbers, out, _STEPS), repeats)
    assert np.allclose(out[0, 0], numbers[0] * numbers[width] * _STEPS, rtol=1e-2)
    return 2 * sums * width * _STEPS * threads / seconds


def copy_rate(size: int, threads: int, fresh: bool, repeats: int = 15) -> float:
    """Return bytes read and written a second, into the same memory or into memory just got."""
    use_threads(threads)
    count = size // np.dtype(np.float64).itemsize
    source, target = np.ones(count), np.zeros(count)
    if fresh:
        return 2 * size / _best(lambda: _copy(source, np.empty(count)), repeats)
    return 2 * size / _best(lambda: _copy(source, target), repeats)


def _best(call: Callable[[], Any], repeats: int) -> float:
    call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@cache
def of_cpu(threads: int) -> tuple[float, float]:
    """Return about what so many threads can do at most: float32 operations, and bytes copied."""
    return flops("float32", threads), copy_rate(1 << 25, threads, False)


def measure(threads: int) -> dict[str, Any]:
    """Return peak and copy rates on one thread and on all, in GFLOP/s and GB/s."""
    counts = sorted({1, threads})
    return {
        "gflops": {
            dtype: {str(count): flops(dtype, count) / 1e9 for count in counts}
            for dtype in ("float32", "float64")
        },
        "copy": {
            name: {str(count): copy_rate(size, count, False) / 1e9 for count in counts}
            for name, size in _BYTES.items()
        },
        "copy_fresh": {
            name: {str(count): copy_rate(size, count, True) / 1e9 for count in counts}
            for name, size in _BYTES.items()
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
