"""The process that one library has to itself: computes and times what the driver asks for.

Requests and answers are JSON objects, one a line, on stdin and stdout. Libraries that print do so
on stderr.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from stepconv.bench.cells import Cell, arrays
from stepconv.bench.peers import PEERS, Ours, Peer

# Shorter calls are timed several at once, for the clock itself takes some 50 ns.
_SHORTEST = 100e-6


class Worker:
    """One library and the calls that it has ready."""

    def __init__(self, name: str) -> None:
        self._peer: Peer = PEERS[name][1]()
        self._calls: dict[str, Any] = {}

    def hello(self) -> dict[str, Any]:
        """Return the library's version."""
        return self._peer.versions()

    def prepare(self, cell: dict[str, Any], dtype: str, threads: int, folder: str) -> Any:
        """Make a cell's arrays, compute it once in each way, and leave the results in `folder`."""
        self._peer.use_threads(threads)
        told = Cell.from_json(cell)
        self._arrays = arrays(told, dtype)
        self._calls = self._peer.variants(told, self._arrays)
        ready = {}
        for number, (name, call) in enumerate(self._calls.items()):
            path = Path(folder) / f"{os.getpid()}-{number}.npy"
            np.save(path, self._peer.to_numpy(call()))
            ready[name] = {"file": str(path), "seconds": _once(call)}
        gc.collect()
        return ready

    def exact(self, cell: dict[str, Any], folder: str) -> Any:
        """Leave the result in higher precision, and the sizes of its sums, in `folder`."""
        assert isinstance(self._peer, Ours)
        found = self._peer.exact(Cell.from_json(cell), self._arrays)
        if found is None:
            return None
        paths = [Path(folder) / f"exact-{part}.npy" for part in ("result", "sizes")]
        for path, array in zip(paths, found, strict=True):
            np.save(path, array)
        return [str(path) for path in paths]

    def time(self, variant: str, threads: int, seconds: float) -> list[float]:
        """Time calls for about `seconds`, after one that brings its arrays back into the caches."""
        self._peer.use_threads(threads)
        call, clock = self._calls[variant], time.perf_counter
        once = _once(call)
        together = max(1, round(_SHORTEST / max(once, 1e-7)))
        samples: list[float] = []
        gc.disable()
        begin = now = clock()
        while not samples or now - begin < seconds:
            start = clock()
            for _ in range(together):
                call()
            now = clock()
            samples.append((now - start) / together)
        gc.enable()
        return samples

    def layer(self) -> Any:
        """Return how our kernels run on threads, once they have."""
        from stepconv.kernels.compile import threading_status

        return threading_status()


def _once(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Answer requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library that prints must not speak between the answers
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            if worker is None:
                worker = Worker(sys.argv[1])
            answer = {"answer": getattr(worker, do)(**request)}
        except Exception as error:  # told to the driver, which knows what to do without
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
