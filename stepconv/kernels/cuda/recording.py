"""The recorder on a GPU: the textbook's loops, compiled, with a thread for each output cell.

`workers` has a row for each row of the output, and two numbers for each cell of it: the block and
the thread in it that computed the cell.
"""

from typing import Any

from numba import cuda

from stepconv.kernels import recording
from stepconv.kernels.cuda.machine.launch import SIMULATED, inner, kernel, launch
from stepconv.kernels.cuda.machine.transfers import on_gpu

Array = Any
Lookup = tuple[Array, Array, Array]

# A warp: the smallest block that keeps a card's threads busy shows best how blocks share the work.
_BLOCK = 4 if SIMULATED else 32

_sum_line = inner(recording.sum_line)
_winner_line = inner(recording.winner_line)
_route_line = inner(recording.route_line)
_copy_line = inner(recording.copy_line)
_gate_line = inner(recording.gate_line)
_curve_line = inner(recording.curve_line)
_share_line = inner(recording.share_line)


def _launch_each(function: Any, workers: Array, *arguments: Any) -> None:
    cells = workers.shape[0] * workers.shape[1]
    launch(function, -(-cells // _BLOCK), _BLOCK, workers, *arguments)


@inner
def _note(workers: Array, line: int, j: int) -> None:
    workers[line, j, 0] = cuda.blockIdx.x
    workers[line, j, 1] = cuda.threadIdx.x


@on_gpu("workers", "out", "sums")
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
    arguments = (source, weights, pairs, bias, rows, columns, out, sums)
    _launch_each(_record_sums, workers, *arguments)


@kernel
def _record_sums(
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
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _sum_line(line, j, j + 1, source, weights, pairs, bias, rows, columns, out, sums)
        _note(workers, line, j)


@on_gpu("workers", "out", "winners")
def record_winners(
    workers: Array,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    _launch_each(_record_winners, workers, source, lowest, rows, columns, out, winners)


@kernel
def _record_winners(
    workers: Array,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _winner_line(line, j, j + 1, source, lowest, rows, columns, out, winners)
        _note(workers, line, j)


@on_gpu("workers", "grad_x")
def record_routes(
    workers: Array,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    _launch_each(_record_routes, workers, grad_out, winners, rows, columns, grad_x)


@kernel
def _record_routes(
    workers: Array,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _route_line(line, j, j + 1, grad_out, winners, rows, columns, grad_x)
        _note(workers, line, j)


@on_gpu("workers", "out")
def record_copies(
    workers: Array,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    _launch_each(_record_copies, workers, source, outside, rows, columns, out)


@kernel
def _record_copies(
    workers: Array,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _copy_line(line, j, j + 1, source, outside, rows, columns, out)
        _note(workers, line, j)


@on_gpu("workers", "out")
def record_gates(workers: Array, x: Array, values: Array, out: Array) -> None:
    _launch_each(_record_gates, workers, x, values, out)


@kernel
def _record_gates(workers: Array, x: Array, values: Array, out: Array) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _gate_line(line, j, j + 1, x, values, out)
        _note(workers, line, j)


@on_gpu("workers", "out")
def record_curves(workers: Array, x: Array, curve: int, slope: Any, out: Array) -> None:
    _launch_each(_record_curves, workers, x, curve, slope, out)


@kernel
def _record_curves(workers: Array, x: Array, curve: int, slope: Any, out: Array) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _curve_line(line, j, j + 1, x, curve, slope, out)
        _note(workers, line, j)


@on_gpu("workers", "out", "sums")
def record_shares(
    workers: Array,
    source: Array,
    pairs: Array,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    _launch_each(_record_shares, workers, source, pairs, rows, columns, out, sums)


@kernel
def _record_shares(
    workers: Array,
    source: Array,
    pairs: Array,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    cell = cuda.grid(1)
    if cell < workers.shape[0] * workers.shape[1]:
        line, j = cell // workers.shape[1], cell % workers.shape[1]
        _share_line(line, j, j + 1, source, pairs, rows, columns, out, sums)
        _note(workers, line, j)
