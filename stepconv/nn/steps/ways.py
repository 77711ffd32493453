"""By which algorithms the layers of a network learn, and why not by another that was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Way(NamedTuple):
    """How one layer learns: each time `direct` or `winograd`."""

    layer: str
    sums: str  # its own, and those of the gradient for what it reads
    weights: str  # those of its weights' gradient
    why: str = ""  # why one of them is direct, if that was not asked for


def summed_directly(ways: Iterable[Way]) -> str:
    """Return which layers are summed directly although another way was asked for, and why.

    >>> ways = Way("conv1", "direct", "direct", "5x5"), Way("conv2", "winograd", "direct", "odd")
    >>> summed_directly(ways)
    "conv1 (5x5); conv2's weights (odd)"
    """
    found: dict[str, list[str]] = {}
    for way in ways:
        if way.why:
            whole = way.sums == "direct"
            found.setdefault(way.why, []).append(way.layer if whole else f"{way.layer}'s weights")
    return "; ".join(f"{', '.join(layers)} ({why})" for why, layers in found.items())
