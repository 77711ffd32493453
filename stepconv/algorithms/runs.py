"""What can be asked for by name, whether it suits a call, and a run of it from start to end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from stepconv.algorithms import direct, fourier, gpu_tiles, im2col, separable, tiles, winograd
from stepconv.algorithms.ledger import Counts, Ledger, Machine
from stepconv.algorithms.steps import Step, panel
from stepconv.algorithms.task import TILE, Array, Pair, Task, task_at
from stepconv.errors import ArgumentError
from stepconv.trace import Trace

Steps = Callable[[Task, Ledger], Generator[Step, None, Array]]


def _suits(task: Task) -> str:
    return ""


def _sum_bound(task: Task) -> Array:
    """Return what sums of products keep below: a roundoff for each product, and for the bias."""
    return np.asarray((task.w.size + 2) * task.unit * task.sizes)


def _of_tile(machine: Machine, trace: Trace) -> Pair:
    return TILE


def _of_vectors(machine: Machine, trace: Trace) -> Pair:
    return TILE[0], tiles.lanes(machine, trace.gather.source.dtype)


def _of_circle(machine: Machine, trace: Trace) -> Pair:
    return fourier.size_for((trace.plan.window.rows, trace.plan.window.columns))


def _of_warp(machine: Machine, trace: Trace) -> Pair:
    return gpu_tiles.OWN, gpu_tiles.WARP


@dataclass(frozen=True)
class Algorithm:
    """A way to compute a tile: its steps, what it refuses and why, the bound of its error."""

    title: str
    steps: Steps
    refuses: Callable[[Task], str] = _suits
    bound: Callable[[Task], Array] = _sum_bound
    size: Callable[[Machine, Trace], Pair] = _of_tile


def _winograd(m: int) -> Algorithm:
    return Algorithm(
        f"winograd F({m}x{m},3x3)",
        partial(winograd.steps, m=m),
        winograd.refuses,
        partial(winograd.bound, m=m),
    )


# By the name that `--as` takes, in the order of the table.
WAYS = {
    "direct": (Algorithm("direct", direct.steps),),
    "im2col": (Algorithm("im2col", im2col.steps),),
    "separable": (Algorithm("separable", separable.steps, separable.refuses),),
    "winograd": (_winograd(2), _winograd(4)),
    "fft": (Algorithm("fft", fourier.steps, fourier.refuses, fourier.bound, _of_circle),),
    "tiles": (
        Algorithm("tiles", tiles.steps, size=_of_vectors),
        Algorithm("tiles of a GPU", gpu_tiles.steps, gpu_tiles.refuses, size=_of_warp),
    ),
}


@dataclass(frozen=True, eq=False)
class Run:
    """An algorithm that has computed a tile: its steps, the result, and how far off that is."""

    algorithm: Algorithm
    task: Task
    steps: tuple[Step, ...]
    result: Array
    error: float
    bound: float

    @property
    def counts(self) -> Counts:
        """What all of it cost."""
        return self.steps[-1].counts


def check_way(way: str) -> None:
    """Refuse what names no way."""
    if way not in WAYS:
        raise ArgumentError(f"--as {way!r} is not known here: {', '.join(WAYS)} fit")


def runs(
    trace: Trace, way: str, cell: tuple[int, int, int] = (0, 0, 0), machine: Machine | None = None
) -> list[Run]:
    """Compute the tile round an output cell in one way; Winograd's is two algorithms.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.correlate, [[1, 2, 3], [4, 5, 6]], [[1, 1], [1, 1]])
    >>> runs(trace, "im2col")[0].result
    array([[12, 16]])
    """
    check_way(way)
    _check_call(trace, way)
    task = task_at(trace, cell)
    why = _refusal(task, way)
    if why:
        fitting = ", ".join(other for other in WAYS if other != way and not _refusal(task, other))
        raise ArgumentError(f"--as {way} does not suit this call: {why}; here {fitting} do")
    return _made(trace, way, cell, machine or Machine())


def every_run(
    trace: Trace,
    cell: tuple[int, int, int] = (0, 0, 0),
    machine: Machine | None = None,
    *,
    done: Mapping[str, list[Run]] | None = None,
) -> list[Run]:
    """Compute the tile in every way that suits the call, but for those that are done already."""
    known = done or {}
    _check_call(trace, "all")
    task = task_at(trace, cell)
    fitting = (way for way in WAYS if not _refusal(task, way))
    return [
        run
        for way in fitting
        for run in known.get(way) or _made(trace, way, cell, machine or Machine())
    ]


def _made(trace: Trace, way: str, cell: tuple[int, int, int], machine: Machine) -> list[Run]:
    tasks = [(each, task_at(trace, cell, each.size(machine, trace))) for each in WAYS[way]]
    return [_run(each, task, machine) for each, task in tasks if not each.refuses(task)]


def _run(algorithm: Algorithm, task: Task, machine: Machine) -> Run:
    ledger, steps = Ledger(machine), []
    computing = algorithm.steps(task, ledger)
    with np.errstate(all="ignore"):
        while True:
            try:
                steps.append(next(computing))
            except StopIteration as ended:
                result: Array = ended.value
                break
        off = np.abs(result.astype(np.float64) - task.exact.astype(np.float64))
    error = float(np.nanmax(off, initial=0.0))
    bound = float(np.nanmax(algorithm.bound(task), initial=0.0))
    steps.append(_end(algorithm, task, result, (error, bound), ledger.counts))
    return Run(algorithm, task, tuple(steps), result, error, bound)


def _end(
    algorithm: Algorithm, task: Task, result: Array, off: tuple[float, float], counts: Counts
) -> Step:
    """Return the step that holds a result against the exact sums."""
    error, bound = off
    words = f"The result is off by at most {error:.2g}." if error else "The result is exact."
    if bound:
        words += f" The algorithm promises {bound:.2g} at most."
    return Step(
        "the result beside the exact sums",
        words,
        "error = |tile - exact|",
        (panel("result", "tile", result), panel("exact", "exact sums", task.exact)),
        counts,
    )


def _refusal(task: Task, way: str) -> str:
    """Return why none of a way's algorithms suits; nothing if one does."""
    reasons = [each.refuses(task) for each in WAYS[way]]
    return reasons[0] if all(reasons) else ""


def _check_call(trace: Trace, way: str) -> None:
    """Refuse what is no correlation, or has no cell."""
    if trace.op not in ("correlate", "convolve"):
        title: Any = trace.call.operation.title
        raise ArgumentError(
            f"--as {way} does not suit {title}, which slides no kernel: correlate or convolve fits"
        )
    if not len(trace):
        raise ArgumentError(f"--as {way}: the output has no cell; one or more fit")
