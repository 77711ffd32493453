"""The recorder on the CPU: the textbook's steps, compiled, shared among the threads.

Beside what a step computes it is written down which thread did it.
"""

from typing import Any

import numpy as np
from numba import get_thread_id, prange

from stepconv.kernels import recording
from stepconv.kernels.compile import inner, parallel

Array = Any
Lookup = tuple[Array, Array, Array]

_sum_step = inner(recording.sum_step)
_winner_step = inner(recording.winner_step)
_route_step = inner(recording.route_step)
_copy_step = inner(recording.copy_step)
_gate_step = inner(recording.gate_step)


@parallel
def record_sums(
    steps: int,
    workers: Array,
    source: Array,
    weights: Array,
    pairs: Array,
    bias: Array,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    for task in prange(steps):
        step = np.int64(task)
        _sum_step(step, source, weights, pairs, bias, rows, columns, out, sums)
        workers[step] = get_thread_id()


@parallel
def record_winners(
    steps: int,
    workers: Array,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    for task in prange(steps):
        step = np.int64(task)
        _winner_step(step, source, lowest, rows, columns, out, winners)
        workers[step] = get_thread_id()


@parallel
def record_routes(
    steps: int,
    workers: Array,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    for task in prange(steps):
        step = np.int64(task)
        _route_step(step, grad_out, winners, rows, columns, grad_x)
        workers[step] = get_thread_id()


@parallel
def record_copies(
    steps: int,
    workers: Array,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    for task in prange(steps):
        step = np.int64(task)
        _copy_step(step, source, outside, rows, columns, out)
        workers[step] = get_thread_id()


@parallel
def record_gates(steps: int, workers: Array, x: Array, values: Array, out: Array) -> None:
    for task in prange(steps):
        step = np.int64(task)
        _gate_step(step, x, values, out)
        workers[step] = get_thread_id()
