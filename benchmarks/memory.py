"""How much memory one call takes beyond what was there: `python -m benchmarks.memory JSON`.

Run as a process of its own. The call is made small first, so that compiled code is not counted.
The system's high-water mark is set back to what is in use before the call (Linux only).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from stepconv.bench.cells import Cell, arrays, catalogue, image_filter
from stepconv.bench.peers import Ours

ASKED = 1.2  # times inputs + output, for direct kernels


def cells() -> Iterator[Cell]:
    """Yield calls large enough that nothing else counts."""
    yield image_filter(6144, 3)
    yield image_filter(4096, 15)
    by_name = {cell.name: cell for cell in catalogue()}
    for name, batch in {"lenet2": 4096, "64-64": 64, "depthwise": 64, "7x7": 32, "1d": 64}.items():
        cell = by_name[f"{name}-forward"]
        work = re.sub(r"N=\d+", f"N={batch}", cell.work)
        yield replace(cell, work=work, x=(batch, *cell.x[1:]))
    signal = by_name["1d-dW"]
    work = signal.work.replace("N=16", "N=1").replace("4096", "1000000")
    yield replace(signal, work=work, x=(1, signal.x[1], 1_000_000))


def measure(cell: Cell) -> dict[str, Any]:
    """Return the bytes of inputs and output, and those in use at the worst moment of a call."""
    ours = Ours()
    small = (1, *(min(n, 4096) for n in cell.x[1:])) if cell.kind == "layer" else (128, 128)
    little = replace(cell, x=small)
    ours.variants(little, arrays(little, "float32"))["auto"]()
    given = arrays(cell, "float32")
    call = ours.variants(cell, given)["auto"]
    inputs = sum(array.nbytes for array in given.values())
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = call()
    peak = _status("VmHWM") - before + inputs
    needed = inputs + result.nbytes
    return {"work": cell.work, "needed": needed, "peak": peak, "ratio": peak / needed}


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")


if __name__ == "__main__":
    print(json.dumps(measure(Cell.from_json(json.loads(sys.argv[1])))))
