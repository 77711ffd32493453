"""Which cell reads which: a dense layer has a wire and a weight of its own for every pair."""

from __future__ import annotations

from collections.abc import Sequence

from stepconv.errors import ArgumentError
from stepconv.geometry import correlation_plan

# Letters for the weights that a window shares.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Rows of cells that fit beside a text.
_MOST = 10


def counts(kind: str, side: int, window: int) -> tuple[int, int]:
    """Return how many wires and how many different weights lead from a square to the next.

    >>> counts("dense", 3, 2), counts("convolution", 3, 2)
    ((36, 36), (16, 4))
    """
    out = side - window + 1
    wires = out**2 * (side**2 if kind == "dense" else window**2)
    return wires, wires if kind == "dense" else window**2


def frames(kind: str, side: str = "3", window: str = "2") -> list[list[str]]:
    """Return a frame for each cell of the output: what it reads, and by which weight.

    Of `both` the dense layer and the convolution stand side by side.
    """
    kinds = ("dense", "convolution")
    if kind not in (*kinds, "both"):
        raise ArgumentError(f"wiring {kind!r} is not known: {', '.join(kinds)} and both fit")
    n, f = int(side), int(window)
    if n > _MOST:
        raise ArgumentError(f"wiring of {n} rows does not fit beside a text: {_MOST} do at most")
    (axis, _) = correlation_plan((n, n), (f, f)).axes
    out = axis.output
    films = [
        [_frame(each, n, f, divmod(cell, out), out, cell * n * n + 1) for cell in range(out * out)]
        for each in (kinds if kind == "both" else (kind,))
    ]
    return [_abreast(frames) for frames in zip(*films, strict=True)]


def _abreast(frames: Sequence[list[str]]) -> list[str]:
    """Return frames of equal height side by side."""
    wide = [max(map(len, frame)) for frame in frames]
    return [
        "    ".join(line.ljust(width) for line, width in zip(lines, wide, strict=True)).rstrip()
        for lines in zip(*frames, strict=True)
    ]


def _frame(
    kind: str, side: int, window: int, cell: tuple[int, int], out: int, first: int
) -> list[str]:
    wires, weights = counts(kind, side, window)
    row, column = cell
    inputs = []
    for i in range(side):
        told = []
        for j in range(side):
            inside = row <= i < row + window and column <= j < column + window
            if kind == "dense":
                told.append(f"w{first + i * side + j}")
            else:
                told.append(_LETTERS[(i - row) * window + j - column] if inside else "·")
        inputs.append("  ".join(each.rjust(3) for each in told))
    outputs = ["  ".join("■" if (i, j) == cell else "□" for j in range(out)) for i in range(out)]
    height = max(len(inputs), len(outputs))
    wide = len(inputs[0])
    lines = [
        f"  {left.ljust(wide)}   {'→' if number == 0 else ' '}   {right}"
        for number, (left, right) in enumerate(
            zip(
                inputs + [""] * (height - side),
                outputs + [""] * (height - len(outputs)),
                strict=True,
            )
        )
    ]
    reads = side**2 if kind == "dense" else window**2
    return [
        f"  {kind}: a cell reads {reads} of {side}x{side}",
        "",
        *lines,
        "",
        f"  {wires} wires, {weights} different weights",
    ]
