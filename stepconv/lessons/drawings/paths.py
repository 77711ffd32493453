"""The gradient on its way back through many layers, with the identity path and without."""

from __future__ import annotations

import math

from stepconv.lessons.experiments.depth import DEPTHS, arrives

# Characters of a bar, and the power of ten that the shortest stands for.
_WIDE, _LEAST = 60, -60
_SHOWN = 8


def frames() -> list[list[str]]:
    """Return a frame for each depth: how large the gradient is at eight places on the way back."""
    return [_frame(depth) for depth in DEPTHS]


def _frame(depth: int) -> list[str]:
    lines = [f"  {depth} layers: the gradient's size from the loss back; no bar is 10^{_LEAST}"]
    for path, title in ((False, "y = F(x)"), (True, "y = F(x) + x")):
        sizes = arrives(depth, path)
        lines.append(f"  {title}: {sizes[-1]:.2g} of it arrives at the first layer")
        places = [round(i * depth / (_SHOWN // 2)) for i in range(1, _SHOWN // 2 + 1)]
        lines += [f"  {place:4} back  {_bar(sizes[place])}" for place in places]
    return lines


def _bar(size: float) -> str:
    """Return a bar as long as a size has powers of ten over the least."""
    power = math.log10(size) if size > 0 else _LEAST
    return "█" * max(round(_WIDE * (1 - min(power, 0) / _LEAST)), 0)
