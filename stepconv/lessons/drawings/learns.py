"""A kernel that learns: nine weights, their gradient, what the kernel gives, and what is wanted."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.lessons.experiments.learnt import descent, gives, loss
from stepconv.trace import worked_example

# The steps that are shown: first each one, then ever more at once.
_SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200)
_ROWS, _WIDE = 5, 34
# A weight as large as that grows with every step.
_ENDLESS = 1e6


def frames(id: str, rate: str, wanted: str = "expected") -> list[list[str]]:
    """Return a frame for each step that is shown; `wanted` may be what the slide has `printed`."""
    example = worked_example(id)
    target = np.asarray(getattr(example, wanted, None), np.float64)
    if target.ndim != 2:
        raise ArgumentError(f"learns {id} {wanted}: no rows of numbers: expected fits")
    lr = float(Fraction(rate))
    drawn = []
    for step, (w, grad) in enumerate(descent(id, lr, target)):
        if np.abs(w).max() > _ENDLESS:
            raise ArgumentError(f"learns {id} {rate}: so large a step leads nowhere: 1/40 fits")
        if step in _SHOWN:
            drawn.append(
                [
                    f"  step {step}   loss {_loss(loss(id, w, target))}   learning rate {rate}",
                    "",
                    *_beside("kernel w", w, "gradient g", grad),
                    "",
                    *_beside("it gives", gives(id, w), "wanted", target),
                ]
            )
        if step == _SHOWN[-1]:
            return drawn
    return drawn


def _beside(
    left: str, one: NDArray[np.float64], right: str, other: NDArray[np.float64]
) -> list[str]:
    """Return two arrays side by side under their names; of wide ones the first row alone."""
    wide = one.shape[1] * 7 - 1 > _WIDE
    rows = 1 if wide else _ROWS
    texts = [[_row(row) for row in cells[:rows].tolist()] for cells in (one, other)]
    if wide:
        return [f"  {left}, each row", f"  {texts[0][0]}", f"  {right}", f"  {texts[1][0]}"]
    pairs = zip(*texts, strict=True)
    return [
        f"  {left.ljust(_WIDE)}   {right}",
        *(f"  {a.ljust(_WIDE)}   {b}" for a, b in pairs),
    ]


def _row(cells: list[float]) -> str:
    return " ".join(_number(cell).rjust(6) for cell in cells)


def _number(number: float) -> str:
    """Return a number in at most 6 characters."""
    decimals = 2 if abs(number) < 100 else 1 if abs(number) < 1000 else 0
    return f"{round(number, decimals) + 0.0:.{decimals}f}"  # no -0.00


def _loss(number: float) -> str:
    return f"{number:,.1f}" if number >= 1 else f"{number:.2g}"
