"""Record a call: compute it one step at a time, and keep what a player wants to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from stepconv import __version__, kernels
from stepconv.kernels import kinds
from stepconv.kernels.recording import Lookup, Reads
from stepconv.ops import arrays as laying
from stepconv.ops.pooling import lowest_of
from stepconv.trace.gather import Gather, Rule, gather
from stepconv.trace.jobs import Job, job, spelled
from stepconv.trace.model import About, Trace

if TYPE_CHECKING:
    from stepconv.trace.chain import Chain

Array = NDArray[Any]

# Plain Python has recorded so many products before a compiler is even loaded.
FEW = 300_000


@overload
def record(
    function: Callable[..., Any],
    *arguments: Any,
    gradient: str | None = None,
    about: About | None = None,
    backend: str | None = None,
    **options: Any,
) -> Trace: ...
@overload
def record(
    function: Sequence[tuple[Callable[..., Any], Mapping[str, Any]]],
    x: Any,
    /,
    *,
    backend: str | None = None,
) -> Chain: ...
def record(
    function: Callable[..., Any] | Sequence[tuple[Callable[..., Any], Mapping[str, Any]]],
    *arguments: Any,
    gradient: str | None = None,
    about: About | None = None,
    backend: str | None = None,
    **options: Any,
) -> Trace | Chain:
    """Call an operation of stepconv and record every step of it.

    The arguments are those of the operation. One with several gradients is recorded for one of
    them: `gradient` is "x" (the default), "w" or "bias". On the backend "cpu" the textbook's loops
    run compiled and on all threads, on "cuda" with a thread for each step, on "textbook" as plain
    Python; the numbers are the same.

    A list of (operation, options) is recorded as a `Chain`: each call takes what the one before it
    gave, the first the array that is given.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.correlate, [[1, 2, 3], [4, 5, 6]], [[1, -1]])
    >>> trace.output
    array([[-1, -1],
           [-1, -1]])
    >>> trace[3].in_words()
    'step 3 of 4, row 1, column 1: 5x1 + 6x(-1) = -1'
    >>> stepconv.record([(stepconv.relu, {}), (stepconv.max_pool, {"window": 2})], [1, -2, 3, 4])
    <Chain of relu, max_pool: 4 to 2>
    """
    if isinstance(function, Sequence):
        from stepconv.trace.chain import record_chain

        shared: dict[str, Any] = {"gradient": gradient, "backend": backend, **options}
        given = {name: value for name, value in shared.items() if value is not None}
        return record_chain(function, *arguments, about=about, **given)
    name = kernels.chosen_backend() if backend is None else kernels.check_backend(backend)
    recorder = f"stepconv {__version__}, {name}"
    about = replace(about or About(), recorder=recorder)
    return _run(job(function, arguments, options, gradient), name, about)


def recorded_again(trace: Trace, changed: Mapping[str, Array]) -> Trace:
    """Record the call of a trace with some of its arrays changed; a lecture's words stay behind.

    >>> import stepconv
    >>> trace = stepconv.record(stepconv.max_pool, [3, 1, 4, 1], 2)
    >>> recorded_again(trace, {"x": np.array([9, 1, 4, 1])}).output
    array([9, 4])
    """
    function, gradient, options = spelled(trace.call)
    arrays = {**trace.arrays, **changed}
    few = max(array.size for array in arrays.values()) * trace.gather.fan_in <= FEW
    return record(
        function,
        **arrays,
        **options,
        gradient=gradient,
        about=About("", (), trace.about.channels),
        backend="textbook" if few else None,
    )


def _run(job: Job, backend: str, about: About) -> Trace:
    form = gather(job.call, job.arrays)
    out = np.empty(form.shape, form.source.dtype)
    planes, height, width = form.shape
    # One number says which thread, two which block and which of its threads.
    numbers = len(kernels.WORKERS[backend])
    who = () if numbers == 1 else (numbers,)
    workers = np.zeros((planes * height, width, *who), np.int32)
    sums = winners = None
    reads = Reads(_lookup(form.row, height), _lookup(form.column, width))
    run = _Runner(backend, workers)
    match job.call.operation.family:
        case "largest":
            winners = np.empty(job.shape, np.int64)
            lowest = lowest_of(out.dtype)
            run("winner_line", form.source, lowest, reads, out, winners.reshape(-1))
        case "route":
            winners = _winners(job, backend)
            run("route_line", form.source, winners.reshape(form.source.shape), reads, out)
        case "border" | "mirror":
            run("copy_line", form.source, out.dtype.type(job.call.value), reads, out)
        case "gate":
            x = laying.laid_out(job.arrays["x"], laying.moving_dtype(job.arrays["x"]))
            run("gate_line", x.reshape(out.shape), form.source, out)
        case "curve":
            curve = getattr(kinds, job.call.op.upper())
            run("curve_line", form.source, curve, out.dtype.type(job.call.slope), out)
        case "share":
            sums = np.empty((form.steps, form.fan_in), out.dtype)
            run("share_line", form.source, form.pairs(np.arange(planes)), reads, out, sums)
        case _:
            sums = _summed(form, run, reads, out)
    output = out.reshape(job.shape).astype(job.dtype, copy=False)
    return Trace(job.call, job.arrays, output, workers.reshape(-1, *who), sums, winners, about)


class _Runner:
    """Runs the backend's recorders and lets them write down who computed a step."""

    def __init__(self, backend: str, workers: Array) -> None:
        self.backend, self.workers = backend, workers

    def __call__(self, line: str, *arguments: Any) -> None:
        recorder = kernels.find_recorder(line, self.backend)
        if self.workers.size:
            recorder(self.workers, *arguments)


def _summed(form: Gather, run: _Runner, reads: Reads, out: Array) -> Array:
    """Fill `out` and return the sum of each channel at each step."""

    def kernel(source: Array, weights: Array, bias: Array, out: Array) -> Array:
        sums = np.empty((form.steps, form.fan_in), out.dtype)
        run("sum_line", source, weights, pairs, bias, reads, out, sums)
        return sums

    pairs = form.pairs(np.arange(form.shape[0]))
    assert form.weights is not None  # each family of sums has some
    if out.dtype.kind == "i":
        terms = form.fan_in * _longest(reads.rows) * _longest(reads.columns)
        laying.check_sums_fit(kernel, (form.source, form.weights, form.bias), out, terms)
    sums = kernel(form.source, form.weights, form.bias, out)
    if form.finish is not None:
        with np.errstate(all="ignore"):
            out[...] = form.finish(out, ...)
    return sums


def _winners(job: Job, backend: str) -> Array:
    """Return which cell each window of a max pooling chose, in the shape of its result."""
    forward = Job(
        replace(job.call, op="max_pool"),
        {"x": job.arrays["x"]},
        job.arrays["grad_out"].shape,
        job.arrays["x"].dtype,
    )
    winners = _run(forward, backend, About()).winners
    assert winners is not None
    return winners


def _lookup(rule: Rule, size: int) -> Lookup:
    """Return what every index along an axis reads, as the recorders want it."""
    starts, cells, taps = [0], list[int](), list[int]()
    for index in range(size):
        reading = rule(index)
        cells += reading.cells
        taps += reading.taps
        starts.append(len(cells))
    return Lookup(*(np.array(numbers, np.int64) for numbers in (starts, cells, taps)))


def _longest(lookup: Lookup) -> int:
    return int(np.diff(lookup.starts).max(initial=0))
