"""What keeping a record costs: `python -m benchmarks.recording`, a minute.

The compiled textbook without a record is the same steps with nobody writing down sums and workers;
both run in one process, in turn, on all threads.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

import stepconv
from benchmarks.machine import facts
from stepconv.kernels import textbook
from stepconv.trace import load_trace

ASKED = {"recording": 3.0, "opening": 1.0}  # times the textbook; seconds for a million windows

_ROUNDS = 7


def compiled_textbook() -> Callable[..., None]:
    """Return the textbook's own loops, compiled, on all threads, writing the output alone."""
    numba.extending.register_jitable(textbook.value_at)
    window_sum = numba.njit(textbook.window_sum)

    @numba.njit(parallel=True, nogil=True)
    def correlate(x: Any, w: Any, bias: Any, out: Any) -> None:
        height, width = out.shape[1:]
        for step in numba.prange(out.size):
            o, i, j = step // (height * width), step // width % height, step % width
            total = bias[o]
            for k in range(w.shape[1]):
                total += window_sum(x[k], w[o, k], np.int64(i) - 1, np.int64(j) - 1, 1, 1)
            out[o, i, j] = total

    return correlate


def measure(side: int, channels: int, window: int) -> dict[str, Any]:
    """Return medians of the textbook and of recording, and what the file takes."""
    random = np.random.default_rng(0)
    x = random.standard_normal((channels, side, side))
    w = random.standard_normal((1, channels, window, window))
    out, bias = np.empty((1, side, side)), np.zeros(1)
    run = compiled_textbook()
    padding = ((1, window - 2), (1, window - 2))
    times: dict[str, list[float]] = {"textbook": [], "record": []}
    for round_ in range(_ROUNDS + 1):
        start = time.perf_counter()
        run(x, w, bias, out)
        middle = time.perf_counter()
        trace = stepconv.record(stepconv.correlate, x, w, padding=padding)
        end = time.perf_counter()
        if round_:  # the first compiles
            times["textbook"].append(middle - start)
            times["record"].append(end - middle)
    np.testing.assert_allclose(trace.output, out, rtol=1e-9, atol=1e-9)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    return {
        "work": f"{channels}x{side}x{side} by {window}x{window}",
        "windows": len(trace),
        **medians,
        "ratio": medians["record"] / medians["textbook"],
        **_file(trace),
    }


def _file(trace: stepconv.Trace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.trace.npz"
        start = time.perf_counter()
        trace.save(path)
        saved = time.perf_counter()
        back = load_trace(path)
        opened = time.perf_counter()
        back[len(back) // 2].in_words()
        stepped = time.perf_counter()
        return {
            "save": saved - start,
            "open": opened - saved,
            "step": stepped - opened,
            "bytes": path.stat().st_size,
        }


def main() -> None:
    """Measure a small, a wide and a million-window recording; JSON to stdout, a table to stderr."""
    cells = [measure(28, 1, 3), measure(1000, 1, 3), measure(1000, 3, 5), measure(1000, 1, 15)]
    print(json.dumps({"machine": facts(), "asked": ASKED, "cells": cells}, indent=1))
    print(
        f"{'work':24}{'textbook':>10}{'record':>9}{'ratio':>7}{'save':>8}{'open':>8}{'step':>9}",
        file=sys.stderr,
    )
    for c in cells:
        row = (
            f"{c['work']:24}{c['textbook'] * 1e3:8.1f}ms{c['record'] * 1e3:7.1f}ms{c['ratio']:7.2f}"
        )
        row += f"{c['save'] * 1e3:6.0f}ms{c['open'] * 1e3:6.0f}ms{c['step'] * 1e3:7.2f}ms"
        print(row, file=sys.stderr)


if __name__ == "__main__":
    main()
