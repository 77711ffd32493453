"""The recorder on the CPU: the textbook's loops, compiled, the rows shared among the threads.

`workers` has a row for each row of the output; who computed it is written down there.
"""

from typing import Any

import numpy as np
from numba import get_thread_id, prange

from stepconv.kernels import recording
from stepconv.kernels.compile import inner, parallel

Array = Any
Lookup = tuple[Array, Array, Array]

_sum_line = inner(recording.sum_line)
_winner_line = inner(recording.winner_line)
_route_line = inner(recording.route_line)
_copy_line = inner(recording.copy_line)
_gate_line = inner(recording.gate_line)


@parallel
def record_sums(
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
    for task in prange(len(workers)):
        line = np.int64(task)
        _sum_line(line, 0, workers.shape[1], source, weights, pairs, bias, rows, columns, out, sums)
        workers[line] = get_thread_id()


@parallel
def record_winners(
    workers: Array,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    for task in prange(len(workers)):
        line = np.int64(task)
        _winner_line(line, 0, workers.shape[1], source, lowest, rows, columns, out, winners)
        workers[line] = get_thread_id()


@parallel
def record_routes(
    workers: Array,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    for task in prange(len(workers)):
        line = np.int64(task)
        _route_line(line, 0, workers.shape[1], grad_out, winners, rows, columns, grad_x)
        workers[line] = get_thread_id()


@parallel
def record_copies(
    workers: Array,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    for task in prange(len(workers)):
        line = np.int64(task)
        _copy_line(line, 0, workers.shape[1], source, outside, rows, columns, out)
        workers[line] = get_thread_id()


@parallel
def record_gates(workers: Array, x: Array, values: Array, out: Array) -> None:
    for task in prange(len(workers)):
        line = np.int64(task)
        _gate_line(line, 0, workers.shape[1], x, values, out)
        workers[line] = get_thread_id()
