"""The recorder on the CPU: the textbook's loops, compiled, the rows shared among the threads.

`workers` has a row for each row of the output; who computed it is written down there.
"""

from typing import Any

from numba import get_thread_id

from stepconv.kernels import recording
from stepconv.kernels.compile import inner, parallel, share_of

Array = Any
Lookup = tuple[Array, Array, Array]

_sum_line = inner(recording.sum_line)
_winner_line = inner(recording.winner_line)
_route_line = inner(recording.route_line)
_copy_line = inner(recording.copy_line)
_gate_line = inner(recording.gate_line)
_curve_line = inner(recording.curve_line)
_share_line = inner(recording.share_line)


@parallel
def record_sums(
    share: int,
    shares: int,
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
    for line in range(*share_of(len(workers), share, shares)):
        _sum_line(line, 0, workers.shape[1], source, weights, pairs, bias, rows, columns, out, sums)
        workers[line] = get_thread_id()


@parallel
def record_winners(
    share: int,
    shares: int,
    workers: Array,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _winner_line(line, 0, workers.shape[1], source, lowest, rows, columns, out, winners)
        workers[line] = get_thread_id()


@parallel
def record_routes(
    share: int,
    shares: int,
    workers: Array,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _route_line(line, 0, workers.shape[1], grad_out, winners, rows, columns, grad_x)
        workers[line] = get_thread_id()


@parallel
def record_copies(
    share: int,
    shares: int,
    workers: Array,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _copy_line(line, 0, workers.shape[1], source, outside, rows, columns, out)
        workers[line] = get_thread_id()


@parallel
def record_gates(
    share: int, shares: int, workers: Array, x: Array, values: Array, out: Array
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _gate_line(line, 0, workers.shape[1], x, values, out)
        workers[line] = get_thread_id()


@parallel
def record_curves(
    share: int, shares: int, workers: Array, x: Array, curve: int, slope: Any, out: Array
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _curve_line(line, 0, workers.shape[1], x, curve, slope, out)
        workers[line] = get_thread_id()


@parallel
def record_shares(
    share: int,
    shares: int,
    workers: Array,
    source: Array,
    pairs: Array,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    for line in range(*share_of(len(workers), share, shares)):
        _share_line(line, 0, workers.shape[1], source, pairs, rows, columns, out, sums)
        workers[line] = get_thread_id()
