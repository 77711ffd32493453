"""Slips on the way back through a pool: who wins a tie, what is added up, what is divided by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.slips.pools import Pool, pools

Array = NDArray[Any]


def _gathered(p: Pool, share: Callable[[Array], Array], *, add: bool = True) -> Array:
    """Spread each gradient over its window by the shares that its cells have."""
    assert p.grad is not None
    high, wide = (
        max(side + 2 * pad, (out - 1) * step + span)
        for side, pad, out, step, span in zip(
            *(p.x.shape[1:], p.padding, (p.high, p.wide), p.stride, p.window), strict=True
        )
    )
    padded = np.zeros((len(p.x), high, wide))
    for plane, i, j, window, rows, columns in p.places():
        given = share(window) * p.grad[plane, i, j]
        padded[plane, rows, columns] = given + (padded[plane, rows, columns] if add else 0)
    top, left = p.padding
    return padded[:, top : top + p.x.shape[1], left : left + p.x.shape[2]]


def _winners(window: Array) -> Array:
    return (window == np.nanmax(window)).astype(float)


def _first(window: Array) -> Array:
    made = np.zeros(window.size)
    if not np.isnan(window).all():  # a window beyond the end has no cells
        made[np.nanargmax(window)] = 1
    return made.reshape(window.shape)


def _last(window: Array) -> Array:
    return _first(window[::-1, ::-1])[::-1, ::-1]


def _evenly(window: Array) -> Array:
    real = ~np.isnan(window)
    return real / real.sum()


_BACK_MAX, _BACK_AVG = "max-pool-backward", "avg-pool-backward"


def _back(
    name: str, says: str, pattern: str, share: Callable[[Array], Array], add: bool = True
) -> None:
    @pools(name, says, pattern)
    def back(p: Pool) -> Array:
        return _gathered(p, share, add=add)


_back("ties-all", "where two are largest, both get the whole gradient", _BACK_MAX, _winners)
_back(
    *(
        "ties-shared",
        "where two are largest, they share the gradient: the first gets it",
        _BACK_MAX,
    ),
    lambda window: _winners(window) / _winners(window).sum(),
)
_back("ties-last", "where two are largest, the last gets the gradient", _BACK_MAX, _last)
_OVERWRITTEN = "where windows overlap, the last one overwrites the others: += adds"
_back("assigned", _OVERWRITTEN, _BACK_MAX, _first, add=False)
_back("assigned", _OVERWRITTEN, _BACK_MAX, _winners, add=False)
_back("assigned", _OVERWRITTEN, _BACK_AVG, _evenly, add=False)


@pools("assigned", _OVERWRITTEN, _BACK_MAX)
def winners_assigned(p: Pool) -> Array:
    """Only the winning cells are written, each by the last window that it won."""
    assert p.grad is not None
    out = np.zeros((len(p.x), *(s + 2 * b for s, b in zip(p.x.shape[1:], p.padding, strict=True))))
    for plane, i, j, window, rows, columns in p.places():
        row, column = np.unravel_index(int(np.nanargmax(window)), window.shape)
        out[plane, rows.start + row, columns.start + column] = p.grad[plane, i, j]
    top, left = p.padding
    return out[:, top : top + p.x.shape[1], left : left + p.x.shape[2]]


_back(
    "spread-evenly",
    "the gradient was spread over all cells, as an average's is",
    _BACK_MAX,
    _evenly,
)
_back(
    *("divisor-missing", "the gradient was not divided by the cells of the window", _BACK_AVG),
    lambda window: np.ones(window.shape),
)
_back(
    *("divisor-with-padding", "cells of the padding were counted in the average", _BACK_AVG),
    lambda window: np.ones(window.shape) / window.size,
)
_back(
    "first-cell",
    "the gradient went to the first cell of each window",
    _BACK_MAX + "|avg-pool-backward",
    lambda window: np.eye(1, window.size).reshape(window.shape),
)
_back(
    *("max-times", "the gradient was multiplied by the largest number", _BACK_MAX),
    lambda window: np.nan_to_num(_first(window) * window),
)


@pools("gradient-left-out", "1 was put where the largest is, in place of the gradient", _BACK_MAX)
def ones_for_gradient(p: Pool) -> Array:
    assert p.grad is not None
    made = replace(p, grad=np.ones_like(p.grad))
    return _gathered(made, _first)


@pools(
    "stride-forgotten", "the windows moved by one cell on the way back", f"{_BACK_MAX}|{_BACK_AVG}"
)
def back_unmoved(p: Pool) -> Array:
    made = replace(p, stride=(1, 1))
    return _gathered(made, _first if p.one.op == _BACK_MAX else _evenly)


@pools("stride-is-window", "the windows moved by their own size", f"{_BACK_MAX}|{_BACK_AVG}")
def back_by_window(p: Pool) -> Array:
    made = replace(p, stride=p.window)
    return _gathered(made, _first if p.one.op == _BACK_MAX else _evenly)
