"""How long the first call of an operation takes: `python -m benchmarks.compiling OPERATION`.

Run as a process of its own, twice with one new STEPCONV_CACHE_DIR: first cold, then warm. NumPy and
Numba are imported before the clock starts, stepconv after it has.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

ASKED = {"cold": 1.5, "warm": 0.15}  # seconds

_IMAGE, _BATCH = (64, 64), (2, 8, 16, 16)
# What is called: name, shapes of the arrays, further arguments.
OPERATIONS: dict[str, tuple[str, tuple[tuple[int, ...], ...], dict[str, Any]]] = {
    "correlate, 3x3 filter": ("correlate", (_IMAGE, (3, 3)), {"padding": "same"}),
    "correlate, 15x15 filter": ("correlate", (_IMAGE, (15, 15)), {"padding": "same"}),
    "convolve, 5x5 filter": ("convolve", (_IMAGE, (5, 5)), {}),
    "correlate, signal": ("correlate", ((500,), (9,)), {}),
    "correlate, few filters": ("correlate", ((2, 1, 16, 16), (6, 1, 3, 3)), {"padding": 1}),
    "correlate, layer": ("correlate", (_BATCH, (32, 8, 3, 3)), {"padding": 1}),
    "correlate, stride 2": ("correlate", (_BATCH, (32, 8, 3, 3)), {"stride": 2}),
    "correlate, depthwise": ("correlate", (_BATCH, (8, 1, 3, 3)), {"groups": 8}),
    "correlate_backward, layer": (
        "correlate_backward",
        (_BATCH, (32, 8, 3, 3), (2, 32, 16, 16)),
        {"padding": 1},
    ),
    "correlate_transpose": ("correlate_transpose", (_BATCH, (8, 32, 3, 3)), {"stride": 2}),
    "max_pool": ("max_pool", (_BATCH,), {"window": 2}),
    "max_pool_backward": ("max_pool_backward", (_BATCH, (2, 8, 8, 8)), {"window": 2}),
    "avg_pool": ("avg_pool", (_BATCH,), {"window": 2}),
    "avg_pool_backward": ("avg_pool_backward", (_BATCH, (2, 8, 8, 8)), {"window": 2}),
    "pad": ("pad", (_BATCH,), {"padding": 1, "mode": "reflect"}),
    "pad_backward": (
        "pad_backward",
        ((2, 8, 18, 18),),
        {"shape": _BATCH, "padding": 1, "mode": "reflect"},
    ),
    "relu": ("relu", (_BATCH,), {}),
}


def measure(operation: str) -> dict[str, Any]:
    """Return the seconds until the first result, by the clock and of the processor."""
    import numba  # noqa: F401
    import numpy as np

    name, shapes, options = OPERATIONS[operation]
    given = [np.ones(shape, np.float32) for shape in shapes]
    start, used = time.perf_counter(), time.process_time()
    import stepconv

    getattr(stepconv, name)(*given, **options)
    times = {"wall": time.perf_counter() - start, "cpu": time.process_time() - used}

    from stepconv.kernels.compile.cache import source_digest

    return {**times, "sources": source_digest()}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
