"""Sums written out: the products of each channel, and what makes the result of them."""

from __future__ import annotations

from dataclasses import dataclass

from stepconv.player.frame.film import PLAIN_SUMS, WEIGHTED, Film
from stepconv.player.frame.grids import as_planes
from stepconv.player.text.lines import plain
from stepconv.trace import Step
from stepconv.trace.words import factor, number

# Of more channels than these the sums are shown round the chosen one.
_SUMS = 24
# A sum of more terms than these is cut short.
_TERMS = 32
_SUMMING = (*WEIGHTED, "spread", *PLAIN_SUMS)


@dataclass(frozen=True)
class Sum:
    """A sum written out: what it is the sum of, its terms, and what comes after them."""

    name: str
    terms: tuple[str, ...]
    ending: str
    chosen: bool = False


def of_channels(film: Film, step: Step, channel: int, names: list[str]) -> tuple[Sum, ...]:
    """Return the sums of the channels, as many as are shown."""
    if film.family not in _SUMMING or not names:
        return ()
    first = min(max(channel - _SUMS // 2, 0), max(len(names) - _SUMS, 0))
    patch = as_planes(step, step.patch)
    weighted = film.family not in PLAIN_SUMS and step.kernel is not None
    kernel = as_planes(step, step.kernel) if weighted and step.kernel is not None else None
    sums = []
    for k in range(first, min(first + _SUMS, len(names))):
        terms = [factor(x) for x in patch[k].reshape(-1)[:_TERMS]]
        if kernel is not None:
            weights = (factor(w) for w in kernel[k].reshape(-1)[:_TERMS])
            terms = [f"{x}·{w}" for x, w in zip(terms, weights, strict=True)]
        if patch[k].size > _TERMS:
            terms.append("…")
        ending = f"= {number(step.channel_sums[k])}"
        sums.append(Sum(plain(names[k]), tuple(terms), ending, k == channel and len(names) > 1))
    return tuple(sums)


def total(film: Film, step: Step, names: list[str]) -> Sum | None:
    """Return how the channels' sums, the bias and the divisor make the result.

    None where one channel's sum is the result already.
    """
    if not names or film.family not in _SUMMING:
        return None
    parts = [factor(value) for value in step.channel_sums]
    if film.has_bias:
        parts.append(f"{factor(step.bias)} (bias)")
    if len(parts) == 1 and step.divisor is None:
        return None
    divisor = f"/ {step.divisor} " if step.divisor is not None else ""
    return Sum("", tuple(parts), f"{divisor}= {number(step.result)}")
