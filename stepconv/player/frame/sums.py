"""The sums of a step written out: those of its channels, and what makes the result of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stepconv.player.frame.film import PLAIN_SUMS, Film
from stepconv.player.frame.formats import plain
from stepconv.trace import Step
from stepconv.trace.gather import SUMMING
from stepconv.trace.words import channel_names, equals, factor, number, total

Array = NDArray[Any]

# Of more channels than these the sums are shown round the chosen one; a longer sum is cut short.
MOST_SUMS, MOST_TERMS = 24, 32


@dataclass(frozen=True)
class Sum:
    """A sum written out: what it is the sum of, its terms, and what comes after them.

    All of it is multiplied with the `scale`, such as 1/16·, if there is one.
    """

    name: str
    terms: tuple[str, ...]
    ending: str
    chosen: bool = False
    scale: str = ""


def as_planes(step: Step, cells: Array) -> Array:
    """Return what a step gives as (channels, rows, columns)."""
    rows, columns = step.readings
    return cells.reshape(len(step.pairs), len(rows.positions), len(columns.positions))


def sums_of(film: Film, step: Step, channel: int, most: tuple[int, int]) -> tuple[Sum, ...]:
    """Return the sums of the channels: at most so many, of at most so many terms each."""
    names, (most_sums, most_terms) = channel_names(step), most
    if film.family not in SUMMING or not names:
        return ()
    first = min(max(channel - most_sums // 2, 0), max(len(names) - most_sums, 0))
    patch = as_planes(step, step.products if film.family == "share" else step.patch)
    weighted = film.family not in PLAIN_SUMS and step.kernel is not None
    kernel = None
    if weighted and step.kernel is not None:
        kernel = film.whole(as_planes(step, step.kernel))
    sums = []
    for k in range(first, min(first + most_sums, len(names))):
        terms = [factor(x) for x in patch[k].reshape(-1)[:most_terms]]
        if kernel is not None:
            weights = (factor(w) for w in kernel[k].reshape(-1)[:most_terms])
            terms = [f"{x}·{w}" for x, w in zip(terms, weights, strict=True)]
        if patch[k].size > most_terms:
            terms.append("…")
        met = [each[k].reshape(-1) for each in (patch, kernel) if each is not None]
        summed = step.channel_sums[k]
        sign = equals(zip(*met, strict=True), summed, film.denominator)
        ending = f"{sign} {number(summed)}"
        chosen = k == channel and len(names) > 1
        sums.append(Sum(plain(names[k]), tuple(terms), ending, chosen, film.scale))
    return tuple(sums)


def total_of(film: Film, step: Step) -> Sum | None:
    """Return how the channels' sums, the bias and the divisor make the result.

    None where one channel's sum is the result already.
    """
    if not len(step.pairs) or film.family not in SUMMING:
        return None
    terms, ending = total(step)
    if film.has_bias:
        terms[-1] += " (bias)"
    if len(terms) == 1 and film.gather.finish is None:
        return None
    return Sum("", tuple(terms), ending)
