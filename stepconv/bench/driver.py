"""Lets the libraries take turns, each in a process of its own, and compares what they computed."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import stepconv
from stepconv.bench.cells import Cell
from stepconv.bench.peers import OURS, PEERS
from stepconv.errors import ArgumentError, StepconvError

# Two ways to sum differ by some hundred roundings of the largest number; a wrong option, by all.
_TOLERANCE = {"float32": 1e-3, "float64": 1e-10}
# Thread pools spin for some milliseconds after their last task and would take the next one's cores.
_PAUSE = 0.005

Row = dict[str, Any]


class MeasureError(StepconvError):
    """A worker that failed, or results that do not agree."""


@dataclass(frozen=True)
class Effort:
    """How long to measure: every contender has a block of `seconds` in each of `rounds`.

    A cell that would take longer than `longest` in all gets fewer rounds, but not less than three.
    """

    rounds: int = 15
    seconds: float = 0.05
    longest: float = 20.0

    def rounds_for(self, calls: Sequence[float]) -> int:
        """Return how often contenders whose calls take so long have their turn."""
        # A block is a call to warm up, and then calls until its time is over.
        turn = sum(call + max(call, self.seconds) for call in calls)
        return max(min(3, self.rounds), min(self.rounds, int(self.longest / turn)))


QUICK = Effort(rounds=3, seconds=0.01, longest=2.0)


class Worker:
    """The driver's end of one worker process."""

    def __init__(self, name: str, threads: int) -> None:
        root = str(Path(stepconv.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self.name = name
        self._process = subprocess.Popen(
            # -P: a torch.py in the user's folder is not PyTorch.
            [sys.executable, "-P", "-m", "stepconv.bench.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What a peer has to say reaches the driver as an answer.
            stderr=None if name == OURS else subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": str(threads)},
        )

    def ask(self, do: str, **request: Any) -> Any:
        """Send a request and return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(json.dumps({"do": do, **request}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise MeasureError(f"{self.name}: its process ended") from None
        line = self._process.stdout.readline()
        if not line:
            raise MeasureError(f"{self.name}: its process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise MeasureError(f"{self.name}: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        """Let the process end, or end it."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def installed(package: str) -> bool:
    """Tell whether a package is there to be imported."""
    return importlib.util.find_spec(package) is not None


class Team:
    """The workers of all libraries that are installed; use it in a `with` block."""

    def __init__(self, threads: int, names: Sequence[str] = tuple(PEERS)) -> None:
        self.threads = threads
        self.versions: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self._workers: list[Worker] = []
        self._folder = Path(tempfile.mkdtemp(prefix="stepconv-bench-"))
        try:
            for name in names:
                self._add(name)
        except BaseException:
            self.close()
            raise

    def _add(self, name: str) -> None:
        package = PEERS[name][0]
        if not installed(package):
            self.left_out[name] = "not installed"
            return
        worker = Worker(name, self.threads)
        self._workers.append(worker)
        try:
            self.versions |= worker.ask("hello")
        except MeasureError as error:
            if name == OURS:
                raise
            self.left_out[name] = str(error).removeprefix(f"{name}: ")
            self._workers.remove(worker)
            worker.close()

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def threading(self) -> Any:
        """Return how our kernels run on threads."""
        return self._workers[0].ask("layer")

    def measure(
        self,
        cell: Cell,
        dtype: str,
        effort: Effort,
        *,
        peers: bool = True,
        single: bool = False,
        errors: bool = False,
    ) -> Row:
        """Time one cell and return a row with all its contenders, ours first.

        `single` times stepconv on one thread too, `errors` compares with an exact result.
        """
        told = cell.to_json()
        workers = self._workers if peers else self._workers[:1]
        contenders = []
        for worker in workers:
            request = {"dtype": dtype, "threads": self.threads, "folder": str(self._folder)}
            ready = worker.ask("prepare", cell=told, **request)
            for variant, found in ready.items():
                contenders.append({"worker": worker, "peer": worker.name, "variant": variant})
                contenders[-1] |= {"threads": self.threads, "samples": [], **found}
        exact = None
        if errors:
            exact = workers[0].ask("exact", cell=told, folder=str(self._folder))
        _compare(cell, dtype, contenders, exact)
        if single and self.threads > 1:
            contenders.append({**contenders[0], "threads": 1, "samples": []})
        for each in range(effort.rounds_for([c["seconds"] for c in contenders])):
            # Whoever comes first after the others should not always be the same.
            for number in range(len(contenders)):
                contender = contenders[(each + number) % len(contenders)]
                time.sleep(_PAUSE)
                contender["samples"] += contender["worker"].ask(
                    "time",
                    variant=contender["variant"],
                    threads=contender["threads"],
                    seconds=effort.seconds,
                )
        for path in self._folder.iterdir():
            path.unlink()
        return _row(cell, dtype, contenders)


def _compare(cell: Cell, dtype: str, contenders: list[Row], exact: list[str] | None) -> None:
    """Note how far each result is from ours, and refuse a peer that computed something else."""
    ours = np.load(contenders[0]["file"])
    sizes = result = None
    if exact:
        result, sizes = np.load(exact[0]), np.load(exact[1])
    largest = float(np.abs(ours).max()) or 1.0
    for contender in contenders:
        theirs = np.load(contender["file"])
        name = f"{cell.name} {dtype}: {_name(contender)}"
        if theirs.shape != ours.shape:
            raise MeasureError(f"{name} has shape {theirs.shape}, stepconv {ours.shape}")
        difference = float(np.abs(theirs.astype(np.float64) - ours).max()) / largest
        if not difference <= _TOLERANCE[dtype]:
            raise MeasureError(f"{name} differs from stepconv's result by {difference:.2g}")
        contender["difference"] = difference
        if result is not None and sizes is not None:
            off = np.abs(theirs - result) / np.where(sizes > 0, sizes, 1)
            # In units of u·Σ|a·b|: a sum of n products may have n of them.
            contender["error"] = float(off.max()) / 2.0**-24


def _row(cell: Cell, dtype: str, contenders: list[Row]) -> Row:
    told = []
    for contender in contenders:
        low, median, high = np.quantile(contender["samples"], [0.25, 0.5, 0.75])
        told.append(
            {
                "name": _name(contender),
                "threads": contender["threads"],
                "median": float(median),
                "quartiles": [float(low), float(high)],
                "samples": len(contender["samples"]),
                "difference": contender["difference"],
                "error": contender.get("error"),
            }
        )
    ours = told[0]["median"]
    row: Row = {
        "cell": cell.name,
        "work": cell.work,
        "dtype": dtype,
        "bound": cell.bound,
        "median": ours,
        "contenders": told,
        "terms": cell.terms if cell.flops else None,
        "gflops": cell.flops / ours / 1e9 if cell.flops else None,
        "gbytes": cell.traffic(dtype) / ours / 1e9,
    }
    alone = [c["median"] for c in told if c["name"] == told[0]["name"] and c["threads"] == 1]
    row["scaling"] = alone[0] / ours if alone and told[0]["threads"] > 1 else None
    return row


def _name(contender: Row) -> str:
    return f"{contender['peer']} {contender['variant']}"


def usable_cores() -> int:
    """Return how many cores this process may use: a container or taskset may leave it a few."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def checked_threads(threads: int | None) -> int:
    """Return the number of threads to use, if this process may use as many."""
    cores = usable_cores()
    if threads is None:
        return cores
    if not 1 <= threads <= cores:
        raise ArgumentError(f"threads={threads} does not fit: 1 to {cores} do on this machine")
    return threads


def busy() -> str | None:
    """Return a warning if others use this machine's cores now."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load < 0.25 * usable_cores():
        return None
    return f"the machine is busy (load average {load:.1f}): times and ratios may be wrong"
