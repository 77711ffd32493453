"""What the project asks of its own speed: ratios of the peers' times to ours, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import Any

from stepconv.bench.cells import Cell
from stepconv.bench.peers import OURS

Row = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A speed that is asked for: the best of the named peers' times / ours.

    `against` are beginnings of contenders' names: "torch" stands for all that torch offers.
    """

    against: tuple[str, ...]
    ratio: float
    algorithm: str = "auto"


_TORCH, _NCHW = ("torch NCHW", "torch channels_last"), ("torch NCHW",)
_FOURIER = ("scipy", "cv2")
_MIDDLE = (Ask(_NCHW, 1.0), Ask(_NCHW, 1.4, "winograd"))

# By patterns of cells' names; the first that fits counts.
ASKED: dict[str, tuple[Ask, ...]] = {
    "filter-3": (Ask(("cv2",), 4),),
    "filter-5": (Ask(("cv2",), 5),),
    "filter-15": (Ask(("cv2",), 6),),
    "filter-31": tuple(Ask(("scipy", "torch NCHW fft", "cv2"), 1.2, a) for a in ("auto", "fft")),
    "filter-*": tuple(Ask(_FOURIER, 0.9, algorithm) for algorithm in ("auto", "fft")),
    "rank1-*": (Ask(("cv2 sepFilter2D",), 2.5),),
    "lenet1-forward": (Ask(_TORCH, 1.5),),
    "lenet2-forward": (Ask(_TORCH, 1.4),),
    "lenet?-dW": (Ask(_TORCH, 1.3),),
    "??-64-forward": _MIDDLE,
    "??-64-dX": _MIDDLE,
    "??-64-dW": (Ask(_NCHW, 0.95),),
    "???-pool-?-forward": (Ask(_TORCH, 1.5),),
    "???-pool-?-backward": (Ask(_TORCH, 1.0),),
    "*-backward": (),
    "pad-*": (Ask((*_TORCH, "numpy"), 1.0),),
    "tiny": (Ask(("scipy correlate2d",), 0.33), Ask(_NCHW, 0.7)),
    "*": (Ask(_TORCH, 1.0),),
}


def asks_for(cell: Cell, dtype: str) -> tuple[Ask, ...]:
    """Return what is asked of a cell in `dtype`: in float64 to be as fast as the peers.

    The tiny call has one row for all types.
    """
    asks = next(asks for pattern, asks in ASKED.items() if fnmatch(cell.name, pattern))
    if dtype == "float32" or cell.name == "tiny":
        return asks
    return tuple(replace(ask, ratio=1.0) for ask in asks if ask.algorithm != "winograd")


def verdict(ask: Ask, contenders: list[Row]) -> Row:
    """Return the measured ratio beside the one that is asked for; None where nobody is there."""
    most = max(c["threads"] for c in contenders)
    here = [c for c in contenders if c["threads"] == most]
    ours = next((c["median"] for c in here if c["name"] == f"{OURS} {ask.algorithm}"), None)
    rivals = [c for c in here if c["name"].startswith(ask.against)]
    best = min(rivals, key=lambda c: c["median"], default=None)
    ratio = best["median"] / ours if best and ours else None
    return {
        "algorithm": ask.algorithm,
        "against": list(ask.against),
        "asked": ask.ratio,
        "best": best["name"] if best else None,
        "ratio": ratio,
        "met": None if ratio is None else ratio >= ask.ratio,
    }


def judged(row: Row, cell: Cell) -> Row:
    """Return a cell's row with a verdict for each ask."""
    asks = asks_for(cell, row["dtype"])
    return {**row, "verdicts": [verdict(ask, row["contenders"]) for ask in asks]}


def mark(limit: float | None, met: bool | None, percent: bool = False) -> str:
    """Return what was asked for, as a table tells it, and whether it was reached."""
    if limit is None:
        return "–"
    told = f"{limit:.0%}" if percent else f"{limit:g}"
    return told if met is None else f"{told} ✓" if met else f"**{told} ✗**"
