"""The gradient on its way back through many layers, with identity paths and without."""

from __future__ import annotations

import math

from stepconv.lessons.experiments.depth import DEPTHS, arrives, kept

# Characters of a bar, and the power of ten at which nothing is left of it.
_WIDE, _LEAST = 60, -12
_SHOWN = 4


def frames() -> list[list[str]]:
    """Return a frame for each depth: the gradient's size at four places on the way back."""
    return [_frame(depth) for depth in DEPTHS]


def _frame(depth: int) -> list[str]:
    lines = [f"  {depth} layers; the gradient's size, no bar is 10^{_LEAST} of it"]
    for path, title in ((False, "y = F(x)"), (True, "y = F(x) + x")):
        sizes = kept(depth, path).sizes[::-1]
        lines.append(f"  {title}: {arrives(depth, path):.2g} of it arrives at the first layer")
        last = len(sizes) - 1
        for place in (round(number * last / _SHOWN) for number in range(1, _SHOWN + 1)):
            lines.append(f"  {place:4} back  {_bar(sizes[place] / sizes[0])}")
    return lines


def _bar(size: float) -> str:
    """Return a bar as long as a size has powers of ten over the least."""
    power = min(math.log10(size), 0) if size > 0 else _LEAST
    return "█" * round(_WIDE * max(1 - power / _LEAST, 0))
