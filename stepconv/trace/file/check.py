"""Hold a record against its own arrays: a file must not show what was never computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import TraceError
from stepconv.trace.gather import by_the_book
from stepconv.trace.model import Step, Trace

Array = NDArray[Any]

# Steps that are looked at when a file is opened; any other is when it is shown.
_SAMPLE = 200


def check_trace(trace: Trace) -> None:
    """Raise a TraceError if a result is not the total of its sums, or a sample of steps is off."""
    if trace.sums is not None:
        _check_totals(trace, trace.sums)
    indices = np.linspace(0, len(trace) - 1, min(len(trace), _SAMPLE), dtype=np.int64)
    for index in dict.fromkeys(indices.tolist()):
        check_step(trace.step(index))


def check_step(step: Step) -> None:
    """Raise a TraceError if the step's numbers do not follow from the arrays of the call."""
    if step.trace.sums is not None:
        _check_sums(step)
    elif step.trace.call.operation.family == "largest":
        _check_winner(step)
    elif step.trace.call.operation.family == "curve":
        patch = step.patch.reshape(1)
        expected = by_the_book(step.trace.call, patch)[0]
        _expect(step, "its curve gives", step.result, expected, np.reshape(expected, 1))
    else:
        products = step.products
        with np.errstate(all="ignore"):
            expected = products.sum(dtype=products.dtype) if products.size != 1 else products.max()
        _expect(step, "its cells give", step.result, expected, products)


def _check_totals(trace: Trace, sums: Array) -> None:
    """Hold every result against the sums of its channels, all at once."""
    form = trace.gather
    cells = form.shape[1] * form.shape[2]
    bias = np.resize(np.repeat(form.bias, cells), len(sums))

    def finished(totals: Array) -> Array:
        finish = form.finish
        return finish(totals.reshape(form.shape), ...).reshape(-1) if finish else totals

    results = trace.output.reshape(-1)
    totals, close = _total(sums, bias, results, finished)
    if not close.all():
        step = int(np.argmin(close))
        raise TraceError(f"step {step} says {results[step]}, its channels give {totals[step]}")


def _total(
    sums: Array, bias: Array, results: Array, finished: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Return what rows of sums and a bias come to, and whether that is close to the results."""
    with np.errstate(all="ignore"):
        terms = np.column_stack([sums, bias])
        totals = terms.sum(axis=1, dtype=terms.dtype)
        slack, found = _slack(terms), finished(totals)
        if results.dtype.kind == "f":
            # What is done to a total rounds as well, a few times.
            rounding = 4 * np.finfo(results.dtype).eps * np.abs(found)
            slack = 2 * np.abs(finished(totals + slack.astype(totals.dtype)) - found) + rounding
    return found, _close(found, results, slack)


def _check_sums(step: Step) -> None:
    sums = step.channel_sums
    rows, columns = step.product_planes.shape[1:]
    products = step.product_planes.reshape(len(sums), rows * columns)
    with np.errstate(all="ignore"):
        found = products.sum(axis=1, dtype=products.dtype)
    close = _close(found, sums, _slack(products))
    if not close.all():
        k = int(np.argmin(close))
        raise TraceError(
            f"step {step.index} says that channel {k} sums to {sums[k]}, "
            f"its products give {found[k]}"
        )
    finish, result = step.trace.gather.finish, np.reshape(step.result, 1)
    totals, close = _total(
        sums[None],
        np.reshape(step.bias, 1),
        result,
        lambda totals: finish(totals, step.place) if finish else totals,
    )
    if not close.all():
        raise TraceError(f"step {step.index} says {result[0]}, its channels give {totals[0]}")


def _check_winner(step: Step) -> None:
    real = step.patch[~step.in_padding.reshape(step.patch.shape)]
    winner = step.winner
    if winner is None and real.size == 0:
        return
    with np.errstate(invalid="ignore"):
        largest = real.max(initial=real.min()) if real.size else None
    inside = winner is not None and all(
        cell in reading.cells for cell, reading in zip(winner, step.axis_readings, strict=True)
    )
    if winner is None or largest is None or not inside:
        raise TraceError(f"step {step.index} names the winner {winner}, which its window lacks")
    y, z = winner if len(winner) == 2 else (0, *winner)
    chosen = step.trace.gather.source[step.place[0], y, z]
    for found in (chosen, largest):
        _expect(step, "its window gives", step.result, found, real)


def _expect(step: Step, gives: str, written: Any, found: Any, terms: Array) -> None:
    if not _close(found, written, _slack(terms.reshape(1, -1))[0]):
        raise TraceError(f"step {step.index} says {written}, {gives} {found}")


def _slack(terms: Array) -> Array:
    """Return n·u·Σ|term| for each row of terms, twice over: both sides were rounded."""
    if terms.dtype.kind != "f":
        return np.zeros(len(terms))
    with np.errstate(all="ignore"):
        size = np.abs(terms).sum(axis=1, dtype=np.float64)
        return np.asarray(2 * (terms.shape[1] + 1) * np.finfo(terms.dtype).eps * size)


def _close(found: Any, written: Any, slack: Any) -> Any:
    """Tell where two numbers agree; NaN agrees with NaN, and so do infinities and overflows."""
    if np.result_type(found, written).kind == "b":  # which NumPy does not subtract
        return np.equal(found, written)
    with np.errstate(all="ignore"):
        agree = (found == written) | (np.abs(found - written) <= slack)
        # A sum that overflows in one order of adding need not in another.
        return agree | ((found != found) & (written != written)) | ~np.isfinite(slack)
